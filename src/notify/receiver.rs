//! [`ReceiverConfig`]: who is told, by which channel, in which language, and how often at most.

use serde::{Deserialize, Serialize};

use super::{ChannelConfig, Language, NoSettings};

/// A `[[receiver]]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiverConfig {
    /// Routes and metrics name it.
    pub name: String,
    /// The configuration's where unset.
    #[serde(default)]
    pub language: Option<Language>,
    /// Notifications a minute, at most; as many may come at once.
    #[serde(default = "rate_limit")]
    pub rate_limit: u32,
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

    /// Every fault, each naming its key.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = self.channel.faults();
        if !(1..=6_000).contains(&self.rate_limit) {
            faults.push(format!("rate_limit is {}: wanted from 1 to 6000 a minute", self.rate_limit));
        }
        faults
    }
}
