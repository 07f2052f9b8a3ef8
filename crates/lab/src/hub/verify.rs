//! [`verify`]: every file of a model directory against its manifest, each fault named, and a load.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::HubError;
use super::cache::digest;
use super::selection::is_terms;
use super::store::{Readiness, list};
use vigie_reading::classify::{DistilBertClassifier, Encoder, Manifest, ModelError};

const UNVERIFIABLE: &str = "no manifest.json: there are no hashes to check its files by";

/// What was found of one model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    pub dir: PathBuf,
    pub id: Option<String>,
    /// Files whose hash is that of the manifest.
    pub intact: usize,
    /// One line each; none where all is well.
    pub faults: Vec<String>,
    /// What it can be used for, if it loads.
    pub readiness: Readiness,
}

/// The model directories meant: each of `wanted` is a directory, or the id or name of a model in `store`; all of the
/// store's where none is named.
pub fn resolve(store: &Path, wanted: &[String]) -> Result<Vec<PathBuf>, HubError> {
    let entries = list(store)?;
    if wanted.is_empty() {
        return Ok(entries.into_iter().map(|entry| entry.dir).collect());
    }
    let found = |id: &String| {
        let named = |dir: &Path| dir.file_name().is_some_and(|name| name.to_string_lossy() == id.as_str());
        let entry = entries.iter().find(|entry| entry.id == *id || named(&entry.dir));
        if let Some(entry) = entry {
            return Ok(entry.dir.clone());
        }
        let dir = PathBuf::from(id);
        if dir.is_dir() {
            return Ok(dir);
        }
        let known: Vec<&str> = entries.iter().map(|entry| entry.id.as_str()).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        Err(HubError::NoModel { id: id.escape_debug().to_string(), store: store.to_path_buf(), known })
    };
    wanted.iter().map(found).collect()
}

/// Hashes every file of `dir`, and loads the model.
pub fn verify(dir: &Path) -> Result<Report, HubError> {
    let mut faults = Vec::new();
    let manifest = match Manifest::read(dir) {
        Ok(Some(manifest)) => Some(manifest),
        Ok(None) => {
            faults.push(UNVERIFIABLE.to_owned());
            None
        }
        Err(error) => {
            faults.push(error.to_string());
            None
        }
    };
    let mut intact = 0;
    if let Some(manifest) = &manifest {
        for (name, wanted) in &manifest.files {
            match hash(&dir.join(name)) {
                Ok(found) if found == *wanted => intact += 1,
                Ok(found) => faults.push(format!("{name}: sha256 is {found}, manifest.json says {wanted}")),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    faults.push(format!("{name}: missing, though manifest.json lists it"));
                }
                Err(error) => faults.push(format!("{name}: {error}")),
            }
        }
        faults.extend(extra(dir, manifest).map_err(|cause| HubError::io(dir, 0, cause))?);
    }
    let readiness = load(dir);
    // What a damaged file or manifest does to a load is told by itself.
    let told = faults.iter().any(|fault| !fault.starts_with(UNVERIFIABLE));
    if let (Readiness::Broken { reason }, false) = (&readiness, told) {
        faults.push(format!("does not load: {reason}"));
    }
    Ok(Report { dir: dir.to_path_buf(), id: manifest.map(|manifest| manifest.model_id()), intact, faults, readiness })
}

fn hash(path: &Path) -> io::Result<String> {
    digest(&mut File::open(path)?, Sha256::new())
}

/// Files that are neither listed nor terms or words about the model.
fn extra(dir: &Path, manifest: &Manifest) -> io::Result<Vec<String>> {
    let mut extra = Vec::new();
    for entry in fs::read_dir(dir)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let about = name == "manifest.json" || is_terms(&name) || name.starts_with("README");
        if !about && !manifest.files.contains_key(&name) {
            extra.push(format!("{}: not listed in manifest.json", name.escape_debug()));
        }
    }
    extra.sort();
    Ok(extra)
}

fn load(dir: &Path) -> Readiness {
    let broken = |error: ModelError| Readiness::Broken { reason: error.to_string() };
    match DistilBertClassifier::load(dir) {
        Ok(_) => Readiness::Ready,
        Err(ModelError::NoHead { .. } | ModelError::Labels { .. }) => {
            Encoder::load(dir).map_or_else(broken, |_| Readiness::EncoderOnly)
        }
        Err(error) => broken(error),
    }
}
