//! [`GzipDecoder`]: decodes a response of X chunk by chunk, so that the posts of a stream are available as soon as they
//! arrive.

use std::io::{self, Write};

use flate2::write::GzDecoder;
use reqwest::header::{CONTENT_ENCODING, HeaderMap};

/// Bytes that are decoded at once: at most a thousand times as many come out.
const STEP: usize = 4 << 10;
/// Decoded bytes of one chunk of a response, at most.
const MAX_DECODED: usize = 16 << 20;

/// See the module.
pub(super) struct GzipDecoder(GzDecoder<Vec<u8>>);

impl GzipDecoder {
    /// `None` if the response is not compressed.
    pub(super) fn for_headers(headers: &HeaderMap) -> Option<Self> {
        let compressed =
            headers.get(CONTENT_ENCODING).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"gzip"));
        compressed.then(|| Self(GzDecoder::new(Vec::new())))
    }

    /// Decodes the next bytes of the response.
    ///
    /// # Errors
    /// If they are not valid gzip, or hold more than any response of X.
    pub(super) fn decode(&mut self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        for part in bytes.chunks(STEP) {
            self.0.write_all(part)?;
            if self.0.get_ref().len() > MAX_DECODED {
                return Err(io::Error::other("too large once it is unpacked"));
            }
        }
        // Without it, decoded bytes would stay in the buffer until the next ones arrive.
        self.0.flush()?;
        Ok(std::mem::take(self.0.get_mut()))
    }
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn decoder(encoding: &str) -> Option<GzipDecoder> {
        GzipDecoder::for_headers(&HeaderMap::from_iter([(CONTENT_ENCODING, encoding.parse().unwrap())]))
    }

    #[test]
    fn each_post_is_decoded_as_soon_as_its_bytes_are_there() {
        let mut decoder = decoder("gzip").unwrap();
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        for post in ["{\"id\":1}\r\n", "\r\n", "{\"id\":2}\r\n"] {
            encoder.write_all(post.as_bytes()).unwrap();
            encoder.flush().unwrap();
            let compressed = std::mem::take(encoder.get_mut());
            let (head, tail) = compressed.split_at(compressed.len() / 2);
            let decoded = [decoder.decode(head).unwrap(), decoder.decode(tail).unwrap()].concat();
            assert_eq!(String::from_utf8(decoded).unwrap(), post);
        }
    }

    #[test]
    fn other_responses_are_not_decoded_and_damage_is_an_error() {
        assert!(decoder("identity").is_none() && GzipDecoder::for_headers(&HeaderMap::new()).is_none());
        assert!(decoder("GZIP").unwrap().decode(b"{\"data\":[]} is not gzip").is_err());
    }
}
