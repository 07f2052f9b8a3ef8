//! [`Archive`]: a zip or tar archive as a sequence of files.

use std::fs::File;
use std::io::{self, Read, Seek};

use super::parts::OpenAgain;
use super::tar::TarMembers;
use super::unpack::UnpackError;
use super::zip::ZipMembers;

/// Largest archive inside another one that is copied to the temp directory: a small file can hold a huge one.
const MAX_SPOOLED_INNER_BYTES: u64 = 4 << 30;

/// A file in an archive.
pub(super) struct Member {
    /// In the archive.
    pub(super) path: String,
    pub(super) bytes: io::Result<Box<dyn Read + Send>>,
    pub(super) again: Option<OpenAgain>,
}

/// An open archive.
pub(super) struct Archive {
    /// In errors.
    pub(super) name: String,
    /// Packings and archives around its files.
    pub(super) depth: usize,
    pub(super) members: Members,
}

pub(super) enum Members {
    Tar(TarMembers),
    Zip(Box<ZipMembers>),
}

impl Archive {
    pub(super) fn next(&mut self) -> io::Result<Option<Member>> {
        match &mut self.members {
            Members::Tar(members) => members.next(),
            Members::Zip(members) => members.next(),
        }
    }
}

/// Copies a zip archive that is not a file on disk to a temporary one, which is deleted when it is closed. `inner`: it comes
/// out of a packing or an archive.
pub(super) fn spool(mut bytes: impl Read, inner: bool) -> io::Result<File> {
    let mut file = tempfile::tempfile().map_err(UnpackError::Spool)?;
    let limit = if inner { MAX_SPOOLED_INNER_BYTES } else { u64::MAX };
    let mut buffer = vec![0; 1 << 16];
    let mut copied = 0;
    loop {
        let read = match bytes.read(&mut buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            other => other?,
        };
        let Some(chunk) = buffer.get(..read).filter(|chunk| !chunk.is_empty()) else { break };
        copied += read as u64;
        if copied > limit {
            let too_large = io::Error::other(format!("it holds an archive above {} GiB", limit >> 30));
            return Err(UnpackError::Spool(too_large).into());
        }
        io::Write::write_all(&mut file, chunk).map_err(UnpackError::Spool)?;
    }
    file.rewind().map_err(UnpackError::Spool)?;
    Ok(file)
}
