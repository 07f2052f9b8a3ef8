//! [`Input`] is the file or pipe that a dump is read from; [`ByteStream`] unpacks gzip and hashes and counts the raw bytes.

use std::ffi::OsStr;
use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Chain, Cursor, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;
use sha2::{Digest, Sha256};

use super::error::DumpError;

/// Where a dump is read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    Path(PathBuf),
    Stdin,
}

impl Input {
    /// A path, or `-` for standard input.
    pub fn parse(argument: impl AsRef<OsStr>) -> Self {
        match argument.as_ref() {
            dash if dash == "-" => Self::Stdin,
            path => Self::Path(path.into()),
        }
    }

    /// Opens the raw bytes and returns their number if it is known.
    pub fn open(&self) -> Result<(Box<dyn Read + Send>, Option<u64>), DumpError> {
        let Self::Path(path) = self else { return Ok((Box::new(io::stdin()), None)) };
        let failed = |cause: io::Error| DumpError::Open { name: self.to_string(), cause };
        let file = File::open(path).map_err(|cause| match cause.kind() {
            ErrorKind::NotFound => DumpError::Missing { path: path.clone(), hint: gz_hint(path) },
            _ => failed(cause),
        })?;
        let metadata = file.metadata().map_err(failed)?;
        if metadata.is_dir() {
            return Err(DumpError::Directory(path.clone()));
        }
        Ok((Box::new(file), metadata.is_file().then_some(metadata.len())))
    }
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => path.display().fmt(f),
            Self::Stdin => f.write_str("standard input"),
        }
    }
}

/// A hint if the same file exists with or without the suffix `.gz`.
fn gz_hint(path: &Path) -> Option<String> {
    let mut longer = path.as_os_str().to_owned();
    longer.push(".gz");
    let shorter = path.extension().filter(|suffix| *suffix == "gz").map(|_| path.with_extension(""));
    let found = [Some(PathBuf::from(longer)), shorter].into_iter().flatten().find(|other| other.is_file())?;
    Some(format!("; did you mean {}?", found.display()))
}

/// How much of an input has been read, for a progress bar on another thread.
#[derive(Debug, Clone)]
pub struct Progress {
    read: Arc<AtomicU64>,
    /// Size of the input in raw bytes; unknown for a pipe.
    pub total: Option<u64>,
}

impl Progress {
    /// Raw bytes read so far: compressed bytes for a gzip file.
    pub fn bytes_read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }
}

/// Hashes and counts the raw bytes that are read through it.
struct HashingReader {
    inner: Box<dyn Read + Send>,
    hasher: Sha256,
    read: Arc<AtomicU64>,
    ended: bool,
}

impl Read for HashingReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = loop {
            match self.inner.read(buffer) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        self.ended |= read == 0 && !buffer.is_empty();
        if let Some(bytes) = buffer.get(..read) {
            self.hasher.update(bytes);
        }
        self.read.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

type Raw = Chain<Cursor<Vec<u8>>, HashingReader>;

/// The unpacked bytes of an input.
pub struct ByteStream {
    bytes: Bytes,
    read: Arc<AtomicU64>,
    total: Option<u64>,
}

enum Bytes {
    Plain(Raw),
    Gzip(Box<MultiGzDecoder<BufReader<Raw>>>),
    /// A growing file: neither unpacked nor hashed.
    Tailed(Box<dyn Read + Send>),
}

impl ByteStream {
    /// Detects gzip by its first two bytes, because a pipe has no suffix.
    pub fn new(inner: Box<dyn Read + Send>, total: Option<u64>) -> io::Result<Self> {
        let read = Arc::new(AtomicU64::new(0));
        let mut reader = HashingReader { inner, hasher: Sha256::new(), read: Arc::clone(&read), ended: false };
        let mut head = Vec::with_capacity(2);
        (&mut reader).take(2).read_to_end(&mut head)?;
        let zipped = head == [0x1f, 0x8b];
        let raw = Cursor::new(head).chain(reader);
        let bytes = match zipped {
            true => Bytes::Gzip(Box::new(MultiGzDecoder::new(BufReader::with_capacity(1 << 16, raw)))),
            false => Bytes::Plain(raw),
        };
        Ok(Self { bytes, read, total })
    }

    /// The bytes of a file that is tailed: unmodified, and without an end.
    pub fn tailed(inner: Box<dyn Read + Send>) -> Self {
        Self { bytes: Bytes::Tailed(inner), read: Arc::default(), total: None }
    }

    pub fn is_gzip(&self) -> bool {
        matches!(self.bytes, Bytes::Gzip(_))
    }

    pub fn progress(&self) -> Progress {
        Progress { read: Arc::clone(&self.read), total: self.total }
    }

    /// SHA-256 of the raw bytes in hex, after they were read to their end.
    pub fn fingerprint(&self) -> Option<String> {
        let reader = match &self.bytes {
            Bytes::Plain(raw) => raw.get_ref().1,
            Bytes::Gzip(unpacked) => unpacked.get_ref().get_ref().get_ref().1,
            Bytes::Tailed(_) => return None,
        };
        reader.ended.then(|| reader.hasher.clone().finalize().iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

impl Read for ByteStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.bytes {
            Bytes::Plain(raw) => raw.read(buffer),
            Bytes::Gzip(unpacked) => unpacked.read(buffer),
            Bytes::Tailed(inner) => inner.read(buffer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dash_is_standard_input() {
        assert_eq!(Input::parse("-"), Input::Stdin);
        assert_eq!(Input::parse("-").to_string(), "standard input");
        assert_eq!(Input::parse("a/b.csv"), Input::Path("a/b.csv".into()));
    }

    #[test]
    fn a_missing_file_is_named_with_its_absolute_path() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("tweets.csv");
        let message = || Input::Path(path.clone()).open().err().unwrap().to_string();
        assert_eq!(message(), format!("no such file: {}", path.display()));
        std::fs::write(dir.path().join("tweets.csv.gz"), b"x").unwrap();
        assert!(message().ends_with("tweets.csv.gz?"), "{}", message());
        let relative = Input::parse("no/such.csv").open().err().unwrap().to_string();
        assert!(relative.starts_with("no such file: no/such.csv (looked for /"), "{relative}");
        let directory = Input::Path(dir.path().into()).open().err().unwrap();
        assert!(matches!(directory, DumpError::Directory(_)), "{directory}");
    }

    #[test]
    fn raw_bytes_are_counted_and_hashed_to_their_end() {
        let mut stream = ByteStream::new(Box::new(&b"abc"[..]), Some(3)).unwrap();
        let progress = stream.progress();
        let mut first = [0; 1];
        stream.read_exact(&mut first).unwrap();
        assert_eq!(stream.fingerprint(), None);
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).unwrap();
        assert_eq!((first, rest.as_slice()), (*b"a", &b"bc"[..]));
        assert_eq!((progress.bytes_read(), progress.total), (3, Some(3)));
        let sha256_of_abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(stream.fingerprint().as_deref(), Some(sha256_of_abc));
    }
}
