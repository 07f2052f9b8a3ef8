//! [`Smtp`]: one connection per mail, and one envelope per recipient, so that a bad address does not stop the others.

use std::error::Error as _;
use std::path::Path;
use std::time::{Duration, Instant};

use lettre::Address;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{Certificate, SmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};

use super::config::{Config, Tls};
use super::message::MimeMessage;
use super::recipient_log::RecipientOutcome;
use crate::notify::http::{certificate_error, certificate_reason};
use crate::notify::redact::Redactor;
use crate::notify::{MessageContents, NotifyError};
use crate::secret::Secret;

const MECHANISMS: [Mechanism; 2] = [Mechanism::Plain, Mechanism::Login];

/// Why a mail was not accepted.
enum SendFailure {
    /// Connection, login, sender or recipient.
    Address(Error),
    /// The mail itself: the server had accepted the recipient.
    Content(Error),
    /// The address has letters outside ASCII before its `@`, and the server does not accept those.
    NeedsSmtpUtf8,
}

/// An SMTP server, and how to log in.
pub(super) struct Smtp {
    server: String,
    port: u16,
    tls: Option<(Tls, TlsParameters)>,
    credentials: Option<Credentials>,
    hello: ClientId,
    from: Option<Address>,
    /// Per answer of the server; a mail takes several.
    timeout: Duration,
    redactor: Redactor,
}

impl Smtp {
    /// # Errors
    /// In one line, when TLS cannot be set up.
    pub(super) fn new(config: &Config, password: Option<Secret>, redactor: Redactor) -> Result<Self, String> {
        let server = config.server.as_deref().unwrap_or_default().trim().to_owned();
        let tls = match config.tls {
            Tls::None => None,
            tls => Some((tls, parameters(&server, config.ca_file.as_deref())?)),
        };
        let credentials = config.user.clone().zip(password);
        let from = super::config::mailbox(&config.from).ok();
        Ok(Self {
            port: config.port(),
            tls,
            credentials: credentials.map(|(user, password)| Credentials::new(user, password.expose().to_owned())),
            hello: hello(),
            from: from.map(|mailbox| mailbox.email),
            timeout: Duration::try_from(config.timeout).unwrap_or_default(),
            server,
            redactor,
        })
    }

    /// Sends `message`, which is about `about`, to each of `to`.
    ///
    /// # Errors
    /// When the connection or the login fails, so that nobody got the mail.
    pub(super) fn send(
        &self,
        message: &MimeMessage,
        to: &[Address],
        about: &dyn MessageContents,
    ) -> Result<Vec<RecipientOutcome>, NotifyError> {
        let sent = String::from_utf8_lossy(&message.content);
        let described = |failure: &SendFailure| self.describe(failure, &sent, about);
        let until = Instant::now() + self.timeout * u32::try_from(to.len() + 1).unwrap_or(u32::MAX);
        let mut connection = if to.is_empty() {
            None
        } else {
            Some(self.connect().map_err(|error| described(&SendFailure::Address(error)))?)
        };
        let (mut outcomes, mut broken) = (Vec::new(), None);
        for address in to {
            if broken.is_none() && Instant::now() > until {
                broken = Some(transient("the server took too long for earlier recipients (timeout)".into()));
            }
            let error = match &broken {
                Some(error) => Some(error.clone()),
                None => match self.send_to(&mut connection, message, address) {
                    Ok(()) => None,
                    Err(failure) => {
                        let error = described(&failure);
                        // An error of the server, not of this address, would be the same for the next one.
                        broken = affects_all_recipients(&failure).then(|| error.clone());
                        Some(error)
                    }
                },
            };
            outcomes.push(RecipientOutcome { address: address.clone(), error });
        }
        if let Some(mut connection) = connection {
            connection.abort();
        }
        Ok(outcomes)
    }

    /// Sends to one recipient, over the open connection or, if the last answer closed it, a new one.
    fn send_to(
        &self,
        connection: &mut Option<SmtpConnection>,
        message: &MimeMessage,
        to: &Address,
    ) -> Result<(), SendFailure> {
        let mut open = match connection.take().filter(|connection| !connection.has_broken()) {
            Some(open) => open,
            None => self.connect().map_err(SendFailure::Address)?,
        };
        let sent = self.transmit(&mut open, message, to);
        if sent.is_err() {
            open.abort();
        }
        *connection = Some(open);
        sent
    }

