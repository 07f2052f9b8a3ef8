//! `POST /api/v1/forget`, for `vigie forget` beside a running daemon, and the token that lets only the owner of the state
//! ask for it.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::Context as _;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Json, Response};
use sha2::{Digest, Sha256};

use super::Console;
use super::posts::bearer;
use crate::monitor::Selector;

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

pub(super) async fn forget(State(console): State<Console>, headers: HeaderMap, Json(who): Json<Selector>) -> Response {
    if let Some(refusal) = refusal(&console, &headers) {
        return refusal;
    }
    match console.daemon.forget(who).await {
        Ok(receipt) => Json(receipt).into_response(),
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, format!("{error:#}\n")).into_response(),
    }
}
