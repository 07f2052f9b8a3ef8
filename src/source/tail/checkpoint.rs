//! [`FileCheckpoint`]: how far a file was read and how to recognise it. The cursor of a tailed file.

use std::fs::{File, Metadata};
use std::hash::Hasher;
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};

use serde::{Deserialize, Serialize};
use twox_hash::XxHash64;

use crate::dump::record_splitter::RecordPosition;

/// Bytes at the start of a file by which it is recognised; the inode alone does not suffice, as file systems reuse it.
pub(super) const MAX_HEAD: usize = 1_024;

/// Identifies a file on its file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FileId {
    pub(super) device: u64,
    pub(super) inode: u64,
}

impl FileId {
    pub(super) fn of(metadata: &Metadata) -> Self {
        Self { device: metadata.dev(), inode: metadata.ino() }
    }
}

/// Checksum of the first bytes of a file: as many as were read, at most [`MAX_HEAD`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct HeadChecksum {
    pub(super) length: usize,
    hash: u64,
}

impl HeadChecksum {
    pub(super) fn of(bytes: &[u8]) -> Self {
        let mut hasher = XxHash64::with_seed(0);
        hasher.write(bytes);
        Self { length: bytes.len(), hash: hasher.finish() }
    }

    /// Whether `file` starts with the same bytes.
    pub(super) fn matches(&self, file: &File) -> io::Result<bool> {
        let bytes = read_head(file, self.length.min(MAX_HEAD))?;
        Ok(Self::of(&bytes) == *self)
    }
}

/// Reads the first `length` bytes of a file, or all when it has fewer. Does not move the read position.
pub(super) fn read_head(file: &File, length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    let mut filled = 0;
    while filled < length {
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
pub(super) struct FileCheckpoint {
    #[serde(flatten)]
    pub(super) id: FileId,
    pub(super) head: HeadChecksum,
    /// Offset of the first record that was not sent completely.
    pub(super) offset: u64,
    /// Line of that record, 1-based.
    pub(super) line: u64,
    /// Whether the line at the offset is the rest of a record that was too long.
    pub(super) drop_line: bool,
    /// Posts of that record that were sent; a page of X contains many.
    pub(super) posts_sent: u64,
    /// Header of a CSV file, once it was read.
    pub(super) header: Option<String>,
    /// Modification time in nanoseconds since 1970; newer files were not read yet.
    pub(super) modified: i128,
}

impl FileCheckpoint {
    pub(super) fn position(&self) -> RecordPosition {
        RecordPosition { offset: self.offset, line: self.line, drop_line: self.drop_line }
    }
}

/// Whether two checkpoints are equal except for the modification time.
pub(super) fn is_same_progress(one: Option<&FileCheckpoint>, other: Option<&FileCheckpoint>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => *one == FileCheckpoint { modified: one.modified, ..other.clone() },
        (one, other) => one.is_none() && other.is_none(),
    }
}

/// Modification time in nanoseconds since 1970.
pub(super) fn modified_at(metadata: &Metadata) -> i128 {
    i128::from(metadata.mtime()) * 1_000_000_000 + i128::from(metadata.mtime_nsec())
}
