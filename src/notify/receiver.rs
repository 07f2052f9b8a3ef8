//! [`ReceiverConfig`]: one receiver: its integration, language and rate limit.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::render::Templates;
use super::{Context, IntegrationConfig, NoSettings, Notifier, ReceiverError};
use crate::clock::Clock;
use crate::language::Language;

/// A `[[receiver]]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiverConfig {
    /// Used in routes, metrics and the names of secrets.
    pub name: String,
    /// Defaults to the configuration's language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
    /// The most notifications per minute, and in one burst.
    #[serde(default = "rate_limit")]
    pub rate_limit: u32,
    // The integration rejects unknown keys, those of this struct included.
    #[serde(flatten)]
    pub integration: IntegrationConfig,
}

fn rate_limit() -> u32 {
    30
}

impl ReceiverConfig {
    /// The log: the receiver when none is configured.
    pub fn log() -> Self {
        let integration = IntegrationConfig::Log(NoSettings {});
        Self { name: "log".into(), language: None, rate_limit: rate_limit(), integration }
    }

    /// Every problem, each naming its key. Nothing is resolved, and no secret is read.
    pub fn validate(&self) -> Vec<String> {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let mut problems = self.integration.validate();
        if self.name.is_empty() || !self.name.chars().all(plain) {
            problems
                .push(format!("name is {:?}: expected letters, digits, - and _, such as \"crisis-mail\"", self.name));
        }
        if !(1..=6_000).contains(&self.rate_limit) {
            problems.push(format!("rate_limit is {}: expected 1 to 6000 per minute", self.rate_limit));
        }
        problems
    }

    /// Builds the notifier. `language` is the default; `environment` reads an environment variable.
    ///
    /// # Errors
    /// When a secret is missing, or something it needs cannot be read.
    pub fn build(
        &self,
        language: Language,
        templates: Arc<Templates>,
        clock: Clock,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Box<dyn Notifier>, ReceiverError> {
        let language = self.language.unwrap_or(language);
        self.integration.build(&Context { receiver: &self.name, language, templates, clock, environment })
    }
}
