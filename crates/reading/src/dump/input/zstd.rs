//! [`ZstdReader`]: the frames of a zstd stream, one behind the other, with a bounded window and checked checksums.

use std::io::{self, BufRead, BufReader, Read};

use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::peek::Peeked;
use super::unpack::{MAX_WINDOW_BYTES, UnpackError};

const BUFFER_BYTES: usize = 1 << 16;

pub(super) struct ZstdReader {
    input: BufReader<Peeked>,
    decoder: FrameDecoder,
    in_frame: bool,
}

impl ZstdReader {
    pub(super) fn new(bytes: Peeked) -> Self {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(MAX_WINDOW_BYTES);
        Self { input: BufReader::with_capacity(BUFFER_BYTES, bytes), decoder, in_frame: false }
    }

    /// Starts the next frame. False at the end of the input.
    fn start_frame(&mut self) -> io::Result<bool> {
        loop {
            // Padding of a download or a tape.
            let ahead = self.input.fill_buf()?;
            let zeros = ahead.iter().take_while(|byte| **byte == 0).count();
            if ahead.is_empty() {
                return Ok(false);
            }
            if zeros > 0 {
                self.input.consume(zeros);
                continue;
            }
            match self.decoder.reset(&mut self.input) {
                Ok(()) => return Ok(true),
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                    let length = u64::from(length);
                    if io::copy(&mut (&mut self.input).take(length), &mut io::sink())? < length {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                }
                Err(FrameDecoderError::WindowSizeTooBig { requested, .. }) => {
                    let command = "zstd -d --long=31 FILE";
                    return Err(UnpackError::Window { packing: "zstd", bytes: requested, command }.into());
                }
                Err(error) => return Err(io::Error::other(error)),
            }
        }
    }

    fn check_frame(&self) -> io::Result<()> {
        match self.decoder.get_checksum_from_data() {
            Some(expected) if self.decoder.get_calculated_checksum() != Some(expected) => {
                Err(io::Error::other("its checksum does not match"))
            }
            _ => Ok(()),
        }
    }
}

impl Read for ZstdReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while !buffer.is_empty() {
            if !self.in_frame {
                self.in_frame = self.start_frame()?;
                if !self.in_frame {
                    break;
                }
            }
            // Block by block: the window's worth of bytes that a frame keeps back comes at its end.
            while self.decoder.can_collect() == 0 && !self.decoder.is_finished() {
                self.decoder
                    .decode_blocks(&mut self.input, BlockDecodingStrategy::UptoBlocks(1))
                    .map_err(io::Error::other)?;
            }
            let read = self.decoder.read(buffer)?;
            if read > 0 {
                return Ok(read);
            }
            self.check_frame()?;
            self.in_frame = false;
        }
        Ok(0)
    }
}
