//! [`VectorSource`]: the bytes of a vectors file, decompressed if gzipped, and the format that their beginning shows.

use std::io::{BufRead, BufReader, Chain, Cursor, Read};

use flate2::read::MultiGzDecoder;

use super::{Position, ReadError, VectorFormat, header};

/// Bytes inspected to detect the format. Longer than the longest line of values, so that a binary file shows one.
const SAMPLE: usize = 1 << 16;
/// A word and the maximum number of values, written at length.
const MAX_LINE_BYTES: u64 = 1 << 18;

type Chained<R> = Chain<Cursor<Vec<u8>>, R>;

pub(super) struct VectorSource<R: Read> {
    bytes: Chained<BufReader<Unpacked<R>>>,
    /// The beginning of the file.
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

impl<R: Read> VectorSource<R> {
    pub(super) fn open(mut bytes: R) -> Result<Self, ReadError> {
        let magic = read_up_to(&mut bytes, 2)?;
        let packed = magic == [0x1f, 0x8b];
        let bytes = Cursor::new(magic).chain(bytes);
        let unpacked =
            if packed { Unpacked::Gzip(Box::new(MultiGzDecoder::new(bytes))) } else { Unpacked::Plain(bytes) };
        let mut buffered = BufReader::with_capacity(SAMPLE, unpacked);
        let sample = read_up_to(&mut buffered, SAMPLE)?;
        Ok(Self { bytes: Cursor::new(sample.clone()).chain(buffered), sample, lines: 0 })
    }

    /// The format of the file: a first line of two numbers is a header, and what follows is text or binary.
    pub(super) fn format(&self) -> Result<VectorFormat, ReadError> {
        let end = self.sample.iter().position(|byte| *byte == b'\n');
        let (first, rest) = self.sample.split_at(end.unwrap_or(self.sample.len()));
        if first.is_empty() {
            return Err(ReadError::Broken(Position::Line(1), "empty; expected word vectors".into()));
        }
        let headed = std::str::from_utf8(first).is_ok_and(|line| header(line).is_some());
        Ok(match (headed, is_text(rest)) {
            (true, true) => VectorFormat::Word2VecText,
            (true, false) => VectorFormat::Word2VecBinary,
            (false, _) => VectorFormat::Glove,
        })
    }

    /// The next line with its line break; `None` at the end of the file.
    pub(super) fn line(&mut self) -> Result<Option<String>, ReadError> {
        let mut line = Vec::new();
        let read = (&mut self.bytes).take(MAX_LINE_BYTES).read_until(b'\n', &mut line)?;
        if read == 0 {
            return Ok(None);
        }
        self.lines += 1;
        if read as u64 == MAX_LINE_BYTES {
            return Err(self.broken("longer than any line of word vectors".into()));
        }
        // Files of crawled words contain a few that are not UTF-8. The replaced word matches no text.
        Ok(Some(String::from_utf8(line).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())))
    }

    /// An error in the last line read.
    pub(super) fn broken(&self, reason: String) -> ReadError {
        ReadError::Broken(Position::Line(self.lines.max(1)), reason)
    }

    pub(super) fn bytes(&mut self) -> &mut impl BufRead {
        &mut self.bytes
    }
}

/// The next bytes, at most `max`; fewer only at the end.
fn read_up_to(bytes: &mut impl Read, max: usize) -> std::io::Result<Vec<u8>> {
    let mut taken = Vec::new();
    bytes.take(max as u64).read_to_end(&mut taken)?;
    Ok(taken)
}

/// Whether a sample, possibly cut within a character, is text: binary values soon contain a control character or
/// invalid UTF-8.
fn is_text(sample: &[u8]) -> bool {
    let control = |byte: &u8| *byte < b' ' && !matches!(*byte, b'\n' | b'\r' | b'\t');
    let cut_only = match std::str::from_utf8(sample) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none(),
    };
    cut_only && !sample.iter().any(control)
}
