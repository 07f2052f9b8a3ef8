//! [`Tailed`]: one open file, read record by record as it grows.

use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};

use crate::dump::input::Stream;
use crate::dump::json::Said;
use crate::dump::record_splitter::{Position, Records, Tail};
use crate::dump::reject::Reject;
use crate::post::{Notice, Unusable};
use crate::source::delivery::{Delivery, MAX_DELIVERY};

use super::checkpoint::{HEAD, Head, Identity, Place, first_bytes, modified};
use super::config::Config;
use super::rows;
use super::rows::{Opened, Rows};

/// Bytes after which a delivery is full, however few posts they hold.
const MOST_BYTES: u64 = 1 << 20;
/// A quote that is left open for longer than this, with a line behind it, was none: a writer does not stop in a row.
const PATIENCE: SignedDuration = SignedDuration::from_secs(30);

/// How far a reading came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Came {
    /// To the end of what is complete.
    End,
    /// The delivery is full; there may be more.
    Full,
}

/// One file that is open.
pub(super) struct Tailed {
    file: File,
    pub(super) identity: Identity,
    records: Records,
    /// None until the head is written.
    rows: Option<Rows>,
    /// The file's first bytes, as they were read.
    head: Vec<u8>,
    /// Of the record that is not delivered whole.
    next: Position,
    taken: u64,
    pub(super) header: Option<String>,
    /// Why it cannot be read.
    pub(super) refused: Option<String>,
    modified: i128,
    /// Since when the record at this offset is open over several lines.
    open_since: Option<(u64, Timestamp)>,
    /// Bytes that were there when nothing more in them was complete.
    exhausted: Option<u64>,
    /// The last one, without a line's end, is to be taken as it is.
    ended: bool,
}

impl Tailed {
    /// Opens the file at `path`, to go on at `place` or else to begin at its first byte. `before`: the header of the
    /// file before it.
    ///
    /// # Errors
    /// When it is not there, may not be read, or is no regular file.
    pub(super) fn open(path: &Path, place: Option<&Place>, config: &Config) -> io::Result<Self> {
        // Opening a pipe would wait for its writer.
        if !std::fs::metadata(path)?.is_file() {
            return Err(io::Error::other("it is no regular file"));
        }
        let mut file = File::open(path)?;
        let metadata = file.metadata()?;
        let next = place.map_or(Position { offset: 0, line: 1, drop_line: false }, Place::position);
        file.seek(SeekFrom::Start(next.offset))?;
        let head = first_bytes(&file, place.map_or(0, |place| place.head.length.min(HEAD)))?;
        if place.is_some_and(|place| place.head != Head::of(&head)) {
            return Err(io::Error::other("it was renamed just now"));
        }
        let stream = Stream::followed(Box::new(file.try_clone()?));
        let header = place.and_then(|place| place.header.clone());
        let mut tailed = Self {
            identity: Identity::of(&metadata),
            records: Records::growing(stream, next),
            rows: None,
            head,
            next,
            taken: 0,
            refused: None,
            modified: modified(&metadata),
            open_since: None,
            exhausted: None,
            ended: false,
            file,
            header,
        };
        if let Some(place) = place.filter(|place| place.offset > 0 || place.taken > 0) {
            tailed.go_on(config, place.taken)?;
        }
        Ok(tailed)
    }

    /// Makes ready to read on within the file.
    fn go_on(&mut self, config: &Config, taken: u64) -> io::Result<()> {
        let rows = match (config.layout, &self.header) {
            (super::Layout::Jsonl, _) => Some(Rows::json(&config.columns)),
            (super::Layout::Csv, Some(header)) => Rows::csv(header, &config.columns),
            (super::Layout::Csv, None) => None,
        };
        let Some(mut rows) = rows else {
            self.refused = Some("the columns of its header are no longer those that are configured".into());
            return Ok(());
        };
        for _ in 0..taken {
            if rows.next(&mut self.records)?.is_none() {
                break;
            }
            self.taken += 1;
        }
        self.rows = Some(rows);
        Ok(())
    }

    pub(super) fn place(&self) -> Place {
        Place {
            identity: self.identity,
            head: Head::of(&self.head),
            offset: self.next.offset,
            line: self.next.line,
            drop_line: self.next.drop_line,
            taken: self.taken,
            header: self.header.clone(),
            modified: self.modified,
        }
    }

