//! A `[[receiver]]` of `type = "email"`.

use std::fmt;
use std::path::PathBuf;

use jiff::SignedDuration;
use lettre::message::Mailbox;
use serde::{Deserialize, Serialize};

use crate::notify::address::is_this_machine;
use crate::notify::context::{ca_fault, defaults, timeout_fault};

/// A `[[receiver]]` of `type = "email"`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    #[serde(default)]
    pub transport: Transport,
    /// The SMTP server's name, as its certificate has it.
    #[serde(default)]
    pub server: Option<String>,
    /// Without it 587, 465 or 25, by `tls`.
    #[serde(default)]
    pub port: Option<u16>,
    #[serde(default)]
    pub tls: Tls,
    /// Then there is a password, in `password_file`, the environment or a credential.
    #[serde(default)]
    pub user: Option<String>,
    #[serde(default)]
    pub password_file: Option<PathBuf>,
    /// For `transport = "directory"`: where mails are written, a file each.
    #[serde(default)]
    pub directory: Option<PathBuf>,
    /// `address@host`, or `Name <address@host>`.
    pub from: String,
    pub to: Vec<String>,
    #[serde(default)]
    pub cc: Vec<String>,
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// Mail to another machine without TLS is meant so.
    #[serde(default)]
    pub insecure: bool,
    #[serde(default = "defaults::timeout")]
    pub timeout: SignedDuration,
}

/// Where mails go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    #[default]
    Smtp,
    /// A file each, as `.eml`.
    Directory,
}

/// How what is sent is kept from being read on the way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tls {
    /// The connection becomes TLS before anything is told; a server that cannot is refused.
    #[default]
    Starttls,
    /// TLS from the start.
    Tls,
    None,
}

/// Whom it tells, and by what.
impl fmt::Display for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "mail to {}", self.to.iter().chain(&self.cc).cloned().collect::<Vec<_>>().join(", "))?;
        match (self.transport, &self.directory) {
            (Transport::Directory, Some(directory)) => write!(f, ", as files in {}", directory.display()),
            _ => write!(f, ", by {}:{}", self.server.as_deref().unwrap_or("(no server)"), self.port()),
        }
    }
}

impl Config {
    /// Every fault, each naming its key; nothing is resolved and no secret read.
    pub fn faults(&self) -> Vec<String> {
        let mut faults: Vec<String> = timeout_fault(self.timeout).into_iter().collect();
        faults.extend(mailbox_fault("from", &self.from));
        for (key, list) in [("to", &self.to), ("cc", &self.cc)] {
            faults.extend(list.iter().filter_map(|address| mailbox_fault(key, address)));
        }
        if self.to.is_empty() {
            faults.push("to: nobody is named; wanted such as [\"crisis@example.com\"]".into());
        }
        match self.transport {
            Transport::Smtp => faults.extend(self.smtp_faults()),
            Transport::Directory if self.directory.is_none() => {
                faults
                    .push("directory: missing; with transport = \"directory\", wanted where mails are written".into());
            }
            Transport::Directory => {}
        }
        faults
    }

    fn smtp_faults(&self) -> Vec<String> {
        let mut faults: Vec<String> = self.ca_file.as_deref().and_then(ca_fault).into_iter().collect();
        let server = self.server.as_deref().unwrap_or_default().trim();
        let strange = |c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']'));
        if server.is_empty() {
            faults.push("server: missing; wanted the SMTP server's name, such as \"smtp.example.com\"".into());
        } else if server.contains(strange) {
            faults.push(format!("server is {server:?}: wanted a name alone, such as \"smtp.example.com\""));
        } else if self.tls == Tls::None && !self.insecure && !is_this_machine(server) {
            faults.push(
                "tls is \"none\", and mail could be read on the way: wanted \"starttls\" or \"tls\", or insecure = true"
                    .into(),
            );
        }
        if self.user.is_none() && self.password_file.is_some() {
            faults.push("password_file: there is no user it belongs to; set user".into());
        }
        faults
    }

    pub(super) fn port(&self) -> u16 {
        self.port.unwrap_or(match self.tls {
            Tls::Starttls => 587,
            Tls::Tls => 465,
            Tls::None => 25,
        })
    }
}

fn mailbox_fault(key: &str, text: &str) -> Option<String> {
    let fault = text.parse::<Mailbox>().err()?;
    Some(format!("{key}: {text:?} is no mail address ({fault}); wanted such as \"vigie <vigie@example.com>\""))
}
