//! [`SourceConfig`], one `[[source]]` of the configuration, and how it becomes a running [`Source`].

use serde::{Deserialize, Serialize};

use super::delivery::Cursor;
use super::sender::Source;
use super::{http, tail, twitter};
use crate::clock::Clock;
use crate::post::Topic;

/// One source that the daemon reads. Its name labels metrics and keys its cursor: a renamed source begins anew.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum SourceConfig {
    /// X, by its API v2.
    Twitter(twitter::Config),
    /// A file of CSV or JSON lines that grows.
    File(tail::Config),
    /// Posts sent to this daemon's own web server.
    Http(http::Config),
}

/// What sources are built from, beside their own configuration.
pub struct Context<'a> {
    /// The account on X that all sources of type `twitter` share; none where there is none of them.
    pub x: Option<&'a twitter::Account>,
    pub topics: &'a [Topic],
    pub clock: Clock,
    /// As last committed; none at the first start.
    pub cursor: Option<Cursor>,
}

/// Why a source cannot be built. One line that says the way out, without secrets.
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

    /// As `type` in the configuration.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Twitter(_) => "twitter",
            Self::File(_) => "file",
            Self::Http(_) => "http",
        }
    }

    /// Every fault, each naming its key; nothing is read and nothing resolved.
    pub fn faults(&self, topics: &[Topic]) -> Vec<String> {
        match self {
            Self::Twitter(config) => config.faults(topics),
            Self::File(config) => config.faults(),
            Self::Http(config) => config.faults(),
        }
    }

    /// The source, ready to run; none for one that the web server feeds.
    ///
    /// # Errors
    /// When something it needs is missing, or `cursor` is not one of its own.
    pub fn build(&self, context: &Context<'_>) -> Result<Option<Box<dyn Source>>, BuildError> {
        let built: Result<Option<Box<dyn Source>>, String> = match self {
            Self::Twitter(config) => twitter::build(config, context).map(Some),
            Self::File(config) => tail::build(config, context).map(Some),
            Self::Http(_) => Ok(None),
        };
        built.map_err(|reason| BuildError { name: self.name().to_owned(), reason })
    }
}
