//! [`RecordSplitter`]: splits the byte stream into records and tracks their lines, in bounded memory. Below the layouts.

use std::io::{self, Read};

use super::framing::Framing;
use super::input::ByteStream;

/// Size of the read buffer.
const CHUNK_BYTES: usize = 1 << 17;
/// Bytes kept of a record that is too long.
const MAX_KEPT_BYTES: usize = 1 << 11;
/// The limit for the record after an unclosed quote, so that a file full of them is still read in linear time.
const MAX_BYTES_AFTER_UNCLOSED: usize = 1 << 14;

/// One unmodified record, without the terminator of its last line.
pub struct Record<'a> {
    /// 1-based line where it begins.
    pub line: u64,
    pub bytes: &'a [u8],
    pub end: RecordEnd,
}

/// How a record ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordEnd {
    Complete,
    /// A quote or brace is not closed. With [`Framing::REJECTS_BY_LINE`] the record is only the first line.
    Unclosed,
    /// Longer than the limit: the record is only the start, and the rest of the line is dropped.
    TooLong,
}

/// What to do with an incomplete record at the end of the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamEnd {
    /// The input ends here, and so does its last record.
    Final,
    /// The input may grow: an incomplete record is returned when it is complete.
    Growing,
    /// As `Growing`, but an unclosed record of several lines is cut after its first line.
    AbandonUnclosed,
}

/// Where the next record begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordPosition {
    /// Byte offset.
    pub offset: u64,
    /// 1-based.
    pub line: u64,
    /// The rest of this line belongs to a record that was too long.
    pub drop_line: bool,
}

/// Reads records one after another. A record borrows the buffer until the next call.
pub struct RecordSplitter {
    stream: ByteStream,
    stream_end: StreamEnd,
    /// Offset of `start` in the uncompressed stream.
    offset: u64,
    buffer: Vec<u8>,
    /// Where the last returned record begins in the buffer.
    start: usize,
    filled: usize,
    /// Its length, terminator included.
    returned: usize,
    line: u64,
    /// The last record ended with a carriage return: a line feed that follows belongs to it.
    after_return: bool,
    /// The rest of this line belongs to a record that was too long.
    drop_line: bool,
    limit: usize,
    /// The limit of the last record, for when it is read again.
    last_limit: usize,
}

/// Bytes of a hole that are skipped at once.
const HOLE_STEP: usize = 4 << 10;

/// `bytes` without the NUL bytes at their start.
pub fn without_hole(bytes: &[u8]) -> &[u8] {
    let hole = bytes.iter().take_while(|byte| **byte == 0).count();
    bytes.get(hole..).unwrap_or_default()
}

impl RecordSplitter {
    pub fn new(stream: ByteStream) -> Self {
        Self {
            stream,
            stream_end: StreamEnd::Final,
            offset: 0,
            buffer: vec![0; CHUNK_BYTES],
            start: 0,
            filled: 0,
            returned: 0,
            line: 1,
            after_return: false,
            drop_line: false,
            limit: usize::MAX,
            last_limit: usize::MAX,
        }
    }

    /// Resumes at `from` in a growing file; `stream` must already be there.
    pub fn resume(stream: ByteStream, from: RecordPosition) -> Self {
        let RecordPosition { offset, line, drop_line } = from;
        Self { stream_end: StreamEnd::Growing, offset, line, drop_line, ..Self::new(stream) }
    }

    pub fn set_stream_end(&mut self, stream_end: StreamEnd) {
        self.stream_end = stream_end;
    }

    /// Consumes the last record, which can then no longer be unread, and returns the position after it.
    pub fn consume_last(&mut self) -> io::Result<RecordPosition> {
        self.skip_last()?;
        Ok(RecordPosition { offset: self.offset, line: self.line, drop_line: self.drop_line })
    }

    /// Offset up to which the stream was read, returned or not.
    pub fn read_offset(&self) -> u64 {
        self.offset + (self.filled - self.start) as u64
    }

    /// Whether a whole line was read but not yet returned.
    pub fn has_buffered_line(&self) -> bool {
        first_line_end(&self.buffer[self.start + self.returned..self.filled]).is_some()
    }

    pub fn stream(&self) -> &ByteStream {
        &self.stream
    }

    /// The next bytes, at least `count` of them unless the input ends.
    pub fn peek(&mut self, count: usize) -> io::Result<&[u8]> {
        while self.filled - self.start < count && self.fill()? > 0 {}
        Ok(&self.buffer[self.start..self.filled])
    }

    /// Skips a hole at the start of the input: NUL bytes, where a file was truncated under a writer that does not append.
    ///
    /// # Errors
    /// When the input cannot be read.
    pub fn discard_hole(&mut self) -> io::Result<()> {
        loop {
            let ahead = self.peek(HOLE_STEP)?;
            let hole = ahead.len() - without_hole(ahead).len();
            if hole == 0 {
                return Ok(());
            }
            self.discard(hole);
        }
    }

    /// Skips bytes that belong to no record, such as a byte order mark.
    pub fn discard(&mut self, bytes: usize) {
        self.advance(bytes.min(self.filled - self.start));
    }

