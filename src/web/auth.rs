//! Who may call the API: [`Credentials`] are the tokens that count. In front of `web::api`.
//!
//! ```text
//!   api-token     made at each start; all scopes; for commands on this machine
//!   tokens.json   named tokens with scopes, of `vigie token`
//!   [[source]]    the token of a source of type "http"; sends posts
//!   session       a person who is signed in; see `sign_in`
//! ```

mod caller;
mod last_use;
mod scope;
mod token_store;
mod tokens;

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::Context as _;
use axum::http::{HeaderMap, header};
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;

pub(super) use caller::{Caller, check, identify};
pub use last_use::last_use;
pub use scope::{Scope, list_scopes};
use token_store::TokenStore;
pub use tokens::{Token, TokenError, Tokens};

/// Name of the token's file in the state directory.
const FILE: &str = "api-token";

/// The tokens that count in this run of the daemon. Clones share them.
#[derive(Clone)]
pub struct Credentials {
    own: ApiToken,
    tokens: TokenStore,
}

impl Credentials {
    /// Creates the token of this run in the state directory `state`. When tokens were used is written at last when `stop` is
    /// cancelled.
    ///
    /// # Errors
    /// When the token's file cannot be written.
    pub fn create(state: &Path, stop: CancellationToken) -> anyhow::Result<Self> {
        Ok(Self { own: ApiToken::create(state)?, tokens: TokenStore::new(state.into(), stop) })
    }
}

/// A token of this run of the daemon. Who can read its file may do what the owner of the state may do.
#[derive(Clone)]
struct ApiToken(String);

impl ApiToken {
    /// Creates a token and writes it to a file of `state` that only its owner can read.
    ///
    /// # Errors
    /// When the file cannot be written.
    fn create(state: &Path) -> anyhow::Result<Self> {
        let token = random().context("cannot read random bytes from the system")?;
        let path = state.join(FILE);
        let write = || -> std::io::Result<()> {
            std::fs::DirBuilder::new().recursive(true).create(state)?;
            // An existing file would keep its mode: remove it first.
            match std::fs::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
            file.write_all(token.as_bytes())
        };
        write().with_context(|| format!("cannot write the state directory {}", path.display()))?;
        Ok(Self(token))
    }

    /// Compares in constant time.
    fn matches(&self, given: &str) -> bool {
        bool::from(subtle::ConstantTimeEq::ct_eq(self.0.as_bytes(), given.as_bytes()))
    }
}

/// 256 bits of the system's randomness, in hex.
pub(super) fn random() -> std::io::Result<String> {
    let mut bytes = [0_u8; 32];
    std::io::Read::read_exact(&mut std::fs::File::open("/dev/urandom")?, &mut bytes)?;
    Ok(Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The token of an `Authorization` header.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
