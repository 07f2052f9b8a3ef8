//! [`pull`]: a checkpoint of the hub becomes a model directory, whole and loaded once, or nothing is written.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use indicatif::ProgressBar;
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::cache::digest;
use super::convert::pickle_to_safetensors;
use super::download::{Source, fetch};
use super::listing::{Listing, RemoteFile};
use super::selection::{
    CONFIG, INDEX, PICKLE, TOKENIZER, TOKENIZER_CONFIG, VOCABULARY, WEIGHTS, Weights, is_terms, shards, small_files,
};
use super::wordpiece::tokenizer;
use super::{Hub, HubError, RepoName};
use crate::LabError;
use crate::model_dir::{Staging, refuse_other_things};
use vigie_reading::classify::{DistilBertClassifier, Encoder, Label, Manifest, ModelError, Origin, Pooling};

/// What is pulled, and where to.
#[derive(Debug, Clone, Copy)]
pub struct Pull<'a> {
    pub name: &'a RepoName,
    /// The model directory that is written, or replaced, once everything went well.
    pub to: &'a Path,
    /// Replaces another model that is there.
    pub force: bool,
}

/// What a checkpoint can do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Kind {
    /// Reads sentiment as it is; its own classes, in the order of its head.
    Classifier { labels: Vec<Label> },
    /// Needs a head; `because` says what is wrong with one that came along.
    Encoder { because: Option<String> },
}

/// One file of the model directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PulledFile {
    pub name: String,
    pub bytes: u64,
    pub sha256: String,
}

/// A model as it was pulled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Pulled {
    pub dir: PathBuf,
    /// As [`Manifest::model_id`].
    pub id: String,
    pub repo: String,
    pub revision: String,
    pub commit: String,
    pub licence: String,
    #[serde(flatten)]
    pub kind: Kind,
    pub files: Vec<PulledFile>,
    /// What was made here and not by the checkpoint's authors.
    pub notes: Vec<String>,
}

/// Fetches the files that are needed, checks each, and writes the model directory. `progress` counts bytes.
pub fn pull(hub: &Hub, pull: Pull<'_>, progress: &ProgressBar) -> Result<Pulled, HubError> {
    let Pull { name, to, force } = pull;
    let id = to.file_name().map(|name| name.to_string_lossy().into_owned()).ok_or_else(|| {
        let cause =
            io::Error::new(io::ErrorKind::InvalidInput, "no name for a directory: wanted one such as models/ID");
        HubError::io(to, 0, cause)
    })?;
    refuse_other_things(to).map_err(of_lab)?;
    let listing = hub.listing(name)?;
    refuse_other_models(to, name, &listing, force)?;
    let source = Source { hub, name, listing: &listing };
    let config = fetch(source, needed(&listing, CONFIG)?, progress)?;
    let config = Config::read(name, &config)?;
    let files = needed_files(source, progress)?;
    progress.set_length(files.iter().map(|file| file.size).sum());
    progress.set_position(0);

    let mut blobs = Vec::new();
    for file in &files {
        progress.set_message(file.name.clone());
        blobs.push((file.name.as_str(), fetch(source, file, progress)?));
    }
    let staging = Staging::empty(to).map_err(of_lab)?;
    let dir = staging.dir();
    let notes = lay_out(&dir, &blobs)?;
    let kind = kind_of(&dir, &config)?;
    let made = notes.iter().map(|note| format!("; {note}")).collect::<String>();
    let origin = Origin {
        name: listing.repo.clone(),
        origin: format!("{}/{} at {}{made}", hub.endpoint(), listing.repo, listing.commit),
        licence: listing.licence.clone(),
    };
    let manifest = write_manifest(&dir, &id, &config, &kind, origin)?;
    let files = files_of(&dir, &manifest)?;
    staging.promote().map_err(of_lab)?;
    let Listing { repo, commit, licence, .. } = listing;
    let (dir, id, revision) = (to.to_path_buf(), manifest.model_id(), name.revision.clone());
    Ok(Pulled { dir, id, repo, revision, commit, licence, kind, files, notes })
}

/// What of `config.json` decides here; the loader reads and checks the rest.
struct Config {
    max_tokens: usize,
    /// By row of the head, where all three are told.
    labels: Option<Vec<Label>>,
}

impl Config {
    /// Refuses other architectures before their weights are fetched.
    fn read(name: &RepoName, path: &Path) -> Result<Self, HubError> {
        let json = fs::read(path).map_err(|cause| HubError::io(path, 0, cause))?;
        let json: Value = serde_json::from_slice(&json).unwrap_or_default();
        let found = json["model_type"].as_str().unwrap_or("none");
        if found != "distilbert" {
            let found = found.chars().filter(|c| !c.is_control()).take(40).collect();
            return Err(HubError::Architecture { repo: name.repo.clone(), found });
        }
        let limit = json["max_position_embeddings"].as_u64().unwrap_or(512);
        let row = |index: usize| json["id2label"][index.to_string()].as_str();
        let named: Option<Vec<Label>> = (0..3).map(|index| Label::parse(row(index)?)).collect();
        Ok(Self { max_tokens: usize::try_from(limit).unwrap_or(512), labels: named })
    }
}

