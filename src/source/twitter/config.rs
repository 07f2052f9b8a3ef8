//! The configuration of X: `[x]`, the account with its budget, and `[[source]]` of `type = "twitter"`.

use std::path::PathBuf;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::source::{Secret, SecretError, Topic, Wanted};

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
    /// How far back each poll reads again, for posts that the index showed late.
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
        what: "bearer token of X",
        variable: "VIGIE_X_TOKEN",
        credential: "x-token",
        key: "x.token_file",
        file: config.token_file.clone(),
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
    pub fn faults(&self, _topics: &[Topic]) -> Vec<String> {
        Vec::new()
    }
}
