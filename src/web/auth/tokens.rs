//! [`Tokens`]: the named tokens of programs that call the API, in the file `tokens.json` of the state directory. `vigie token`
//! writes it and the daemon reads it.
//!
//! A token is 256 random bits and is kept as its SHA-256. A slow hash, as for passwords, would protect nothing: nobody can try
//! 2^256 tokens, and each request would pay for it.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq as _};

use super::super::state_file;
use super::scope::Scope;

/// Name of the file in the state directory.
pub(super) const FILE: &str = "tokens.json";
/// Held while the file is changed: two commands at once must not undo each other's change.
const LOCK_FILE: &str = "tokens.lock";
/// How each token begins, so that people and secret scanners know it.
const PREFIX: &str = "vigie_";
const MAX_NAME: usize = 60;

/// The SHA-256 of a token, in hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct TokenHash(String);

/// A token, without the token itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    pub name: String,
    pub scopes: BTreeSet<Scope>,
    pub(super) hash: TokenHash,
    pub created_at: Timestamp,
}

/// Why tokens cannot be read or changed. Contains no token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    #[error("{path}: {reason}")]
    File { path: PathBuf, reason: String },
    #[error("the name {0:?} is not valid; expected 1 to {MAX_NAME} letters, digits, -, _ and .")]
    Name(String),
    #[error("a token needs at least one scope: read, feedback, operate or ingest")]
    NoScope,
    #[error("there is already a token {0:?}: revoke it first, or choose another name")]
    Known(String),
    #[error("unknown token {0:?}; `vigie token list` lists all tokens")]
    Unknown(String),
    #[error("cannot read random bytes from the system: {0}")]
    Random(std::io::Error),
}

/// All tokens of a state directory.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tokens {
    tokens: Vec<Token>,
}

