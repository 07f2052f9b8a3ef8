//! [`EncoderCache`]: the encoder's pooled vectors of a dataset, cached on disk so that a second fit takes seconds.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use indicatif::ProgressBar;
use sha2::{Digest, Sha256};

use super::{Dataset, LabError};
use vigie_reading::classify::{Encoder, Manifest};

/// Texts encoded in one call. The batch of a text decides its rounding, so this is part of the result's bits.
const TEXTS_PER_CALL: usize = 2048;

/// An encoder and the cache of its output.
pub(super) struct EncoderCache<'a> {
    encoder: Encoder,
    /// The model's id in the manifest, or the path of its directory if it has none.
    name: String,
    /// Identifies everything about the encoder that its vectors depend on.
    key: String,
    cache: Option<&'a Path>,
    progress: &'a ProgressBar,
}

impl<'a> EncoderCache<'a> {
    /// Loads the encoder of `dir`, which `manifest` describes.
    pub(super) fn load(
        dir: &Path,
        manifest: &Manifest,
        cache: Option<&'a Path>,
        progress: &'a ProgressBar,
    ) -> Result<Self, LabError> {
        let Manifest { pooling, max_tokens, files, .. } = manifest;
        let key = format!("features 1, calls of {TEXTS_PER_CALL}: {pooling:?} {max_tokens} {files:?}\n");
        Ok(Self { encoder: Encoder::load(dir)?, name: manifest.model_id(), key, cache, progress })
    }

    /// Loads the encoder of `dir`. Without a manifest nothing is cached: nothing else identifies an encoder.
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

    /// Values per text.
    pub(super) fn width(&self) -> usize {
        self.encoder.width()
    }

    /// Row-major `[posts, width]`, from the cache if it has them.
    pub(super) fn encode(&self, dataset: &Dataset) -> Result<Vec<f32>, LabError> {
        let file = self.cache.map(|dir| dir.join(self.file_name(dataset)));
        if let Some(cached) = file.as_deref().and_then(|file| self.read_cached(file, dataset)) {
            self.progress.inc(dataset.posts.len() as u64);
            return Ok(cached);
        }
        let features = self.encode_uncached(dataset)?;
        if let Some(file) = file {
            write_atomically(&file, &features).map_err(|cause| LabError::Io { path: file, cause })?;
        }
        Ok(features)
    }

    /// As [`EncoderCache::encode`], without a look at the cache.
    pub(super) fn encode_uncached(&self, dataset: &Dataset) -> Result<Vec<f32>, LabError> {
        let mut features = Vec::with_capacity(dataset.posts.len() * self.width());
        for texts in dataset.texts().chunks(TEXTS_PER_CALL) {
            features.extend(self.encoder.encode(texts)?);
            self.progress.inc(texts.len() as u64);
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

    /// The cached vectors; `None` if the file does not hold one vector per post.
    fn read_cached(&self, file: &Path, dataset: &Dataset) -> Option<Vec<f32>> {
        let bytes = fs::read(file).ok()?;
        let (values, rest) = bytes.as_chunks::<4>();
        let whole = rest.is_empty() && values.len() == dataset.posts.len() * self.width();
        whole.then(|| values.iter().map(|value| f32::from_le_bytes(*value)).collect())
    }
}

/// Writes a temporary file and renames it: a killed fit must not leave half a file under a valid name.
fn write_atomically(file: &Path, features: &[f32]) -> std::io::Result<()> {
    let dir = file.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(dir)?;
    let mut temporary = tempfile::NamedTempFile::new_in(dir)?;
    let bytes: Vec<u8> = features.iter().flat_map(|value| value.to_le_bytes()).collect();
    temporary.write_all(&bytes)?;
    temporary.persist(file)?;
    Ok(())
}
