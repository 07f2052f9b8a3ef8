//! [`Place`]: how far a file was read, and by what that file is known again. The cursor of a followed file.

use std::fs::{File, Metadata};
use std::hash::Hasher;
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};

use serde::{Deserialize, Serialize};
use twox_hash::XxHash64;

use crate::dump::record_splitter::Position;

/// Bytes at a file's start by which it is known again; an inode alone is used again by the next file.
pub(super) const HEAD: usize = 1_024;

/// A file on its file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Identity {
    pub(super) device: u64,
    pub(super) inode: u64,
}

impl Identity {
    pub(super) fn of(metadata: &Metadata) -> Self {
        Self { device: metadata.dev(), inode: metadata.ino() }
    }
}

/// The first bytes of a file, as many as were read of it, at most [`HEAD`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Head {
    pub(super) length: usize,
    hash: u64,
}

impl Head {
    pub(super) fn of(bytes: &[u8]) -> Self {
        let mut hasher = XxHash64::with_seed(0);
        hasher.write(bytes);
        Self { length: bytes.len(), hash: hasher.finish() }
    }

    /// Whether `file` begins so.
    pub(super) fn is_of(&self, file: &File) -> io::Result<bool> {
        let bytes = first_bytes(file, self.length.min(HEAD))?;
        Ok(Self::of(&bytes) == *self)
    }
}

/// The first bytes of a file, fewer where it has not as many. The place at which it is read stays.
pub(super) fn first_bytes(file: &File, wanted: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; wanted];
    let mut filled = 0;
    while filled < wanted {
        match file.read_at(&mut bytes[filled..], filled as u64) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}

/// How far one file was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    #[serde(flatten)]
    pub(super) identity: Identity,
    pub(super) head: Head,
    /// Of the next record that is not delivered whole.
    pub(super) offset: u64,
    /// Its line, 1-based.
    pub(super) line: u64,
    /// The rest of the line there belongs to a record that was too long.
    pub(super) drop_line: bool,
    /// Posts of that record that were delivered: a page of X holds many.
    pub(super) taken: u64,
    /// Of a CSV file, once it was read.
    pub(super) header: Option<String>,
    /// When it was last written to, in nanoseconds since 1970: what is newer was not read yet.
    pub(super) modified: i128,
}

impl Place {
    pub(super) fn position(&self) -> Position {
        Position { offset: self.offset, line: self.line, drop_line: self.drop_line }
    }
}

/// Whether two places are one, whenever the file was written to.
pub(super) fn is_same(one: Option<&Place>, other: Option<&Place>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => *one == Place { modified: one.modified, ..other.clone() },
        (one, other) => one.is_none() && other.is_none(),
    }
}

/// When a file was last written to, in nanoseconds since 1970.
pub(super) fn modified(metadata: &Metadata) -> i128 {
    i128::from(metadata.mtime()) * 1_000_000_000 + i128::from(metadata.mtime_nsec())
}
