//! The mentions timeline: the poll target of `mode = "mentions"`.

use super::budget::BilledItem;
use super::config::Config;
use super::poll::PollTarget;
use super::rate_limits::Endpoint;

pub(super) fn target(config: &Config) -> PollTarget {
    let user = config.user_id.as_deref().unwrap_or_default();
    PollTarget {
        endpoint: Endpoint::Mentions,
        item: BilledItem::Mention,
        path: format!("/2/users/{user}/mentions"),
        what: config.describe(&[]),
        query: Vec::new(),
        page_parameter: "pagination_token",
        reach: None,
    }
}
