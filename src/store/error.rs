//! [`StoreError`]: why an operation of the store failed, and what to do about it.

use std::path::{Path, PathBuf};

use super::{SCHEMA, Table};

/// Why an operation of the store failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the store {path} is in use by another vigie; stop it, or name another directory")]
    InUse { path: PathBuf },
    #[error(
        "the directory {path} of the store cannot be written: {cause}; make it writable for vigie's user, or name another"
    )]
    Unwritable { path: PathBuf, cause: std::io::Error },
    #[error("the store {path} cannot be opened: {reason}")]
    Open { path: PathBuf, reason: String },
    #[error(
        "the store {path} has the unknown layout version {found} (this vigie reads version {SCHEMA}); use the vigie that wrote \
         it, or name another directory"
    )]
    Schema { path: PathBuf, found: u32 },
    #[error(
        "the store {path} is damaged: {reason}; `vigie store check` lists what can be read, `vigie store repair` saves it"
    )]
    Corrupt { path: PathBuf, reason: String },
    #[error(
        "the store holds a record of table {} that cannot be read: {reason}; `vigie store check` lists such records, \
         `vigie store repair` moves them to a file", table.map_or("unknown".into(), Table::name)
    )]
    Damaged { table: Option<Table>, reason: String },
    #[error("the store {path} failed (is its disk full or read-only?): {reason}")]
    Failed { path: PathBuf, reason: String },
    #[error("a record cannot be encoded: {0}")]
    Encode(postcard::Error),
}

impl StoreError {
    pub(super) fn failed(path: &Path, cause: &std::io::Error) -> Self {
        Self::Failed { path: path.into(), reason: cause.to_string() }
    }

    /// For an error of sled's while it reads or writes.
    pub(super) fn from_sled(path: &Path, error: &sled::Error) -> Self {
        let path = path.into();
        match error {
            sled::Error::Corruption { .. } => Self::Corrupt { path, reason: "sled found a wrong checksum".into() },
            sled::Error::ReportableBug(reason) => Self::Corrupt { path, reason: first_line(reason) },
            other => Self::Failed { path, reason: other.to_string() },
        }
    }

    /// For an error of sled's while it opens its files.
    pub(super) fn from_opening(path: &Path, error: &sled::Error) -> Self {
        match error {
            // sled reports a held lock as an I/O error of kind Other; only its text says so.
            sled::Error::Io(io) if io.to_string().contains("could not acquire lock") => {
                Self::InUse { path: path.into() }
            }
            sled::Error::Io(io) => match io.kind() {
                std::io::ErrorKind::UnexpectedEof | std::io::ErrorKind::InvalidData => {
                    Self::Corrupt { path: path.into(), reason: first_line(&io.to_string()) }
                }
                _ => Self::Open { path: path.into(), reason: io.to_string() },
            },
            sled::Error::Unsupported(reason) => Self::Corrupt { path: path.into(), reason: first_line(reason) },
            other => Self::from_sled(path, other),
        }
    }
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
}
