//! [`Users`]: the people who may sign in, in the file `users.json` of the state directory. Passwords are kept as argon2id hashes.

use std::path::{Path, PathBuf};

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::super::state_file;

/// Name of the file.
const FILE: &str = "users.json";
/// Characters of a password at least.
const MIN_PASSWORD: usize = 10;
/// Bytes of a password at most: hashing takes time for each.
const MAX_PASSWORD: usize = 1_024;
const MAX_NAME: usize = 60;

/// What a user may do; each role includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Reads everything.
    Viewer,
    /// Corrects labels, too.
    Analyst,
    /// Acknowledges, silences and tests receivers, too.
    Operator,
}

/// A person who may sign in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct User {
    pub name: String,
    pub role: Role,
    /// In PHC form: `$argon2id$...`.
    hash: String,
    pub added_at: Timestamp,
}

/// Why users cannot be read or changed. Names no password.
#[derive(Debug, thiserror::Error)]
pub enum UserError {
    #[error("{path}: {reason}")]
    File { path: PathBuf, reason: String },
    #[error("the name {0:?} is not valid; expected 1 to {MAX_NAME} letters, digits, spaces, -, _, . and @")]
    Name(String),
    #[error("the password is not valid; expected {MIN_PASSWORD} characters or more, and {MAX_PASSWORD} bytes at most")]
    Password,
    #[error("there is already a user {0:?}: remove it first")]
    Known(String),
    #[error("unknown user {0:?}")]
    Unknown(String),
    #[error("the password cannot be hashed: {0}")]
    Hash(String),
}

/// All users of a state directory.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Users {
    users: Vec<User>,
}

impl Role {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Analyst => "analyst",
            Self::Operator => "operator",
        }
    }
}

impl Users {
    /// The users of the state directory `state`; nobody where it has no such file.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn load(state: &Path) -> Result<Self, UserError> {
        let path = state.join(FILE);
        match state_file::read(&path) {
            Ok(users) => Ok(Self { users: users.unwrap_or_default() }),
            Err(cause) => Err(UserError::File { path, reason: cause.to_string() }),
        }
    }

    /// Writes the file of `state`, which only its owner can read; as a whole or not at all.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save(&self, state: &Path) -> Result<(), UserError> {
        let error = |cause: std::io::Error| UserError::File { path: state.join(FILE), reason: cause.to_string() };
        state_file::write(state, FILE, &self.users).map_err(error)
    }

    pub fn is_empty(&self) -> bool {
        self.users.is_empty()
    }

    /// In the order in which they were added.
    pub fn iter(&self) -> impl Iterator<Item = &User> {
        self.users.iter()
    }

    /// Adds a user.
    ///
    /// # Errors
    /// When the name is taken, or name or password are not valid.
    pub fn add(&mut self, name: &str, role: Role, password: &str, now: Timestamp) -> Result<(), UserError> {
        let plain = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_' | '.' | '@');
        let length = name.chars().count();
        if name.trim() != name || !(1..=MAX_NAME).contains(&length) || !name.chars().all(plain) {
            return Err(UserError::Name(name.to_owned()));
        }
        if password.chars().count() < MIN_PASSWORD || password.len() > MAX_PASSWORD {
            return Err(UserError::Password);
        }
        if self.find(name).is_some() {
            return Err(UserError::Known(name.to_owned()));
        }
        let hash = Argon2::default().hash_password(password.as_bytes());
        let hash: PasswordHash = hash.map_err(|error| UserError::Hash(error.to_string()))?;
        self.users.push(User { name: name.to_owned(), role, hash: hash.to_string(), added_at: now });
        Ok(())
    }

    /// # Errors
    /// When nobody has this name.
    pub fn remove(&mut self, name: &str) -> Result<(), UserError> {
        let before = self.users.len();
        self.users.retain(|user| !is_same(&user.name, name));
        if self.users.len() == before { Err(UserError::Unknown(name.to_owned())) } else { Ok(()) }
    }

    /// The user `name`, if the password is right. Takes as long for a name that nobody has: its time must not say who exists.
    pub(super) fn verify(&self, name: &str, password: &str) -> Option<&User> {
        if password.len() > MAX_PASSWORD {
            return None;
        }
        let Some(user) = self.find(name) else {
            let _hash: Result<PasswordHash, _> = Argon2::default().hash_password(password.as_bytes());
            return None;
        };
        Argon2::default().verify_password(password.as_bytes(), user.hash.as_str()).is_ok().then_some(user)
    }

    pub(super) fn role_of(&self, name: &str) -> Option<Role> {
        self.find(name).map(|user| user.role)
    }

    fn find(&self, name: &str) -> Option<&User> {
        self.users.iter().find(|user| is_same(&user.name, name))
    }
}

fn is_same(a: &str, b: &str) -> bool {
    a.to_lowercase() == b.trim().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_kept_and_verified_and_the_password_is_not_in_the_file() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join("state");
        let mut users = Users::load(&state).unwrap();
        assert!(users.is_empty());
        users.add("Claire", Role::Analyst, "correct horse", Timestamp::UNIX_EPOCH).unwrap();
        users.save(&state).unwrap();
        let text = std::fs::read_to_string(state.join(FILE)).unwrap();
        assert!(text.contains("$argon2id$") && !text.contains("horse"), "{text}");
        assert_eq!(std::fs::metadata(state.join(FILE)).unwrap().permissions().mode() & 0o777, 0o600);
        let mut users = Users::load(&state).unwrap();
        assert_eq!(users.verify("claire", "correct horse").map(|user| user.role), Some(Role::Analyst));
        assert_eq!(users.verify("claire", "correct  horse"), None);
        assert_eq!(users.verify("bob", "correct horse"), None);
        assert!(matches!(
            users.add("CLAIRE", Role::Viewer, "another one", Timestamp::UNIX_EPOCH),
            Err(UserError::Known(_))
        ));
        users.remove("claire").unwrap();
        assert!(users.remove("claire").is_err());
    }

    #[test]
    fn names_and_passwords_are_checked() {
        let mut users = Users::default();
        for name in ["", " a", "a\nb", "<b>"] {
            assert!(matches!(
                users.add(name, Role::Viewer, "long enough", Timestamp::UNIX_EPOCH),
                Err(UserError::Name(_))
            ));
        }
        for password in ["short", &"x".repeat(2_000)] {
            assert!(matches!(users.add("a", Role::Viewer, password, Timestamp::UNIX_EPOCH), Err(UserError::Password)));
        }
    }

    #[test]
    fn a_file_that_cannot_be_read_is_named() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(FILE), "[{]").unwrap();
        let error = Users::load(dir.path()).unwrap_err().to_string();
        assert!(error.contains("users.json") && error.contains("line 1"), "{error}");
    }
}