    /// As [`SmtpConnection::send`], which does not say whether the recipient or the mail was refused.
    fn transmit(&self, open: &mut SmtpConnection, message: &MimeMessage, to: &Address) -> Result<(), SendFailure> {
        let supports = |open: &SmtpConnection, extension| open.server_info().supports_feature(extension);
        let mut options = Vec::new();
        if self.from.iter().chain([to]).any(|address| !AsRef::<str>::as_ref(address).is_ascii()) {
            if !supports(open, Extension::SmtpUtfEight) {
                return Err(SendFailure::NeedsSmtpUtf8);
            }
            options.push(MailParameter::SmtpUtfEight);
        }
        if !message.content.is_ascii() && supports(open, Extension::EightBitMime) {
            options.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        open.command(Mail::new(self.from.clone(), options)).map_err(SendFailure::Address)?;
        open.command(Rcpt::new(to.clone(), Vec::new())).map_err(SendFailure::Address)?;
        open.command(Data).map_err(SendFailure::Content)?;
        open.message(&message.content).map_err(SendFailure::Content)?;
        Ok(())
    }

    fn connect(&self) -> Result<SmtpConnection, Error> {
        let wrapped = self.tls.as_ref().filter(|(tls, _)| *tls == Tls::Tls).map(|(_, parameters)| parameters);
        let address = (self.server.trim_matches(['[', ']']), self.port);
        // A server may delay its greeting: spammers do not wait.
        let timeout = Some(self.timeout);
        let mut connection = SmtpConnection::connect(address, timeout, &self.hello, wrapped, None)?;
        if let Some((Tls::Starttls, parameters)) = &self.tls {
            connection.starttls(parameters, &self.hello)?;
        }
        if let Some(credentials) = &self.credentials {
            connection.auth(&MECHANISMS, credentials)?;
        }
        Ok(connection)
    }

    /// `error` in the server's own words, where it sent any.
    fn describe(&self, failure: &SendFailure, sent: &str, about: &dyn MessageContents) -> NotifyError {
        let error = match failure {
            SendFailure::Address(error) | SendFailure::Content(error) => error,
            SendFailure::NeedsSmtpUtf8 => {
                let reason = format!(
                    "{} does not accept addresses with letters such as é before the @ (SMTPUTF8); use another address",
                    self.server
                );
                return NotifyError::Permanent { reason };
            }
        };
        let text = error.source().map(ToString::to_string).unwrap_or_default();
        let text = self.redactor.redact(&text, sent, about);
        if let Some(code) = error.status() {
            let reason = format!("{} answers {code} {text}", self.server);
            return match error.is_transient() {
                true => transient(reason),
                // Once the server has accepted the recipient, it refuses the mail.
                false if matches!(failure, SendFailure::Content(_)) => NotifyError::Rejected { reason },
                false => NotifyError::Permanent { reason },
            };
        }
        if let Some(problem) = certificate_error(error) {
            return NotifyError::Permanent { reason: certificate_reason(&problem) };
        }
        let Self { server, port, .. } = self;
        if error.is_client() {
            let hint = match &self.tls {
                Some((Tls::Starttls, _)) if text.contains("STARTTLS") => "; try tls = \"tls\", or another port",
                _ => "",
            };
            return NotifyError::Permanent { reason: format!("cannot send mail by {server}:{port}: {text}{hint}") };
        }
        let late =
            if error.is_timeout() || text.contains("temporarily unavailable") { " in time (timeout)" } else { "" };
        transient(format!("no mail accepted by {server}:{port}{late}: {text}"))
    }
}

/// Whether an error would be the same for any recipient: not an answer, or 421, which ends the session.
fn affects_all_recipients(failure: &SendFailure) -> bool {
    let (SendFailure::Address(error) | SendFailure::Content(error)) = failure else { return false };
    error.status().is_none_or(|code| code.to_string() == "421") && !error.is_client()
}

fn transient(reason: String) -> NotifyError {
    NotifyError::Transient { reason, retry_after: None }
}

/// The host name, or the address if there is none: many servers refuse mail from a client without a name.
fn hello() -> ClientId {
    let name = rustix::system::uname().nodename().to_str().map(str::to_owned).unwrap_or_default();
    if name.is_empty() { ClientId::default() } else { ClientId::Domain(name) }
}

fn parameters(server: &str, ca_file: Option<&Path>) -> Result<TlsParameters, String> {
    let mut builder = TlsParameters::builder(server.trim_matches(['[', ']']).to_owned());
    if let Some(path) = ca_file {
        let shown = path.display();
        let pem = std::fs::read(path).map_err(|error| format!("ca_file {shown} cannot be read: {error}"))?;
        let certificate = Certificate::from_pem(&pem);
        builder = builder
            .add_root_certificate(certificate.map_err(|_| format!("ca_file {shown} contains no PEM certificates"))?);
    }
    builder.build().map_err(|error| format!("cannot set up TLS: {error}"))
}
