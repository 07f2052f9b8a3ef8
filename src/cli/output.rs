//! [`Output`]: a file that a command writes completely or not at all.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// The file is written under a temporary name first, so that a killed command leaves no partial file.
pub(super) enum Output {
    Temporary {
        part: NamedTempFile,
        target: PathBuf,
    },
    /// A device or a pipe: it cannot be replaced.
    Direct(File),
}

impl Output {
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        // Follow a link, so that its target is replaced and not the link.
        let target = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        if target.metadata().is_ok_and(|metadata| !metadata.is_file()) {
            return Ok(Self::Direct(File::options().write(true).open(target)?));
        }
        let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        let part = tempfile::Builder::new().prefix(&format!(".{name}.")).suffix(".part").tempfile_in(folder)?;
        Ok(Self::Temporary { part, target })
    }

    pub(super) fn file(&mut self) -> &mut File {
        match self {
            Self::Temporary { part, .. } => part.as_file_mut(),
            Self::Direct(file) => file,
        }
    }

    pub(super) fn keep(self) -> io::Result<()> {
        if let Self::Temporary { part, target } = self {
            part.as_file().sync_all()?;
            part.persist(target)?;
        }
        Ok(())
    }
}
