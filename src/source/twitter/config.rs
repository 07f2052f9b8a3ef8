//! The configuration of X: `[x]` is the account with its budget, `[[source]]` of `type = "twitter"` one source on it.

use std::path::PathBuf;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::query;
use crate::http_client::is_loopback;
use crate::post::Topic;
use crate::secret::{Secret, SecretError, SecretKind, SecretSpec};

const MILLISECOND: SignedDuration = SignedDuration::from_millis(1);
const HOUR: SignedDuration = SignedDuration::from_hours(1);
const WEEK: SignedDuration = SignedDuration::from_hours(7 * 24);
/// A larger amount is a misplaced decimal point.
const MAX_DOLLARS: f64 = 1e8;

/// `[x]`: the account on X and its budget.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AccountConfig {
    /// Address of the API.
    pub base_url: String,
    /// File with the app's bearer token and nothing else. The environment's `VIGIE_X_TOKEN` and systemd's credential
    /// `x-token` take precedence.
    pub token_file: Option<PathBuf>,
    /// Timeout for a whole response, and for the headers of a stream.
    #[serde(with = "crate::duration")]
    pub timeout: SignedDuration,
    pub budget: Budget,
}

/// `[x.budget]`: spending limits over all sources of `type = "twitter"`. None: no limit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Budget {
    pub posts_per_day: Option<u64>,
    pub posts_per_month: Option<u64>,
    pub dollars_per_day: Option<f64>,
    pub dollars_per_month: Option<f64>,
    /// Dollars per post read.
    pub price_per_post: f64,
    /// Dollars per post of the owner's mentions timeline.
    pub price_per_mention: f64,
}

impl Default for AccountConfig {
    fn default() -> Self {
        Self {
            base_url: "https://api.x.com".into(),
            token_file: None,
            timeout: SignedDuration::from_secs(30),
            budget: Budget::default(),
        }
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            posts_per_day: None,
            posts_per_month: None,
            dollars_per_day: Some(10.0),
            dollars_per_month: Some(150.0),
            price_per_post: 0.005,
            price_per_mention: 0.001,
        }
    }
}

/// Which endpoint of X is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Recent search, polled.
    Search,
    /// The mentions timeline of the account `user_id`, polled.
    Mentions,
    /// The filtered stream.
    Stream,
}

/// A `[[source]]` of `type = "twitter"`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub name: String,
    pub mode: Mode,
    /// Topic of all posts; without it, each post goes to the topics whose keywords and handles it contains.
    pub topic: Option<String>,
    /// What to search or stream, in X's query language; by default built from the topics' keywords and handles.
    pub query: Option<String>,
    /// The account whose mentions are read: its numeric ID, not its handle.
    pub user_id: Option<String>,
    /// Shortest time between two polls.
    #[serde(default = "defaults::interval_min", with = "crate::duration")]
    pub interval_min: SignedDuration,
    /// Longest time between two polls, when little is posted.
    #[serde(default = "defaults::interval_max", with = "crate::duration")]
    pub interval_max: SignedDuration,
    /// How far back to read again, for posts that X indexed late. This happens once per `overlap`, so each post is read,
    /// and charged to the budget, about twice. Zero: never.
    #[serde(default = "defaults::overlap", with = "crate::duration")]
    pub overlap: SignedDuration,
    /// How far back the first start reads; at most seven days.
    #[serde(default = "defaults::backfill", with = "crate::duration")]
    pub backfill: SignedDuration,
    /// Posts per page, 10 to 100.
    #[serde(default = "defaults::page")]
    pub page: u32,
}

/// Loads the app's bearer token: from the environment's `VIGIE_X_TOKEN`, systemd's credential `x-token`, or
/// `x.token_file`.
///
/// # Errors
/// When the token is missing or malformed.
pub fn load_token(config: &AccountConfig) -> Result<Secret, SecretError> {
    let spec = SecretSpec {
        what: "bearer token of X".into(),
        variable: "VIGIE_X_TOKEN".into(),
        credential: "x-token".into(),
        key: "x.token_file".into(),
        file: config.token_file.clone(),
        kind: SecretKind::Token,
    };
    Secret::load(&spec, |name| std::env::var(name).ok())
}

mod defaults {
    use jiff::SignedDuration;

    pub(super) fn interval_min() -> SignedDuration {
        SignedDuration::from_secs(30)
    }

    pub(super) fn interval_max() -> SignedDuration {
        SignedDuration::from_mins(5)
    }

    pub(super) fn overlap() -> SignedDuration {
        SignedDuration::from_mins(1)
    }

