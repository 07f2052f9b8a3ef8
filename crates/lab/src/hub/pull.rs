//! [`pull`]: turns a checkpoint of the Hub into a model directory, complete and loaded once; otherwise nothing is
//! written.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use indicatif::ProgressBar;
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::cache::digest;
use super::convert::pickle_to_safetensors;
use super::download::{DownloadSource, fetch};
use super::listing::{Listing, RemoteFile};
use super::selection::{
    CONFIG, INDEX, PICKLE, TOKENIZER, TOKENIZER_CONFIG, VOCABULARY, WEIGHTS, WeightsFormat, is_licence_file, shards,
    small_files,
};
use super::wordpiece::tokenizer;
use super::{Hub, HubError, RepoName};
use crate::LabError;
use crate::model_dir::{Staging, refuse_foreign_files};
use vigie_reading::classify::{
    Encoder, EncoderClassifier, Label, Manifest, ModelError, Origin, Pooling, Precision, add_probes, max_tokens,
};

/// What to pull, and where to.
#[derive(Debug, Clone, Copy)]
pub struct PullOptions<'a> {
    pub name: &'a RepoName,
    /// The model directory to write, or to replace, once everything succeeded.
    pub to: &'a Path,
    /// Replace another model in the directory.
    pub force: bool,
}

/// What a checkpoint can be used for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum CheckpointKind {
    /// Classifies sentiment as is, with its own classes in the order of its head.
    Classifier { labels: Vec<Label> },
    /// Needs a head; `unusable_head` says why its own head cannot be used, if it has one.
    Encoder { unusable_head: Option<String> },
}

/// One file of the model directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PulledFile {
    pub name: String,
    pub bytes: u64,
    pub sha256: String,
}

/// The result of [`pull`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PulledModel {
    pub dir: PathBuf,
    /// See [`Manifest::model_id`].
    pub id: String,
    pub repo: String,
    pub revision: String,
    pub commit: String,
    pub licence: String,
    #[serde(flatten)]
    pub kind: CheckpointKind,
    pub files: Vec<PulledFile>,
    /// Files made by vigie and not by the checkpoint's authors.
    pub notes: Vec<String>,
}

/// Downloads the needed files, verifies each, and writes the model directory. `progress` counts bytes.
pub fn pull(hub: &Hub, options: PullOptions<'_>, progress: &ProgressBar) -> Result<PulledModel, HubError> {
    let PullOptions { name, to, force } = options;
    let id = to.file_name().map(|name| name.to_string_lossy().into_owned()).ok_or_else(|| {
        let cause = io::Error::new(io::ErrorKind::InvalidInput, "not a directory name; expected e.g. models/ID");
        HubError::io(to, 0, cause)
    })?;
    refuse_foreign_files(to).map_err(into_hub_error)?;
    let listing = hub.listing(name)?;
    refuse_other_models(to, name, &listing, force)?;
    let source = DownloadSource { hub, name, listing: &listing };
    let config = fetch(source, required_file(&listing, CONFIG)?, progress)?;
    let config = CheckpointConfig::read(name, &config)?;
    let files = required_files(source, progress)?;
    progress.set_length(files.iter().map(|file| file.size).sum());
    progress.set_position(0);

    let mut blobs = Vec::new();
    for file in &files {
        progress.set_message(file.name.clone());
        blobs.push((file.name.as_str(), fetch(source, file, progress)?));
    }
    let staging = Staging::empty(to).map_err(into_hub_error)?;
    let dir = staging.dir();
    let notes = write_files(&dir, &blobs)?;
    let kind = detect_kind(&dir, &config)?;
    let made_here = notes.iter().map(|note| format!("; {note}")).collect::<String>();
    let origin = Origin {
        name: listing.repo.clone(),
        origin: format!("{}/{} at {}{made_here}", hub.endpoint(), listing.repo, listing.commit),
        licence: listing.licence.clone(),
    };
    let manifest = write_manifest(&dir, &id, &config, &kind, origin)?;
    let files = list_files(&dir, &manifest)?;
    staging.promote().map_err(into_hub_error)?;
    let Listing { repo, commit, licence, .. } = listing;
    let (dir, id, revision) = (to.to_path_buf(), manifest.model_id(), name.revision.clone());
    Ok(PulledModel { dir, id, repo, revision, commit, licence, kind, files, notes })
}

