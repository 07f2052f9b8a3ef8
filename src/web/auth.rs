//! [`ApiToken`]: proves that a caller of the API can read the state directory. In front of `web::api`.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::Context as _;
use axum::http::{HeaderMap, header};
use sha2::{Digest, Sha256};

use super::Console;
use super::error::Problem;

/// Name of the token's file in the state directory.
const FILE: &str = "api-token";

/// A token of this run of the daemon. Who can read its file may do what the owner of the state may do.
#[derive(Clone)]
pub struct ApiToken(String);

impl ApiToken {
    /// Creates a token and writes it to a file of `state` that only its owner can read.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn create(state: &Path) -> anyhow::Result<Self> {
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
    pub(super) fn matches(&self, given: &str) -> bool {
        bool::from(subtle::ConstantTimeEq::ct_eq(self.0.as_bytes(), given.as_bytes()))
    }
}

/// 256 bits of the system's randomness, in hex.
pub(super) fn random() -> std::io::Result<String> {
    let mut bytes = [0_u8; 32];
    std::io::Read::read_exact(&mut std::fs::File::open("/dev/urandom")?, &mut bytes)?;
    Ok(Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Refuses a request that does not show the token of the state directory.
pub(super) fn refusal(console: &Console, headers: &HeaderMap) -> Option<Problem> {
    if bearer(headers).is_some_and(|token| console.token.matches(token)) {
        return None;
    }
    Some(Problem::unauthorized("the token of the file api-token in the state directory"))
}

/// The token of an `Authorization` header.
pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