    pub(super) fn backfill() -> SignedDuration {
        SignedDuration::from_hours(1)
    }

    pub(super) fn page() -> u32 {
        100
    }
}

impl Config {
    /// Finds every problem and names its key.
    pub fn validate(&self, topics: &[Topic]) -> Vec<String> {
        let mut problems = Vec::new();
        let mut report = |problem: String| problems.push(format!("source {:?}: {problem}", self.name));
        if self.name.trim().is_empty() {
            report("name is empty".into());
        }
        let user = self.user_id.as_deref();
        match (self.mode, user) {
            (Mode::Mentions, None) => report("mode = \"mentions\" needs user_id, the numeric ID of the account".into()),
            (_, Some(id)) if super::model::parse_id(id).is_none() => {
                report(format!(
                    "user_id = {id:?} is not a numeric account ID; expected e.g. \"2244994945\", not a handle"
                ));
            }
            _ => {}
        }
        if self.interval_min < MILLISECOND {
            report(format!("interval_min = {:#} is too short; expected e.g. 30s", self.interval_min));
        }
        if self.interval_max < self.interval_min {
            report(format!("interval_max = {:#} is below interval_min = {:#}", self.interval_max, self.interval_min));
        }
        if self.overlap.is_negative() || self.overlap > HOUR {
            report(format!("overlap = {:#}; expected 0s to 1h", self.overlap));
        }
        if self.backfill.is_negative() || self.backfill > WEEK {
            report(format!("backfill = {:#}; expected 0s to 7d, as X's search goes back seven days", self.backfill));
        }
        if !(10..=100).contains(&self.page) {
            report(format!("page = {}; expected 10 to 100", self.page));
        }
        if self.mode != Mode::Mentions {
            self.query_problems(topics).into_iter().for_each(report);
        }
        problems
    }

    fn query_problems(&self, topics: &[Topic]) -> Vec<String> {
        if let Some(query) = &self.query {
            let mut problems = query::validate(query, query::MAX_CHARS);
            if self.mode == Mode::Stream {
                // A rule may be longer, but gaps of the stream are filled by search.
                let why = "; a rule may have more, but the search that fills gaps of the stream may not: shorten it, or leave it out, \
                           and several are built from the topics";
                problems
                    .iter_mut()
                    .filter(|problem| problem.starts_with("it has "))
                    .for_each(|problem| problem.push_str(why));
            }
            return problems.iter().map(|problem| format!("query: {problem}")).collect();
        }
        if topics.is_empty() {
            return vec!["query is not set, and no [[topic]] exists to build one from".into()];
        }
        let problem = query::build_queries(&self.watched_topics(topics), query::MAX_CHARS).err();
        problem.map(|problem| format!("{problem}; shorten that keyword")).into_iter().collect()
    }