/// The part of `config.json` that matters here; the loader reads and checks the rest.
struct CheckpointConfig {
    /// By row of the head, if all three are named.
    labels: Option<Vec<Label>>,
}

impl CheckpointConfig {
    /// Rejects other architectures before their weights are downloaded.
    fn read(name: &RepoName, path: &Path) -> Result<Self, HubError> {
        let json = fs::read(path).map_err(|cause| HubError::io(path, 0, cause))?;
        let json: Value = serde_json::from_slice(&json).unwrap_or_default();
        let found = json["model_type"].as_str().unwrap_or("none");
        if !["distilbert", "bert", "roberta", "xlm-roberta"].contains(&found) {
            let found = found.chars().filter(|c| !c.is_control()).take(40).collect();
            return Err(HubError::Architecture { repo: name.repo.clone(), found });
        }
        let row = |index: usize| json["id2label"][index.to_string()].as_str();
        let named: Option<Vec<Label>> = (0..3).map(|index| Label::parse(row(index)?)).collect();
        Ok(Self { labels: named })
    }
}

fn required_file<'a>(listing: &'a Listing, name: &'static str) -> Result<&'a RemoteFile, HubError> {
    let hint = "a checkpoint of transformers has one next to its weights";
    listing.file(name).ok_or_else(|| HubError::MissingFile { repo: listing.repo.clone(), missing: name, hint })
}

/// All of them, the weights last.
fn required_files<'a>(source: DownloadSource<'a>, progress: &ProgressBar) -> Result<Vec<&'a RemoteFile>, HubError> {
    let listing = source.listing;
    let weights = WeightsFormat::detect(listing)?;
    let mut files = vec![required_file(listing, CONFIG)?];
    files.extend(small_files(listing)?);
    match weights {
        WeightsFormat::Single => files.push(required_file(listing, WEIGHTS)?),
        WeightsFormat::Pickle => files.push(required_file(listing, PICKLE)?),
        WeightsFormat::Sharded => {
            let index = required_file(listing, INDEX)?;
            let path = fetch(source, index, progress)?;
            let json = fs::read(&path).map_err(|cause| HubError::io(&path, 0, cause))?;
            files.push(index);
            files.extend(shards(listing, &json)?);
        }
    }
    Ok(files)
}

/// Without `force`, a model is replaced only by another version of itself.
fn refuse_other_models(to: &Path, name: &RepoName, listing: &Listing, force: bool) -> Result<(), HubError> {
    if force || !to.exists() {
        return Ok(());
    }
    let found = match Manifest::read(to) {
        Ok(Some(manifest))
            if [&listing.repo, &name.repo].contains(&&manifest.encoder.name) && is_as_pulled(&manifest) =>
        {
            return Ok(());
        }
        Ok(Some(manifest)) => manifest.id,
        // An empty directory may be used.
        _ if fs::read_dir(to).is_ok_and(|mut entries| entries.next().is_none()) => return Ok(()),
        _ => "a model without a manifest.json".to_owned(),
    };
    Err(HubError::OtherModel { path: to.to_path_buf(), found })
}

/// A head fitted to the encoder since the pull is the user's work.
fn is_as_pulled(manifest: &Manifest) -> bool {
    manifest.training.is_null()
}

/// Writes the files into `dir`, and makes those that the checkpoint lacks. Returns notes on what was made.
fn write_files(dir: &Path, blobs: &[(&str, PathBuf)]) -> Result<Vec<String>, HubError> {
    let mut notes = Vec::new();
    let blob = |name: &str| blobs.iter().find(|(blob, _)| *blob == name).map(|(_, path)| path);
    let read = |path: &PathBuf| fs::read(path).map_err(|cause| HubError::io(path, 0, cause));
    for (name, path) in blobs {
        let to = dir.join(name);
        match *name {
            PICKLE => {
                pickle_to_safetensors(path, &dir.join(WEIGHTS))?;
                notes.push(format!("{WEIGHTS} made from {PICKLE} by vigie"));
            }
            VOCABULARY => {
                let config = blob(TOKENIZER_CONFIG).map(read).transpose()?;
                let made = tokenizer(Path::new(VOCABULARY), &read(path)?, config.as_deref())?;
                let saved = made.save(dir.join(TOKENIZER), false);
                saved.map_err(|error| HubError::io(&dir.join(TOKENIZER), 0, io::Error::other(error)))?;
                notes.push(format!("{TOKENIZER} made from {VOCABULARY} by vigie"));
            }
            TOKENIZER_CONFIG => {}
            _ => link_or_copy(path, &to, name)?,
        }
    }
    Ok(notes)
}

