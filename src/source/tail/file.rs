//! [`TailedFile`]: one open file, read record by record as it grows.

use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};

use crate::dump::input::ByteStream;
use crate::dump::json::JsonRecord;
use crate::dump::record_splitter::{RecordPosition, RecordSplitter, StreamEnd};
use crate::dump::reject::Reject;
use crate::post::{ComplianceEvent, RejectedRecord};
use crate::source::batch::{MAX_BATCH, SourceBatch};

use super::checkpoint::{FileCheckpoint, FileId, HeadChecksum, MAX_HEAD, modified_at, read_head};
use super::config::Config;
use super::rows;
use super::rows::{HeaderStatus, Rows};

/// Bytes after which a batch is full, even with few posts.
const MAX_BATCH_BYTES: u64 = 1 << 20;
/// A quote that stays open for longer than this, with a line after it, is not a quote: a writer does not pause within a
/// row.
const OPEN_QUOTE_TIMEOUT: SignedDuration = SignedDuration::from_secs(30);

/// Where a read stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ReadProgress {
    /// At the end of the complete records.
    CaughtUp,
    /// At the size limit of the batch; there may be more.
    BatchFull,
}

/// An open file.
pub(super) struct TailedFile {
    file: File,
    pub(super) id: FileId,
    records: RecordSplitter,
    /// None until the start of the file is written.
    rows: Option<Rows>,
    /// The first bytes of the file, as they were read.
    head: Vec<u8>,
    /// Position of the first record that was not sent completely.
    next: RecordPosition,
    /// Posts of that record that were sent.
    posts_sent: u64,
    pub(super) header: Option<String>,
    /// Why the file cannot be read.
    pub(super) rejected: Option<String>,
    modified: i128,
    /// Offset of a record with an open quote, and since when it is open.
    open_since: Option<(u64, Timestamp)>,
    /// Size of the file when all its complete records were read.
    read_size: Option<u64>,
    /// Whether the last line counts as complete without a line terminator.
    ended: bool,
}

impl TailedFile {
    /// Opens the file at `path` and resumes at `checkpoint`, or starts at its first byte.
    ///
    /// # Errors
    /// When the file does not exist, is not readable, or is not a regular file.
    pub(super) fn open(path: &Path, checkpoint: Option<&FileCheckpoint>, config: &Config) -> io::Result<Self> {
        // Opening a pipe would wait for its writer.
        if !std::fs::metadata(path)?.is_file() {
            return Err(io::Error::other("not a regular file"));
        }
        let mut file = File::open(path)?;
        let metadata = file.metadata()?;
        let next = checkpoint.map_or(RecordPosition { offset: 0, line: 1, drop_line: false }, FileCheckpoint::position);
        file.seek(SeekFrom::Start(next.offset))?;
        let head = read_head(&file, checkpoint.map_or(0, |checkpoint| checkpoint.head.length.min(MAX_HEAD)))?;
        if checkpoint.is_some_and(|checkpoint| checkpoint.head != HeadChecksum::of(&head)) {
            return Err(io::Error::other("the file was replaced while it was opened"));
        }
        let stream = ByteStream::tailed(Box::new(file.try_clone()?));
        let header = checkpoint.and_then(|checkpoint| checkpoint.header.clone());
        let mut tailed = Self {
            id: FileId::of(&metadata),
            records: RecordSplitter::resume(stream, next),
            rows: None,
            head,
            next,
            posts_sent: 0,
            rejected: None,
            modified: modified_at(&metadata),
            open_since: None,
            read_size: None,
            ended: false,
            file,
            header,
        };
        if let Some(checkpoint) = checkpoint.filter(|checkpoint| checkpoint.offset > 0 || checkpoint.posts_sent > 0) {
            tailed.resume(config, checkpoint.posts_sent)?;
        }
        Ok(tailed)
    }

    /// Prepares to read from the middle of the file. `posts_sent`: posts of the next record to skip.
    fn resume(&mut self, config: &Config, posts_sent: u64) -> io::Result<()> {
        let rows = match (config.layout, &self.header) {
            (super::TailLayout::Jsonl, _) => Some(Rows::json(&config.read_options())),
            (super::TailLayout::Csv, Some(header)) => Rows::csv(header, &config.read_options()),
            (super::TailLayout::Csv, None) => None,
        };
        let Some(mut rows) = rows else {
            self.rejected = Some("the configured columns are not in the header of the file".into());
            return Ok(());
        };
        for _ in 0..posts_sent {
            if rows.next(&mut self.records)?.is_none() {
                break;
            }
            self.posts_sent += 1;
        }
        self.rows = Some(rows);
        Ok(())
    }

    pub(super) fn checkpoint(&self) -> FileCheckpoint {
        FileCheckpoint {
            id: self.id,
            head: HeadChecksum::of(&self.head),
            offset: self.next.offset,
            line: self.next.line,
            drop_line: self.next.drop_line,
            posts_sent: self.posts_sent,
            header: self.header.clone(),
            modified: self.modified,
        }
    }

    /// Whether the file still starts with the bytes that were read and has not shrunk.
    pub(super) fn is_intact(&self) -> io::Result<bool> {
        let metadata = self.file.metadata()?;
        Ok(metadata.size() >= self.records.read_offset() && read_head(&self.file, self.head.len())? == self.head)
    }

