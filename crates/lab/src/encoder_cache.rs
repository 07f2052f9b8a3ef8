//! [`Features`]: the encoder's pooled vectors of a dataset, kept on disk so that a second fit takes seconds.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use indicatif::ProgressBar;
use sha2::{Digest, Sha256};

use super::{Dataset, LabError};
use vigie_reading::classify::{Encoder, Manifest};

/// Texts encoded in one call. Part of the result's bits, as a text's batch decides its rounding.
const CALL: usize = 2048;

/// An encoder and the cache of what it said.
pub(super) struct Features<'a> {
    encoder: Encoder,
    /// What the manifest calls the model, or its directory's path where it has none.
    name: String,
    /// Identifies everything about the encoder that its vectors depend on.
    key: String,
    cache: Option<&'a Path>,
    progress: &'a ProgressBar,
}

impl<'a> Features<'a> {
    /// Loads the encoder of `dir`, which `manifest` describes.
    pub(super) fn load(
        dir: &Path,
        manifest: &Manifest,
        cache: Option<&'a Path>,
        progress: &'a ProgressBar,
    ) -> Result<Self, LabError> {
        let Manifest { pooling, max_tokens, files, .. } = manifest;
        let key = format!("features 1, calls of {CALL}: {pooling:?} {max_tokens} {files:?}\n");
        Ok(Self { encoder: Encoder::load(dir)?, name: manifest.model_id(), key, cache, progress })
    }

    /// Loads the encoder of `dir`. Without a manifest, which tells one encoder from another, nothing is cached.
    pub(super) fn open(dir: &Path, cache: Option<&'a Path>, progress: &'a ProgressBar) -> Result<Self, LabError> {
        match Manifest::read(dir)? {
            Some(manifest) => Self::load(dir, &manifest, cache, progress),
            None => {
                let name = dir.display().to_string();
                Ok(Self { encoder: Encoder::load(dir)?, name, key: String::new(), cache: None, progress })
            }
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Values a text.
    pub(super) fn width(&self) -> usize {
        self.encoder.width()
    }

    /// Row-major `[posts, width]`.
    pub(super) fn of(&self, dataset: &Dataset) -> Result<Vec<f32>, LabError> {
        let file = self.cache.map(|dir| dir.join(self.file_name(dataset)));
        if let Some(kept) = file.as_deref().and_then(|file| self.kept(file, dataset)) {
            self.progress.inc(dataset.posts.len() as u64);
            return Ok(kept);
        }
        let mut features = Vec::with_capacity(dataset.posts.len() * self.width());
        for texts in dataset.texts().chunks(CALL) {
            features.extend(self.encoder.encode(texts)?);
            self.progress.inc(texts.len() as u64);
        }
        if let Some(file) = file {
            keep(&file, &features).map_err(|cause| LabError::Io { path: file, cause })?;
        }
        Ok(features)
    }

    fn file_name(&self, dataset: &Dataset) -> PathBuf {
        let mut hasher = Sha256::new();
        hasher.update(&self.key);
        for text in dataset.texts() {
            hasher.update(text);
            hasher.update([0]);
        }
        let digest = hasher.finalize();
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{hex}.f32").into()
    }

    /// What the cache has; `None` where that is not a vector for every post.
    fn kept(&self, file: &Path, dataset: &Dataset) -> Option<Vec<f32>> {
        let bytes = fs::read(file).ok()?;
        let (values, rest) = bytes.as_chunks::<4>();
        let whole = rest.is_empty() && values.len() == dataset.posts.len() * self.width();
        whole.then(|| values.iter().map(|value| f32::from_le_bytes(*value)).collect())
    }
}

/// Writes beside and renames: a killed fit must not leave half a file under a valid name.
fn keep(file: &Path, features: &[f32]) -> std::io::Result<()> {
    let dir = file.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(dir)?;
    let mut half = tempfile::NamedTempFile::new_in(dir)?;
    let bytes: Vec<u8> = features.iter().flat_map(|value| value.to_le_bytes()).collect();
    half.write_all(&bytes)?;
    half.persist(file)?;
    Ok(())
}
