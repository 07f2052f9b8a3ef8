//! [`XzReader`]: the streams of an xz file, one behind the other, with a bounded dictionary.

use std::io::{self, BufRead, BufReader, ErrorKind, Read};

use xz4rust::{XzDecoder, XzError, XzNextBlockResult};

use super::peek::Peeked;
use super::unpack::{MAX_WINDOW_BYTES, UnpackError};

const BUFFER_BYTES: usize = 1 << 16;
/// The dictionary grows from here to what the file says: that of `xz -6`, the default.
const FIRST_DICTIONARY_BYTES: usize = 8 << 20;

pub(super) struct XzReader {
    input: BufReader<Peeked>,
    decoder: Box<XzDecoder<'static>>,
    in_stream: bool,
}

impl XzReader {
    pub(super) fn new(bytes: Peeked) -> Self {
        Self {
            input: BufReader::with_capacity(BUFFER_BYTES, bytes),
            decoder: XzDecoder::in_heap_with_alloc_dict_size(FIRST_DICTIONARY_BYTES, MAX_WINDOW_BYTES as usize),
            in_stream: true,
        }
    }

    /// Skips the zeros between streams. False at the end of the input.
    fn start_stream(&mut self) -> io::Result<bool> {
        loop {
            let ahead = self.input.fill_buf()?;
            if ahead.is_empty() {
                return Ok(false);
            }
            let zeros = ahead.iter().take_while(|byte| **byte == 0).count();
            if zeros == 0 {
                self.decoder.reset();
                return Ok(true);
            }
            self.input.consume(zeros);
        }
    }
}

impl Read for XzReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while !buffer.is_empty() {
            if !self.in_stream {
                self.in_stream = self.start_stream()?;
                if !self.in_stream {
                    break;
                }
            }
            let ahead = self.input.fill_buf()?;
            if ahead.is_empty() {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            let step = self.decoder.decode(ahead, buffer).map_err(decode_error)?;
            self.input.consume(step.input_consumed());
            self.in_stream = !matches!(step, XzNextBlockResult::EndOfStream(..));
            if step.output_produced() > 0 {
                return Ok(step.output_produced());
            }
        }
        Ok(0)
    }
}

fn decode_error(error: XzError) -> io::Error {
    match error {
        XzError::DictionaryTooLarge(bytes) => {
            UnpackError::Window { packing: "xz", bytes, command: "xz -d -k FILE" }.into()
        }
        error => io::Error::other(error),
    }
}
