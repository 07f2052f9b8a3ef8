//! [`SharedLinks`]: addresses that show one incident to people without an account, until they expire. In the file
//! `shared-links.json` of the state directory, as hashes: who reads the file cannot open a link.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::auth::random;
use super::state_file;

const FILE: &str = "shared-links.json";
/// The start of the path of every link; the rest is the secret.
pub(super) const PREFIX: &str = "/shared/";
/// Links that work at the same time, at most.
const MAX_LINKS: usize = 500;
/// How many days a link may work. A resolved incident is shown for seven days, so a longer one would promise too much.
pub(super) const DAYS: [i64; 3] = [1, 3, 7];

/// A link, without the secret in its address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SharedLink {
    /// Names it where somebody ends it; says nothing about its address.
    pub(super) id: String,
    pub(super) incident: String,
    hash: String,
    pub(super) by: String,
    pub(super) made_at: Timestamp,
    pub(super) expires_at: Timestamp,
}

/// Why a link is not made or found.
#[derive(Debug, thiserror::Error)]
pub(super) enum SharedLinkError {
    #[error("{path}: {error}")]
    File { path: PathBuf, error: std::io::Error },
    #[error("cannot read random bytes from the system: {0}")]
    Random(std::io::Error),
    #[error("days: expected 1, 3 or 7, not {0}")]
    Days(i64),
    #[error("there are {MAX_LINKS} links already: end some, or wait until some expire")]
    TooMany,
}

/// Clones share the file.
#[derive(Clone)]
pub struct SharedLinks {
    state: Arc<Path>,
    /// One change at a time; only the daemon writes the file.
    changing: Arc<Mutex<()>>,
}

impl SharedLinks {
    /// In the state directory `state`.
    pub fn new(state: &Path) -> Self {
        Self { state: state.into(), changing: Arc::default() }
    }

    /// Makes a link to `incident` that works for `days`; returns the secret of its address, which is kept nowhere.
    ///
    /// # Errors
    /// When `days` is not one of [`DAYS`], there are too many links, or the file cannot be read or written.
    pub(super) fn make(&self, incident: &str, by: &str, days: i64, now: Timestamp) -> Result<String, SharedLinkError> {
        let length = DAYS.contains(&days).then(|| SignedDuration::from_hours(24 * days));
        let expires_at = length.and_then(|length| now.checked_add(length).ok()).ok_or(SharedLinkError::Days(days))?;
        let _alone = self.lock();
        let mut links = self.active(now)?;
        if links.len() >= MAX_LINKS {
            return Err(SharedLinkError::TooMany);
        }
        let secret = random().map_err(SharedLinkError::Random)?;
        let id = random().map_err(SharedLinkError::Random)?.chars().take(12).collect();
        let hash = hash(&secret);
        links.push(SharedLink { id, incident: incident.into(), hash, by: by.into(), made_at: now, expires_at });
        self.write(&links)?;
        Ok(secret)
    }

    /// The incident that the address with `secret` shows; none for an unknown or expired one.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(super) fn find(&self, secret: &str, now: Timestamp) -> Result<Option<SharedLink>, SharedLinkError> {
        // Comparing hashes: how long it takes says nothing about the secret.
        let hash = hash(secret);
        Ok(self.active(now)?.into_iter().find(|link| link.hash == hash))
    }

    /// The links to `incident` that work now.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(super) fn to(&self, incident: &str, now: Timestamp) -> Result<Vec<SharedLink>, SharedLinkError> {
        Ok(self.active(now)?.into_iter().filter(|link| link.incident == incident).collect())
    }

    /// Ends the link `id` to `incident`; one that has ended already changes nothing.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub(super) fn end(&self, incident: &str, id: &str, now: Timestamp) -> Result<(), SharedLinkError> {
        let _alone = self.lock();
        let mut links = self.active(now)?;
        links.retain(|link| link.incident != incident || link.id != id);
        self.write(&links)
    }

    fn active(&self, now: Timestamp) -> Result<Vec<SharedLink>, SharedLinkError> {
        let links: Option<Vec<SharedLink>> = state_file::read(&self.state.join(FILE)).map_err(|e| self.error(e))?;
        Ok(links.unwrap_or_default().into_iter().filter(|link| link.expires_at > now).collect())
    }

    fn write(&self, links: &[SharedLink]) -> Result<(), SharedLinkError> {
        state_file::write(&self.state, FILE, &links).map_err(|error| self.error(error))
    }

    fn error(&self, error: std::io::Error) -> SharedLinkError {
        SharedLinkError::File { path: self.state.join(FILE), error }
    }

    fn lock(&self) -> MutexGuard<'_, ()> {
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn hash(secret: &str) -> String {
    Sha256::digest(secret.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: i64) -> Timestamp {
        Timestamp::from_second(hour * 3_600).unwrap()
    }

    #[test]
    fn a_link_shows_its_incident_until_it_expires() {
        let dir = tempfile::tempdir().unwrap();
        let links = SharedLinks::new(dir.path());
        assert!(links.find("anything", at(0)).unwrap().is_none());
        let secret = links.make("SOUT-M6RT", "Claire", 1, at(0)).unwrap();
        let other = links.make("UNIT-2222", "Claire", 3, at(0)).unwrap();
        assert_ne!(secret, other);
        let found = |secret: &str, hour| links.find(secret, at(hour)).unwrap().map(|link| link.incident);
        assert_eq!(found(&secret, 23), Some("SOUT-M6RT".into()));
        assert_eq!((found(&secret, 24), found(&other, 24)), (None, Some("UNIT-2222".into())));
        assert_eq!(found(&secret[1..], 1), None);
        let file = std::fs::read_to_string(dir.path().join(FILE)).unwrap();
        assert!(!file.contains(&secret), "the secret must not be kept");
    }

    #[test]
    fn a_link_can_be_ended_and_only_through_its_incident() {
        let dir = tempfile::tempdir().unwrap();
        let links = SharedLinks::new(dir.path());
        let secret = links.make("A-1", "Claire", 7, at(0)).unwrap();
        let id = links.to("A-1", at(1)).unwrap()[0].id.clone();
        assert!(!secret.contains(&id));
        links.end("B-1", &id, at(1)).unwrap();
        assert!(links.find(&secret, at(1)).unwrap().is_some());
        links.end("A-1", &id, at(1)).unwrap();
        assert!(links.find(&secret, at(1)).unwrap().is_none());
        assert!(links.to("A-1", at(1)).unwrap().is_empty());
    }

    #[test]
    fn the_number_of_links_and_their_days_are_limited() {
        let dir = tempfile::tempdir().unwrap();
        let links = SharedLinks::new(dir.path());
        for days in [0, 2, 8, -1, i64::MAX] {
            assert!(matches!(links.make("A-1", "Claire", days, at(0)), Err(SharedLinkError::Days(_))), "{days}");
        }
        let link = |number: usize| SharedLink {
            id: number.to_string(),
            incident: "A-1".into(),
            hash: hash(&number.to_string()),
            by: "Claire".into(),
            made_at: at(0),
            expires_at: at(24),
        };
        links.write(&(0..MAX_LINKS).map(link).collect::<Vec<_>>()).unwrap();
        assert!(matches!(links.make("A-1", "Claire", 1, at(1)), Err(SharedLinkError::TooMany)));
        links.make("A-1", "Claire", 1, at(25)).unwrap();
        assert_eq!(links.to("A-1", at(25)).unwrap().len(), 1, "expired ones are gone");
    }
}
