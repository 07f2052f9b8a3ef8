//! [`HubError`]: why a model was not pulled, listed or found. Each message is one line that ends with the way out.

use std::io;
use std::path::{Path, PathBuf};

use vigie_reading::classify::ModelError;

/// Files to copy by hand where the hub is out of reach.
const BY_HAND: &str = "config.json, tokenizer.json (or vocab.txt) and model.safetensors";

/// See the module. Holds no token.
#[derive(Debug, thiserror::Error)]
pub enum HubError {
    #[error("HF_ENDPOINT is no address of a hub: wanted https://HOST or http://HOST:PORT, without user and password")]
    Endpoint,
    #[error(
        "the token of HF_TOKEN, or of the token file, holds a blank or a character that cannot stand in a header: copy it anew"
    )]
    Token,
    #[error("there is no place for downloads: set HF_HUB_CACHE to a directory, or HOME")]
    NoCache,
    #[error(
        "{endpoint} cannot be reached ({cause}): check the network, set HF_ENDPOINT to a mirror that can be, or copy {BY_HAND} of {repo} into a directory by hand; HTTPS_PROXY is honoured"
    )]
    Unreachable { endpoint: String, repo: String, cause: String },
    #[error(
        "{repo}: {file} broke off at {got} of {size} bytes ({cause}): run the same command again, it goes on from there"
    )]
    BrokenOff { repo: String, file: String, got: u64, size: u64, cause: String },
    #[error("{endpoint} knows no model {repo} for the public: check the name, or, where it is private, set HF_TOKEN")]
    UnknownOrPrivate { endpoint: String, repo: String },
    #[error("{endpoint} has no model {repo}: check the name")]
    NoRepo { endpoint: String, repo: String },
    #[error("{repo} has no revision `{revision}`: name a branch, a tag or a commit of {endpoint}/{repo}/commits/main")]
    NoRevision { endpoint: String, repo: String, revision: String },
    #[error("{repo} is gated: accept its terms at {endpoint}/{repo}, then set HF_TOKEN to a token of that account")]
    Gated { endpoint: String, repo: String },
    #[error(
        "{repo} does not open for the token that was given: accept its terms at {endpoint}/{repo} with the account of the token in HF_TOKEN, or set another"
    )]
    Refused { endpoint: String, repo: String },
    #[error("{endpoint} answered {status} for {what}: try again later, or set HF_ENDPOINT to a mirror")]
    Status { endpoint: String, what: String, status: u16 },
    #[error("{endpoint} does not speak the hub's protocol: {reason}; check HF_ENDPOINT")]
    Protocol { endpoint: String, reason: String },
    #[error(
        "{repo} lists a file `{file}`, which would leave its directory: nothing was fetched, do not trust this model"
    )]
    Escape { repo: String, file: String },
    #[error(
        "{repo}: {file} has {kind} {found} but the hub says {wanted}: what came is damaged or was exchanged on the way; it was removed, run the same command again or set HF_ENDPOINT to another mirror"
    )]
    Mismatch { repo: String, file: String, kind: &'static str, found: String, wanted: String },
    #[error(
        "{repo} is a model of type `{found}`; vigie reads `distilbert` (DistilBERT) alone: pull a DistilBERT checkpoint, such as distilbert-base-uncased or distilbert-base-multilingual-cased"
    )]
    Architecture { repo: String, found: String },
    #[error("{repo} has no {wanted}: it is no checkpoint that vigie can read; {hint}")]
    Lacks { repo: String, wanted: &'static str, hint: &'static str },
    #[error("{}: {reason}", path.display())]
    Convert { path: PathBuf, reason: String },
    #[error("{} holds {found}, which is no part of a model: name a new directory with --to, or one that holds this model", path.display())]
    NotAModel { path: PathBuf, found: String },
    #[error("{} holds `{found}`, another model: name another directory with --to, or replace it with --force", path.display())]
    OtherModel { path: PathBuf, found: String },
    #[error("{}: no space left on the disk: free {} MB, or set HF_HUB_CACHE to a directory on another disk; what has come is kept", path.display(), needed / 1_000_000 + 1)]
    DiskFull { path: PathBuf, needed: u64 },
    #[error("{} is being written by another pull: wait for it, then run the same command again", path.display())]
    Busy { path: PathBuf },
    #[error("{}: {cause}", path.display())]
    Io { path: PathBuf, cause: io::Error },
    #[error("no model `{id}` in {}: wanted one of {known}, or a directory", store.display())]
    NoModel { id: String, store: PathBuf, known: String },
    #[error(transparent)]
    Model(#[from] ModelError),
}

impl HubError {
    /// `needed` is how many bytes were still to be written.
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
    fn a_full_disk_is_told_with_what_it_takes() {
        let error = HubError::io(Path::new("/c/x"), 267_000_001, io::ErrorKind::StorageFull.into());
        assert_eq!(
            error.to_string(),
            "/c/x: no space left on the disk: free 268 MB, or set HF_HUB_CACHE to a directory on another disk; what has \
             come is kept"
        );
    }
}
