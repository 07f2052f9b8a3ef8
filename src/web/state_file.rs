//! Small JSON files of the state directory: users, tokens, when tokens were used. Only their owner can read them, and each is
//! written as a whole or not at all. Below `auth` and `sign_in`.

use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The content of the file; none if the file does not exist.
///
/// # Errors
/// When it cannot be read, or is not of this form.
pub(super) fn read<T: DeserializeOwned>(path: &Path) -> std::io::Result<Option<T>> {
    match std::fs::read(path) {
        Ok(text) => Ok(Some(serde_json::from_slice(&text)?)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Writes the file `name` of the directory `state`, which is made where it is missing.
///
/// # Errors
/// When it cannot be written; the file is then as it was.
pub(super) fn write<T: Serialize>(state: &Path, name: &str, content: &T) -> std::io::Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(state)?;
    let new = state.join(format!("{name}.new"));
    // Left over from a crash; it would keep its mode.
    let _absent = std::fs::remove_file(&new);
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
    serde_json::to_writer_pretty(&mut file, content)?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    std::fs::rename(&new, state.join(name))?;
    // The rename itself must outlive a power cut: a revoked token must not come back.
    std::fs::File::open(state)?.sync_all()
}
