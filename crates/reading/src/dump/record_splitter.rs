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
pub struct Record<'a> {
    /// 1-based, of its first line.
    pub line: u64,
    pub bytes: &'a [u8],
    pub cut: Cut,
}

/// How a record came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    Whole,
    /// A quote or brace was left open. Only the first line is given where the framing can tell records by lines.
    Open,
    /// Over the limit without a line's end: the start of it is given, the rest of the line is dropped.
    TooLong,
}

/// What the end of the stream's bytes means for a record that it cuts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tail {
    /// The input ends here, and so does its last record.
    End,
    /// More may be written: a record that is not complete is given once it is.
    Grows,
    /// As `Grows`, but a record that a quote has left open for lines is cut behind its first line.
    GivesUpOpen,
}

/// Where the next record begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Bytes before it.
    pub offset: u64,
    /// 1-based.
    pub line: u64,
    /// The rest of the line there belongs to a record that was too long.
    pub drop_line: bool,
}

/// Reads records one after another; a record borrows the buffer until the next is asked for.
pub struct Records {
    stream: Stream,
    tail: Tail,
    /// Of the byte at `start`, in the unpacked stream.
    offset: u64,
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
    pub fn new(stream: Stream) -> Self {
        Self {
            stream,
            tail: Tail::End,
            offset: 0,
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

    /// Goes on at `from`, where `stream` already stands, in a file that grows.
    pub fn growing(stream: Stream, from: Position) -> Self {
        let Position { offset, line, drop_line } = from;
        Self { tail: Tail::Grows, offset, line, drop_line, ..Self::new(stream) }
    }

    pub fn set_tail(&mut self, tail: Tail) {
        self.tail = tail;
    }

    /// Moves behind the record given last, which can then not be given once more, and tells where that is.
    pub fn settle(&mut self) -> io::Result<Position> {
        self.pass()?;
        Ok(Position { offset: self.offset, line: self.line, drop_line: self.drop_line })
    }

    /// Bytes of the stream that were read, given in records or not.
    pub fn read_to(&self) -> u64 {
        self.offset + (self.filled - self.start) as u64
    }

    /// Whether a line ends in what was read and not given.
    pub fn holds_line(&self) -> bool {
        first_line_end(&self.buffer[self.start + self.given..self.filled]).is_some()
    }

    pub fn stream(&self) -> &Stream {
        &self.stream
    }

    /// The bytes ahead, at least `wanted` of them unless the input ends before.
    pub fn ahead(&mut self, wanted: usize) -> io::Result<&[u8]> {
        while self.filled - self.start < wanted && self.fill()? > 0 {}
        Ok(&self.buffer[self.start..self.filled])
    }

    /// Drops bytes ahead that belong to no record, such as a byte order mark.
    pub fn discard(&mut self, bytes: usize) {
        self.advance(bytes.min(self.filled - self.start));
    }

    /// The next record. `None` at the end of the input, or where a growing input holds no complete one yet.
    pub fn next<F: Framing>(&mut self, framing: &mut F) -> io::Result<Option<Record<'_>>> {
        self.pass()?;
        if self.drop_line {
            return Ok(None);
        }
        framing.reset();
        let mut scanned = 0;
        let (length, cut) = loop {
            if let Some(end) = framing.scan(&self.buffer[self.start + scanned..self.filled]) {
                match self.whole(scanned + end)? {
                    Some(length) => break (length, Cut::Whole),
                    None => return Ok(None),
                }
            }
            scanned = self.filled - self.start;
            let over = scanned > F::LIMIT.min(self.limit);
            if !over && self.fill()? > 0 {
                continue;
            }
            match (scanned, framing.is_open()) {
                (0, _) => return Ok(None),
                (_, open) if !over && self.waits::<F>(open) => return Ok(None),
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
    pub fn unread(&mut self) {
        self.given = 0;
        self.drop_line = false;
    }

    /// Takes only the first `length` bytes of the last record for given; the next begins behind them.
    pub fn shorten(&mut self, length: usize) {
        self.given = self.given.min(length);
    }

    /// The length of a record that ends at `end`. `None` if it ends in a carriage return and nobody can say yet whether a
    /// line feed follows.
    fn whole(&mut self, end: usize) -> io::Result<Option<usize>> {
        let undecided = self.tail != Tail::End
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

    /// Whether a record that the bytes so far do not complete is left for later.
    fn waits<F: Framing>(&self, open: bool) -> bool {
        match self.tail {
            Tail::End => false,
            Tail::Grows => true,
            Tail::GivesUpOpen => {
                !(open && F::BY_LINE && first_line_end(&self.buffer[self.start..self.filled]).is_some())
            }
        }
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
        self.advance(self.given);
        self.given = 0;
        if self.drop_line {
            self.drop_line = !self.skip_line()? && self.tail != Tail::End;
        }
        if self.after_return && self.ahead(1)?.first() == Some(&b'\n') {
            self.advance(1);
        }
        self.after_return = false;
        Ok(())
    }

    fn advance(&mut self, bytes: usize) {
        self.start += bytes;
        self.offset += bytes as u64;
    }

    /// Passes the rest of a line; says whether its end was there.
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
