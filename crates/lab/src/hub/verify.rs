//! [`verify`]: compares every file of a model directory with its manifest, names each problem, and loads the model.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::HubError;
use super::cache::digest;
use super::model_list::{Readiness, list};
use super::selection::is_licence_file;
use vigie_reading::classify::{Encoder, EncoderClassifier, Manifest, ModelError, Precision};

const UNVERIFIABLE: &str = "no manifest.json: there are no hashes to verify its files";

/// The result for one model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VerifyReport {
    pub dir: PathBuf,
    pub id: Option<String>,
    /// Number of files whose hash matches the manifest.
    pub intact: usize,
    /// One line per problem; empty if all is well.
    pub problems: Vec<String>,
    /// What it can be used for, if it loads.
    pub readiness: Readiness,
}

/// The selected model directories: each of `ids` is a directory, or the id or name of a model in `store`; all models of
/// the store if `ids` is empty.
pub fn resolve(store: &Path, ids: &[String]) -> Result<Vec<PathBuf>, HubError> {
    let entries = list(store)?;
    if ids.is_empty() {
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
    ids.iter().map(found).collect()
}

/// Hashes every file of `dir`, and loads the model.
pub fn verify(dir: &Path) -> Result<VerifyReport, HubError> {
    let mut problems = Vec::new();
    let manifest = match Manifest::read(dir) {
        Ok(Some(manifest)) => Some(manifest),
        Ok(None) => {
            problems.push(UNVERIFIABLE.to_owned());
            None
        }
        Err(error) => {
            problems.push(error.to_string());
            None
        }
    };
    let mut intact = 0;
    if let Some(manifest) = &manifest {
        for (name, expected) in &manifest.files {
            match hash(&dir.join(name)) {
                Ok(found) if found == *expected => intact += 1,
                Ok(found) => problems.push(format!("{name}: sha256 is {found}, manifest.json lists {expected}")),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    problems.push(format!("{name}: missing, but manifest.json lists it"));
                }
                Err(error) => problems.push(format!("{name}: {error}")),
            }
        }
        problems.extend(unlisted_files(dir, manifest).map_err(|cause| HubError::io(dir, 0, cause))?);
    }
    let readiness = load(dir);
    // The problem of a file explains why the model does not load: do not report both.
    let has_file_problem = problems.iter().any(|problem| !problem.starts_with(UNVERIFIABLE));
    if let (Readiness::Broken { reason }, false) = (&readiness, has_file_problem) {
        problems.push(format!("does not load: {reason}"));
    }
    Ok(VerifyReport {
        dir: dir.to_path_buf(),
        id: manifest.map(|manifest| manifest.model_id()),
        intact,
        problems,
        readiness,
    })
}

fn hash(path: &Path) -> io::Result<String> {
    digest(&mut File::open(path)?, Sha256::new())
}

/// Files that are neither listed in the manifest nor licence or README.
fn unlisted_files(dir: &Path, manifest: &Manifest) -> io::Result<Vec<String>> {
    let mut extra = Vec::new();
    for entry in fs::read_dir(dir)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let about = name == "manifest.json" || is_licence_file(&name) || name.starts_with("README");
        if !about && !manifest.files.contains_key(&name) {
            extra.push(format!("{}: not listed in manifest.json", name.escape_debug()));
        }
    }
    extra.sort();
    Ok(extra)
}

fn load(dir: &Path) -> Readiness {
    let broken = |error: ModelError| Readiness::Broken { reason: error.to_string() };
    match EncoderClassifier::load_with(dir, Precision::F32) {
        Ok(_) => Readiness::Ready,
        Err(ModelError::NoHead { .. } | ModelError::Labels { .. }) => {
            Encoder::load(dir).map_or_else(broken, |_| Readiness::EncoderOnly)
        }
        Err(error) => broken(error),
    }
}
