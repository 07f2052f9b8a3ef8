//! [`MessageBuilder`]: builds one mail for all recipients, with headers that thread an incident's mails and prevent
//! automatic replies. The same notification gives the same bytes.

use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use lettre::message::{Attachment, Mailbox, Mailboxes, MultiPart, SinglePart};
use lettre::{Address, Message as Mail};
use sha2::{Digest, Sha256};

use crate::notify::render::{CHART_CID, Message};
use crate::notify::{Notification, NotifyError, ReportMessage};

/// The last second of the year 9999.
const MAX_DATE: i64 = 253_402_300_799;

/// A mail, ready to send.
pub(super) struct MimeMessage {
    pub(super) content: Vec<u8>,
    /// The same for every delivery of one notification.
    file_name: String,
}

/// Builds the mails of one receiver.
pub(super) struct MessageBuilder {
    /// A hash of the receiver's name: two receivers on one server have separate threads.
    receiver: String,
    from: Mailbox,
    to: Mailboxes,
    cc: Mailboxes,
}

impl MessageBuilder {
    pub(super) fn new(receiver: &str, from: Mailbox, to: Mailboxes, cc: Mailboxes) -> Self {
        Self { receiver: hash(receiver), from, to, cc }
    }

    /// All recipients, each once.
    pub(super) fn recipients(&self) -> Vec<Address> {
        let mut all: Vec<Address> = Vec::new();
        for mailbox in self.to.iter().chain(self.cc.iter()) {
            if !all.contains(&mailbox.email) {
                all.push(mailbox.email.clone());
            }
        }
        all
    }

    /// Builds a mail. All later mails of the incident reply to the one with `is_root`.
    ///
    /// # Errors
    /// When no valid mail can be built, which a checked configuration excludes.
    pub(super) fn build(
        &self,
        notification: &Notification,
        message: &Message,
        is_root: bool,
    ) -> Result<MimeMessage, NotifyError> {
        let Notification { key, incident, at, .. } = notification;
        let host = self.from.email.domain();
        let root = format!("<{}.{}@{host}>", incident.id, self.receiver);
        let own = format!("<{}.{}@{host}>", hash(key), self.receiver);
        let id = if is_root { root.clone() } else { own };
        let mut mail = self.head(&message.subject, message.lang, *at, id);
        if !is_root {
            mail = mail.in_reply_to(root.clone()).references(root);
        }
        let mail = mail.header(IncidentId(incident.id.clone()));
        let pictures = message.chart_png.iter().map(|png| (CHART_CID, png.as_slice()));
        let mail = if message.html.is_empty() {
            mail.singlepart(SinglePart::plain(message.text.clone()))
        } else {
            mail.multipart(parts((&message.text, &message.html), pictures, &hash(key)))
        };
        let mail = mail.map_err(|error| build_error(&error))?;
        let file_name = format!("{}-{}-{}.eml", at.strftime("%Y%m%dT%H%M%S"), safe_name(&incident.id), hash(key));
        Ok(MimeMessage { content: mail.formatted(), file_name })
    }

    /// Builds the mail of a report: a single mail, in no thread.
    ///
    /// # Errors
    /// When no valid mail can be built, which a checked configuration excludes.
    pub(super) fn build_report(&self, report: &ReportMessage) -> Result<MimeMessage, NotifyError> {
        let ReportMessage { key, name, at, lang, subject, text, html, pictures, .. } = report;
        let id = format!("<{}.{}@{}>", hash(key), self.receiver, self.from.email.domain());
        let pictures = pictures.iter().map(|picture| (picture.cid.as_str(), picture.png.as_slice()));
        let mail = self.head(subject, lang, *at, id).multipart(parts((text, html), pictures, &hash(key)));
        let mail = mail.map_err(|error| build_error(&error))?;
        let file_name = format!("{}-{}-{}.eml", at.strftime("%Y%m%dT%H%M%S"), safe_name(name), hash(key));
        Ok(MimeMessage { content: mail.formatted(), file_name })
    }

    /// The headers that every mail has.
    fn head(&self, subject: &str, lang: &str, at: Timestamp, id: String) -> lettre::message::MessageBuilder {
        let mut mail = Mail::builder()
            .from(self.from.clone())
            .mailbox(lettre::message::header::To::from(self.to.clone()))
            .subject(one_line(subject))
            // The moment of the notification: a mailbox sorts by it, and a replay is in the past.
            .date(date(at))
            .message_id(Some(id));
        if self.cc.iter().next().is_some() {
            mail = mail.mailbox(lettre::message::header::Cc::from(self.cc.clone()));
        }
        mail.header(AutoSubmitted("auto-generated".into()))
            .header(AutoResponseSuppress("All".into()))
            .header(ContentLanguage(lang.into()))
    }
}

/// Text, or HTML with its pictures; mail programs show the last part that they support. `mark` makes boundaries unique.
fn parts<'a>((text, html): (&str, &str), pictures: impl Iterator<Item = (&'a str, &'a [u8])>, mark: &str) -> MultiPart {
    let html = SinglePart::html(html.to_owned());
    let whole = MultiPart::alternative().boundary(format!("vigie-alternative-{mark}"));
    let whole = whole.singlepart(SinglePart::plain(text.to_owned()));
    let mut pictures = pictures.peekable();
    if pictures.peek().is_none() {
        return whole.singlepart(html);
    }
    let mut related = MultiPart::related().boundary(format!("vigie-related-{mark}")).singlepart(html);
    for (number, (cid, png)) in pictures.enumerate() {
        let kind = ContentType::parse("image/png").expect("a constant, and valid");
        let file = if number == 0 { "chart.png".to_owned() } else { format!("chart-{}.png", number + 1) };
        let inline = Attachment::new_inline_with_name(cid.to_owned(), file);
        related = related.singlepart(inline.body(png.to_vec(), kind));
    }
    whole.multipart(related)
}

fn build_error(error: &lettre::error::Error) -> NotifyError {
    NotifyError::Permanent { reason: format!("cannot build the mail: {error}") }
}

impl MimeMessage {
    /// Writes the mail as a file, atomically; the same mail gives the same file.
    pub(super) fn write_to(&self, directory: &Path) -> io::Result<()> {
        std::fs::create_dir_all(directory)?;
        let file = tempfile::NamedTempFile::new_in(directory)?;
        std::fs::write(file.path(), &self.content)?;
        file.persist(directory.join(&self.file_name))?;
        Ok(())
    }
}

/// The first eight bytes of a SHA-256 digest, in hex.
fn hash(text: &str) -> String {
    Sha256::digest(text).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

fn safe_name(id: &str) -> String {
    id.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect()
}

/// A date within the range of mail: a dump may hold any date.
fn date(at: Timestamp) -> SystemTime {
    let seconds = at.as_second().clamp(0, MAX_DATE);
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds.unsigned_abs())
}

/// Replaces control characters, which could end a header.
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
    /// RFC 3834: prevents automatic replies.
    AutoSubmitted = "Auto-Submitted";
    /// The same for Exchange.
    AutoResponseSuppress = "X-Auto-Response-Suppress";
    ContentLanguage = "Content-Language";
    /// For mail filters.
    IncidentId = "X-Vigie-Incident";
}
