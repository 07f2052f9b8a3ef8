//! [`IntegrationConfig`]: the supported integrations (email, Teams, ...), and how each becomes a [`Notifier`].

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::context::{Context, ReceiverError};
use super::log_notifier::LogNotifier;
use super::{Notifier, alertmanager, command, email, pagerduty, slack, teams, webhook};

/// The integration of a receiver: its `type` and the settings of that type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum IntegrationConfig {
    Email(email::Config),
    Teams(teams::Config),
    Slack(slack::Config),
    Webhook(webhook::Config),
    Alertmanager(alertmanager::Config),
    PagerDuty(pagerduty::Config),
    Command(command::Config),
    Log(NoSettings),
}

/// Of an integration without settings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoSettings {}

/// A description for people, without secrets.
impl fmt::Display for IntegrationConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Email(config) => write!(f, "{config}"),
            Self::Teams(_) => f.write_str("a Teams channel, by webhook"),
            Self::Slack(slack::Config { channel: Some(channel), .. }) => write!(f, "the Slack channel {channel}"),
            Self::Slack(_) => f.write_str("a Slack channel, by webhook"),
            Self::Webhook(webhook::Config { url: Some(url), .. }) => write!(f, "the webhook {url}"),
            Self::Webhook(_) => f.write_str("a webhook"),
            Self::Alertmanager(config) => write!(f, "the Alertmanager {}", config.url),
            Self::PagerDuty(config) => write!(f, "a PagerDuty service, by {}", config.url),
            Self::Command(config) => write!(f, "the program {}", config.program.display()),
            Self::Log(_) => f.write_str("the log"),
        }
    }
}

impl IntegrationConfig {
    /// The `type` in the configuration.
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

    /// Every problem, each naming its key. Nothing is resolved, and no secret is read.
    pub fn validate(&self) -> Vec<String> {
        match self {
            Self::Email(config) => config.validate(),
            Self::Teams(config) => config.validate(),
            Self::Slack(config) => config.validate(),
            Self::Webhook(config) => config.validate(),
            Self::Alertmanager(config) => config.validate(),
            Self::PagerDuty(config) => config.validate(),
            Self::Command(config) => config.validate(),
            Self::Log(_) => Vec::new(),
        }
    }

    /// How often a firing incident must be sent again so that the other side does not forget it. Such an integration
    /// groups, repeats and silences on its own.
    pub fn resend_interval(&self) -> Option<Duration> {
        match self {
            Self::Alertmanager(config) => Duration::try_from(config.resend).ok(),
            _ => None,
        }
    }

    /// Whether it can show a report, which is a page to read and not an alert.
    pub fn takes_reports(&self) -> bool {
        matches!(self, Self::Email(_) | Self::Teams(_))
    }

    /// Builds the notifier. Nothing is sent yet.
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
            Self::Log(_) => Box::new(LogNotifier::new(context)),
        })
    }
}
