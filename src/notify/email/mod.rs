//! Email: text and HTML with the chart, one thread per incident, each recipient served on their own.
//!
//! ```text
//! Notification --words--> Message --letter--> bytes --+--> smtp (one envelope per recipient)
//!                                                     +--> directory, memory
//! ```

mod config;
mod message;
mod recipient_log;
mod smtp;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use lettre::message::{Mailbox, Mailboxes};

use super::context::{Context, ReceiverError, Words};
use super::redact::Discretion;
use super::{Kind, Notification, Notifier, NotifyError};
use crate::secret::Form;
pub use config::{Config, Tls, Transport};
use message::{Letter, Writer};
use recipient_log::{Ledger, Outcome};
use smtp::Smtp;

/// A mail as it was sent, to one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    pub to: String,
    pub content: Vec<u8>,
}

/// Mails that were sent nowhere, the oldest first.
pub type Mailbag = Arc<Mutex<Vec<Mail>>>;

/// Where mails go.
enum Post {
    Smtp(Smtp),
    Directory(PathBuf),
    Memory(Mailbag),
}

/// See the module.
pub struct Email {
    writer: Writer,
    words: Words,
    post: Post,
    ledger: Ledger,
    complaint: Option<String>,
}

impl Email {
    pub(super) fn new(config: &Config, context: &Context<'_>) -> Result<Self, ReceiverError> {
        let post = match config.transport {
            Transport::Smtp => Post::Smtp(smtp(config, context)?),
            Transport::Directory => {
                let directory = config.directory.clone();
                Post::Directory(directory.ok_or_else(|| context.unusable("directory: missing"))?)
            }
        };
        Self::with(config, context, post)
    }

    /// As `config` has it, but mails go into the bag.
    ///
    /// # Errors
    /// When an address is none.
    pub fn in_memory(config: &Config, context: &Context<'_>) -> Result<(Self, Mailbag), ReceiverError> {
        let bag = Mailbag::default();
        Ok((Self::with(config, context, Post::Memory(bag.clone()))?, bag))
    }

    fn with(config: &Config, context: &Context<'_>, post: Post) -> Result<Self, ReceiverError> {
        let mailbox = |text: &String| {
            let parsed = text.parse::<Mailbox>();
            parsed.map_err(|fault| context.unusable(format!("{text:?} is no mail address ({fault})")))
        };
        let all = |list: &[String]| list.iter().map(mailbox).collect::<Result<Mailboxes, _>>();
        let writer = Writer::new(context.receiver, mailbox(&config.from)?, all(&config.to)?, all(&config.cc)?);
        Ok(Self { writer, words: context.words(), post, ledger: Ledger::default(), complaint: None })
    }
}

fn smtp(config: &Config, context: &Context<'_>) -> Result<Smtp, ReceiverError> {
    let password = match &config.user {
        Some(_) => Some(context.secret("password", "password", Form::Password, config.password_file.as_ref())?),
        None => None,
    };
    let discretion = match (&config.user, &password) {
        (Some(user), Some(password)) => Discretion::of_login(user, password),
        _ => Discretion::default(),
    };
    Smtp::new(config, password, discretion).map_err(|reason| context.unusable(reason))
}

impl Notifier for Email {
    fn notify(&mut self, notification: &Notification) -> Result<(), NotifyError> {
        let message = self.words.of(notification);
        let Notification { key, incident, .. } = notification;
        // A sample is sent as often as somebody likes, and mail servers drop what they know.
        let is_first = notification.sequence == 0 && notification.kind != Kind::Test;
        let is_root = is_first && !self.ledger.has_begun(&incident.id, key);
        let letter = self.writer.write(notification, &message, is_root)?;
        let left = self.ledger.left(key, self.writer.recipients());
        let outcomes = match &self.post {
            Post::Smtp(smtp) => smtp.send(&letter, &left, notification)?,
            Post::Directory(directory) => {
                let written = letter.write_to(directory);
                return written.map_err(|error| not_written(&error, directory));
            }
            Post::Memory(bag) => keep(bag, &letter, left),
        };
        self.complaint = self.ledger.settle(key, &incident.id, outcomes)?;
        Ok(())
    }

    fn complaint(&self) -> Option<String> {
        self.complaint.clone()
    }
}

fn keep(bag: &Mailbag, letter: &Letter, left: Vec<lettre::Address>) -> Vec<Outcome> {
    let mut bag = bag.lock().unwrap_or_else(PoisonError::into_inner);
    let serve = |address: lettre::Address| {
        bag.push(Mail { to: address.to_string(), content: letter.content.clone() });
        Outcome { address, refused: None }
    };
    left.into_iter().map(serve).collect()
}

fn not_written(error: &std::io::Error, directory: &std::path::Path) -> NotifyError {
    let reason = format!("no mail can be written into {}: {error}", directory.display());
    match error.kind() {
        std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::NotADirectory => NotifyError::Permanent { reason },
        _ => NotifyError::Passing { reason, retry_after: None },
    }
}
