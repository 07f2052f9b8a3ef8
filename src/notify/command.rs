//! Runs a program: the notification as JSON on standard input, the main fields in its environment, no shell.

mod child;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::context::{Context, ReceiverError, Renderer, defaults, timeout_problem};
use super::redact::Redactor;
use super::render::Message;
use super::webhook::{Payload, status};
use super::{Notification, Notifier, NotifyError};
use crate::alert::TransitionKind;
use child::{ProgramRun, RunEnd};

/// Exit codes that a retry would not change: EX_USAGE, EX_NOPERM and EX_CONFIG of sysexits.h, and a shell's
/// codes for a command that cannot run. All other codes but 0 are retried: a duplicate is better than a lost message.
const PERMANENT_CODES: [i32; 5] = [64, 77, 78, 126, 127];
/// EX_DATAERR: the program refuses this message.
const DATA_ERROR: i32 = 65;

/// A `[[receiver]]` of `type = "command"`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// An absolute path.
    pub program: PathBuf,
    #[serde(default)]
    pub args: Vec<String>,
    /// After this time it is killed, with all its children.
    #[serde(default = "defaults::timeout", with = "crate::duration")]
    pub timeout: SignedDuration,
}

impl Config {
    /// Every problem, each naming its key. Nothing is run.
    pub fn validate(&self) -> Vec<String> {
        let mut problems: Vec<String> = timeout_problem(self.timeout).into_iter().collect();
        let shown = self.program.display();
        if !self.program.is_absolute() {
            problems.push(format!("program is {shown}: expected an absolute path, such as /usr/local/bin/notify"));
        } else if !self.program.is_file() {
            problems.push(format!("program: file {shown} not found"));
        }
        problems
    }
}

/// See the module.
pub(super) struct Command {
    config: Config,
    renderer: Renderer,
}

impl Command {
    pub(super) fn new(config: &Config, context: &Context<'_>) -> Result<Self, ReceiverError> {
        match config.validate().into_iter().next() {
            Some(problem) => Err(context.unusable(problem)),
            None => Ok(Self { config: config.clone(), renderer: context.renderer() }),
        }
    }
}

impl Notifier for Command {
    fn notify(&mut self, notification: &Notification) -> Result<(), NotifyError> {
        let message = self.renderer.render(notification);
        let input = Payload::new(notification, &message).to_json();
        let sent = String::from_utf8_lossy(&input).into_owned();
        let run = ProgramRun {
            program: &self.config.program,
            args: &self.config.args,
            environment: environment(notification, &message),
            input,
            timeout: Duration::try_from(self.config.timeout).unwrap_or_default(),
        };
        let (end, output) = run.run().map_err(|error| not_started(&error))?;
        let output = Redactor::default().redact(&output, &sent, notification);
        let output = if output.is_empty() { output } else { format!(": \"{output}\"") };
        match end {
            RunEnd::Code(0) => Ok(()),
            RunEnd::Code(code) if PERMANENT_CODES.contains(&code) => {
                Err(NotifyError::Permanent { reason: format!("the program exited with {code}{output}") })
            }
            RunEnd::Code(code @ DATA_ERROR) => {
                Err(NotifyError::Rejected { reason: format!("the program exited with {code}{output}") })
            }
            RunEnd::Code(code) => Err(transient(format!("the program exited with {code}{output}"))),
            RunEnd::Signal(signal) => Err(transient(format!("the program was killed by signal {signal}{output}"))),
            RunEnd::TimedOut => {
                let most = run.timeout.as_secs_f32();
                Err(transient(format!("the program ran longer than {most} s (timeout) and was killed{output}")))
            }
        }
    }
}

fn transient(reason: String) -> NotifyError {
    NotifyError::Transient { reason, retry_after: None }
}

fn not_started(error: &std::io::Error) -> NotifyError {
    let reason = format!("cannot start the program: {error}");
    match error.kind() {
        std::io::ErrorKind::NotFound | std::io::ErrorKind::PermissionDenied => NotifyError::Permanent { reason },
        _ => transient(reason),
    }
}

fn environment(notification: &Notification, message: &Message) -> BTreeMap<&'static str, String> {
    let kind = serde_json::to_value(notification.kind).ok();
    let status = match status(notification.incident.ended_at) {
        TransitionKind::Firing => "firing",
        TransitionKind::Resolved => "resolved",
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
