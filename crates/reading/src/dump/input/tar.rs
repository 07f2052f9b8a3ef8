//! [`TarMembers`]: the files in a tar archive, in its order. The archive is read once, from its start to its end.

use std::io::{self, ErrorKind, Read};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tar::{EntryType, Header, PaxExtensions};

use super::archive::Member;
use super::peek::Peeked;
use super::unpack::{UnpackError, describe};

const BLOCK_BYTES: usize = 512;
/// Longest name or extended header that is kept.
const MAX_EXTENSION_BYTES: u64 = 1 << 20;

/// The files in an archive.
pub(super) struct TarMembers {
    stream: Arc<Mutex<TarStream>>,
}

/// The archive, at some place in one of its files.
struct TarStream {
    bytes: Peeked,
    /// Bytes of the current file that were not read.
    left: u64,
    /// Zeros after the current file.
    padding: u64,
    ended: bool,
}

/// Values of extended headers, which override those of the next header.
#[derive(Default)]
struct Extensions {
    path: Option<Vec<u8>>,
    size: Option<u64>,
    sparse: bool,
}

impl TarMembers {
    pub(super) fn new(bytes: Peeked) -> Self {
        Self { stream: Arc::new(Mutex::new(TarStream { bytes, left: 0, padding: 0, ended: false })) }
    }

    /// The next file. What was not read of the one before is skipped.
    pub(super) fn next(&mut self) -> io::Result<Option<Member>> {
        let next = lock(&self.stream).next_file().map_err(archive_error)?;
        let Some((path, sparse)) = next else { return Ok(None) };
        let bytes: io::Result<Box<dyn Read + Send>> = if sparse {
            Err(UnpackError::Method("a sparse file of tar".into()).into())
        } else {
            Ok(Box::new(TarMember { stream: Arc::clone(&self.stream) }))
        };
        Ok(Some(Member { path: String::from_utf8_lossy(&path).into_owned(), bytes, again: None }))
    }
}

fn lock(stream: &Mutex<TarStream>) -> MutexGuard<'_, TarStream> {
    stream.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Names the archive in errors about its structure.
fn archive_error(cause: io::Error) -> io::Error {
    let known = cause.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<UnpackError>);
    if known || cause.raw_os_error().is_some() {
        return cause;
    }
    UnpackError::DamagedArchive { archive: "tar", cause: describe(&cause) }.into()
}

impl TarStream {
    /// Path of the next file, and whether it is stored with holes.
    fn next_file(&mut self) -> io::Result<Option<(Vec<u8>, bool)>> {
        let mut extensions = Extensions::default();
        while !self.ended {
            skip(&mut self.bytes, self.left + self.padding)?;
            (self.left, self.padding) = (0, 0);
            let Some(block) = self.next_block()? else { break };
            let header = Header::from_byte_slice(&block);
            let kind = header.entry_type();
            // A name or an extended header has its own size.
            let size = if is_file(kind) { extensions.size } else { None };
            self.left = size.map_or_else(|| header.entry_size(), Ok)?;
            let too_long = || io::Error::other("a file is too long");
            self.padding = self.left.checked_next_multiple_of(BLOCK_BYTES as u64).ok_or_else(too_long)? - self.left;
            match kind {
                EntryType::GNULongName => {
                    let name = self.read_extension()?;
                    extensions.path = Some(name.into_iter().take_while(|byte| *byte != 0).collect());
                }
                EntryType::XHeader => {
                    let values = self.read_extension()?;
                    extensions.read(&values);
                }
                kind if is_file(kind) => {
                    let path = extensions.path.take().unwrap_or_else(|| header.path_bytes().into_owned());
                    return Ok(Some((path, kind == EntryType::GNUSparse || extensions.sparse)));
                }
                // An extended header of all files, or of a long link: it belongs to the file that follows.
                EntryType::XGlobalHeader | EntryType::GNULongLink => {}
                _ => extensions = Extensions::default(),
            }
        }
        Ok(None)
    }

    /// The next header; none at the end of the archive, where the rest is read for the hash of the whole file.
    fn next_block(&mut self) -> io::Result<Option<[u8; BLOCK_BYTES]>> {
        let mut block = [0; BLOCK_BYTES];
        let mut filled = 0;
        while filled < BLOCK_BYTES {
            match self.bytes.read(block.get_mut(filled..).unwrap_or_default()) {
                // `cat` of archives and old writers leave the final zeros out.
                Ok(0) if filled == 0 => break,
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(read) => filled += read,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        if block.iter().all(|byte| *byte == 0) {
            self.ended = true;
            io::copy(&mut self.bytes, &mut io::sink())?;
            return Ok(None);
        }
        if !checksum_matches(&block) {
            return Err(io::Error::other("a header has a wrong checksum"));
        }
        Ok(Some(block))
    }

    fn read_extension(&mut self) -> io::Result<Vec<u8>> {
        if self.left > MAX_EXTENSION_BYTES {
            return Err(io::Error::other("an extended header is too long"));
        }
        let mut value = Vec::new();
        let read = (&mut self.bytes).take(self.left).read_to_end(&mut value)? as u64;
        if read < self.left {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        self.left = 0;
        Ok(value)
    }
}

impl Extensions {
    fn read(&mut self, values: &[u8]) {
        for value in PaxExtensions::new(values).flatten() {
            match value.key_bytes() {
                b"path" => self.path = Some(value.value_bytes().to_vec()),
                // A file with holes in the format of POSIX looks like a plain one.
                key if key.starts_with(b"GNU.sparse.") => self.sparse = true,
                b"size" => self.size = value.value().ok().and_then(|size| size.parse().ok()),
                _ => {}
            }
        }
    }
}

fn is_file(kind: EntryType) -> bool {
    kind.is_file() || kind == EntryType::Continuous || kind == EntryType::GNUSparse
}

/// Whether the sum of a header's bytes is the one in it.
pub(super) fn checksum_matches(block: &[u8; BLOCK_BYTES]) -> bool {
    // The bytes of the sum itself count as blanks.
    let byte = |(at, byte): (usize, &u8)| if (148..156).contains(&at) { u32::from(b' ') } else { u32::from(*byte) };
    let sum: u32 = block.iter().enumerate().map(byte).sum();
    Header::from_byte_slice(block).cksum().is_ok_and(|expected| expected == sum)
}

fn skip(bytes: &mut Peeked, count: u64) -> io::Result<()> {
    if io::copy(&mut bytes.take(count), &mut io::sink())? < count {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    Ok(())
}

/// The current file of the archive.
struct TarMember {
    stream: Arc<Mutex<TarStream>>,
}

impl Read for TarMember {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut stream = lock(&self.stream);
        let most = usize::try_from(stream.left).unwrap_or(usize::MAX).min(buffer.len());
        let read = stream.bytes.read(buffer.get_mut(..most).unwrap_or_default())?;
        if read == 0 && most > 0 {
            return Err(archive_error(ErrorKind::UnexpectedEof.into()));
        }
        stream.left -= read as u64;
        Ok(read)
    }
}
