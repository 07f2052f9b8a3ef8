//! A `[[source]]` of `type = "file"`.

use std::path::PathBuf;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::source::Columns;

/// What the file's lines are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    /// With a header, read anew at the head of every file.
    Csv,
    /// A post or page of X API v2, or a plain object, a line.
    Jsonl,
}

/// A `[[source]]` of `type = "file"`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub name: String,
    pub path: PathBuf,
    pub layout: Layout,
    /// All posts go to this topic; without it, to those whose keywords and handles they hold.
    pub topic: Option<String>,
    /// Which column holds what, as in `[dump.columns]`.
    #[serde(default)]
    pub columns: Columns,
    /// How often the file is looked at.
    #[serde(default = "default_poll")]
    pub poll: SignedDuration,
    /// It is an alert when nothing is added for this long; unset: never.
    pub stalled_after: Option<SignedDuration>,
}

fn default_poll() -> SignedDuration {
    SignedDuration::from_millis(500)
}

impl Config {
    /// Every fault, each naming its key.
    pub fn faults(&self) -> Vec<String> {
        Vec::new()
    }
}
