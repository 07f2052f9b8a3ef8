//! [`StoreError`]: why the store could not do what was asked, and the way out.

use std::path::{Path, PathBuf};

use super::{SCHEMA, Table};

/// Why the store could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the store {path} is in use by another vigie; stop that one, or name another directory")]
    InUse { path: PathBuf },
    #[error(
        "the directory {path} of the store cannot be written: {cause}; make it writable for the user vigie runs as, or name another"
    )]
    Unwritable { path: PathBuf, cause: std::io::Error },
    #[error("the store {path} cannot be opened: {reason}")]
    Open { path: PathBuf, reason: String },
    #[error(
        "the store {path} has layout version {found}, this vigie reads versions up to {SCHEMA}; run the newer vigie that wrote \
         it, or name another directory"
    )]
    Schema { path: PathBuf, found: u32 },
    #[error(
        "the store {path} is damaged: {reason}; `vigie store check` tells what can still be read, `vigie store repair` keeps that"
    )]
    Corrupt { path: PathBuf, reason: String },
    #[error(
        "the store holds a record of table {} that cannot be read: {reason}; `vigie store check` lists such records, \
         `vigie store repair` sets them aside", table.map_or("unknown".into(), Table::name)
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

    /// What sled said while it read or wrote.
    pub(super) fn from_sled(path: &Path, error: &sled::Error) -> Self {
        let path = path.into();
        match error {
            sled::Error::Corruption { .. } => Self::Corrupt { path, reason: "sled found a faulty checksum".into() },
            sled::Error::ReportableBug(reason) => Self::Corrupt { path, reason: first_line(reason) },
            other => Self::Failed { path, reason: other.to_string() },
        }
    }

    /// What sled said while it opened its files.
    pub(super) fn from_opening(path: &Path, error: &sled::Error) -> Self {
        match error {
            // sled turns a held lock into an I/O error of kind Other that only its text tells apart.
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
