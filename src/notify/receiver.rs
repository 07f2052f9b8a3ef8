//! [`ReceiverConfig`]: a `[[receiver]]` of the configuration, who is told and how.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::render::Templates;
use super::{ChannelConfig, Context, Language, Notifier, ReceiverError};
use crate::source::Clock;

/// A `[[receiver]]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiverConfig {
    /// Letters, digits, `-` and `_`: it names the receiver's secrets.
    pub name: String,
    /// The configuration's where unset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
    // It refuses unknown keys, also in the name of this.
    #[serde(flatten)]
    pub channel: ChannelConfig,
}

impl ReceiverConfig {
    /// Every fault, each naming its key; nothing is resolved and no secret read.
    pub fn faults(&self) -> Vec<String> {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let mut faults = self.channel.faults();
        if self.name.is_empty() || !self.name.chars().all(plain) {
            faults.push(format!("name is {:?}: wanted letters, digits, - and _, such as \"crisis-mail\"", self.name));
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
