//! [`Tally`]: counts and hashes the raw (still packed) bytes of the inputs of a dump. Below every decoder.

use std::io::{self, ErrorKind, Read};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use sha2::{Digest, Sha256};

/// How much of a dump has been read, for a progress bar on another thread.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    read: Arc<AtomicU64>,
    /// Size of the dump in raw bytes; unknown for a pipe.
    pub total: Option<u64>,
}

impl Progress {
    pub(in crate::dump) fn new(total: Option<u64>) -> Self {
        Self { read: Arc::default(), total }
    }

    /// Raw bytes read so far: compressed bytes of a packed file.
    pub fn bytes_read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    pub(super) fn add(&self, bytes: u64) {
        self.read.fetch_add(bytes, Ordering::Relaxed);
    }

    /// The bytes will be read once more.
    pub(super) fn take_back(&self, bytes: u64) {
        self.read.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// Counts the raw bytes of one input in the progress of the dump, and keeps their hash.
#[derive(Debug, Clone, Default)]
pub(in crate::dump) struct Tally {
    pub(super) progress: Progress,
    digest: Arc<OnceLock<[u8; 32]>>,
}

impl Tally {
    pub(in crate::dump) fn new(progress: Progress) -> Self {
        Self { progress, digest: Arc::default() }
    }

    pub(in crate::dump) fn progress(&self) -> Progress {
        self.progress.clone()
    }

    /// SHA-256 of the raw bytes, after they were read to their end.
    pub(in crate::dump) fn digest(&self) -> Option<[u8; 32]> {
        self.digest.get().copied()
    }

    /// `bytes`, counted and hashed as they are read.
    pub(super) fn reader(&self, bytes: Box<dyn Read + Send>) -> Box<dyn Read + Send> {
        Box::new(TallyingReader { bytes, hasher: Sha256::new(), tally: self.clone() })
    }
}

/// Lowercase hex digits.
pub(in crate::dump) fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

struct TallyingReader {
    bytes: Box<dyn Read + Send>,
    hasher: Sha256,
    tally: Tally,
}

impl Read for TallyingReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = loop {
            match self.bytes.read(buffer) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        if read == 0 && !buffer.is_empty() {
            let _ = self.tally.digest.set(self.hasher.clone().finalize().into());
        }
        if let Some(bytes) = buffer.get(..read) {
            self.hasher.update(bytes);
        }
        self.tally.progress.add(read as u64);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raw_bytes_are_counted_and_hashed_to_their_end() {
        let tally = Tally::new(Progress::new(Some(3)));
        let mut reader = tally.reader(Box::new(&b"abc"[..]));
        let mut first = [0; 1];
        reader.read_exact(&mut first).unwrap();
        assert_eq!(tally.digest(), None);
        let mut rest = Vec::new();
        reader.read_to_end(&mut rest).unwrap();
        assert_eq!((first, rest.as_slice()), (*b"a", &b"bc"[..]));
        assert_eq!((tally.progress().bytes_read(), tally.progress().total), (3, Some(3)));
        let sha256_of_abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(tally.digest().map(|digest| hex(&digest)).as_deref(), Some(sha256_of_abc));
    }
}
