//! [`Writer`]: one mail for all recipients, with the headers that keep an incident's mails together and machines from
//! answering. The same notification makes the same bytes.

use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use lettre::message::{Attachment, Mailbox, Mailboxes, MultiPart, SinglePart};
use lettre::{Address, Message as Mail};
use sha2::{Digest, Sha256};

use crate::notify::render::{CHART_CID, Message};
use crate::notify::{Notification, NotifyError};

/// The last second of the year 9999.
const LATEST: i64 = 253_402_300_799;

/// A mail, ready to be sent.
pub(super) struct Letter {
    pub(super) content: Vec<u8>,
    /// The same for every delivery of one notification.
    name: String,
}

/// Writes the mails of one receiver.
pub(super) struct Writer {
    /// Of the receiver's name: two receivers of one server have threads of their own.
    receiver: String,
    from: Mailbox,
    to: Mailboxes,
    cc: Mailboxes,
}

impl Writer {
    pub(super) fn new(receiver: &str, from: Mailbox, to: Mailboxes, cc: Mailboxes) -> Self {
        Self { receiver: hash(receiver), from, to, cc }
    }

    /// Everybody, each once.
    pub(super) fn recipients(&self) -> Vec<Address> {
        let mut all: Vec<Address> = Vec::new();
        for mailbox in self.to.iter().chain(self.cc.iter()) {
            if !all.contains(&mailbox.email) {
                all.push(mailbox.email.clone());
            }
        }
        all
    }

    /// `is_root`: all later mails of the incident answer this one.
    ///
    /// # Errors
    /// When it can be no mail, which no configuration that was checked leads to.
    pub(super) fn write(
        &self,
        notification: &Notification,
        message: &Message,
        is_root: bool,
    ) -> Result<Letter, NotifyError> {
        let Notification { key, incident, at, .. } = notification;
        let host = self.from.email.domain();
        let root = format!("<{}.{}@{host}>", incident.id, self.receiver);
        let own = format!("<{}.{}@{host}>", hash(key), self.receiver);
        let mut mail = Mail::builder()
            .from(self.from.clone())
            .mailbox(lettre::message::header::To::from(self.to.clone()))
            .subject(one_line(&message.subject))
            // The moment it tells of: a mailbox is read in that order, and a replay's is history.
            .date(date(*at))
            .message_id(Some(if is_root { root.clone() } else { own }));
        if self.cc.iter().next().is_some() {
            mail = mail.mailbox(lettre::message::header::Cc::from(self.cc.clone()));
        }
        if !is_root {
            mail = mail.in_reply_to(root.clone()).references(root);
        }
        let mail = mail
            .header(AutoSubmitted("auto-generated".into()))
            .header(AutoResponseSuppress("All".into()))
            .header(ContentLanguage(message.lang.into()))
            .header(IncidentId(incident.id.clone()))
            .multipart(parts(message, &hash(key)))
            .map_err(|error| NotifyError::Permanent { reason: format!("no mail can be made of it: {error}") })?;
        let name = format!("{}-{}-{}.eml", at.strftime("%Y%m%dT%H%M%S"), file_name(&incident.id), hash(key));
        Ok(Letter { content: mail.formatted(), name })
    }
}

/// Text, or HTML with its picture; mail programs show the last that they can. `mark` keeps the parts apart.
fn parts(message: &Message, mark: &str) -> MultiPart {
    let html = SinglePart::html(message.html.clone());
    let whole = MultiPart::alternative().boundary(format!("vigie-alternative-{mark}"));
    let whole = whole.singlepart(SinglePart::plain(message.text.clone()));
    match &message.chart_png {
        None => whole.singlepart(html),
        Some(picture) => {
            let png = ContentType::parse("image/png").expect("a constant of this program, and it is one");
            let inline = Attachment::new_inline_with_name(CHART_CID.into(), "chart.png".into());
            let related = MultiPart::related().boundary(format!("vigie-related-{mark}"));
            whole.multipart(related.singlepart(html).singlepart(inline.body(picture.clone(), png)))
        }
    }
}

impl Letter {
    /// As a file of its own, whole or not at all; the same mail is the same file.
    pub(super) fn write_to(&self, directory: &Path) -> io::Result<()> {
        std::fs::create_dir_all(directory)?;
        let file = tempfile::NamedTempFile::new_in(directory)?;
        std::fs::write(file.path(), &self.content)?;
        file.persist(directory.join(&self.name))?;
        Ok(())
    }
}

/// The first half of a digest, as letters and digits.
fn hash(text: &str) -> String {
    Sha256::digest(text).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

fn file_name(id: &str) -> String {
    id.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect()
}

/// A date that a mail can have: what came from a dump may be any.
fn date(at: Timestamp) -> SystemTime {
    let seconds = at.as_second().clamp(0, LATEST);
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds.unsigned_abs())
}

/// What would end a header ends nothing.
fn one_line(text: &str) -> String {
    text.split(char::is_control).collect::<Vec<_>>().join(" ")
}

/// Headers that lettre has no types for.
macro_rules! headers {
    ($($(#[$why:meta])* $type:ident = $name:literal;)*) => {$(
        $(#[$why])*
        #[derive(Clone)]
        struct $type(String);

        impl Header for $type {
            fn name() -> HeaderName {
                HeaderName::new_from_ascii_str($name)
            }

            fn parse(text: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
                Ok(Self(text.into()))
            }

            fn display(&self) -> HeaderValue {
                HeaderValue::new(Self::name(), self.0.clone())
            }
        }
    )*};
}

headers! {
    /// RFC 3834: no machine is to answer.
    AutoSubmitted = "Auto-Submitted";
    /// The same for Exchange.
    AutoResponseSuppress = "X-Auto-Response-Suppress";
    ContentLanguage = "Content-Language";
    /// For filters in mailboxes.
    IncidentId = "X-Vigie-Incident";
}
