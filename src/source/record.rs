//! Cuts the byte stream into records, with the line each begins on, in bounded memory: below the layouts.

use std::io::{self, Read};

use super::framing::Framing;
use super::input::Stream;

/// How much is read at once.
const CHUNK: usize = 1 << 17;
/// What is kept of a record that is too long to be held.
const KEPT: usize = 1 << 11;
/// The limit right behind an unclosed quote, so that a file full of them is still read in linear time.
const SHORT: usize = 1 << 14;

/// One record as it stands in the input, without the terminator of its last line.
pub(super) struct Record<'a> {
    /// 1-based, of its first line.
    pub line: u64,
    pub bytes: &'a [u8],
    pub cut: Cut,
}

/// How a record came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    Whole,
    /// A quote or brace was left open. Only the first line is given where the framing can tell records by lines.
    Open,
    /// Over the limit without a line's end: the start of it is given, the rest of the line is dropped.
    TooLong,
}

/// Reads records one after another; a record borrows the buffer until the next is asked for.
pub(super) struct Records {
    stream: Stream,
    buffer: Vec<u8>,
    /// The record given last begins here.
    start: usize,
    filled: usize,
    /// Its length, terminator included.
    given: usize,
    line: u64,
    /// The last record ended in a carriage return: a line feed right behind belongs to it.
    after_return: bool,
    /// The rest of the line belongs to a record that is too long.
    drop_line: bool,
    limit: usize,
}

impl Records {
    pub(super) fn new(stream: Stream) -> Self {
        Self {
            stream,
            buffer: vec![0; CHUNK],
            start: 0,
            filled: 0,
            given: 0,
            line: 1,
            after_return: false,
            drop_line: false,
            limit: usize::MAX,
        }
    }

    pub(super) fn stream(&self) -> &Stream {
        &self.stream
    }

    /// The bytes ahead, at least `wanted` of them unless the input ends before.
    pub(super) fn ahead(&mut self, wanted: usize) -> io::Result<&[u8]> {
        while self.filled - self.start < wanted && self.fill()? > 0 {}
        Ok(&self.buffer[self.start..self.filled])
    }

    /// Drops bytes ahead that belong to no record, such as a byte order mark.
    pub(super) fn discard(&mut self, bytes: usize) {
        self.start = self.filled.min(self.start + bytes);
    }

    /// The next record. `None` at the end of the input.
    pub(super) fn next<F: Framing>(&mut self, framing: &mut F) -> io::Result<Option<Record<'_>>> {
        self.pass()?;
        framing.reset();
        let mut scanned = 0;
        let (length, cut) = loop {
            if let Some(end) = framing.scan(&self.buffer[self.start + scanned..self.filled]) {
                break (scanned + end, Cut::Whole);
            }
            scanned = self.filled - self.start;
            let over = scanned > F::LIMIT.min(self.limit);
            if !over && self.fill()? > 0 {
                continue;
            }
            match (scanned, framing.is_open()) {
                (0, _) => return Ok(None),
                (_, true) => break self.open::<F>(scanned, over),
                (_, false) if over => break (scanned, Cut::TooLong),
                (_, false) => break (scanned, Cut::Whole),
            }
        };
        self.limit = if cut == Cut::Open { SHORT } else { usize::MAX };
        self.drop_line = cut == Cut::TooLong;
        self.given = length;
        let kept = if cut == Cut::TooLong { length.min(KEPT) } else { length };
        let bytes = trim_terminator(&self.buffer[self.start..self.start + kept]);
        Ok(Some(Record { line: self.line, bytes, cut }))
    }

    /// Gives the last record once more at the next call.
    pub(super) fn unread(&mut self) {
        self.given = 0;
        self.drop_line = false;
    }

    /// Takes only the first `length` bytes of the last record for given; the next begins behind them.
    pub(super) fn shorten(&mut self, length: usize) {
        self.given = self.given.min(length);
    }

    /// Where a record ends that a quote or brace leaves open.
    fn open<F: Framing>(&self, scanned: usize, over: bool) -> (usize, Cut) {
        let first_line = first_line_end(&self.buffer[self.start..self.start + scanned]);
        match first_line {
            Some(end) if F::BY_LINE => (end, Cut::Open),
            _ if over => (scanned, Cut::TooLong),
            _ => (scanned, Cut::Open),
        }
    }

    /// Moves behind the record given last.
    fn pass(&mut self) -> io::Result<()> {
        let passed = &self.buffer[self.start..self.start + self.given];
        let lone_return = passed.last() == Some(&b'\r');
        self.line += count_line_feeds(passed) + u64::from(lone_return);
        if self.given > 0 {
            self.after_return = lone_return;
        }
        self.start += self.given;
        self.given = 0;
        if std::mem::take(&mut self.drop_line) {
            self.skip_line()?;
        }
        if self.after_return && self.ahead(1)?.first() == Some(&b'\n') {
            self.start += 1;
        }
        self.after_return = false;
        Ok(())
    }

    fn skip_line(&mut self) -> io::Result<()> {
        loop {
            let ahead = &self.buffer[self.start..self.filled];
            if let Some(end) = ahead.iter().position(|byte| *byte == b'\n') {
                self.start += end + 1;
                self.line += 1;
                return Ok(());
            }
            self.start = self.filled;
            if self.fill()? == 0 {
                return Ok(());
            }
        }
    }

    /// Reads once, whatever is there: a pipe's rows must not wait for a full buffer.
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

/// The position behind the first line's terminator.
pub(super) fn first_line_end(bytes: &[u8]) -> Option<usize> {
    bytes.iter().position(|byte| *byte == b'\n').map(|at| at + 1)
}

fn count_line_feeds(bytes: &[u8]) -> u64 {
    bytes.iter().map(|byte| u64::from(*byte == b'\n')).sum()
}

fn trim_terminator(bytes: &[u8]) -> &[u8] {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    bytes.strip_suffix(b"\r").unwrap_or(bytes)
}