/// Weights share their disk space with the cache if possible; files that people edit do not.
fn link_or_copy(blob: &Path, to: &Path, name: &str) -> Result<(), HubError> {
    if name.ends_with(".safetensors") && fs::hard_link(blob, to).is_ok() {
        return Ok(());
    }
    let copied = || io::copy(&mut fs::File::open(blob)?, &mut fs::File::create(to)?);
    let size = fs::metadata(blob).map_or(0, |metadata| metadata.len());
    copied().map(|_| ()).map_err(|cause| HubError::io(to, size, cause))
}

/// Loads the model as the daemon or a fit will.
fn detect_kind(dir: &Path, config: &CheckpointConfig) -> Result<CheckpointKind, HubError> {
    let unusable_head = match EncoderClassifier::load_with(dir, Precision::F32) {
        Ok(_) => {
            let own = config.labels.clone();
            return Ok(CheckpointKind::Classifier { labels: own.unwrap_or_else(|| Label::ALL.to_vec()) });
        }
        Err(ModelError::NoHead { .. }) => None,
        Err(ModelError::Labels { found, .. }) => Some(format!("its own classes are {found}")),
        Err(error) => return Err(error.into()),
    };
    Encoder::load(dir)?;
    Ok(CheckpointKind::Encoder { unusable_head })
}

fn write_manifest(
    dir: &Path,
    id: &str,
    config: &CheckpointConfig,
    kind: &CheckpointKind,
    origin: Origin,
) -> Result<Manifest, HubError> {
    let pooling = match kind {
        CheckpointKind::Classifier { .. } => Pooling::Cls,
        CheckpointKind::Encoder { .. } => Pooling::Mean,
    };
    let id: String = id.chars().map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' }).collect();
    let mut manifest = Manifest::new(&id, pooling, max_tokens(dir)?, origin);
    if let (CheckpointKind::Classifier { .. }, Some(labels)) = (kind, &config.labels) {
        manifest.labels.clone_from(labels);
    }
    manifest.write(dir)?;
    if let CheckpointKind::Classifier { .. } = kind {
        add_probes(&mut manifest, dir)?;
    }
    Ok(manifest)
}

/// All files except the manifest, including licence and notices.
fn list_files(dir: &Path, manifest: &Manifest) -> Result<Vec<PulledFile>, HubError> {
    let entries = fs::read_dir(dir).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let mut files = Vec::new();
    for entry in entries.map_err(|cause| HubError::io(dir, 0, cause))? {
        let (name, path) = (entry.file_name().to_string_lossy().into_owned(), entry.path());
        let hash_file = || digest(&mut fs::File::open(&path)?, Sha256::new());
        let sha256 = match manifest.files.get(&name) {
            Some(sha256) => sha256.clone(),
            None if is_licence_file(&name) => hash_file().map_err(|cause| HubError::io(&path, 0, cause))?,
            None => continue,
        };
        let bytes = entry.metadata().map_err(|cause| HubError::io(&path, 0, cause))?.len();
        files.push(PulledFile { name, bytes, sha256 });
    }
    files.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(files)
}

fn into_hub_error(error: LabError) -> HubError {
    match error {
        LabError::NotAModel { path, found } => HubError::NotAModel { path, found },
        LabError::Io { path, cause } => HubError::io(&path, 0, cause),
        LabError::Model(error) => error.into(),
        other => HubError::Io { path: PathBuf::new(), cause: io::Error::other(other) },
    }
}
