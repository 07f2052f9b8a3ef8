//! Model directories as `fit` handles them: an encoder copied into a staging directory, and the finished one put in place.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::LabError;

/// Fitted, not copied.
const HEADS: [&str; 2] = ["head.safetensors", "reason_head.safetensors"];

/// A model directory in the making, beside the one it will replace, on the same file system.
pub(super) struct Staging {
    /// Removed when dropped, with whatever is left in it.
    parent: TempDir,
    out: PathBuf,
}

impl Staging {
    /// For a model that is to end up as `out`. Holds the encoder's files and licence, no head and no manifest.
    pub(super) fn of_encoder(encoder: &Path, out: &Path) -> Result<Self, LabError> {
        let staging = Self::empty(out)?;
        let dir = staging.dir();
        for name in file_names(encoder)?.iter().filter(|name| is_of_encoder(name)) {
            copy(&encoder.join(name), &dir.join(name))
                .map_err(|cause| LabError::Io { path: encoder.join(name), cause })?;
        }
        Ok(staging)
    }

    /// For a model that is to end up as `out`, of files still to be written.
    pub(super) fn empty(out: &Path) -> Result<Self, LabError> {
        refuse_other_things(out)?;
        let beside = out.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let made =
            fs::create_dir_all(beside).and_then(|()| tempfile::Builder::new().prefix(".fit-").tempdir_in(beside));
        let parent = made.map_err(|cause| LabError::Io { path: beside.to_path_buf(), cause })?;
        let staging = Self { parent, out: out.to_path_buf() };
        let dir = staging.dir();
        fs::create_dir(&dir).map_err(|cause| LabError::Io { path: dir, cause })?;
        Ok(staging)
    }

    pub(super) fn dir(&self) -> PathBuf {
        self.parent.path().join("model")
    }

    /// Puts the model in place by two renames; one that was there is put back should the second fail.
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
                let _ = fs::rename(&old, &self.out); // the first failure is the one to tell
            }
            fail(error)
        })
    }
}

/// The content alone: a downloaded checkpoint may be readable by its owner only.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    io::copy(&mut fs::File::open(from)?, &mut fs::File::create(to)?)?;
    Ok(())
}

/// To the disk, before the model they replace is gone.
fn sync(dir: &Path) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        fs::File::open(entry?.path())?.sync_all()?;
    }
    Ok(())
}

/// A typing error in `--out` must not cost a directory of other things.
pub(super) fn refuse_other_things(out: &Path) -> Result<(), LabError> {
    if !out.exists() {
        return Ok(());
    }
    let fitted = |name: &str| is_of_encoder(name) || HEADS.contains(&name) || name == "manifest.json";
    match file_names(out)?.into_iter().find(|name| !fitted(name)) {
        Some(found) => Err(LabError::NotAModel { path: out.to_path_buf(), found }),
        None => Ok(()),
    }
}

fn is_of_encoder(name: &str) -> bool {
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
            let staging = Staging::of_encoder(&from, &out).unwrap();
            fs::write(staging.dir().join("manifest.json"), "new").unwrap();
            staging.promote().unwrap();
            let wanted = ["LICENSE", "config.json", "manifest.json", "model.safetensors", "tokenizer.json"];
            assert_eq!(sorted_names(&out), wanted);
        }
        assert_eq!(sorted_names(&dir.path().join("models")), ["mine"], "nothing is left beside it");
    }

    #[test]
    fn a_directory_of_other_things_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let (from, out) = (dir.path().join("encoder"), dir.path().join("home"));
        encoder(&from);
        fs::create_dir(&out).unwrap();
        fs::write(out.join("thesis.tex"), "").unwrap();
        let message = Staging::of_encoder(&from, &out).err().unwrap().to_string();
        assert!(message.contains("home holds thesis.tex, which is no part of a model"), "{message}");
        assert!(out.join("thesis.tex").exists());
    }

    #[test]
    fn a_fit_that_fails_leaves_the_old_model_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let (from, out) = (dir.path().join("encoder"), dir.path().join("mine"));
        encoder(&from);
        encoder(&out);
        fs::remove_file(out.join("tf_model.h5")).unwrap();
        drop(Staging::of_encoder(&from, &out).unwrap());
        assert_eq!(sorted_names(dir.path()), ["encoder", "mine"]);
        assert!(out.join("head.safetensors").exists());
    }
}
