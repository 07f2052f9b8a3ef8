//! [`Sessions`]: who is signed in, in memory: a restart of the daemon signs everybody out.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use super::SignedIn;
use super::users::Role;

/// A session that is not used for so long ends.
const IDLE: SignedDuration = SignedDuration::from_hours(12);
/// No session lasts longer.
const LONGEST: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Sessions at one time; the one used least recently gives way.
const MAX_SESSIONS: usize = 1_000;

#[derive(Debug)]
struct Session {
    user: String,
    role: Role,
    started_at: Timestamp,
    used_at: Timestamp,
}

/// Sessions by a hash of their name: a dump of the memory does not give the names.
#[derive(Debug, Default)]
pub(super) struct Sessions(HashMap<[u8; 32], Session>);

impl Sessions {
    /// Starts a session and returns its name, 256 random bits; none where the system gives none.
    pub(super) fn start(&mut self, user: &str, role: Role, now: Timestamp) -> Option<String> {
        self.0.retain(|_, session| session.lasts(now));
        if self.0.len() >= MAX_SESSIONS
            && let Some(oldest) = self.0.iter().min_by_key(|(_, session)| session.used_at).map(|(hash, _)| *hash)
        {
            self.0.remove(&oldest);
        }
        let name = super::super::auth::random().ok()?;
        self.0.insert(hash(&name), Session { user: user.to_owned(), role, started_at: now, used_at: now });
        Some(name)
    }

    /// Who has the session `name`; marks it as used.
    pub(super) fn find(&mut self, name: &str, now: Timestamp) -> Option<SignedIn> {
        let session = self.0.get_mut(&hash(name)).filter(|session| session.lasts(now))?;
        session.used_at = now;
        Some(SignedIn { user: Some(session.user.clone()), role: session.role })
    }

    pub(super) fn end(&mut self, name: &str) {
        self.0.remove(&hash(name));
    }
}

impl Session {
    fn lasts(&self, now: Timestamp) -> bool {
        now.duration_since(self.used_at) < IDLE && now.duration_since(self.started_at) < LONGEST
    }
}

fn hash(name: &str) -> [u8; 32] {
    Sha256::digest(name.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_ends_when_idle_when_old_and_when_asked() {
        let at = |hours: i64| Timestamp::from_second(hours * 3_600).unwrap();
        let mut sessions = Sessions::default();
        let name = sessions.start("ann", Role::Analyst, at(0)).unwrap();
        assert_eq!(name.len(), 64);
        let ann = Some(SignedIn { user: Some("ann".into()), role: Role::Analyst });
        assert_eq!(sessions.find(&name, at(11)), ann);
        assert_eq!(sessions.find(&name, at(22)), ann, "it was used since");
        assert_eq!(sessions.find(&name, at(35)), None);
        for hour in (0..7 * 24).step_by(10) {
            assert_eq!(sessions.find(&name, at(hour)).is_some(), hour < 7 * 24);
        }
        assert_eq!(sessions.find(&name, at(7 * 24)), None);
        let name = sessions.start("ann", Role::Viewer, at(0)).unwrap();
        sessions.end(&name);
        assert_eq!(sessions.find(&name, at(0)), None);
        assert_eq!(sessions.find("", at(0)), None);
    }
}