fn needed<'a>(listing: &'a Listing, name: &'static str) -> Result<&'a RemoteFile, HubError> {
    let hint = "a checkpoint of transformers has one beside its weights";
    listing.file(name).ok_or_else(|| HubError::Lacks { repo: listing.repo.clone(), wanted: name, hint })
}

/// All of them, the weights last.
fn needed_files<'a>(source: Source<'a>, progress: &ProgressBar) -> Result<Vec<&'a RemoteFile>, HubError> {
    let listing = source.listing;
    let weights = Weights::of(listing)?;
    let mut files = vec![needed(listing, CONFIG)?];
    files.extend(small_files(listing)?);
    match weights {
        Weights::Single => files.push(needed(listing, WEIGHTS)?),
        Weights::Pickle => files.push(needed(listing, PICKLE)?),
        Weights::Sharded => {
            let index = needed(listing, INDEX)?;
            let path = fetch(source, index, progress)?;
            let json = fs::read(&path).map_err(|cause| HubError::io(&path, 0, cause))?;
            files.push(index);
            files.extend(shards(listing, &json)?);
        }
    }
    Ok(files)
}

/// A model is replaced by its own next version only, unless forced.
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
        // An empty directory is nobody's.
        _ if fs::read_dir(to).is_ok_and(|mut entries| entries.next().is_none()) => return Ok(()),
        _ => "a model without a manifest.json".to_owned(),
    };
    Err(HubError::OtherModel { path: to.to_path_buf(), found })
}

/// A head that was fitted to the encoder since is somebody's work.
fn is_as_pulled(manifest: &Manifest) -> bool {
    manifest.training.is_null()
}

/// Puts the files in `dir`, and makes what the checkpoint lacks. Gives what was made.
fn lay_out(dir: &Path, blobs: &[(&str, PathBuf)]) -> Result<Vec<String>, HubError> {
    let mut notes = Vec::new();
    let blob = |wanted: &str| blobs.iter().find(|(name, _)| *name == wanted).map(|(_, path)| path);
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
            _ => place(path, &to, name)?,
        }
    }
    Ok(notes)
}

/// Weights share their place on the disk with the cache where that is possible; what people edit does not.
fn place(blob: &Path, to: &Path, name: &str) -> Result<(), HubError> {
    if name.ends_with(".safetensors") && fs::hard_link(blob, to).is_ok() {
        return Ok(());
    }
    let copied = || io::copy(&mut fs::File::open(blob)?, &mut fs::File::create(to)?);
    let size = fs::metadata(blob).map_or(0, |metadata| metadata.len());
    copied().map(|_| ()).map_err(|cause| HubError::io(to, size, cause))
}

/// By loading it, as the daemon or a fit will.
fn kind_of(dir: &Path, config: &Config) -> Result<Kind, HubError> {
    let because = match DistilBertClassifier::load(dir) {
        Ok(_) => {
            let own = config.labels.clone();
            return Ok(Kind::Classifier { labels: own.unwrap_or_else(|| Label::ALL.to_vec()) });
        }
        Err(ModelError::NoHead { .. }) => None,
        Err(ModelError::Labels { found, .. }) => Some(format!("its own classes are {found}")),
        Err(error) => return Err(error.into()),
    };
    Encoder::load(dir)?;
    Ok(Kind::Encoder { because })
}

fn write_manifest(dir: &Path, id: &str, config: &Config, kind: &Kind, origin: Origin) -> Result<Manifest, HubError> {
    let pooling = match kind {
        Kind::Classifier { .. } => Pooling::Cls,
        Kind::Encoder { .. } => Pooling::Mean,
    };
    let id: String = id.chars().map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' }).collect();
    let mut manifest = Manifest::new(&id, pooling, config.max_tokens, origin);
    if let (Kind::Classifier { .. }, Some(labels)) = (kind, &config.labels) {
        manifest.labels.clone_from(labels);
    }
    manifest.write(dir)?;
    Ok(manifest)
}

/// Every file but the manifest, terms too.
fn files_of(dir: &Path, manifest: &Manifest) -> Result<Vec<PulledFile>, HubError> {
    let entries = fs::read_dir(dir).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let mut files = Vec::new();
    for entry in entries.map_err(|cause| HubError::io(dir, 0, cause))? {
        let (name, path) = (entry.file_name().to_string_lossy().into_owned(), entry.path());
        let of_terms = || digest(&mut fs::File::open(&path)?, Sha256::new());
        let sha256 = match manifest.files.get(&name) {
            Some(sha256) => sha256.clone(),
            None if is_terms(&name) => of_terms().map_err(|cause| HubError::io(&path, 0, cause))?,
            None => continue,
        };
        let bytes = entry.metadata().map_err(|cause| HubError::io(&path, 0, cause))?.len();
        files.push(PulledFile { name, bytes, sha256 });
    }
    files.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(files)
}

fn of_lab(error: LabError) -> HubError {
    match error {
        LabError::NotAModel { path, found } => HubError::NotAModel { path, found },
        LabError::Io { path, cause } => HubError::io(&path, 0, cause),
        LabError::Model(error) => error.into(),
        other => HubError::Io { path: PathBuf::new(), cause: io::Error::other(other) },
    }
}
