//! The alias `champion` of a registered model, and the time of its promotion: a promotion that waited in the spool
//! while the server was down must not undo a later one.

use super::api::{Api, ModelVersion};
use super::request_error::RequestError;

const ALIAS: &str = "champion";
/// Tag with the time of the champion's promotion, in milliseconds since 1970.
const SINCE: &str = "vigie.champion_since";

/// Makes `version` the champion since `at`, unless a later promotion is recorded.
pub(super) fn set(api: &Api, model: &str, version: &ModelVersion, at: i64) -> Result<(), RequestError> {
    let since = api.model_tag(model, SINCE)?.and_then(|since| since.parse::<i64>().ok());
    if since.is_some_and(|since| since > at) {
        return Ok(());
    }
    api.set_alias(model, ALIAS, &version.version)?;
    api.set_model_tag(model, SINCE, &at.to_string())
}
