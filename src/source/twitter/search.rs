//! Recent search: what is polled in the mode `search`.

use super::budget::Item;
use super::config::Config;
use super::cursor::reach_of_search;
use super::limits::Endpoint;
use super::poll::Target;
use super::query::of_topics;
use crate::post::Topic;

/// The query that is asked: the given one, or one made of the source's topic, or of all topics.
pub(super) fn query(config: &Config, topics: &[Topic]) -> String {
    config.query.clone().unwrap_or_else(|| of_topics(&watched(config, topics)))
}

/// The topics that a query is made of.
pub(super) fn watched<'a>(config: &Config, topics: &'a [Topic]) -> Vec<&'a Topic> {
    let own: Vec<&Topic> = topics.iter().filter(|topic| config.topic.as_deref() == Some(topic.name.trim())).collect();
    if own.is_empty() { topics.iter().collect() } else { own }
}

pub(super) fn target(config: &Config, topics: &[Topic]) -> Target {
    let query = query(config, topics);
    Target {
        endpoint: Endpoint::Search,
        item: Item::Post,
        path: "/2/tweets/search/recent".into(),
        what: format!("recent search, every {:#} to {:#}: {query}", config.interval_min, config.interval_max),
        query: vec![("query", query)],
        token: "next_token",
        reach: Some(reach_of_search()),
    }
}
