//! Email: text and HTML with the chart, one thread per incident, one delivery per recipient.
//!
//! ```text
//! Notification --renderer--> Message --builder--> MimeMessage --+--> smtp (one envelope per recipient)
//!                                                               +--> directory, memory
//! ```

mod config;
mod message;
mod recipient_log;
mod smtp;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use lettre::message::Mailboxes;

use super::context::{Context, ReceiverError, Renderer};
use super::redact::Redactor;
use super::{Kind, Notification, Notifier, NotifyError, ReportMessage};
use crate::secret::SecretKind;
pub use config::{Config, Tls, Transport};
use message::{MessageBuilder, MimeMessage};
use recipient_log::{RecipientLog, RecipientOutcome};
use smtp::Smtp;

/// A mail to one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    pub to: String,
    pub content: Vec<u8>,
}

/// Mails kept in memory, the oldest first.
pub type MemoryMailbox = Arc<Mutex<Vec<Mail>>>;

/// The backend that mails are sent with.
enum MailBackend {
    Smtp(Smtp),
    Directory(PathBuf),
    Memory(MemoryMailbox),
}

/// See the module.
pub struct Email {
    builder: MessageBuilder,
    renderer: Renderer,
    backend: MailBackend,
    recipient_log: RecipientLog,
    partial_failure: Option<String>,
}

impl Email {
    pub(super) fn new(config: &Config, context: &Context<'_>) -> Result<Self, ReceiverError> {
        let backend = match config.transport {
            Transport::Smtp => MailBackend::Smtp(smtp(config, context)?),
            Transport::Directory => {
                let directory = config.directory.clone();
                MailBackend::Directory(directory.ok_or_else(|| context.unusable("directory: missing"))?)
            }
        };
        Self::with_backend(config, context, backend)
    }

    /// A receiver as in `config` that delivers into memory.
    ///
    /// # Errors
    /// When an address is not valid.
    pub fn in_memory(config: &Config, context: &Context<'_>) -> Result<(Self, MemoryMailbox), ReceiverError> {
        let mailbox = MemoryMailbox::default();
        Ok((Self::with_backend(config, context, MailBackend::Memory(mailbox.clone()))?, mailbox))
    }

    fn with_backend(config: &Config, context: &Context<'_>, backend: MailBackend) -> Result<Self, ReceiverError> {
        let mailbox = |text: &String| {
            let parsed = config::mailbox(text);
            parsed.map_err(|error| context.unusable(format!("{text:?} is not a valid email address ({error})")))
        };
        let all = |list: &[String]| list.iter().map(mailbox).collect::<Result<Mailboxes, _>>();
        let builder = MessageBuilder::new(context.receiver, mailbox(&config.from)?, all(&config.to)?, all(&config.cc)?);
        Ok(Self {
            builder,
            renderer: context.renderer(),
            backend,
            recipient_log: RecipientLog::default(),
            partial_failure: None,
        })
    }
}

fn smtp(config: &Config, context: &Context<'_>) -> Result<Smtp, ReceiverError> {
    let password = match &config.user {
        Some(_) => Some(context.secret("password", "password", SecretKind::Password, config.password_file.as_ref())?),
        None => None,
    };
    let redactor = match (&config.user, &password) {
        (Some(user), Some(password)) => Redactor::for_login(user, password),
        _ => Redactor::default(),
    };
    Smtp::new(config, password, redactor).map_err(|reason| context.unusable(reason))
}

impl Notifier for Email {
    fn notify(&mut self, notification: &Notification) -> Result<(), NotifyError> {
        let message = self.renderer.render(notification);
        let Notification { key, incident, .. } = notification;
        // A sample may be sent several times a day, and mail servers drop a message id that they have seen.
        let is_first = notification.sequence == 0 && notification.kind != Kind::Test;
        let is_root = is_first && !self.recipient_log.already_notified(&incident.id, key);
        let mime = self.builder.build(notification, &message, is_root)?;
        let remaining = self.recipient_log.remaining(key, self.builder.recipients());
        let outcomes = match &self.backend {
            MailBackend::Smtp(smtp) => smtp.send(&mime, &remaining, notification)?,
            MailBackend::Directory(directory) => {
                let written = mime.write_to(directory);
                return written.map_err(|error| write_error(&error, directory));
            }
            MailBackend::Memory(mailbox) => deliver_to_memory(mailbox, &mime, remaining),
        };
        self.partial_failure = self.recipient_log.record_outcomes(key, &incident.id, outcomes)?;
        Ok(())
    }

    fn send_report(&mut self, report: &ReportMessage) -> Result<(), NotifyError> {
        let mime = self.builder.build_report(report)?;
        let remaining = self.recipient_log.remaining(&report.key, self.builder.recipients());
        let outcomes = match &self.backend {
            MailBackend::Smtp(smtp) => smtp.send(&mime, &remaining, report)?,
            MailBackend::Directory(directory) => {
                let written = mime.write_to(directory);
                return written.map_err(|error| write_error(&error, directory));
            }
            MailBackend::Memory(mailbox) => deliver_to_memory(mailbox, &mime, remaining),
        };
        self.partial_failure = self.recipient_log.record_outcomes(&report.key, &report.name, outcomes)?;
        Ok(())
    }

    fn partial_failure(&self) -> Option<String> {
        self.partial_failure.clone()
    }
}

fn deliver_to_memory(
    mailbox: &MemoryMailbox,
    mime: &MimeMessage,
    remaining: Vec<lettre::Address>,
) -> Vec<RecipientOutcome> {
    let mut mailbox = mailbox.lock().unwrap_or_else(PoisonError::into_inner);
    let deliver = |address: lettre::Address| {
        mailbox.push(Mail { to: address.to_string(), content: mime.content.clone() });
        RecipientOutcome { address, error: None }
    };
    remaining.into_iter().map(deliver).collect()
}

fn write_error(error: &std::io::Error, directory: &std::path::Path) -> NotifyError {
    let reason = format!("cannot write mail into {}: {error}", directory.display());
    match error.kind() {
        std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::NotADirectory => NotifyError::Permanent { reason },
        _ => NotifyError::Transient { reason, retry_after: None },
    }
}
