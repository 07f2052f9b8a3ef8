//! Model directories as `fit` and `pull` write them: files are staged in a temporary directory, and the finished model
//! is renamed into place.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::LabError;

/// Written by a fit, so never copied from the encoder.
const HEADS: [&str; 2] = ["head.safetensors", "reason_head.safetensors"];

/// A model directory being written, next to the one it will replace, on the same file system.
pub(super) struct Staging {
    /// Removed when dropped, with everything left in it.
    parent: TempDir,
    out: PathBuf,
}

impl Staging {
    /// For a model that will become `out`. Copies the encoder's files and licence, no head and no manifest.
    pub(super) fn copy_encoder(encoder: &Path, out: &Path) -> Result<Self, LabError> {
        let staging = Self::empty(out)?;
        let dir = staging.dir();
        for name in file_names(encoder)?.iter().filter(|name| belongs_to_encoder(name)) {
            copy(&encoder.join(name), &dir.join(name))
                .map_err(|cause| LabError::Io { path: encoder.join(name), cause })?;
        }
        Ok(staging)
    }

    /// For a model that will become `out`. Copies the encoder's files and licence and the heads, no manifest.
    pub(super) fn copy_model(model: &Path, out: &Path) -> Result<Self, LabError> {
        let staging = Self::copy_encoder(model, out)?;
        for name in HEADS.iter().filter(|name| model.join(name).is_file()) {
            copy(&model.join(name), &staging.dir().join(name))
                .map_err(|cause| LabError::Io { path: model.join(name), cause })?;
        }
        Ok(staging)
    }

    /// The files of the encoder's weights, relative to the directory.
    pub(super) fn weights(&self) -> Result<Vec<String>, LabError> {
        let weights = |name: &String| name.ends_with(".safetensors") && !HEADS.contains(&name.as_str());
        Ok(file_names(&self.dir())?.into_iter().filter(weights).collect())
    }

    /// For a model that will become `out`, whose files are still to be written.
    pub(super) fn empty(out: &Path) -> Result<Self, LabError> {
        refuse_foreign_files(out)?;
        let folder = out.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let made =
            fs::create_dir_all(folder).and_then(|()| tempfile::Builder::new().prefix(".fit-").tempdir_in(folder));
        let parent = made.map_err(|cause| LabError::Io { path: folder.to_path_buf(), cause })?;
        let staging = Self { parent, out: out.to_path_buf() };
        let dir = staging.dir();
        fs::create_dir(&dir).map_err(|cause| LabError::Io { path: dir, cause })?;
        Ok(staging)
    }

    pub(super) fn dir(&self) -> PathBuf {
        self.parent.path().join("model")
    }

    /// Puts the model in place by two renames; if the second fails, the former model is put back.
    pub(super) fn promote(self) -> Result<(), LabError> {
        let (new, old) = (self.dir(), self.parent.path().join("old"));
        let fail = |cause: io::Error| LabError::Io { path: self.out.clone(), cause };
        sync(&new).map_err(fail)?;
        let replaces = self.out.exists();
        if replaces {
            fs::rename(&self.out, &old).map_err(fail)?;
        }
        fs::rename(&new, &self.out).map_err(|error| {
            if replaces {
                let _ = fs::rename(&old, &self.out); // report the first failure
            }
            fail(error)
        })
    }
}

/// Copies the content alone: a downloaded checkpoint may be readable by its owner only.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    io::copy(&mut fs::File::open(from)?, &mut fs::File::create(to)?)?;
    Ok(())
}

/// Flushes to the disk before the model that this one replaces is removed.
fn sync(dir: &Path) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        fs::File::open(entry?.path())?.sync_all()?;
    }
    Ok(())
}

/// A typing error in `--out` must not cost a directory of other files.
pub(super) fn refuse_foreign_files(out: &Path) -> Result<(), LabError> {
    if !out.exists() {
        return Ok(());
    }
    let fitted = |name: &str| belongs_to_encoder(name) || HEADS.contains(&name) || name == "manifest.json";
    match file_names(out)?.into_iter().find(|name| !fitted(name)) {
        Some(found) => Err(LabError::NotAModel { path: out.to_path_buf(), found }),
        None => Ok(()),
    }
}

fn belongs_to_encoder(name: &str) -> bool {
    let weights = name.ends_with(".safetensors") || name.ends_with(".safetensors.index.json");
    let terms = name.starts_with("LICENSE") || name.starts_with("NOTICE");
    ["config.json", "tokenizer.json"].contains(&name) || terms || (weights && !HEADS.contains(&name))
}

fn file_names(dir: &Path) -> Result<Vec<String>, LabError> {
    let names = fs::read_dir(dir).and_then(|entries| {
        entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect::<io::Result<Vec<_>>>()
    });
    names.map_err(|cause| LabError::Io { path: dir.to_path_buf(), cause })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoder(dir: &Path) {
        fs::create_dir_all(dir).unwrap();
        for name in [
            "config.json",
            "tokenizer.json",
            "model.safetensors",
            "LICENSE",
            "head.safetensors",
            "reason_head.safetensors",
            "tf_model.h5",
        ] {
            fs::write(dir.join(name), name).unwrap();
        }
    }

    fn sorted_names(dir: &Path) -> Vec<String> {
        let mut names = file_names(dir).unwrap();
        names.sort();
        names
    }

    #[test]
    fn an_encoder_is_copied_without_its_head_and_replaces_the_old_model() {
        let dir = tempfile::tempdir().unwrap();
        let (from, out) = (dir.path().join("encoder"), dir.path().join("models/mine"));
        encoder(&from);
        for _ in 0..2 {
            let staging = Staging::copy_encoder(&from, &out).unwrap();
            fs::write(staging.dir().join("manifest.json"), "new").unwrap();
            staging.promote().unwrap();
            let expected = ["LICENSE", "config.json", "manifest.json", "model.safetensors", "tokenizer.json"];
            assert_eq!(sorted_names(&out), expected);
        }
        assert_eq!(sorted_names(&dir.path().join("models")), ["mine"], "no temporary directory is left");
    }

    #[test]
    fn a_directory_of_other_files_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let (from, out) = (dir.path().join("encoder"), dir.path().join("home"));
        encoder(&from);
        fs::create_dir(&out).unwrap();
        fs::write(out.join("thesis.tex"), "").unwrap();
        let message = Staging::copy_encoder(&from, &out).err().unwrap().to_string();
        assert!(message.contains("home holds thesis.tex, which is not part of a model"), "{message}");
        assert!(out.join("thesis.tex").exists());
    }

    #[test]
    fn a_fit_that_fails_leaves_the_old_model_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let (from, out) = (dir.path().join("encoder"), dir.path().join("mine"));
        encoder(&from);
        encoder(&out);
        fs::remove_file(out.join("tf_model.h5")).unwrap();
        drop(Staging::copy_encoder(&from, &out).unwrap());
        assert_eq!(sorted_names(dir.path()), ["encoder", "mine"]);
        assert!(out.join("head.safetensors").exists());
    }
}
