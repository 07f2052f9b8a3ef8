//! The configuration of X: `[x]`, the account with its budget, and `[[source]]` of `type = "twitter"`.

use std::path::PathBuf;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::client::is_loopback;
use super::{query, search};
use crate::post::Topic;
use crate::secret::{Form, Secret, SecretError, Wanted};

const MILLISECOND: SignedDuration = SignedDuration::from_millis(1);
const HOUR: SignedDuration = SignedDuration::from_hours(1);
const WEEK: SignedDuration = SignedDuration::from_hours(7 * 24);
/// More is a slip of the decimal point.
const MOST_DOLLARS: f64 = 1e8;

/// `[x]`: the account on X and what it may cost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AccountConfig {
    /// Where the API is.
    pub base_url: String,
    /// A file that holds the app's bearer token alone. Before it go the environment's `VIGIE_X_TOKEN` and systemd's
    /// credential `x-token`.
    pub token_file: Option<PathBuf>,
    /// For a whole answer that is not a stream, and for the head of one that is.
    pub timeout: SignedDuration,
    pub budget: Budget,
}

/// `[x.budget]`: what may be spent, over all sources of `type = "twitter"`. None: no limit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Budget {
    pub posts_per_day: Option<u64>,
    pub posts_per_month: Option<u64>,
    pub dollars_per_day: Option<f64>,
    pub dollars_per_month: Option<f64>,
    /// Dollars for each post read.
    pub price_per_post: f64,
    /// Dollars for each post of the owner's own mentions timeline.
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

/// How X is read.
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
    /// All posts go to this topic; without it, to those whose keywords and handles they hold.
    pub topic: Option<String>,
    /// What to search or stream, in X's query language; without it made from the topics' keywords and handles.
    pub query: Option<String>,
    /// The account whose mentions are read: its number, not its handle.
    pub user_id: Option<String>,
    /// Shortest time between two polls.
    #[serde(default = "defaults::interval_min")]
    pub interval_min: SignedDuration,
    /// Longest time between two polls, when little is posted.
    #[serde(default = "defaults::interval_max")]
    pub interval_max: SignedDuration,
    /// How far back is read again, for posts that the index showed late. Once in as much time: each post is read, and by
    /// vigie's budget paid for, about twice. Zero: never.
    #[serde(default = "defaults::overlap")]
    pub overlap: SignedDuration,
    /// How far back the first start reads; at most seven days.
    #[serde(default = "defaults::backfill")]
    pub backfill: SignedDuration,
    /// Posts a page, 10 to 100.
    #[serde(default = "defaults::page")]
    pub page: u32,
}