    /// The next record. `None` at the end of the input, or while a growing input has no complete record.
    pub fn next<F: Framing>(&mut self, framing: &mut F) -> io::Result<Option<Record<'_>>> {
        self.skip_last()?;
        if self.drop_line {
            return Ok(None);
        }
        framing.reset();
        let mut scanned = 0;
        let (length, end) = loop {
            if let Some(end) = framing.scan(&self.buffer[self.start + scanned..self.filled]) {
                match self.complete_length(scanned + end)? {
                    Some(length) => break (length, RecordEnd::Complete),
                    None => return Ok(None),
                }
            }
            scanned = self.filled - self.start;
            let over = scanned > F::MAX_BYTES.min(self.limit);
            if !over && self.fill()? > 0 {
                continue;
            }
            match (scanned, framing.is_open()) {
                (0, _) => return Ok(None),
                (_, open) if !over && self.must_wait::<F>(open) => return Ok(None),
                (_, true)
                    if over
                        && let Some(length) = framing.split_long(&self.buffer[self.start..self.start + scanned]) =>
                {
                    break (length, RecordEnd::Complete);
                }
                (_, true) => break self.unclosed_length::<F>(scanned, over),
                (_, false) if over => break (scanned, RecordEnd::TooLong),
                (_, false) => break (scanned, RecordEnd::Complete),
            }
        };
        self.last_limit = self.limit;
        self.limit = if end == RecordEnd::Unclosed { MAX_BYTES_AFTER_UNCLOSED } else { usize::MAX };
        self.drop_line = end == RecordEnd::TooLong;
        self.returned = length;
        let kept = if end == RecordEnd::TooLong { length.min(MAX_KEPT_BYTES) } else { length };
        let bytes = trim_terminator(&self.buffer[self.start..self.start + kept]);
        Ok(Some(Record { line: self.line, bytes, end }))
    }

    /// Returns the last record again at the next call.
    pub fn unread(&mut self) {
        self.returned = 0;
        self.drop_line = false;
        self.limit = self.last_limit;
    }

    /// Shortens the last record to `length` bytes; the next record begins after them.
    pub fn shorten(&mut self, length: usize) {
        self.returned = self.returned.min(length);
    }

    /// The length of a record that ends at `end`. `None` if it ends with a carriage return and it is not known yet whether a
    /// line feed follows.
    fn complete_length(&mut self, end: usize) -> io::Result<Option<usize>> {
        let undecided = self.stream_end != StreamEnd::Final
            && self.start + end == self.filled
            && self.buffer[..self.filled].last() == Some(&b'\r');
        if !undecided {
            return Ok(Some(end));
        }
        if self.fill()? == 0 {
            return Ok(None);
        }
        Ok(Some(end + usize::from(self.buffer[self.start + end] == b'\n')))
    }

    /// Whether to wait for the rest of an incomplete record.
    fn must_wait<F: Framing>(&self, open: bool) -> bool {
        match self.stream_end {
            StreamEnd::Final => false,
            StreamEnd::Growing => true,
            StreamEnd::AbandonUnclosed => {
                !(open && F::REJECTS_BY_LINE && first_line_end(&self.buffer[self.start..self.filled]).is_some())
            }
        }
    }

    /// Where a record with an unclosed quote or brace ends.
    fn unclosed_length<F: Framing>(&self, scanned: usize, over: bool) -> (usize, RecordEnd) {
        let first_line = first_line_end(&self.buffer[self.start..self.start + scanned]);
        match first_line {
            Some(end) if F::REJECTS_BY_LINE => (end, RecordEnd::Unclosed),
            _ if over => (scanned, RecordEnd::TooLong),
            _ => (scanned, RecordEnd::Unclosed),
        }
    }

    /// Moves past the last record.
    fn skip_last(&mut self) -> io::Result<()> {
        let skipped = &self.buffer[self.start..self.start + self.returned];
        let lone_return = skipped.last() == Some(&b'\r');
        self.line += count_line_feeds(skipped) + u64::from(lone_return);
        if self.returned > 0 {
            self.after_return = lone_return;
        }
        self.advance(self.returned);
        self.returned = 0;
        if self.drop_line {
            self.drop_line = !self.skip_line()? && self.stream_end != StreamEnd::Final;
        }
        if self.after_return && self.peek(1)?.first() == Some(&b'\n') {
            self.advance(1);
        }
        self.after_return = false;
        Ok(())
    }

    fn advance(&mut self, bytes: usize) {
        self.start += bytes;
        self.offset += bytes as u64;
    }

    /// Skips the rest of a line. Returns whether its end was found.
    fn skip_line(&mut self) -> io::Result<bool> {
        loop {
            let ahead = &self.buffer[self.start..self.filled];
            if let Some(end) = ahead.iter().position(|byte| *byte == b'\n') {
                self.advance(end + 1);
                self.line += 1;
                return Ok(true);
            }
            self.advance(self.filled - self.start);
            if self.fill()? == 0 {
                return Ok(false);
            }
        }
    }

    /// Reads once, however little: a pipe's rows must not wait for a full buffer.
    fn fill(&mut self) -> io::Result<usize> {
        if self.filled == self.buffer.len() {
            self.buffer.copy_within(self.start..self.filled, 0);
            self.filled -= self.start;
            self.start = 0;
            if self.filled > self.buffer.len() / 2 {
                self.buffer.resize(self.buffer.len() * 2, 0);
            }
        }
        let read = loop {
            match self.stream.read(&mut self.buffer[self.filled..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        self.filled += read;
        Ok(read)
    }
}

/// The position after the first line's terminator.
pub fn first_line_end(bytes: &[u8]) -> Option<usize> {
    bytes.iter().position(|byte| *byte == b'\n').map(|at| at + 1)
}

fn count_line_feeds(bytes: &[u8]) -> u64 {
    bytes.iter().map(|byte| u64::from(*byte == b'\n')).sum()
}

fn trim_terminator(bytes: &[u8]) -> &[u8] {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    bytes.strip_suffix(b"\r").unwrap_or(bytes)
}
