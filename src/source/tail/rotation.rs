//! [`RotationTracker`]: decides which file is read and when to switch to the next one. Each [`step`](RotationTracker::step)
//! checks the files once; the tracker has no clock and never sleeps.
//!
//! ```text
//!          exists                          renamed, the next file has bytes, twice nothing new in this one
//! (none) ----------> reading a file ------------------------------------------------------------------------> next file
//!   ^                 |    |                                       (the last line counts as complete)
//!   |                 |    \-- shrunk or rewritten: read its copy if there is one, else start it over
//!   \-- unreadable ---/
//! ```

use std::io;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};

use crate::source::Cursor;
use crate::source::batch::SourceBatch;

use super::checkpoint::{FileCheckpoint, FileId, is_same_progress, modified_at};
use super::config::Config;
use super::file::{ReadProgress, TailedFile};
use super::siblings::{Age, Sibling, siblings};

/// Bytes after a CSV header that a copy must have in common to be recognised by its content.
const MIN_COPY_BYTES: usize = 64;

/// How long the file before the present one is read too.
const FORMER_FOR: SignedDuration = SignedDuration::from_secs(60);

/// Tracks the files of one path.
pub(super) struct RotationTracker {
    config: Config,
    file: Option<TailedFile>,
    /// Where to resume once a file is open.
    resume: Option<FileCheckpoint>,
    /// Header of the previous file.
    header: Option<String>,
    /// Whether the last step found nothing new in a renamed file.
    idle: bool,
    /// The file that was read before, and until when: another process may still write to it.
    former: Option<(TailedFile, Timestamp)>,
}

/// Result of one step.
#[derive(Debug)]
pub(super) struct TailStep {
    /// Has no cursor when nothing changed.
    pub(super) batch: SourceBatch,
    /// Whether more may be available immediately.
    pub(super) more: bool,
    pub(super) state: TailState,
}

/// State of the tailed file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TailState {
    Reading,
    /// Resolves by itself, or once vigie may read the file.
    Waiting(String),
    /// The file is not supported; a new file in its place may be.
    Unsupported(String),
}

impl RotationTracker {
    /// `checkpoint`: the last committed one.
    pub(super) fn new(config: Config, checkpoint: Option<FileCheckpoint>) -> Self {
        let header = checkpoint.as_ref().and_then(|checkpoint| checkpoint.header.clone());
        Self { config, file: None, resume: checkpoint, header, idle: false, former: None }
    }

    /// Checks the files once and reads new records, at most one batch.
    pub(super) fn step(&mut self, now: Timestamp) -> TailStep {
        let mut batch = SourceBatch::default();
        let before = self.checkpoint();
        self.read_former(&mut batch, now);
        let (more, state) = match self.read_new_records(&mut batch, now) {
            Ok(more) => (more, self.state()),
            Err(cause) => {
                // The checkpoint covers what was read; the next step reopens the file there.
                self.resume = self.checkpoint();
                self.file = None;
                (false, TailState::Waiting(self.describe_error(&cause)))
            }
        };
        let checkpoint = self.checkpoint();
        if !is_same_progress(before.as_ref(), checkpoint.as_ref()) {
            batch.cursor = checkpoint.and_then(|checkpoint| Cursor::new(&checkpoint).ok());
        }
        TailStep { batch, more, state }
    }

    /// Reads what another process still writes to the file that was renamed. The checkpoint stays with the present file: after
    /// a kill such lines are not read again.
    fn read_former(&mut self, batch: &mut SourceBatch, now: Timestamp) {
        let Some((file, until)) = &mut self.former else { return };
        let before = batch.received();
        // A file that cannot be read any more has no further lines to offer.
        let _read = file.read(batch, &self.config, self.header.as_deref(), now);
        if batch.received() > before {
            let rows = batch.received() - before;
            tracing::warn!(path = %self.config.path.display(), rows, "renamed file still grows: reading it too");
        }
        if now >= *until {
            let left = file.unread().unwrap_or_default();
            if left > 0 {
                tracing::warn!(path = %self.config.path.display(), bytes = left, "renamed file: later lines are not read");
            }
            self.former = None;
        }
    }

    fn checkpoint(&self) -> Option<FileCheckpoint> {
        self.file.as_ref().map(TailedFile::checkpoint).or_else(|| self.resume.clone())
    }

    /// Reads new records of the current file. Returns whether more may be available immediately.
    fn read_new_records(&mut self, batch: &mut SourceBatch, now: Timestamp) -> io::Result<bool> {
        if self.file.is_none() {
            self.file = self.find_file()?;
        }
        let Some(file) = &mut self.file else { return Ok(false) };
        if !file.is_intact()? {
            tracing::warn!(path = %self.config.path.display(), "tailed file was truncated or rewritten");
            self.header = file.header.clone().or_else(|| self.header.take());
            *file = reopen_rewritten(file, &self.config)?;
        }
        self.resume = None;
        let offset = file.checkpoint().offset;
        let progress = file.read(batch, &self.config, self.header.as_deref(), now)?;
        if progress == ReadProgress::BatchFull {
            self.idle = false;
            return Ok(true);
        }
        self.idle &= file.checkpoint().offset == offset;
        self.switch_to_next(batch, now)
    }

