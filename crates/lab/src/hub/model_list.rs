//! [`list`]: the models in a directory, from their manifests and headers; nothing is loaded or hashed.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::Value;

use super::HubError;
use super::selection::{CONFIG, INDEX, TOKENIZER, WEIGHTS};
use vigie_reading::classify::{CHECKPOINT_HEADS, Label, Manifest, ModelRegistry};

const HEAD: &str = "head.safetensors";
/// In bytes, as in the `safetensors` crate.
const MAX_HEADER: u64 = 100_000_000;

/// What a model can be used for, as far as its files show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Readiness {
    /// Has a head.
    Ready,
    /// A head has to be fitted first.
    EncoderOnly,
    /// Something is missing or cannot be read.
    Broken { reason: String },
}

/// One model of the directory.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ModelEntry {
    pub dir: PathBuf,
    /// See [`Manifest::model_id`]; the directory's name without a manifest.
    pub id: String,
    pub labels: Vec<Label>,
    pub encoder: Option<String>,
    pub origin: Option<String>,
    pub licence: Option<String>,
    /// Total size of the files on disk.
    pub bytes: u64,
    pub champion: bool,
    pub readiness: Readiness,
    /// The main measure of each evaluation in the manifest.
    pub metrics: Vec<Metric>,
}

/// One evaluation in brief.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Metric {
    pub evaluation: String,
    pub measure: String,
    pub value: f64,
}

/// The models in the directories of `store`, by name; none if `store` does not exist.
pub fn list(store: &Path) -> Result<Vec<ModelEntry>, HubError> {
    let entries = match fs::read_dir(store) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.and_then(Iterator::collect::<io::Result<Vec<_>>>),
    };
    let entries = entries.map_err(|cause| HubError::io(store, 0, cause))?;
    let mut dirs: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).filter(|dir| is_model(dir)).collect();
    dirs.sort();
    let champion = champion(store);
    Ok(dirs.iter().map(|dir| entry(dir, champion.as_deref())).collect())
}

/// Hidden directories belong to other processes.
fn is_model(dir: &Path) -> bool {
    let hidden = dir.file_name().is_none_or(|name| name.to_string_lossy().starts_with('.'));
    !hidden && ["manifest.json", CONFIG].iter().any(|name| dir.join(name).is_file())
}

/// The directory of the champion. An unreadable one counts as none here: `verify` and loading report why.
fn champion(store: &Path) -> Option<String> {
    ModelRegistry::new(store).current_champion().ok().flatten().map(|promotion| promotion.model)
}

fn entry(dir: &Path, champion: Option<&str>) -> ModelEntry {
    let name = dir.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let (manifest, error) = match Manifest::read(dir) {
        Ok(manifest) => (manifest, None),
        Err(error) => (None, Some(error.to_string())),
    };
    let id = manifest.as_ref().map_or_else(|| name.clone(), Manifest::model_id);
    let readiness = error.map_or_else(|| readiness(dir, manifest.as_ref()), |reason| Readiness::Broken { reason });
    ModelEntry {
        champion: champion.is_some_and(|champion| champion == name),
        bytes: size(dir),
        labels: manifest.as_ref().map(|manifest| manifest.labels.clone()).unwrap_or_default(),
        encoder: manifest.as_ref().map(|manifest| manifest.encoder.name.clone()),
        origin: manifest.as_ref().map(|manifest| manifest.encoder.origin.clone()),
        licence: manifest.as_ref().map(|manifest| manifest.encoder.licence.clone()),
        metrics: manifest.map(|manifest| metrics(&manifest.metrics)).unwrap_or_default(),
        dir: dir.to_path_buf(),
        id,
        readiness,
    }
}

fn readiness(dir: &Path, manifest: Option<&Manifest>) -> Readiness {
    let broken = |reason: String| Readiness::Broken { reason };
    let has = |name: &str| dir.join(name).is_file();
    let listed = manifest.iter().flat_map(|manifest| manifest.files.keys()).map(String::as_str);
    if let Some(missing) = listed.chain([CONFIG, TOKENIZER]).find(|name| !has(name)) {
        return broken(format!("{missing} is missing"));
    }
    if has(HEAD) {
        return Readiness::Ready;
    }
    let own = if has(WEIGHTS) { has_tensor(&dir.join(WEIGHTS)) } else { is_indexed(&dir.join(INDEX)) };
    match own {
        Ok(true) => Readiness::Ready,
        Ok(false) => Readiness::EncoderOnly,
        Err(error) if error.kind() == io::ErrorKind::NotFound => broken(format!("{WEIGHTS} is missing")),
        Err(error) => broken(format!("its weights cannot be read: {error}")),
    }
}

fn has_tensor(weights: &Path) -> io::Result<bool> {
    let mut file = File::open(weights)?;
    let mut length = [0; 8];
    file.read_exact(&mut length)?;
    let mut header = Vec::new();
    file.take(u64::from_le_bytes(length).min(MAX_HEADER)).read_to_end(&mut header)?;
    let header: Value = serde_json::from_slice(&header)?;
    Ok(CHECKPOINT_HEADS.iter().any(|name| header.get(name).is_some()))
}

fn is_indexed(index: &Path) -> io::Result<bool> {
    let index: Value = serde_json::from_slice(&fs::read(index)?)?;
    Ok(CHECKPOINT_HEADS.iter().any(|name| index["weight_map"].get(name).is_some()))
}

fn size(dir: &Path) -> u64 {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.metadata().ok()).filter(fs::Metadata::is_file).map(|file| file.len()).sum()
}

/// The value of the main measure of every evaluation.
fn metrics(metrics: &Value) -> Vec<Metric> {
    let evaluations = metrics.as_object().into_iter().flatten();
    let brief = |(name, scores): (&String, &Value)| {
        let measure = scores["measure"].as_str()?;
        Some(Metric { evaluation: name.clone(), measure: measure.to_owned(), value: scores[measure].as_f64()? })
    };
    evaluations.filter_map(brief).collect()
}
