//! [`Sample`]: the first lines of a file, for decisions about the file as a whole. They are not consumed.

use std::io;
use std::ops::Deref;

use super::dialect::Dialect;
use super::framing::{CsvFraming, LineFraming};
use super::header::MAX_LINES;
use crate::dump::decode::decode;
use crate::dump::framing::Framing;
use crate::dump::options::Encoding;
use crate::dump::record_splitter::RecordSplitter;

/// Bytes that are read for a sample.
const MAX_BYTES: usize = 1 << 16;

/// The first lines of a file, decoded.
pub(super) struct Sample {
    text: String,
}

/// A record of a sample without its terminator.
pub(super) struct SampleRecord<'a>(&'a str);

impl Deref for SampleRecord<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        self.0
    }
}

impl Sample {
    /// Reads ahead until there are [`MAX_LINES`] lines: the same lines however the input arrives.
    pub(super) fn read(splitter: &mut RecordSplitter, encoding: Encoding) -> io::Result<Self> {
        let mut count = 1;
        loop {
            let ahead = splitter.peek(count)?;
            let end = end_of_lines(ahead);
            if end.is_some() || ahead.len() < count || ahead.len() >= MAX_BYTES {
                let bytes = ahead.get(..end.unwrap_or(ahead.len()).min(MAX_BYTES)).unwrap_or(ahead);
                // A byte order mark may be left in joined files; an encoding that does not fit is an error of the rows.
                let text =
                    decode(bytes, encoding).map_or_else(|_| String::from_utf8_lossy(bytes), |decoded| decoded.text);
                let text = text.into_owned();
                return Ok(Self { text });
            }
            count = ahead.len() + 1;
        }
    }

    /// The physical lines, without their terminators.
    pub(super) fn lines(&self) -> Vec<&str> {
        self.records_by(&mut LineFraming)
    }

    /// The records, without blank ones. The last one may be cut where the sample ends.
    pub(super) fn records(&self, dialect: Dialect) -> Vec<&str> {
        let mut records = self.records_by(&mut CsvFraming::new(dialect));
        records.retain(|record| !record.trim().is_empty());
        records
    }

    /// The first record after a line that is not blank.
    pub(super) fn record_after(&self, line_index: usize, dialect: Dialect) -> Option<SampleRecord<'_>> {
        let mut rest = self.text.as_str();
        for _ in 0..=line_index {
            rest = rest.get(LineFraming.scan(rest.as_bytes())?..)?;
        }
        let mut framing = CsvFraming::new(dialect);
        let records = split(rest, &mut framing);
        records.into_iter().find(|record| !record.trim().is_empty()).map(SampleRecord)
    }

    fn records_by<F: Framing>(&self, framing: &mut F) -> Vec<&str> {
        split(&self.text, framing)
    }
}

/// A record whose quote does not close is cut at its first line, as in [`RecordSplitter`].
fn split<'a, F: Framing>(mut rest: &'a str, framing: &mut F) -> Vec<&'a str> {
    let mut records = Vec::new();
    while !rest.is_empty() && records.len() < MAX_LINES {
        framing.reset();
        let end = framing.scan(rest.as_bytes()).or_else(|| LineFraming.scan(rest.as_bytes())).unwrap_or(rest.len());
        let (record, behind) = rest.split_at_checked(end).unwrap_or((rest, ""));
        records.push(record.trim_end_matches(['\r', '\n']));
        rest = behind;
    }
    records
}

/// Where the last of [`MAX_LINES`] lines ends, if there are so many.
fn end_of_lines(bytes: &[u8]) -> Option<usize> {
    memchr::memchr_iter(b'\n', bytes).nth(MAX_LINES - 1).map(|at| at + 1)
}
