//! Recent search: the poll target of `mode = "search"`.

use super::budget::BilledItem;
use super::config::Config;
use super::poll::PollTarget;
use super::position::reach_of_search;
use super::rate_limits::Endpoint;
use crate::post::Topic;

pub(super) fn target(config: &Config, topics: &[Topic]) -> PollTarget {
    PollTarget {
        endpoint: Endpoint::Search,
        item: BilledItem::Post,
        path: "/2/tweets/search/recent".into(),
        what: config.describe(topics),
        query: vec![("query", config.searches(topics).swap_remove(0))],
        page_parameter: "next_token",
        reach: Some(reach_of_search()),
    }
}
