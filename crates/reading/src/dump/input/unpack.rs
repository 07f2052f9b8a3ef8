//! [`unpack`]: removes one packing after another until a text, an archive or something foreign is at hand. The bytes are
//! streamed: memory depends on the windows of the packings, which are bounded, and not on the size of the file.

use std::io::{self, ErrorKind, Read};

use super::concatenated::Concatenated;
use super::kind::{Kind, Packing, Utf16};
use super::peek::Peeked;
use super::utf16::Utf16Reader;
use super::xz::XzReader;
use super::zstd::ZstdReader;

/// Packings and archives inside one another. People pack twice by mistake, hardly ever more often.
pub(super) const MAX_DEPTH: usize = 6;
/// The largest window or dictionary of a packing: what `zstd` and `xz -9` need at most without further flags.
pub(super) const MAX_WINDOW_BYTES: u64 = 128 << 20;

/// Why a file cannot be unpacked. It follows the file's name in a sentence, and travels inside an [`io::Error`].
#[derive(Debug, thiserror::Error)]
pub enum UnpackError {
    #[error("starts like {packing} but cannot be decompressed: {cause}; it is truncated or damaged: download it again")]
    Damaged { packing: &'static str, cause: String },
    #[error("cannot be read: the {archive} archive is truncated or damaged ({cause}); download it again")]
    DamagedArchive { archive: &'static str, cause: String },
    #[error(
        "needs {} MiB of memory to decompress {packing}, more than the limit of {} MiB; unpack it first: `{command}`",
        bytes >> 20, MAX_WINDOW_BYTES >> 20
    )]
    Window { packing: &'static str, bytes: u64, command: &'static str },
    #[error("is packed more than {MAX_DEPTH} times; unpack it first")]
    Depth,
    #[error("is encrypted; unpack its archive first, with its password: `7z x ARCHIVE`")]
    Encrypted,
    #[error("is packed in a way that vigie cannot unpack ({0}); unpack its archive first: `7z x ARCHIVE`")]
    Method(String),
    #[error(
        "must be copied to the temp directory to be unpacked: {0}; free space there or set TMPDIR, or unpack it first"
    )]
    Spool(io::Error),
}

impl From<UnpackError> for io::Error {
    fn from(error: UnpackError) -> Self {
        Self::new(ErrorKind::InvalidData, error)
    }
}

/// A stream without its packings.
pub(super) struct Unpacked {
    pub(super) kind: Kind,
    pub(super) bytes: Peeked,
    /// Packings and archives around it.
    pub(super) depth: usize,
    /// The encoding that it was converted from.
    pub(super) utf16: Option<Utf16>,
}

/// `depth`: packings and archives around `bytes`.
pub(super) fn unpack(bytes: Box<dyn Read + Send>, mut depth: usize) -> io::Result<Unpacked> {
    let mut bytes = Peeked::new(bytes)?;
    let mut utf16 = None;
    loop {
        match Kind::detect(bytes.head()) {
            Kind::Packed(packing) if utf16.is_none() => {
                depth = deeper(depth)?;
                bytes = Peeked::new(Box::new(Unpacking { packing, bytes: decoder(packing, bytes) }))?;
            }
            // What was converted is not UTF-16 again, however it looks.
            Kind::Utf16(_) if utf16.is_some() => return Ok(Unpacked { kind: Kind::Text, bytes, depth, utf16 }),
            Kind::Utf16(found) => {
                utf16 = Some(found);
                bytes = Peeked::new(Box::new(Utf16Reader::new(bytes, found)))?;
            }
            kind => return Ok(Unpacked { kind, bytes, depth, utf16 }),
        }
    }
}

/// One level deeper.
pub(super) fn deeper(depth: usize) -> Result<usize, UnpackError> {
    if depth >= MAX_DEPTH { Err(UnpackError::Depth) } else { Ok(depth + 1) }
}

pub(super) fn decoder(packing: Packing, bytes: Peeked) -> Box<dyn Read + Send> {
    match packing {
        Packing::Gzip => Box::new(Concatenated::gzip(bytes)),
        Packing::Bzip2 => Box::new(Concatenated::bzip2(bytes)),
        Packing::Zstd => Box::new(ZstdReader::new(bytes)),
        Packing::Xz => Box::new(XzReader::new(bytes)),
    }
}

/// Names the packing in the errors of its decoder.
struct Unpacking {
    packing: Packing,
    bytes: Box<dyn Read + Send>,
}

impl Read for Unpacking {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.bytes.read(buffer).map_err(|cause| {
            // An error of the disk, or of a packing around this one, is not this one's.
            let foreign = cause.raw_os_error().is_some() || cause.kind() == ErrorKind::Interrupted;
            if foreign || cause.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<UnpackError>) {
                return cause;
            }
            UnpackError::Damaged { packing: self.packing.as_str(), cause: describe(&cause) }.into()
        })
    }
}

/// An error in one line.
pub(super) fn describe(cause: &io::Error) -> String {
    match cause.kind() {
        ErrorKind::UnexpectedEof => "it ends too early".to_owned(),
        _ => cause.to_string().lines().map(str::trim).collect::<Vec<_>>().join(" "),
    }
}
