//! [`ReceiverConfig`]: who is told, by which channel, in which language, and how often at most.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::render::Templates;
use super::{ChannelConfig, Context, NoSettings, Notifier, ReceiverError};
use crate::clock::Clock;
use crate::language::Language;

/// A `[[receiver]]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiverConfig {
    /// Routes, metrics and secrets name it.
    pub name: String,
    /// The configuration's where unset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
    /// Notifications a minute, at most; as many may come at once.
    #[serde(default = "rate_limit")]
    pub rate_limit: u32,
    // It refuses unknown keys, also in the name of this.
    #[serde(flatten)]
    pub channel: ChannelConfig,
}

fn rate_limit() -> u32 {
    30
}

impl ReceiverConfig {
    /// The log, which is there where nobody else is.
    pub fn log() -> Self {
        let channel = ChannelConfig::Log(NoSettings {});
        Self { name: "log".into(), language: None, rate_limit: rate_limit(), channel }
    }

    /// Every fault, each naming its key; nothing is resolved and no secret read.
    pub fn faults(&self) -> Vec<String> {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let mut faults = self.channel.faults();
        if self.name.is_empty() || !self.name.chars().all(plain) {
            faults.push(format!("name is {:?}: wanted letters, digits, - and _, such as \"crisis-mail\"", self.name));
        }
        if !(1..=6_000).contains(&self.rate_limit) {
            faults.push(format!("rate_limit is {}: wanted from 1 to 6000 a minute", self.rate_limit));
        }
        faults
    }

    /// The way to the receiver, with `language` where it has none of its own; `environment` reads a variable.
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
        self.channel.build(&Context { receiver: &self.name, language, templates, clock, environment })
    }
}
