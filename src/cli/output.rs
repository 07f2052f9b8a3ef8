//! [`Output`]: a file that a command writes, whole or not at all.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// Where it is written: beside its place until it is whole, so that a killed run leaves no half file there.
pub(super) enum Output {
    Beside {
        part: NamedTempFile,
        place: PathBuf,
    },
    /// A device or a pipe, which cannot be replaced.
    Straight(File),
}

impl Output {
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        // A link is followed: what it points to is meant.
        let place = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        if place.metadata().is_ok_and(|metadata| !metadata.is_file()) {
            return Ok(Self::Straight(File::options().write(true).open(place)?));
        }
        let folder = place.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let name = place.file_name().unwrap_or_default().to_string_lossy();
        let part = tempfile::Builder::new().prefix(&format!(".{name}.")).suffix(".part").tempfile_in(folder)?;
        Ok(Self::Beside { part, place })
    }

    pub(super) fn file(&mut self) -> &mut File {
        match self {
            Self::Beside { part, .. } => part.as_file_mut(),
            Self::Straight(file) => file,
        }
    }

    pub(super) fn keep(self) -> io::Result<()> {
        if let Self::Beside { part, place } = self {
            part.as_file().sync_all()?;
            part.persist(place)?;
        }
        Ok(())
    }
}
