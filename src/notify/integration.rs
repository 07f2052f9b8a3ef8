//! [`ChannelConfig`]: the ways there are to tell a receiver, and how each becomes a [`Notifier`].

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::context::{Context, ReceiverError};
use super::log_channel::LogChannel;
use super::{Notifier, alertmanager, command, email, pagerduty, slack, teams, webhook};

/// How a receiver is told: `type` and what belongs to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum ChannelConfig {
    Email(email::Config),
    Teams(teams::Config),
    Slack(slack::Config),
    Webhook(webhook::Config),
    Alertmanager(alertmanager::Config),
    PagerDuty(pagerduty::Config),
    Command(command::Config),
    Log(NoSettings),
}

/// Of a channel that needs none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoSettings {}

/// What it is, for people; nothing secret.
impl fmt::Display for ChannelConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Email(config) => write!(f, "{config}"),
            Self::Teams(_) => f.write_str("a channel of Teams, by its webhook"),
            Self::Slack(slack::Config { channel: Some(channel), .. }) => write!(f, "the channel {channel} of Slack"),
            Self::Slack(_) => f.write_str("a channel of Slack, by its webhook"),
            Self::Webhook(webhook::Config { url: Some(url), .. }) => write!(f, "the webhook {url}"),
            Self::Webhook(_) => f.write_str("a webhook"),
            Self::Alertmanager(config) => write!(f, "the Alertmanager {}", config.url),
            Self::PagerDuty(config) => write!(f, "a service of PagerDuty, by {}", config.url),
            Self::Command(config) => write!(f, "the program {}", config.program.display()),
            Self::Log(_) => f.write_str("the log"),
        }
    }
}

impl ChannelConfig {
    /// As `type` in the configuration.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Email(_) => "email",
            Self::Teams(_) => "teams",
            Self::Slack(_) => "slack",
            Self::Webhook(_) => "webhook",
            Self::Alertmanager(_) => "alertmanager",
            Self::PagerDuty(_) => "pagerduty",
            Self::Command(_) => "command",
            Self::Log(_) => "log",
        }
    }

    /// Every fault, each naming its key; nothing is resolved and no secret read.
    pub fn faults(&self) -> Vec<String> {
        match self {
            Self::Email(config) => config.faults(),
            Self::Teams(config) => config.faults(),
            Self::Slack(config) => config.faults(),
            Self::Webhook(config) => config.faults(),
            Self::Alertmanager(config) => config.faults(),
            Self::PagerDuty(config) => config.faults(),
            Self::Command(config) => config.faults(),
            Self::Log(_) => Vec::new(),
        }
    }

    /// How often a firing incident must be said again, where the other side forgets it; such a channel groups, repeats and
    /// silences for itself.
    pub fn wants_resend(&self) -> Option<Duration> {
        match self {
            Self::Alertmanager(config) => Duration::try_from(config.resend).ok(),
            _ => None,
        }
    }

    /// The way to the receiver, ready to be used; nothing is sent yet.
    ///
    /// # Errors
    /// When a secret is missing, or something it needs cannot be read.
    pub fn build(&self, context: &Context<'_>) -> Result<Box<dyn Notifier>, ReceiverError> {
        Ok(match self {
            Self::Email(config) => Box::new(email::Email::new(config, context)?),
            Self::Teams(config) => Box::new(teams::Teams::new(config, context)?),
            Self::Slack(config) => Box::new(slack::Slack::new(config, context)?),
            Self::Webhook(config) => Box::new(webhook::Webhook::new(config, context)?),
            Self::Alertmanager(config) => Box::new(alertmanager::Alertmanager::new(config, context)?),
            Self::PagerDuty(config) => Box::new(pagerduty::PagerDuty::new(config, context)?),
            Self::Command(config) => Box::new(command::Command::new(config, context)?),
            Self::Log(_) => Box::new(LogChannel::new(context)),
        })
    }
}
