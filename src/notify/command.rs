//! A program of one's own: the notification as JSON on its standard input, the gist in its environment, no shell between.

mod child;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::context::{Context, ReceiverError, Words, defaults, timeout_fault};
use super::redact::Discretion;
use super::render::Message;
use super::webhook::{Payload, status};
use super::{Notification, Notifier, NotifyError};
use crate::alert::Status;
use child::{End, Run};

/// Exit codes that starting again would not change: EX_USAGE, EX_DATAERR, EX_NOPERM and EX_CONFIG of sysexits.h, and what a
/// shell says of what it cannot run. Every other but 0 may pass: rather told twice than not at all.
const PERMANENT: [i32; 6] = [64, 65, 77, 78, 126, 127];

/// A `[[receiver]]` of `type = "command"`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// An absolute path.
    pub program: PathBuf,
    #[serde(default)]
    pub args: Vec<String>,
    /// After this long it is ended, with all that it started.
    #[serde(default = "defaults::timeout")]
    pub timeout: SignedDuration,
}

impl Config {
    /// Every fault, each naming its key; nothing is run.
    pub fn faults(&self) -> Vec<String> {
        let mut faults: Vec<String> = timeout_fault(self.timeout).into_iter().collect();
        let shown = self.program.display();
        if !self.program.is_absolute() {
            faults.push(format!("program is {shown}: wanted an absolute path, such as /usr/local/bin/tell"));
        } else if !self.program.is_file() {
            faults.push(format!("program: there is no file {shown}"));
        }
        faults
    }
}

/// See the module.
pub(super) struct Command {
    config: Config,
    words: Words,
}

impl Command {
    pub(super) fn new(config: &Config, context: &Context<'_>) -> Result<Self, ReceiverError> {
        match config.faults().into_iter().next() {
            Some(fault) => Err(context.unusable(fault)),
            None => Ok(Self { config: config.clone(), words: context.words() }),
        }
    }
}

impl Notifier for Command {
    fn notify(&mut self, notification: &Notification) -> Result<(), NotifyError> {
        let message = self.words.of(notification);
        let input = Payload::new(notification, &message).to_json();
        let sent = String::from_utf8_lossy(&input).into_owned();
        let run = Run {
            program: &self.config.program,
            args: &self.config.args,
            environment: environment(notification, &message),
            input,
            timeout: Duration::try_from(self.config.timeout).unwrap_or_default(),
        };
        let (end, output) = run.to_end().map_err(|error| not_started(&error))?;
        let said = Discretion::default().quote(&output, &sent, notification);
        let said = if said.is_empty() { said } else { format!(": \"{said}\"") };
        match end {
            End::Code(0) => Ok(()),
            End::Code(code) if PERMANENT.contains(&code) => {
                Err(NotifyError::Permanent { reason: format!("the program ended with {code}{said}") })
            }
            End::Code(code) => Err(passing(format!("the program ended with {code}{said}"))),
            End::Signal(signal) => Err(passing(format!("the program was ended by signal {signal}{said}"))),
            End::Late => {
                let most = run.timeout.as_secs_f32();
                Err(passing(format!("the program took longer than {most} s (timeout), and was ended{said}")))
            }
        }
    }
}

fn passing(reason: String) -> NotifyError {
    NotifyError::Passing { reason, retry_after: None }
}

fn not_started(error: &std::io::Error) -> NotifyError {
    let reason = format!("the program cannot be started: {error}");
    match error.kind() {
        std::io::ErrorKind::NotFound | std::io::ErrorKind::PermissionDenied => NotifyError::Permanent { reason },
        _ => passing(reason),
    }
}

fn environment(notification: &Notification, message: &Message) -> BTreeMap<&'static str, String> {
    let kind = serde_json::to_value(notification.kind).ok();
    let status = match status(notification.incident.ended_at) {
        Status::Firing => "firing",
        Status::Resolved => "resolved",
    };
    BTreeMap::from([
        ("VIGIE_KEY", notification.key.clone()),
        ("VIGIE_KIND", kind.as_ref().and_then(|kind| kind.as_str()).unwrap_or_default().to_owned()),
        ("VIGIE_STATUS", status.to_owned()),
        ("VIGIE_INCIDENT", notification.incident.id.clone()),
        ("VIGIE_RECEIVER", notification.receiver.clone()),
        ("VIGIE_SUMMARY", message.summary.replace('\0', "")),
        ("VIGIE_URL", message.url.clone().unwrap_or_default()),
    ])
}
