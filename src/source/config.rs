//! [`SourceConfig`]: one `[[source]]` of the configuration, and how it becomes a running [`Source`].

use serde::{Deserialize, Serialize};

use super::{Context, Source, http, tail, twitter};
use crate::post::Topic;

/// One source that the daemon reads. Its name labels metrics and keys its cursor: a renamed source starts over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "a handful of them, read once")]
pub enum SourceConfig {
    /// X, through its API v2.
    Twitter(twitter::Config),
    /// A growing file of CSV or JSON lines.
    File(tail::Config),
    /// Posts sent to this daemon's web server.
    Http(http::Config),
}

/// Why a source cannot be built. One line with the remedy and without secrets.
#[derive(Debug, thiserror::Error)]
#[error("source {name:?}: {reason}")]
pub struct BuildError {
    pub name: String,
    pub reason: String,
}

impl SourceConfig {
    pub fn name(&self) -> &str {
        match self {
            Self::Twitter(config) => &config.name,
            Self::File(config) => &config.name,
            Self::Http(config) => &config.name,
        }
    }

    /// The value of `type` in the configuration.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Twitter(_) => "twitter",
            Self::File(_) => "file",
            Self::Http(_) => "http",
        }
    }

    /// Finds every problem and names its key, without reading files or resolving names.
    pub fn validate(&self, topics: &[Topic]) -> Vec<String> {
        match self {
            Self::Twitter(config) => config.validate(topics),
            Self::File(config) => config.validate(),
            Self::Http(config) => config.validate(),
        }
    }

    /// The sources that this one consists of: several, where it searches for more topics than one request can name.
    pub fn split(&self, topics: &[Topic]) -> Vec<Self> {
        match self {
            Self::Twitter(config) => config.split(topics).into_iter().map(Self::Twitter).collect(),
            Self::File(_) | Self::Http(_) => vec![self.clone()],
        }
    }

    /// Builds the source; none for one that the web server feeds.
    ///
    /// # Errors
    /// When something it needs is missing, or another kind of source wrote `context.cursor`.
    pub fn build(&self, context: &Context<'_>) -> Result<Option<Box<dyn Source>>, BuildError> {
        let built: Result<Option<Box<dyn Source>>, String> = match self {
            Self::Twitter(config) => twitter::build(config, context).map(Some),
            Self::File(config) => tail::build(config, context).map(Some),
            Self::Http(_) => Ok(None),
        };
        built.map_err(|reason| BuildError { name: self.name().to_owned(), reason })
    }
}
