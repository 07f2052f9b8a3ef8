//! [`HubError`]: why a model was not pulled, listed or found. Each message is one line that ends with the remedy.

use std::io;
use std::path::{Path, PathBuf};

use vigie_reading::classify::ModelError;

/// Files to copy by hand if the Hub cannot be reached.
const BY_HAND: &str = "config.json, tokenizer.json (or vocab.txt) and model.safetensors";

/// See the module. Never contains a token.
#[derive(Debug, thiserror::Error)]
pub enum HubError {
    #[error("HF_ENDPOINT is not a valid address; expected https://HOST or http://HOST:PORT, without user and password")]
    Endpoint,
    #[error(
        "the token of HF_TOKEN, or of the token file, contains a space or a character that HTTP headers do not allow: copy it again"
    )]
    Token,
    #[error("no directory for downloads: set HF_HUB_CACHE or HOME")]
    NoCache,
    #[error("no client for the Hub: {0}")]
    Client(String),
    #[error(
        "{endpoint} cannot be reached ({cause}): check the network, set HF_ENDPOINT to a mirror, set HTTPS_PROXY, or copy {BY_HAND} of {repo} into a directory by hand"
    )]
    Unreachable { endpoint: String, repo: String, cause: String },
    #[error(
        "{repo}: download of {file} stopped at {got} of {size} bytes ({cause}): run the same command again to resume"
    )]
    Incomplete { repo: String, file: String, got: u64, size: u64, cause: String },
    #[error("{endpoint} has no public model {repo}: check the name, or set HF_TOKEN if it is private")]
    UnknownOrPrivate { endpoint: String, repo: String },
    #[error("{endpoint} has no model {repo}: check the name")]
    NoRepo { endpoint: String, repo: String },
    #[error("{repo} has no revision `{revision}`: name a branch, a tag or a commit of {endpoint}/{repo}/commits/main")]
    NoRevision { endpoint: String, repo: String, revision: String },
    #[error("{repo} is gated: accept its terms at {endpoint}/{repo}, then set HF_TOKEN to a token of that account")]
    Gated { endpoint: String, repo: String },
    #[error(
        "access to {repo} is denied for this token: accept its terms at {endpoint}/{repo} with the account of HF_TOKEN, or set another token"
    )]
    Refused { endpoint: String, repo: String },
    #[error("{endpoint} returned HTTP status {status} for {what}: try again later, or set HF_ENDPOINT to a mirror")]
    Status { endpoint: String, what: String, status: u16 },
    #[error("unexpected response from {endpoint}: {reason}; check HF_ENDPOINT")]
    Protocol { endpoint: String, reason: String },
    #[error("{repo} lists a file `{file}` outside its directory: nothing was downloaded, do not trust this model")]
    Escape { repo: String, file: String },
    #[error(
        "{repo}: {file} has {kind} {found} but the Hub lists {expected}: the download is damaged or was tampered with, and was removed; run the same command again or set HF_ENDPOINT to another mirror"
    )]
    Mismatch { repo: String, file: String, kind: &'static str, found: String, expected: String },
    #[error(
        "{repo} is a model of type `{found}`; vigie supports `distilbert`, `bert`, `roberta` and `xlm-roberta`: pull such a checkpoint, for example distilbert-base-multilingual-cased"
    )]
    Architecture { repo: String, found: String },
    #[error("{repo} has no {missing}, so vigie cannot use it; {hint}")]
    MissingFile { repo: String, missing: &'static str, hint: &'static str },
    #[error("{}: {reason}", path.display())]
    Convert { path: PathBuf, reason: String },
    #[error("{} holds {found}, which is not part of a model: name a new directory with --to, or one that holds this model", path.display())]
    NotAModel { path: PathBuf, found: String },
    #[error("{} holds `{found}`, another model: name another directory with --to, or replace it with --force", path.display())]
    OtherModel { path: PathBuf, found: String },
    #[error("{}: no space left on the disk: free {} MB, or set HF_HUB_CACHE to a directory on another disk; the partial download is kept", path.display(), needed / 1_000_000 + 1)]
    DiskFull { path: PathBuf, needed: u64 },
    #[error("{} is being written by another pull: wait for it, then run the same command again", path.display())]
    Busy { path: PathBuf },
    #[error("{}: {cause}", path.display())]
    Io { path: PathBuf, cause: io::Error },
    #[error("no model `{id}` in {}; expected one of {known}, or a directory", store.display())]
    NoModel { id: String, store: PathBuf, known: String },
    #[error(transparent)]
    Model(#[from] ModelError),
}

impl HubError {
    /// `needed` is the number of bytes still to be written.
    pub(super) fn io(path: &Path, needed: u64, cause: io::Error) -> Self {
        let path = path.to_path_buf();
        match cause.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull { path, needed },
            _ => Self::Io { path, cause },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_reported_with_the_space_needed() {
        let error = HubError::io(Path::new("/c/x"), 267_000_001, io::ErrorKind::StorageFull.into());
        assert_eq!(
            error.to_string(),
            "/c/x: no space left on the disk: free 268 MB, or set HF_HUB_CACHE to a directory on another disk; the partial \
             download is kept"
        );
    }
}