    /// The topics that the query is built from: that of the source, or all of them.
    fn watched_topics<'a>(&self, topics: &'a [Topic]) -> Vec<&'a Topic> {
        let is_own = |topic: &&Topic| self.topic.as_deref() == Some(topic.name.trim());
        let own: Vec<&Topic> = topics.iter().filter(is_own).collect();
        if own.is_empty() { topics.iter().collect() } else { own }
    }

    /// What to search: the configured query, or those built from the topics.
    pub(super) fn searches(&self, topics: &[Topic]) -> Vec<String> {
        self.queries(topics, query::MAX_CHARS)
    }

    /// The rules of the stream, as [`Config::searches`].
    pub(super) fn stream_rules(&self, topics: &[Topic]) -> Vec<String> {
        self.queries(topics, query::MAX_RULE_CHARS)
    }

    fn queries(&self, topics: &[Topic], max: usize) -> Vec<String> {
        if let Some(query) = &self.query {
            return vec![query.clone()];
        }
        let watched = self.watched_topics(topics);
        // `validate` has found a term that is too long; X refuses it.
        query::build_queries(&watched, max).unwrap_or_else(|_| vec![query::build_query(&watched)])
    }

    /// One source for each query that recent search needs: a search reads one, and keeps its own position. The first has the
    /// name of this one, the others `name/2`, `name/3`, ...
    pub fn split(&self, topics: &[Topic]) -> Vec<Self> {
        if self.mode != Mode::Search || self.query.is_some() {
            return vec![self.clone()];
        }
        let queries = self.searches(topics);
        if queries.len() == 1 {
            return vec![self.clone()];
        }
        let part = |(number, query): (usize, String)| {
            let name = if number == 0 { self.name.clone() } else { format!("{}/{}", self.name, number + 1) };
            Self { name, query: Some(query), ..self.clone() }
        };
        queries.into_iter().enumerate().map(part).collect()
    }

    /// What is read and how often: one line for operators.
    pub(super) fn describe(&self, topics: &[Topic]) -> String {
        let (min, max) = (self.interval_min, self.interval_max);
        match self.mode {
            Mode::Search => format!("recent search, every {min:#} to {max:#}: {}", shown(&self.searches(topics))),
            Mode::Mentions => {
                let user = self.user_id.as_deref().unwrap_or_default();
                format!("mentions of the account {user}, every {min:#} to {max:#}")
            }
            Mode::Stream => format!("filtered stream: {}", shown(&self.stream_rules(topics))),
        }
    }

    /// What is read and its maximum cost: one line for the start of the daemon.
    pub fn describe_costs(&self, account: &AccountConfig, topics: &[Topic]) -> String {
        let budget = &account.budget;
        let what = self.describe(topics);
        let price = match self.mode {
            Mode::Search | Mode::Stream => budget.price_per_post,
            Mode::Mentions => budget.price_per_mention,
        };
        let again = if self.mode == Mode::Stream || self.overlap.is_zero() {
            String::new()
        } else {
            format!(", and about the same again for reading the last {:#} twice", self.overlap)
        };
        let limits = [
            budget.dollars_per_day.map(|max| format!("${max:.2} a day")),
            budget.dollars_per_month.map(|max| format!("${max:.2} a month")),
            budget.posts_per_day.map(|max| format!("{max} posts a day")),
            budget.posts_per_month.map(|max| format!("{max} posts a month")),
        ];
        let limits: Vec<String> = limits.into_iter().flatten().collect();
        let maximum = if limits.is_empty() {
            "no spending limit (set x.budget)".to_owned()
        } else {
            format!("all sources on X together stop at {}", limits.join(", "))
        };
        format!("{what}; ${price} a post, ${:.2} for 1000{again}; {maximum}", price * 1_000.0)
    }
}

/// The first of `queries`, and how many there are.
pub(super) fn shown(queries: &[String]) -> String {
    let first = queries.first().map(String::as_str).unwrap_or_default();
    match queries.len() {
        0 | 1 => first.to_owned(),
        all => format!("{first} (1 of {all} queries)"),
    }
}

impl AccountConfig {
    /// Finds every problem and names its key.
    pub fn validate(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if let Some(problem) = url_problem(&self.base_url) {
            problems.push(format!("x.base_url = {:?} {problem}", self.base_url));
        }
        if self.timeout < MILLISECOND || self.timeout > HOUR {
            problems.push(format!("x.timeout = {:#}; expected 1ms to 1h", self.timeout));
        }
        problems.extend(self.budget.validate());
        problems
    }
}

impl Budget {
    fn validate(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for (key, price) in [("price_per_post", self.price_per_post), ("price_per_mention", self.price_per_mention)] {
            if !(0.0..=MAX_DOLLARS).contains(&price) {
                problems.push(format!("x.budget.{key} = {price}; expected dollars, e.g. 0.005"));
            }
        }
        let min = 10.0 * self.price_per_post.max(0.0);
        for (key, limit) in [("dollars_per_day", self.dollars_per_day), ("dollars_per_month", self.dollars_per_month)] {
            if let Some(limit) = limit.filter(|limit| !(min..=MAX_DOLLARS).contains(limit)) {
                problems.push(format!(
                    "x.budget.{key} = {limit}; expected at least {min}, as a request reads up to 10 posts"
                ));
            }
        }
        for (key, limit) in [("posts_per_day", self.posts_per_day), ("posts_per_month", self.posts_per_month)] {
            if let Some(limit) = limit.filter(|limit| *limit < 10) {
                problems
                    .push(format!("x.budget.{key} = {limit}; expected at least 10, as a request reads up to 10 posts"));
            }
        }
        problems
    }
}

fn url_problem(address: &str) -> Option<&'static str> {
    let Ok(url) = reqwest::Url::parse(address) else { return Some("is not a URL; expected https://api.x.com") };
    match url.scheme() {
        _ if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() => {
            Some("must have a host and a path only")
        }
        "https" => None,
        "http" if is_loopback(&url) => None,
        "http" => Some("would send the token unencrypted; expected https:// (http only to this machine)"),
        _ => Some("is not a web address; expected https://api.x.com"),
    }
}

#[cfg(test)]
mod tests;
