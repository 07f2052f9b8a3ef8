//! [`Smtp`]: a connection for a mail, and an envelope for each recipient, so that one bad address stops no other.

use std::error::Error as _;
use std::path::Path;
use std::time::{Duration, Instant};

use lettre::Address;
use lettre::address::Envelope;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{Certificate, SmtpConnection, TlsParameters};
use lettre::transport::smtp::extension::ClientId;

use super::config::{Config, Tls};
use super::message::Letter;
use super::recipient_log::Outcome;
use crate::notify::http::{certificate_fault, certificate_reason};
use crate::notify::redact::Discretion;
use crate::notify::{Notification, NotifyError};
use crate::secret::Secret;

const MECHANISMS: [Mechanism; 2] = [Mechanism::Plain, Mechanism::Login];

/// A server, and how to be let in.
pub(super) struct Smtp {
    server: String,
    port: u16,
    tls: Option<(Tls, TlsParameters)>,
    credentials: Option<Credentials>,
    hello: ClientId,
    from: Option<Address>,
    /// For each answer of the server; a mail takes several.
    timeout: Duration,
    discretion: Discretion,
}

impl Smtp {
    /// # Errors
    /// In one line, when TLS cannot be set up.
    pub(super) fn new(config: &Config, password: Option<Secret>, discretion: Discretion) -> Result<Self, String> {
        let server = config.server.as_deref().unwrap_or_default().trim().to_owned();
        let tls = match config.tls {
            Tls::None => None,
            tls => Some((tls, parameters(&server, config.ca_file.as_deref())?)),
        };
        let credentials = config.user.clone().zip(password);
        let from = config.from.parse::<lettre::message::Mailbox>().ok();
        Ok(Self {
            port: config.port(),
            tls,
            credentials: credentials.map(|(user, password)| Credentials::new(user, password.expose().to_owned())),
            hello: ClientId::default(),
            from: from.map(|mailbox| mailbox.email),
            timeout: Duration::try_from(config.timeout).unwrap_or_default(),
            server,
            discretion,
        })
    }

    /// Sends `letter`, which tells of `about`, to each of `to`.
    ///
    /// # Errors
    /// When the server lets nobody in, so that nobody was served.
    pub(super) fn send(
        &self,
        letter: &Letter,
        to: &[Address],
        about: &Notification,
    ) -> Result<Vec<Outcome>, NotifyError> {
        let sent = String::from_utf8_lossy(&letter.content);
        let told = |error: &Error| self.told(error, &sent, about);
        let until = Instant::now() + self.timeout * u32::try_from(to.len() + 1).unwrap_or(u32::MAX);
        let mut connection = if to.is_empty() { None } else { Some(self.connect().map_err(|error| told(&error))?) };
        let (mut outcomes, mut lost) = (Vec::new(), None);
        for address in to {
            if lost.is_none() && Instant::now() > until {
                lost = Some(passing("the server took too long with those before (timeout)".into()));
            }
            let refused = match &lost {
                Some(error) => Some(error.clone()),
                None => match self.serve(&mut connection, letter, address) {
                    Ok(()) => None,
                    Err(error) => {
                        let refused = told(&error);
                        // What is no answer to this one address would be the same for the next.
                        lost = is_the_servers(&error).then(|| refused.clone());
                        Some(refused)
                    }
                },
            };
            outcomes.push(Outcome { address: address.clone(), refused });
        }
        if let Some(mut connection) = connection {
            connection.abort();
        }
        Ok(outcomes)
    }

    /// Sends to one, over the connection there is, or a new one where the last answer ended it.
    fn serve(&self, connection: &mut Option<SmtpConnection>, letter: &Letter, to: &Address) -> Result<(), Error> {
        let mut open = match connection.take().filter(|connection| !connection.has_broken()) {
            Some(open) => open,
            None => self.connect()?,
        };
        let envelope = Envelope::new(self.from.clone(), vec![to.clone()]).expect("it has a recipient");
        let sent = open.send(&envelope, &letter.content);
        *connection = Some(open);
        sent.map(|_| ())
    }

    fn connect(&self) -> Result<SmtpConnection, Error> {
        let wrapped = self.tls.as_ref().filter(|(tls, _)| *tls == Tls::Tls).map(|(_, parameters)| parameters);
        let address = (self.server.trim_matches(['[', ']']), self.port);
        // A server may let one wait for its first words, as those who send spam do not.
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

    /// What `error` means, in the server's own words where it used any.
    fn told(&self, error: &Error, sent: &str, about: &Notification) -> NotifyError {
        let words = error.source().map(ToString::to_string).unwrap_or_default();
        let words = self.discretion.quote(&words, sent, about);
        if let Some(code) = error.status() {
            let reason = format!("{} answers {code} {words}", self.server);
            return if error.is_transient() { passing(reason) } else { NotifyError::Permanent { reason } };
        }
        if let Some(fault) = certificate_fault(error) {
            return NotifyError::Permanent { reason: certificate_reason(&fault) };
        }
        let Self { server, port, .. } = self;
        if error.is_client() {
            let way_out = match &self.tls {
                Some((Tls::Starttls, _)) if words.contains("STARTTLS") => "; is it tls = \"tls\", or another port?",
                _ => "",
            };
            return NotifyError::Permanent {
                reason: format!("no mail can be sent by {server}:{port}: {words}{way_out}"),
            };
        }
        let late =
            if error.is_timeout() || words.contains("temporarily unavailable") { " in time (timeout)" } else { "" };
        passing(format!("no mail was taken by {server}:{port}{late}: {words}"))
    }
}

/// Whether an error would be the same for any recipient: it is no answer, or the one that ends the conversation.
fn is_the_servers(error: &Error) -> bool {
    error.status().is_none_or(|code| code.to_string() == "421") && !error.is_client()
}

fn passing(reason: String) -> NotifyError {
    NotifyError::Passing { reason, retry_after: None }
}

fn parameters(server: &str, ca_file: Option<&Path>) -> Result<TlsParameters, String> {
    let mut builder = TlsParameters::builder(server.trim_matches(['[', ']']).to_owned());
    if let Some(path) = ca_file {
        let shown = path.display();
        let pem = std::fs::read(path).map_err(|error| format!("ca_file {shown} cannot be read: {error}"))?;
        let certificate = Certificate::from_pem(&pem);
        builder = builder
            .add_root_certificate(certificate.map_err(|_| format!("ca_file {shown} holds no PEM certificates"))?);
    }
    builder.build().map_err(|error| format!("TLS cannot be set up: {error}"))
}
