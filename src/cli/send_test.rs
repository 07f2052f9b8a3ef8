//! `vigie send-test`: tells one receiver of something that did not happen, and what its server said to that.

use std::sync::Arc;

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
/// The sample is marked as a test, and looks as a real one would. What the server says is printed in its own words, without
/// secrets. Ends with code 1 when the receiver was not told, with 78 when the configuration or a secret is at fault.
#[derive(Debug, Args)]
pub(super) struct SendTestArgs {
    /// Name of a [[receiver]] of the configuration
    receiver: String,
    /// Which moment of an incident to play; the second ends the first where it is kept, as in PagerDuty
    #[arg(long, value_enum, default_value_t = Moment::Opened)]
    kind: Moment,
    /// Language of the message, instead of the receiver's
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
    let config = args.config.origin(None, Purpose::Dump).load()?.config;
    let names: Vec<&str> = config.receivers.iter().map(|receiver| receiver.name.as_str()).collect();
    let Some(receiver) = config.receivers.iter().find(|receiver| receiver.name == args.receiver) else {
        let known = match names.as_slice() {
            [] => "there is none at all: add a [[receiver]]".to_owned(),
            names => format!("known: {}", names.join(", ")),
        };
        bail!("there is no receiver {:?} in the configuration; {known}", args.receiver);
    };
    let mut receiver = receiver.clone();
    receiver.language = args.language.map(Into::into).or(receiver.language);
    let templates = Arc::new(assembly::templates(&config)?);
    let environment = |name: &str| std::env::var(name).ok();
    let mut notifier = receiver.build(config.language, templates, Arc::new(Timestamp::now), &environment)?;
    let told = sample(&receiver.name, args.kind.into(), Timestamp::now(), config.notify.console.clone());
    match notifier.notify(&told) {
        Ok(()) if notifier.complaint().is_some() => {
            let complaint = notifier.complaint().unwrap_or_default();
            Err(anyhow!("{} ({}) was told in part: {complaint}", receiver.name, receiver.channel.kind()))
        }
        Ok(()) => {
            println!("{} took the test message of {}: {}", receiver.name, told.incident.id, receiver.channel);
            Ok(())
        }
        Err(error) => Err(anyhow!("{} ({}) was not told: {}", receiver.name, receiver.channel.kind(), why(&error))),
    }
}

fn why(error: &NotifyError) -> String {
    match error {
        NotifyError::Permanent { reason } => format!("{reason}\nThis stays until somebody changes something."),
        NotifyError::Passing { reason, retry_after } => {
            let wait = retry_after.map(|wait| format!(" It asks for {} s of patience.", wait.as_secs()));
            format!("{reason}\nThis may pass by itself; vigie would try again.{}", wait.unwrap_or_default())
        }
    }
}
