//! A `[[source]]` of `type = "http"`.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// A `[[source]]` of `type = "http"`; at most one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub name: String,
    /// All posts go to this topic; without it, to those whose keywords and handles they hold.
    pub topic: Option<String>,
    /// A file that holds the bearer token that senders must show. Before it go the environment's `VIGIE_HTTP_TOKEN` and
    /// systemd's credential `http-token`.
    pub token_file: Option<PathBuf>,
}

impl Config {
    /// Every fault, each naming its key.
    pub fn faults(&self) -> Vec<String> {
        Vec::new()
    }
}
