//! [`Peeked`]: a stream whose first bytes are known before they are read, for the detection of what it contains.

use std::io::{self, ErrorKind, Read};

/// As many bytes as the detection needs: a tar header is 512 bytes long.
pub(super) const HEAD_BYTES: usize = 512;
/// Read at once: a whole header line, for the detection of UTF-16 without a mark.
const STEP_BYTES: usize = 4 << 10;

/// A stream with a known start.
pub(super) struct Peeked {
    head: Vec<u8>,
    at: usize,
    rest: Box<dyn Read + Send>,
}

impl Peeked {
    /// Reads the start of `bytes`: [`HEAD_BYTES`] or more, or less if a line ends before, so that the first rows of a slow
    /// pipe do not wait for those after them.
    pub(super) fn new(mut bytes: Box<dyn Read + Send>) -> io::Result<Self> {
        let mut head = Vec::new();
        let mut step = [0; STEP_BYTES];
        while head.len() < HEAD_BYTES && !head.contains(&b'\n') {
            match bytes.read(&mut step) {
                Ok(0) => break,
                Ok(read) => head.extend_from_slice(step.get(..read).unwrap_or_default()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Self { head, at: 0, rest: bytes })
    }

    pub(super) fn head(&self) -> &[u8] {
        self.head.get(self.at..).unwrap_or_default()
    }
}

impl Read for Peeked {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.head.len() {
            return self.rest.read(buffer);
        }
        let read = self.head.get(self.at..).unwrap_or_default().read(buffer)?;
        self.at += read;
        if self.at == self.head.len() {
            (self.head, self.at) = (Vec::new(), 0);
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns one part per read, then an error.
    struct Parts(Vec<&'static [u8]>);

    impl Read for Parts {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.0.is_empty() {
                return Err(io::Error::other("nothing more was to be read"));
            }
            self.0.remove(0).read(buffer)
        }
    }

    #[test]
    fn the_start_is_read_twice_and_no_further_than_a_line() {
        let mut peeked = Peeked::new(Box::new(Parts(vec![b"id,", b"text\n1,", b"a", b""]))).unwrap();
        assert_eq!(peeked.head(), b"id,text\n1,");
        let mut all = Vec::new();
        peeked.read_to_end(&mut all).unwrap();
        assert_eq!(all, b"id,text\n1,a");
    }
}
