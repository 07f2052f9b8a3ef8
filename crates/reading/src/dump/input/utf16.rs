//! [`Utf16Reader`]: a UTF-16 text as UTF-8, converted while it is read. Excel saves "Unicode text" so.

use std::io::{self, ErrorKind, Read};

use encoding_rs::{Decoder, UTF_16BE, UTF_16LE};

use super::kind::Utf16;
use super::peek::Peeked;

const BUFFER_BYTES: usize = 1 << 15;

pub(super) struct Utf16Reader {
    input: Peeked,
    decoder: Decoder,
    raw: Vec<u8>,
    /// Converted bytes, of which those before `at` were returned.
    text: Vec<u8>,
    at: usize,
    ended: bool,
}

impl Utf16Reader {
    pub(super) fn new(input: Peeked, found: Utf16) -> Self {
        let encoding = if found.big_endian { UTF_16BE } else { UTF_16LE };
        Self {
            input,
            decoder: encoding.new_decoder_with_bom_removal(),
            raw: vec![0; BUFFER_BYTES],
            text: Vec::new(),
            at: 0,
            ended: false,
        }
    }

    /// Converts what one read returns. A lone surrogate becomes U+FFFD.
    fn fill(&mut self) -> io::Result<()> {
        let read = loop {
            match self.input.read(&mut self.raw) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        self.ended = read == 0;
        let raw = self.raw.get(..read).unwrap_or_default();
        let room = self.decoder.max_utf8_buffer_length(read).unwrap_or(3 * read + 16);
        self.text.resize(room, 0);
        let (_, _, written, _) = self.decoder.decode_to_utf8(raw, &mut self.text, self.ended);
        self.text.truncate(written);
        self.at = 0;
        Ok(())
    }
}

impl Read for Utf16Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at == self.text.len() && !self.ended {
            self.fill()?;
        }
        let read = self.text.get(self.at..).unwrap_or_default().read(buffer)?;
        self.at += read;
        Ok(read)
    }
}
