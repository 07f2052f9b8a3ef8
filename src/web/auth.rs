//! [`ApiToken`]: proves that a caller of the API can read the state directory. In front of `web::api`.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::Context as _;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use super::Console;

/// Name of the token's file in the state directory.
const FILE: &str = "api-token";

/// A token of this run of the daemon: whoever reads its file may do what the owner of the state may.
#[derive(Clone)]
pub struct ApiToken(String);

impl ApiToken {
    /// A new token, in a file of `state` that only its owner reads.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn make(state: &Path) -> anyhow::Result<Self> {
        let token = random().context("the system has no randomness to give")?;
        let path = state.join(FILE);
        let write = || -> std::io::Result<()> {
            std::fs::DirBuilder::new().recursive(true).create(state)?;
            // A file that is there keeps its mode: it goes first.
            match std::fs::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
            file.write_all(token.as_bytes())
        };
        write().with_context(|| format!("the state directory cannot be written: {}", path.display()))?;
        Ok(Self(token))
    }

    pub(super) fn is(&self, given: &str) -> bool {
        bool::from(subtle::ConstantTimeEq::ct_eq(self.0.as_bytes(), given.as_bytes()))
    }
}

/// 256 bits of the system's randomness, in hex.
fn random() -> std::io::Result<String> {
    let mut bytes = [0_u8; 32];
    std::io::Read::read_exact(&mut std::fs::File::open("/dev/urandom")?, &mut bytes)?;
    Ok(Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The answer to who has not read the token's file.
pub(super) fn refusal(console: &Console, headers: &HeaderMap) -> Option<Response> {
    if bearer(headers).is_some_and(|token| console.token.is(token)) {
        return None;
    }
    let why = "wanted: Authorization: Bearer TOKEN, with the token in the state directory's file api-token\n";
    Some((StatusCode::UNAUTHORIZED, why).into_response())
}

/// The token of an `Authorization` header.
pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
