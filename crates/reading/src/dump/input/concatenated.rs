//! [`Concatenated`]: gzip and bzip2 streams, one behind the other, as `cat a.gz b.gz` makes them. What follows the last one
//! and is not packed is ignored, as `gunzip` and `bunzip2` do: downloads are padded.

use std::io::{self, BufRead, BufReader, Read};

use bzip2::bufread::BzDecoder;
use flate2::bufread::GzDecoder;

use super::peek::Peeked;

const BUFFER_BYTES: usize = 1 << 16;

type Input = BufReader<Peeked>;

/// The decoder of one stream.
pub(super) trait StreamDecoder: Read {
    /// How a stream begins.
    const MAGIC: [u8; 2];

    fn start(input: Input) -> Self;
    /// What follows the stream.
    fn into_rest(self) -> Input;
}

impl StreamDecoder for GzDecoder<Input> {
    const MAGIC: [u8; 2] = [0x1f, 0x8b];

    fn start(input: Input) -> Self {
        Self::new(input)
    }

    fn into_rest(self) -> Input {
        self.into_inner()
    }
}

impl StreamDecoder for BzDecoder<Input> {
    const MAGIC: [u8; 2] = *b"BZ";

    fn start(input: Input) -> Self {
        Self::new(input)
    }

    fn into_rest(self) -> Input {
        self.into_inner()
    }
}

/// Streams one behind the other.
pub(super) struct Concatenated<D> {
    /// None after the last one.
    current: Option<D>,
}

impl Concatenated<GzDecoder<Input>> {
    pub(super) fn gzip(bytes: Peeked) -> Self {
        Self { current: Some(StreamDecoder::start(BufReader::with_capacity(BUFFER_BYTES, bytes))) }
    }
}

impl Concatenated<BzDecoder<Input>> {
    pub(super) fn bzip2(bytes: Peeked) -> Self {
        Self { current: Some(StreamDecoder::start(BufReader::with_capacity(BUFFER_BYTES, bytes))) }
    }
}

impl<D: StreamDecoder> Read for Concatenated<D> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(decoder) = &mut self.current {
            let read = decoder.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            let Some(mut rest) = self.current.take().map(D::into_rest) else { break };
            let ahead = rest.fill_buf()?;
            if !ahead.is_empty() && ahead.iter().zip(D::MAGIC).all(|(byte, magic)| *byte == magic) {
                self.current = Some(D::start(rest));
            } else {
                // To the end, for the hash of the whole file.
                io::copy(&mut rest, &mut io::sink())?;
            }
        }
        Ok(0)
    }
}
