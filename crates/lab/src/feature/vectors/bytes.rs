//! [`Source`]: the bytes of a vectors file, unpacked where gzip packed them, and what their beginning shows of the format.

use std::io::{BufRead, BufReader, Chain, Cursor, Read};

use flate2::read::MultiGzDecoder;

use super::{Fault, Format, Place, header};

/// Bytes looked at to tell the format. Longer than the longest line of values, so that a binary file shows one.
const SAMPLE: usize = 1 << 16;
/// Longest line, in bytes: a word and the most values, written at length.
const LONGEST_LINE: u64 = 1 << 18;

type Chained<R> = Chain<Cursor<Vec<u8>>, R>;

pub(super) struct Source<R: Read> {
    bytes: Chained<BufReader<Unpacked<R>>>,
    /// What the file begins with.
    sample: Vec<u8>,
    /// Lines read so far.
    pub lines: u64,
}

enum Unpacked<R: Read> {
    Plain(Chained<R>),
    Gzip(Box<MultiGzDecoder<Chained<R>>>),
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self {
            Self::Plain(plain) => plain.read(buffer),
            Self::Gzip(gzip) => gzip.read(buffer),
        }
    }
}

impl<R: Read> Source<R> {
    pub(super) fn open(mut bytes: R) -> Result<Self, Fault> {
        let magic = taken(&mut bytes, 2)?;
        let packed = magic == [0x1f, 0x8b];
        let bytes = Cursor::new(magic).chain(bytes);
        let unpacked =
            if packed { Unpacked::Gzip(Box::new(MultiGzDecoder::new(bytes))) } else { Unpacked::Plain(bytes) };
        let mut buffered = BufReader::with_capacity(SAMPLE, unpacked);
        let sample = taken(&mut buffered, SAMPLE)?;
        Ok(Self { bytes: Cursor::new(sample.clone()).chain(buffered), sample, lines: 0 })
    }

    /// The format that the beginning shows: a first line of two numbers is a header, and what follows is text or not.
    pub(super) fn format(&self) -> Result<Format, Fault> {
        let end = self.sample.iter().position(|byte| *byte == b'\n');
        let (first, rest) = self.sample.split_at(end.unwrap_or(self.sample.len()));
        if first.is_empty() {
            return Err(Fault::Broken(Place::Line(1), "empty; wanted word vectors".into()));
        }
        let headed = std::str::from_utf8(first).is_ok_and(|line| header(line).is_some());
        Ok(match (headed, is_text(rest)) {
            (true, true) => Format::Word2VecText,
            (true, false) => Format::Word2VecBinary,
            (false, _) => Format::Glove,
        })
    }

    /// The next line with its end; `None` at the end of the file.
    pub(super) fn line(&mut self) -> Result<Option<String>, Fault> {
        let mut line = Vec::new();
        let read = (&mut self.bytes).take(LONGEST_LINE).read_until(b'\n', &mut line)?;
        if read == 0 {
            return Ok(None);
        }
        self.lines += 1;
        if read as u64 == LONGEST_LINE {
            return Err(self.broken("longer than any line of word vectors".into()));
        }
        // Files of crawled words hold a few that are no UTF-8: the word is then one that nobody asks for.
        Ok(Some(String::from_utf8(line).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())))
    }

    /// The line last read is wrong.
    pub(super) fn broken(&self, reason: String) -> Fault {
        Fault::Broken(Place::Line(self.lines.max(1)), reason)
    }

    pub(super) fn bytes(&mut self) -> &mut impl BufRead {
        &mut self.bytes
    }
}

/// The next bytes, at most `most`; fewer only at the end.
fn taken(bytes: &mut impl Read, most: usize) -> std::io::Result<Vec<u8>> {
    let mut taken = Vec::new();
    bytes.take(most as u64).read_to_end(&mut taken)?;
    Ok(taken)
}

/// Whether a sample, perhaps cut within a character, is text: values in binary soon hold a control or break UTF-8.
fn is_text(sample: &[u8]) -> bool {
    let control = |byte: &u8| *byte < b' ' && !matches!(*byte, b'\n' | b'\r' | b'\t');
    let cut_only = match std::str::from_utf8(sample) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none(),
    };
    cut_only && !sample.iter().any(control)
}