    /// Opens the file that was read last, under its current name, else the oldest newer file.
    fn find_file(&self) -> io::Result<Option<TailedFile>> {
        let path = &self.config.path;
        let Some(checkpoint) = &self.resume else { return self.open_if_exists(path, None) };
        let found = siblings(path)?;
        if let Some(path) = find_by_content(&found, checkpoint) {
            return self.open_if_exists(&path, Some(checkpoint));
        }
        let is_newer = |sibling: &&Sibling| {
            sibling.age == Age::Current
                || (sibling.age > Age::Unknown && modified_at(&sibling.metadata) > checkpoint.modified)
        };
        let Some(first) = found.iter().find(is_newer) else { return self.open_if_exists(path, None) };
        tracing::warn!(
            path = %path.display(),
            read_to = checkpoint.offset,
            "last tailed file is missing or changed: its later lines are not read"
        );
        self.open_if_exists(&first.path, None)
    }

    fn open_if_exists(&self, path: &Path, checkpoint: Option<&FileCheckpoint>) -> io::Result<Option<TailedFile>> {
        match TailedFile::open(path, checkpoint, &self.config) {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Switches to the next file once this one was renamed and no longer grows.
    fn switch_to_next(&mut self, batch: &mut SourceBatch, now: Timestamp) -> io::Result<bool> {
        let Some(file) = &mut self.file else { return Ok(false) };
        if std::fs::metadata(&self.config.path).is_ok_and(|current| FileId::of(&current) == file.id) {
            self.idle = false;
            return Ok(false);
        }
        let Some(next) = find_successor(&siblings(&self.config.path)?, file.id) else { return Ok(false) };
        // The writer may still have the renamed file open: wait for a second step without new records.
        if !std::mem::replace(&mut self.idle, true) {
            return Ok(false);
        }
        file.finish();
        if file.read(batch, &self.config, self.header.as_deref(), now)? == ReadProgress::BatchFull {
            return Ok(true);
        }
        let header = file.header.clone();
        let (path, id) = next;
        // The file may have been renamed since the directory was read: then the next step checks again.
        if let Some(next) = self.open_if_exists(&path, None)?.filter(|next| next.id == id) {
            let former = self.file.replace(next);
            let until = now.checked_add(FORMER_FOR).unwrap_or(Timestamp::MAX);
            self.former = former.map(|mut former| {
                former.continue_growing();
                (former, until)
            });
            self.idle = false;
            self.header = header.or_else(|| self.header.take());
        }
        Ok(true)
    }

    fn state(&self) -> TailState {
        let path = self.config.path.display();
        let exists = match self.config.path.try_exists() {
            Ok(exists) => exists,
            Err(cause) => return TailState::Waiting(self.describe_error(&cause)),
        };
        match &self.file {
            Some(file) => match &file.rejected {
                Some(why) => TailState::Unsupported(format!("cannot tail {path}: {why}")),
                None if exists => TailState::Reading,
                None => TailState::Waiting(format!("{path} was renamed or removed; waiting for a new file")),
            },
            None => TailState::Waiting(format!("{path} does not exist yet; waiting for it")),
        }
    }

    fn describe_error(&self, cause: &io::Error) -> String {
        let remedy = match cause.kind() {
            io::ErrorKind::PermissionDenied => "; give vigie's user read access to it and its directory",
            _ => "",
        };
        format!("cannot read {}: {cause}{remedy}", self.config.path.display())
    }
}

/// Opens what to read instead of a file that was truncated or rewritten.
fn reopen_rewritten(file: &TailedFile, config: &Config) -> io::Result<TailedFile> {
    let mut checkpoint = file.checkpoint();
    // The inode is the same, but the content is not: only a copy of the old content can be recognised.
    checkpoint.id = FileId { device: 0, inode: 0 };
    let found = siblings(&config.path)?;
    if let Some(path) = find_by_content(&found, &checkpoint) {
        return TailedFile::open(&path, Some(&checkpoint), config);
    }
    let same = found.iter().find(|sibling| FileId::of(&sibling.metadata) == file.id);
    TailedFile::open(same.map_or(&config.path, |sibling| &sibling.path), None, config)
}

/// Finds the file of `checkpoint` by its inode and content, else a copy with the same content.
fn find_by_content(found: &[Sibling], checkpoint: &FileCheckpoint) -> Option<PathBuf> {
    let fits = |sibling: &&Sibling| {
        let open = || std::fs::File::open(&sibling.path);
        sibling.metadata.len() >= checkpoint.offset
            && open().and_then(|file| checkpoint.head.matches(&file)).unwrap_or(false)
    };
    let same = |sibling: &&Sibling| FileId::of(&sibling.metadata) == checkpoint.id && fits(sibling);
    let distinct = checkpoint.head.length >= checkpoint.header.as_ref().map_or(0, String::len) + MIN_COPY_BYTES;
    let copy = |sibling: &&Sibling| distinct && fits(sibling);
    let file = found.iter().find(same).or_else(|| found.iter().rev().find(copy));
    file.map(|sibling| sibling.path.clone())
}

/// Finds the first non-empty file that was written after the one with this ID.
fn find_successor(found: &[Sibling], id: FileId) -> Option<(PathBuf, FileId)> {
    let this = found.iter().find(|sibling| FileId::of(&sibling.metadata) == id);
    let is_newer = |sibling: &&Sibling| match this.map(|this| &this.age) {
        None | Some(Age::Unknown) => sibling.age == Age::Current,
        Some(age) => sibling.age > *age,
    };
    let next = found.iter().filter(is_newer).find(|sibling| sibling.metadata.len() > 0);
    next.map(|sibling| (sibling.path.clone(), FileId::of(&sibling.metadata)))
}
