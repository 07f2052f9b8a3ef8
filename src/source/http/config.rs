//! A `[[source]]` of `type = "http"`.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::secret::{Secret, SecretError, SecretKind, SecretSpec};

/// A `[[source]]` of `type = "http"`; at most one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub name: String,
    /// Topic of all posts; without it, each post goes to the topics whose keywords and handles it contains.
    pub topic: Option<String>,
    /// File with the bearer token that senders must present. The environment's `VIGIE_HTTP_TOKEN` and systemd's
    /// credential `http-token` take precedence.
    pub token_file: Option<PathBuf>,
}

impl Config {
    /// Finds every problem and names its key.
    pub fn validate(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Loads the token that senders must present: from the environment's `VIGIE_HTTP_TOKEN`, systemd's credential
/// `http-token`, or `token_file`.
///
/// # Errors
/// When the token is missing or malformed.
pub fn load_token(config: &Config) -> Result<Secret, SecretError> {
    let spec = SecretSpec {
        what: "token for POST /api/v1/posts".into(),
        variable: "VIGIE_HTTP_TOKEN".into(),
        credential: "http-token".into(),
        key: "source.token_file".into(),
        file: config.token_file.clone(),
        kind: SecretKind::Token,
    };
    Secret::load(&spec, |name| std::env::var(name).ok())
}