    /// Marks the file as finished: a last line without terminator is a record.
    pub(super) fn finish(&mut self) {
        (self.ended, self.read_size) = (true, None);
    }

    /// Takes back [`TailedFile::finish`], for a writer that may still have the file open.
    pub(super) fn continue_growing(&mut self) {
        (self.ended, self.read_size) = (false, Some(self.records.read_offset()));
    }

    /// Bytes that were written since the last read.
    pub(super) fn unread(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.size().saturating_sub(self.records.read_offset()))
    }

    /// Adds complete records to `batch` until it is full. `before`: the header of the previous file.
    ///
    /// # Errors
    /// When the file cannot be read; records added before stay valid.
    pub(super) fn read(
        &mut self,
        batch: &mut SourceBatch,
        config: &Config,
        before: Option<&str>,
        now: Timestamp,
    ) -> io::Result<ReadProgress> {
        let metadata = self.file.metadata()?;
        self.modified = modified_at(&metadata);
        let stream_end = self.stream_end(now);
        let nothing_new = self.read_size == Some(metadata.size()) && stream_end == StreamEnd::Growing;
        self.records.set_stream_end(stream_end);
        if nothing_new || self.rejected.is_some() || !self.open_rows(batch, config, before)? {
            return Ok(ReadProgress::CaughtUp);
        }
        let start = self.next.offset;
        while batch.received() + batch.compliance.len() < MAX_BATCH && self.next.offset - start < MAX_BATCH_BYTES {
            let Some(rows) = &mut self.rows else { return Ok(ReadProgress::CaughtUp) };
            let record = rows.next(&mut self.records)?;
            let remaining = rows.remaining();
            let ended = record.is_none();
            if let Some(record) = record {
                add_record(batch, record, config);
            }
            match remaining {
                0 => {
                    self.posts_sent = 0;
                    self.next = self.records.consume_last()?;
                }
                _ => self.posts_sent += 1,
            }
            if ended {
                self.read_size = Some(self.records.read_offset());
                self.remember_head()?;
                return Ok(ReadProgress::CaughtUp);
            }
            self.records.set_stream_end(if self.ended { StreamEnd::Final } else { StreamEnd::Growing });
        }
        self.read_size = None;
        self.remember_head()?;
        Ok(ReadProgress::BatchFull)
    }

    /// Opens the rows if they are not open yet. Returns whether they are.
    fn open_rows(&mut self, batch: &mut SourceBatch, config: &Config, before: Option<&str>) -> io::Result<bool> {
        if self.rows.is_some() {
            return Ok(true);
        }
        match rows::open(config.layout, &config.read_options(), &mut self.records, self.ended, before)? {
            HeaderStatus::Incomplete => {
                self.remember_head()?;
                return Ok(false);
            }
            HeaderStatus::Ready(rows, header) => {
                (self.rows, self.header) = (Some(rows), header);
                self.next = self.records.consume_last()?;
            }
            HeaderStatus::Unsupported(why) => {
                let detail = format!("{}: {why}", config.path.display());
                // The record stands for the whole file, so it has no raw text.
                batch.rejected.push(RejectedRecord { reason: "file".into(), detail, raw: String::new() });
                self.rejected = Some(why);
                self.head = read_head(&self.file, MAX_HEAD)?;
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// What the current end of the file means. A quote that is open for too long is abandoned.
    fn stream_end(&mut self, now: Timestamp) -> StreamEnd {
        if self.ended {
            return StreamEnd::Final;
        }
        if !self.records.has_buffered_line() {
            self.open_since = None;
            return StreamEnd::Growing;
        }
        let at = self.next.offset;
        let (_, since) = *self.open_since.insert(self.open_since.filter(|(open, _)| *open == at).unwrap_or((at, now)));
        if now.duration_since(since) >= OPEN_QUOTE_TIMEOUT { StreamEnd::AbandonUnclosed } else { StreamEnd::Growing }
    }

    /// Extends the stored head with newly read bytes, so that the file is recognised more reliably.
    fn remember_head(&mut self) -> io::Result<()> {
        let length = usize::try_from(self.records.read_offset()).unwrap_or(MAX_HEAD).min(MAX_HEAD);
        if self.head.len() < length {
            self.head = read_head(&self.file, length)?;
        }
        Ok(())
    }
}

fn add_record(batch: &mut SourceBatch, record: Result<JsonRecord, Reject>, config: &Config) {
    match record {
        Ok(JsonRecord::Post(row)) => {
            let topic = config.topic.clone();
            // Always a post: a row without a time is rejected before.
            batch.posts.extend(row.into_post().map(|mut post| {
                post.topic = topic.or(post.topic);
                post
            }));
        }
        Ok(JsonRecord::Deleted(id)) => batch.compliance.push(ComplianceEvent::PostGone { id }),
        Err(reject) => {
            let detail = format!("{}, line {}: {}", config.path.display(), reject.line, reject.detail);
            batch.rejected.push(RejectedRecord { reason: reject.reason.as_str().into(), detail, raw: reject.row });
        }
    }
}