impl TokenHash {
    pub(super) fn of(token: &str) -> Self {
        Self(Sha256::digest(token.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

impl Tokens {
    /// The tokens of the state directory `state`; none where it has no such file.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn load(state: &Path) -> Result<Self, TokenError> {
        let path = state.join(FILE);
        match state_file::read(&path) {
            Ok(tokens) => Ok(Self { tokens: tokens.unwrap_or_default() }),
            Err(error) => Err(TokenError::File { path, reason: error.to_string() }),
        }
    }

    /// Changes the tokens of `state` with `change`, alone: another command waits.
    ///
    /// # Errors
    /// When the file cannot be read or written, or the change is refused; the file is then as it was.
    pub fn change<T>(state: &Path, change: impl FnOnce(&mut Self) -> Result<T, TokenError>) -> Result<T, TokenError> {
        let file_error = |name: &str| {
            let path = state.join(name);
            move |error: std::io::Error| TokenError::File { path, reason: error.to_string() }
        };
        std::fs::create_dir_all(state).map_err(file_error(""))?;
        // Released when it is closed.
        let lock = File::create(state.join(LOCK_FILE)).map_err(file_error(LOCK_FILE))?;
        lock.lock().map_err(file_error(LOCK_FILE))?;
        let mut tokens = Self::load(state)?;
        let result = change(&mut tokens)?;
        state_file::write(state, FILE, &tokens.tokens).map_err(file_error(FILE))?;
        Ok(result)
    }

    /// In the order in which they were created.
    pub fn iter(&self) -> impl Iterator<Item = &Token> {
        self.tokens.iter()
    }

    /// Adds a token and returns it. It is kept nowhere: only its hash is.
    ///
    /// # Errors
    /// When the name is taken or not valid, or no scope is given.
    pub fn create(&mut self, name: &str, scopes: BTreeSet<Scope>, now: Timestamp) -> Result<String, TokenError> {
        let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
        if !(1..=MAX_NAME).contains(&name.chars().count()) || !name.chars().all(plain) {
            return Err(TokenError::Name(name.to_owned()));
        }
        if scopes.is_empty() {
            return Err(TokenError::NoScope);
        }
        if self.tokens.iter().any(|token| token.name == name) {
            return Err(TokenError::Known(name.to_owned()));
        }
        let token = format!("{PREFIX}{}", super::random().map_err(TokenError::Random)?);
        self.tokens.push(Token { name: name.to_owned(), scopes, hash: TokenHash::of(&token), created_at: now });
        Ok(token)
    }

    /// # Errors
    /// When no token has this name.
    pub fn revoke(&mut self, name: &str) -> Result<(), TokenError> {
        let before = self.tokens.len();
        self.tokens.retain(|token| token.name != name);
        if self.tokens.len() == before { Err(TokenError::Unknown(name.to_owned())) } else { Ok(()) }
    }

    /// The token that a caller gave. Each is compared in constant time, and all are compared: the time says nothing.
    pub(super) fn find(&self, given: &str) -> Option<&Token> {
        let given = TokenHash::of(given);
        let is_given = |token: &Token| -> Choice { token.hash.0.as_bytes().ct_eq(given.0.as_bytes()) };
        self.tokens.iter().fold(None, |found, token| if bool::from(is_given(token)) { Some(token) } else { found })
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn scopes(all: &[Scope]) -> BTreeSet<Scope> {
        all.iter().copied().collect()
    }

    #[test]
    fn a_token_is_found_until_it_is_revoked_and_is_not_in_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join("state");
        assert_eq!(Tokens::load(&state).unwrap(), Tokens::default());
        let create = |name: &str| {
            Tokens::change(&state, |tokens| tokens.create(name, scopes(&[Scope::Read]), Timestamp::UNIX_EPOCH))
        };
        let (one, two) = (create("one").unwrap(), create("two").unwrap());
        assert!(one.starts_with("vigie_") && one.len() == 6 + 64 && one != two, "{one}");
        let path = state.join(FILE);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(!text.contains(&one) && !text.contains(&one[6..]), "{text}");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let tokens = Tokens::load(&state).unwrap();
        assert_eq!(tokens.find(&one).map(|token| token.name.as_str()), Some("one"));
        assert_eq!(tokens.find(&two).map(|token| token.name.as_str()), Some("two"));
        for wrong in ["", "vigie_", &one[..69], &format!("{one}0")] {
            assert_eq!(tokens.find(wrong), None, "{wrong}");
        }
        Tokens::change(&state, |tokens| tokens.revoke("one")).unwrap();
        assert_eq!(Tokens::load(&state).unwrap().find(&one), None);
        assert!(matches!(Tokens::change(&state, |tokens| tokens.revoke("one")), Err(TokenError::Unknown(_))));
    }

    #[test]
    fn names_and_scopes_are_checked() {
        let mut tokens = Tokens::default();
        for name in ["", "a b", "a\tb", "<b>", &"x".repeat(61)] {
            let refused = tokens.create(name, scopes(&[Scope::Read]), Timestamp::UNIX_EPOCH);
            assert!(matches!(refused, Err(TokenError::Name(_))), "{name}");
        }
        assert!(matches!(tokens.create("a", scopes(&[]), Timestamp::UNIX_EPOCH), Err(TokenError::NoScope)));
        tokens.create("a", scopes(&Scope::ALL), Timestamp::UNIX_EPOCH).unwrap();
        let again = tokens.create("a", scopes(&[Scope::Read]), Timestamp::UNIX_EPOCH);
        assert!(matches!(again, Err(TokenError::Known(_))));
    }

    #[test]
    fn a_file_that_cannot_be_read_is_named_and_kept() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(FILE), "[{]").unwrap();
        let create = |tokens: &mut Tokens| tokens.create("a", scopes(&[Scope::Read]), Timestamp::UNIX_EPOCH);
        let error = Tokens::change(dir.path(), create).unwrap_err().to_string();
        assert!(error.contains("tokens.json") && error.contains("line 1"), "{error}");
        assert_eq!(std::fs::read_to_string(dir.path().join(FILE)).unwrap(), "[{]");
    }

    #[test]
    fn commands_at_the_same_time_keep_each_others_tokens() {
        let dir = tempfile::tempdir().unwrap();
        std::thread::scope(|threads| {
            for number in 0..8 {
                let state = dir.path();
                threads.spawn(move || {
                    let create = |tokens: &mut Tokens| {
                        tokens.create(&number.to_string(), BTreeSet::from([Scope::Read]), Timestamp::UNIX_EPOCH)
                    };
                    Tokens::change(state, create).unwrap();
                });
            }
        });
        assert_eq!(Tokens::load(dir.path()).unwrap().iter().count(), 8);
    }
}