/// The app's bearer token: from the environment's `VIGIE_X_TOKEN`, systemd's credential `x-token`, or `x.token_file`.
///
/// # Errors
/// When it is nowhere, or no token.
pub fn token(config: &AccountConfig) -> Result<Secret, SecretError> {
    let wanted = Wanted {
        what: "bearer token of X".into(),
        variable: "VIGIE_X_TOKEN".into(),
        credential: "x-token".into(),
        key: "x.token_file".into(),
        file: config.token_file.clone(),
        form: Form::Token,
    };
    Secret::find(&wanted, |name| std::env::var(name).ok())
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
    /// Every fault, each naming its key.
    pub fn faults(&self, topics: &[Topic]) -> Vec<String> {
        let mut faults = Vec::new();
        let mut wrong = |fault: String| faults.push(format!("source {:?}: {fault}", self.name));
        if self.name.trim().is_empty() {
            wrong("name is empty".into());
        }
        let user = self.user_id.as_deref();
        match (self.mode, user) {
            (Mode::Mentions, None) => wrong("mode = \"mentions\" needs user_id, the account's number".into()),
            (_, Some(id)) if super::model::number(id).is_none() => {
                wrong(format!("user_id = {id:?} is no account's number (wanted such as \"2244994945\", no handle)"));
            }
            _ => {}
        }
        if self.interval_min < MILLISECOND {
            wrong(format!("interval_min = {:#} is too short, wanted such as 30s", self.interval_min));
        }
        if self.interval_max < self.interval_min {
            wrong(format!("interval_max = {:#} is below interval_min = {:#}", self.interval_max, self.interval_min));
        }
        if self.overlap.is_negative() || self.overlap > HOUR {
            wrong(format!("overlap = {:#}, wanted from 0s to 1h", self.overlap));
        }
        if self.backfill.is_negative() || self.backfill > WEEK {
            wrong(format!("backfill = {:#}, wanted from 0s to 168h: X's search goes back seven days", self.backfill));
        }
        if !(10..=100).contains(&self.page) {
            wrong(format!("page = {}, wanted from 10 to 100", self.page));
        }
        if self.mode == Mode::Search {
            self.query_faults(topics).into_iter().for_each(wrong);
        }
        faults
    }

    fn query_faults(&self, topics: &[Topic]) -> Vec<String> {
        if let Some(query) = &self.query {
            return query::faults(query, query::MOST_CHARS).iter().map(|fault| format!("query: {fault}")).collect();
        }
        if topics.is_empty() {
            return vec!["query is unset, and there is no [[topic]] to make one of".into()];
        }
        let watched = search::watched(self, topics);
        let length = query::of_topics(&watched).chars().count();
        if length <= query::MOST_CHARS {
            return Vec::new();
        }
        let share = |topic: &&Topic| format!("{:?} {}", topic.name, query::of_topics(&[topic]).chars().count());
        let shares: Vec<String> = watched.iter().map(share).collect();
        vec![format!(
            "the query made of the topics has {length} characters, X takes {}: {}; give each topic a [[source]] of its own \
             with topic = \"its name\", or set a shorter query",
            query::MOST_CHARS,
            shares.join(", ")
        )]
    }

    /// What is watched, and what that costs at most: one line for the start.
    pub fn costs(&self, account: &AccountConfig, topics: &[Topic]) -> String {
        let budget = &account.budget;
        let (what, price) = match self.mode {
            Mode::Search => (search::target(self, topics).what, budget.price_per_post),
            Mode::Mentions => (super::mentions::target(self).what, budget.price_per_mention),
            Mode::Stream => ("filtered stream".to_owned(), budget.price_per_post),
        };
        let again = if self.mode == Mode::Stream || self.overlap.is_zero() {
            String::new()
        } else {
            format!(", and about as much again for reading the last {:#} twice", self.overlap)
        };
        let limits = [
            budget.dollars_per_day.map(|most| format!("${most:.2} a day")),
            budget.dollars_per_month.map(|most| format!("${most:.2} a month")),
            budget.posts_per_day.map(|most| format!("{most} posts a day")),
            budget.posts_per_month.map(|most| format!("{most} posts a month")),
        ];
        let limits: Vec<String> = limits.into_iter().flatten().collect();
        let most = if limits.is_empty() {
            "without any limit (set x.budget)".to_owned()
        } else {
            format!("all sources on X together stop at {}", limits.join(", "))
        };
        format!("{what}; ${price} a post, ${:.2} for 1000{again}; {most}", price * 1_000.0)
    }
}

impl AccountConfig {
    /// Every fault, each naming its key.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if let Some(fault) = address_fault(&self.base_url) {
            faults.push(format!("x.base_url = {:?} {fault}", self.base_url));
        }
        if self.timeout < MILLISECOND || self.timeout > HOUR {
            faults.push(format!("x.timeout = {:#}, wanted from 1ms to 1h", self.timeout));
        }
        faults.extend(self.budget.faults());
        faults
    }
}

impl Budget {
    fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        for (key, price) in [("price_per_post", self.price_per_post), ("price_per_mention", self.price_per_mention)] {
            if !(0.0..=MOST_DOLLARS).contains(&price) {
                faults.push(format!("x.budget.{key} = {price}, wanted dollars such as 0.005"));
            }
        }
        let least = 10.0 * self.price_per_post.max(0.0);
        for (key, most) in [("dollars_per_day", self.dollars_per_day), ("dollars_per_month", self.dollars_per_month)] {
            if let Some(most) = most.filter(|most| !(least..=MOST_DOLLARS).contains(most)) {
                faults
                    .push(format!("x.budget.{key} = {most}, wanted at least {least} (a request reads up to 10 posts)"));
            }
        }
        for (key, most) in [("posts_per_day", self.posts_per_day), ("posts_per_month", self.posts_per_month)] {
            if let Some(most) = most.filter(|most| *most < 10) {
                faults.push(format!("x.budget.{key} = {most}, wanted at least 10 (a request reads up to as many)"));
            }
        }
        faults
    }
}

fn address_fault(address: &str) -> Option<&'static str> {
    let Ok(url) = reqwest::Url::parse(address) else { return Some("is no address, wanted https://api.x.com") };
    match url.scheme() {
        _ if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() => {
            Some("has more than a host and a path")
        }
        "https" => None,
        "http" if is_loopback(address) => None,
        "http" => Some("would send the token in the clear, wanted https:// (http only to this machine)"),
        _ => Some("is no address of the web, wanted https://api.x.com"),
    }
}

#[cfg(test)]
mod tests;
