//! The mentions timeline: what is polled in the mode `mentions`.

use super::budget::Item;
use super::config::Config;
use super::limits::Endpoint;
use super::poll::Target;

pub(super) fn target(config: &Config) -> Target {
    let user = config.user_id.as_deref().unwrap_or_default();
    Target {
        endpoint: Endpoint::Mentions,
        item: Item::Mention,
        path: format!("/2/users/{user}/mentions"),
        what: format!("mentions of the account {user}, every {:#} to {:#}", config.interval_min, config.interval_max),
        query: Vec::new(),
        token: "pagination_token",
        reach: None,
    }
}
