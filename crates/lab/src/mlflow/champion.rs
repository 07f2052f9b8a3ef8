//! The alias `champion` of a registered model, and since when it stands: a promotion that was kept while the server was
//! down must not undo a later one.

use super::api::{Api, Version};
use super::fault_scope::Fault;

const ALIAS: &str = "champion";
/// Milliseconds since 1970 of the promotion that the alias tells of.
const SINCE: &str = "vigie.champion_since";

/// Makes `version` the champion since `at`, unless a later promotion is known.
pub(super) fn set(api: &Api, model: &str, version: &Version, at: i64) -> Result<(), Fault> {
    let since = api.model_tag(model, SINCE)?.and_then(|since| since.parse::<i64>().ok());
    if since.is_some_and(|since| since > at) {
        return Ok(());
    }
    api.set_alias(model, ALIAS, &version.version)?;
    api.set_model_tag(model, SINCE, &at.to_string())
}
