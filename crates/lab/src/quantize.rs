//! [`quantize`]: a copy of a model whose weights take 8 bits, checked against the model on posts.

use std::path::Path;

use serde::Serialize;
use vigie_reading::classify::{
    Agreement, EncoderClassifier, Manifest, ModelError, ModelRegistry, PROBE_TEXTS, Precision, Probes, classify_texts,
    quantize_tensors,
};

use super::LabError;
use super::model_dir::Staging;

/// What 8 bits cost and save.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct QuantizeReport {
    /// Of the new model.
    pub id: String,
    /// Of the weights, before and after.
    pub bytes: [u64; 2],
    /// With the model before; both compute in f32.
    #[serde(flatten)]
    pub agreement: Agreement,
}

/// Writes the model in `from`, or the champion of a registry, to `out` with its weights in 8 bits, and compares both on `texts`,
/// or on built-in ones if there are none.
///
/// The manifest keeps its metrics and the answers of the weights before, with which `auto` compares a faster precision.
///
/// # Errors
/// When the model has no manifest or cannot be loaded, or `out` holds other files.
pub fn quantize(from: &Path, out: &Path, texts: &[&str]) -> Result<QuantizeReport, LabError> {
    let from = &ModelRegistry::resolve(from)?;
    let mut manifest = Manifest::read(from)?.ok_or_else(|| ModelError::Missing { path: from.join("manifest.json") })?;
    let texts = if texts.is_empty() { &PROBE_TEXTS } else { texts };
    let mut before = EncoderClassifier::load_with(from, Precision::F32)?;
    if manifest.probes.is_none() {
        manifest.probes = Some(Probes::measure(&mut before, &PROBE_TEXTS)?);
    }
    let expected = classify_texts(&mut before, texts)?;
    drop(before);

    let staging = Staging::copy_model(from, out)?;
    let bytes = quantize_files(&staging)?;
    manifest.write(&staging.dir())?;
    let found = classify_texts(&mut EncoderClassifier::load_with(&staging.dir(), Precision::F32)?, texts)?;
    staging.promote()?;

    Ok(QuantizeReport { id: manifest.model_id(), bytes, agreement: Agreement::between(&expected, &found) })
}

/// Replaces the weights in the directory. Returns their size before and after.
fn quantize_files(staging: &Staging) -> Result<[u64; 2], LabError> {
    let config = read(&staging.dir().join("config.json"))?;
    let mut sizes = [0; 2];
    for name in staging.weights()? {
        let path = staging.dir().join(name);
        let before = read(&path)?;
        let after = quantize_tensors(&path, &before, &config)?;
        std::fs::write(&path, &after).map_err(|cause| LabError::Io { path, cause })?;
        sizes[0] += before.len() as u64;
        sizes[1] += after.len() as u64;
    }
    Ok(sizes)
}

fn read(path: &Path) -> Result<Vec<u8>, LabError> {
    std::fs::read(path).map_err(|cause| LabError::Io { path: path.to_path_buf(), cause })
}
