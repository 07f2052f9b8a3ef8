//! `vigie send-test`: sends a sample notification to one receiver, and prints the server's answer.

use anyhow::{anyhow, bail};
use clap::{Args, ValueEnum};
use jiff::Timestamp;

use super::ConfigFlags;
use crate::config::Purpose;
use crate::language::Language;
use crate::notify::{NotifyError, SampleKind, sample};
use crate::pipeline::assembly;

/// Send a sample alert to a receiver, and print what its server answers
///
/// The sample is marked as a test, and otherwise looks like a real alert. The server's error is printed verbatim, without
/// secrets. The exit code is 1 if the delivery failed, and 78 if the configuration or a secret is invalid.
#[derive(Debug, Args)]
pub(super) struct SendTestArgs {
    /// Name of a [[receiver]] of the configuration
    receiver: String,
    /// The kind of message: opened, or resolved, which ends the incident where one is kept, as in PagerDuty
    #[arg(long, value_enum, default_value_t = Moment::Opened)]
    kind: Moment,
    /// Language of the message; defaults to the receiver's
    #[arg(long, value_enum)]
    language: Option<Tongue>,
    #[command(flatten)]
    config: ConfigFlags,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Moment {
    Opened,
    Resolved,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Tongue {
    En,
    Fr,
}

impl From<Moment> for SampleKind {
    fn from(moment: Moment) -> Self {
        match moment {
            Moment::Opened => Self::Opened,
            Moment::Resolved => Self::Resolved,
        }
    }
}

impl From<Tongue> for Language {
    fn from(tongue: Tongue) -> Self {
        match tongue {
            Tongue::En => Self::English,
            Tongue::Fr => Self::French,
        }
    }
}

pub(super) fn run(args: &SendTestArgs) -> anyhow::Result<()> {
    let config = args.config.loader(None, Purpose::Dump).load()?.config;
    let names: Vec<&str> = config.receivers.iter().map(|receiver| receiver.name.as_str()).collect();
    let Some(receiver) = config.receivers.iter().find(|receiver| receiver.name == args.receiver) else {
        let known = match names.as_slice() {
            [] => "the configuration has no [[receiver]]".to_owned(),
            names => format!("expected one of: {}", names.join(", ")),
        };
        bail!("unknown receiver {:?}; {known}", args.receiver);
    };
    let mut receiver = receiver.clone();
    receiver.language = args.language.map(Into::into).or(receiver.language);
    let (name, kind) = (&receiver.name, receiver.integration.kind());
    let message = sample(name, args.kind.into(), Timestamp::now(), config.notify.console.clone());
    match assembly::send_once(&config, &receiver, &message)? {
        Ok(None) => {
            println!("{name}: test message {} delivered ({})", message.incident.id, receiver.integration);
            Ok(())
        }
        Ok(Some(reason)) => Err(anyhow!("{name} ({kind}): delivered in part: {reason}")),
        Err(error) => Err(anyhow!("{name} ({kind}): delivery failed: {}", describe(&error))),
    }
}

fn describe(error: &NotifyError) -> String {
    match error {
        NotifyError::Permanent { reason } => {
            format!("{reason}\nThis is permanent: retrying does not help until somebody fixes it.")
        }
        NotifyError::Rejected { reason } => {
            format!("{reason}\nThe receiver refuses this message: vigie would send a shorter one.")
        }
        NotifyError::Transient { reason, retry_after } => {
            let wait = retry_after.map(|wait| format!(" The server asks to wait {} s.", wait.as_secs()));
            format!("{reason}\nThis may be temporary: vigie would retry.{}", wait.unwrap_or_default())
        }
    }
}
