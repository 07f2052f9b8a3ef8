//! [`AuditLog`]: who changed what, when and from where, as JSON lines in the state directory. A middleware writes a line for
//! every request of a person that may change something, whatever its outcome. It leaves out posts that programs send. It names no post and no text.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::auth::Caller;
use super::shared_links;
use super::sign_in::SignedIn;

/// Name of the file; the part before it is next to it.
const FILE: &str = "audit.jsonl";
const EARLIER_FILE: &str = "audit.1.jsonl";
/// Bytes after which a new file begins; the one before is kept, an older one is not.
const MAX_BYTES: u64 = 16 << 20;

/// One request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct AuditEntry {
    pub(super) at: Timestamp,
    /// Who was signed in; nobody on loopback.
    pub(super) user: Option<String>,
    /// The name of the token of a program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) token: Option<String>,
    /// The address that the connection came from.
    pub(super) from: Option<IpAddr>,
    pub(super) method: String,
    /// Without its query.
    pub(super) path: String,
    pub(super) status: u16,
}

/// Where the sender of a request is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer(pub(super) IpAddr);

/// Clones write to the same file.
#[derive(Clone)]
pub struct AuditLog {
    directory: PathBuf,
    /// One line at a time.
    writing: Arc<Mutex<()>>,
}

impl AuditLog {
    /// In the state directory `state`.
    pub fn new(state: &Path) -> Self {
        Self { directory: state.into(), writing: Arc::default() }
    }

    fn write(&self, entry: &AuditEntry) -> std::io::Result<()> {
        let _one = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let path = self.directory.join(FILE);
        if std::fs::metadata(&path).is_ok_and(|file| file.len() > MAX_BYTES) {
            std::fs::rename(&path, self.directory.join(EARLIER_FILE))?;
        }
        let mut line = serde_json::to_vec(entry)?;
        line.push(b'\n');
        let mut file = std::fs::OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
        file.write_all(&line)
    }

    /// The last `limit` entries, the newest first. Lines that a crash cut are left out.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub(super) fn last(&self, limit: usize) -> std::io::Result<Vec<AuditEntry>> {
        let mut entries = std::collections::VecDeque::new();
        for name in [EARLIER_FILE, FILE] {
            let file = match std::fs::File::open(self.directory.join(name)) {
                Ok(file) => file,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            for line in BufReader::new(file).lines() {
                if entries.len() == limit {
                    entries.pop_front();
                }
                entries.extend(serde_json::from_str::<AuditEntry>(&line?).ok());
            }
        }
        Ok(entries.into_iter().rev().collect())
    }
}

/// Requests of programs, many a second, that change nothing a person decides.
const UNRECORDED: [&str; 2] = ["/api/v1/posts", "/api/v1/classify"];

/// The middleware: after the sign-in, before the pages.
pub(super) async fn record(State(log): State<AuditLog>, request: Request, next: Next) -> Response {
    let method = request.method().clone();
    let is_read = matches!(method, Method::GET | Method::HEAD | Method::OPTIONS);
    if is_read || UNRECORDED.contains(&request.uri().path()) {
        return next.run(request).await;
    }
    let path = recorded(request.uri().path());
    let (user, token) = who(&request);
    let from = request.extensions().get::<Peer>().map(|peer| peer.0);
    let response = next.run(request).await;
    let status = response.status().as_u16();
    let entry = AuditEntry { at: Timestamp::now(), user, from, method: method.to_string(), path, status, token };
    // Writing blocks, and the answer need not wait for it.
    tokio::task::spawn_blocking(move || {
        if let Err(error) = log.write(&entry) {
            tracing::warn!(%error, "the audit log cannot be written");
        }
    });
    response
}

/// A path as it is recorded. The rest of the address of a shared link is its key, whatever is sent to it.
fn recorded(path: &str) -> String {
    if path.starts_with(shared_links::PREFIX) { shared_links::PREFIX.into() } else { path.chars().take(200).collect() }
}

/// The person, or the token of the program, that sends `request`.
fn who(request: &Request) -> (Option<String>, Option<String>) {
    let person = |signed_in: &SignedIn| (signed_in.user.clone(), None);
    match request.extensions().get::<Caller>() {
        Some(Caller::Person(signed_in)) => person(signed_in),
        Some(Caller::Token { name, .. }) => (None, Some(name.clone())),
        Some(Caller::StateOwner) => (None, Some("api-token".into())),
        Some(Caller::Source) => (None, Some("source".into())),
        None => request.extensions().get::<SignedIn>().map(person).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(second: i64, path: &str) -> AuditEntry {
        AuditEntry {
            at: Timestamp::from_second(second).unwrap(),
            user: Some("Claire".into()),
            token: None,
            from: Some(IpAddr::from([127, 0, 0, 1])),
            method: "POST".into(),
            path: path.into(),
            status: 303,
        }
    }

    #[test]
    fn entries_are_read_back_the_newest_first_across_files() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let log = AuditLog::new(dir.path());
        assert_eq!(log.last(10).unwrap(), []);
        log.write(&entry(1, "/a")).unwrap();
        std::fs::rename(dir.path().join(FILE), dir.path().join(EARLIER_FILE)).unwrap();
        log.write(&entry(2, "/b")).unwrap();
        std::fs::OpenOptions::new().append(true).open(dir.path().join(FILE)).unwrap().write_all(b"{\"at\"\n").unwrap();
        log.write(&entry(3, "/c")).unwrap();
        let paths = |limit| log.last(limit).unwrap().into_iter().map(|entry| entry.path).collect::<Vec<_>>();
        assert_eq!(paths(10), ["/c", "/b", "/a"]);
        assert_eq!(paths(2), ["/c", "/b"]);
        assert_eq!(paths(usize::MAX), ["/c", "/b", "/a"]);
        let mode = std::fs::metadata(dir.path().join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn the_key_of_a_shared_link_is_not_recorded() {
        assert_eq!(recorded("/shared/0123abcd"), "/shared/");
        assert_eq!(recorded("/alerts/SOUT-M6RT"), "/alerts/SOUT-M6RT");
    }

    #[test]
    fn a_full_file_makes_way() {
        let dir = tempfile::tempdir().unwrap();
        let log = AuditLog::new(dir.path());
        std::fs::File::create(dir.path().join(FILE)).unwrap().set_len(MAX_BYTES + 1).unwrap();
        log.write(&entry(1, "/a")).unwrap();
        assert!(std::fs::metadata(dir.path().join(FILE)).unwrap().len() < 1_000);
        assert!(std::fs::metadata(dir.path().join(EARLIER_FILE)).unwrap().len() > MAX_BYTES);
    }
}
