//! [`Input`] is one file or pipe of a dump, [`Inputs`] all of them; what is packed is unpacked while it is read.
//!
//! ```text
//! Inputs -> Input -> Tally (count, hash) -> unpack (gzip, zstd, xz, bzip2, UTF-16) -> ByteStream
//!                                             \-> Archive (zip, tar) -> its files -> unpack -> ByteStream, ...
//! ```
//!
//! What a file is, its first bytes decide (`kind`); names decide only what is skipped in folders and archives (`members`).

mod archive;
mod concatenated;
pub(in crate::dump) mod foreign;
mod inputs;
mod kind;
pub(in crate::dump) mod members;
pub(in crate::dump) mod parts;
mod peek;
pub(in crate::dump) mod raw;
mod stream;
mod tar;
pub(in crate::dump) mod unpack;
mod utf16;
mod xz;
mod zip;
mod zstd;

use std::ffi::OsStr;
use std::fmt;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

pub use foreign::Foreign;
pub use inputs::Inputs;
pub use raw::Progress;
pub use stream::ByteStream;
pub use unpack::UnpackError;

use super::error::DumpError;
use kind::{Kind, Packing};
use parts::OpenInput;

/// Where a dump is read from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
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

    /// Opens the raw bytes.
    pub(in crate::dump) fn open(&self) -> Result<OpenInput, DumpError> {
        let Self::Path(path) = self else {
            return Ok(OpenInput { bytes: Box::new(io::stdin()), path: None });
        };
        let failed = |cause: io::Error| DumpError::Open { name: self.to_string(), cause };
        let file = File::open(path).map_err(|cause| match cause.kind() {
            ErrorKind::NotFound => DumpError::Missing { path: path.clone(), hint: packed_hint(path) },
            _ => failed(cause),
        })?;
        let metadata = file.metadata().map_err(failed)?;
        if metadata.is_dir() {
            return Err(failed(ErrorKind::IsADirectory.into()));
        }
        // A pipe that has a name (`<(command)`) cannot be opened again.
        let path = metadata.is_file().then(|| path.clone());
        Ok(OpenInput { bytes: Box::new(file), path })
    }

    /// Bytes of the file; none for a pipe, or if it cannot be known.
    fn size(&self) -> Option<u64> {
        let Self::Path(path) = self else { return None };
        path.metadata().ok().filter(std::fs::Metadata::is_file).map(|metadata| metadata.len())
    }

    /// The same for the same file under different names.
    fn identity(&self) -> Self {
        match self {
            Self::Path(path) => Self::Path(path.canonicalize().unwrap_or_else(|_| path.clone())),
            Self::Stdin => Self::Stdin,
        }
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

/// A hint if the same file exists with or without the ending of a packing.
fn packed_hint(path: &Path) -> Option<String> {
    const ENDINGS: [&str; 5] = ["gz", "zst", "xz", "bz2", "zip"];
    let longer = ENDINGS.iter().map(|ending| {
        let mut longer = path.as_os_str().to_owned();
        longer.push(".");
        longer.push(ending);
        PathBuf::from(longer)
    });
    let shorter =
        path.extension().filter(|ending| ENDINGS.iter().any(|known| ending == known)).map(|_| path.with_extension(""));
    let found = shorter.into_iter().chain(longer).find(|other| other.is_file())?;
    Some(format!("; did you mean {}?", found.display()))
}

/// What a file is, by its first bytes, if it is not a text that can be read while it grows.
pub fn not_growing_text(head: &[u8]) -> Option<&'static str> {
    match Kind::detect(head) {
        Kind::Packed(Packing::Gzip) => Some("packed with gzip"),
        Kind::Packed(Packing::Zstd) => Some("packed with zstd"),
        Kind::Packed(Packing::Xz) => Some("packed with xz"),
        Kind::Packed(Packing::Bzip2) => Some("packed with bzip2"),
        Kind::Tar => Some("a tar archive"),
        Kind::Zip => Some("a zip archive"),
        Kind::Utf16(_) => Some("UTF-16 text"),
        Kind::Foreign(foreign) => Some(foreign.what()),
        Kind::Text => None,
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
        assert!(matches!(directory, DumpError::Open { .. }), "{directory}");
    }
}