    /// Whether it still begins with what was read of it, and did not shrink.
    pub(super) fn is_intact(&self) -> io::Result<bool> {
        let metadata = self.file.metadata()?;
        Ok(metadata.size() >= self.records.read_to() && first_bytes(&self.file, self.head.len())? == self.head)
    }

    /// Nothing will be added any more: what is left without a line's end is a record.
    pub(super) fn end(&mut self) {
        (self.ended, self.exhausted) = (true, None);
    }

    /// Adds what is complete to `delivery`, until that is full.
    ///
    /// # Errors
    /// When the file cannot be read; what was added before is good.
    pub(super) fn read(
        &mut self,
        delivery: &mut Delivery,
        config: &Config,
        before: Option<&str>,
        now: Timestamp,
    ) -> io::Result<Came> {
        let metadata = self.file.metadata()?;
        self.modified = modified(&metadata);
        let tail = self.tail(now);
        let nothing_new = self.exhausted == Some(metadata.size()) && tail == Tail::Grows;
        self.records.set_tail(tail);
        if nothing_new || self.refused.is_some() || !self.open_rows(delivery, config, before)? {
            return Ok(Came::End);
        }
        let began = self.next.offset;
        while delivery.received() + delivery.notices.len() < MAX_DELIVERY && self.next.offset - began < MOST_BYTES {
            let Some(rows) = &mut self.rows else { return Ok(Came::End) };
            let said = rows.next(&mut self.records)?;
            let left = rows.left();
            let ended = said.is_none();
            if let Some(said) = said {
                add(delivery, said, config);
            }
            match left {
                0 => {
                    self.taken = 0;
                    self.next = self.records.settle()?;
                }
                _ => self.taken += 1,
            }
            if ended {
                self.exhausted = Some(self.records.read_to());
                self.remember_head()?;
                return Ok(Came::End);
            }
            self.records.set_tail(if self.ended { Tail::End } else { Tail::Grows });
        }
        self.exhausted = None;
        self.remember_head()?;
        Ok(Came::Full)
    }

    /// Whether the rows are open, if need be from now on.
    fn open_rows(&mut self, delivery: &mut Delivery, config: &Config, before: Option<&str>) -> io::Result<bool> {
        if self.rows.is_some() {
            return Ok(true);
        }
        match rows::open(config.layout, &config.columns, &mut self.records, self.ended, before)? {
            Opened::NotYet => {
                self.remember_head()?;
                return Ok(false);
            }
            Opened::Rows(rows, header) => {
                (self.rows, self.header) = (Some(rows), header);
                self.next = self.records.settle()?;
            }
            Opened::Refused(why) => {
                let detail = format!("{}: {why}", config.path.display());
                // The whole file, not a row: nothing of it is kept.
                delivery.unusable.push(Unusable { reason: "file".into(), detail, raw: String::new() });
                self.refused = Some(why);
                self.head = first_bytes(&self.file, HEAD)?;
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// What the end of the file's bytes means now. A record that has been open for too long is cut.
    fn tail(&mut self, now: Timestamp) -> Tail {
        if self.ended {
            return Tail::End;
        }
        if !self.records.holds_line() {
            self.open_since = None;
            return Tail::Grows;
        }
        let at = self.next.offset;
        let (_, since) = *self.open_since.insert(self.open_since.filter(|(open, _)| *open == at).unwrap_or((at, now)));
        if now.duration_since(since) >= PATIENCE { Tail::GivesUpOpen } else { Tail::Grows }
    }

    /// The more of the file was read, be it no whole record, the better it is known again.
    fn remember_head(&mut self) -> io::Result<()> {
        let wanted = usize::try_from(self.records.read_to()).unwrap_or(HEAD).min(HEAD);
        if self.head.len() < wanted {
            self.head = first_bytes(&self.file, wanted)?;
        }
        Ok(())
    }
}

fn add(delivery: &mut Delivery, said: Result<Said, Reject>, config: &Config) {
    match said {
        Ok(Said::Post(row)) => {
            let topic = config.topic.clone();
            // A row without a time is a reject: this source needs one.
            delivery.posts.extend(row.into_post().map(|mut post| {
                post.topic = topic.or(post.topic);
                post
            }));
        }
        Ok(Said::Gone(id)) => delivery.notices.push(Notice::PostGone { id }),
        Err(reject) => {
            let detail = format!("{}, line {}: {}", config.path.display(), reject.line, reject.detail);
            delivery.unusable.push(Unusable { reason: reject.reason.as_str().into(), detail, raw: reject.row });
        }
    }
}
