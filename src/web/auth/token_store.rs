//! [`TokenStore`]: the tokens of the running daemon, read again whenever `vigie token` has changed their file.

use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::last_use::UseRecorder;
use super::tokens::{FILE, Token, TokenError, Tokens};

/// Tells one version of the file from another: each is a new file, which is renamed into place.
type FileVersion = Option<(u64, u64, i64, i64)>;

/// What was read of the file, and of which version.
type ReadTokens = Option<(FileVersion, Arc<Tokens>)>;

/// Clones share tokens and uses.
#[derive(Debug, Clone)]
pub(super) struct TokenStore {
    state: PathBuf,
    read: Arc<Mutex<ReadTokens>>,
    uses: UseRecorder,
}

impl TokenStore {
    /// The tokens of the state directory `state`.
    pub(super) fn new(state: PathBuf, stop: CancellationToken) -> Self {
        let uses = UseRecorder::new(state.clone(), stop);
        Self { state, read: Arc::default(), uses }
    }

    /// The token that a caller gave, if it is one of the tokens; its use at `now` is recorded.
    ///
    /// # Errors
    /// When the file cannot be read. No token counts then: a revoked one must not.
    pub(super) fn find(&self, given: &str, now: Timestamp) -> Result<Option<Token>, TokenError> {
        let tokens = self.tokens()?;
        let found = tokens.find(given);
        if let Some(token) = found {
            self.uses.record(&token.hash, now);
        }
        Ok(found.cloned())
    }

    fn tokens(&self) -> Result<Arc<Tokens>, TokenError> {
        let version = self.version();
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, tokens)) = read.as_ref().filter(|(known, _)| *known == version) {
            return Ok(Arc::clone(tokens));
        }
        *read = None;
        let tokens = Arc::new(Tokens::load(&self.state)?);
        *read = Some((version, Arc::clone(&tokens)));
        Ok(tokens)
    }

    fn version(&self) -> FileVersion {
        let file = std::fs::metadata(self.state.join(FILE)).ok()?;
        Some((file.ino(), file.len(), file.mtime(), file.mtime_nsec()))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::web::Scope;

    #[tokio::test]
    async fn changes_of_the_file_are_seen_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let (state, now) = (dir.path(), Timestamp::UNIX_EPOCH);
        let store = TokenStore::new(state.into(), CancellationToken::new());
        assert_eq!(store.find("anything", now).unwrap(), None);
        let token = Tokens::change(state, |tokens| tokens.create("one", BTreeSet::from([Scope::Read]), now)).unwrap();
        assert_eq!(store.find(&token, now).unwrap().map(|token| token.name), Some("one".into()));
        Tokens::change(state, |tokens| tokens.revoke("one")).unwrap();
        assert_eq!(store.find(&token, now).unwrap(), None);
        std::fs::write(state.join(FILE), "{").unwrap();
        assert!(store.find(&token, now).is_err());
    }
}
