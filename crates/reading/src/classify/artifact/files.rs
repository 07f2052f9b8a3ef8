//! [`ModelFiles`]: reads each file of one model directory once and verifies exactly the bytes that are used.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::super::{Manifest, ModelError, ModelRegistry};
use super::manifest::MANIFEST;

pub(crate) const CONFIG: &str = "config.json";
pub(crate) const TOKENIZER: &str = "tokenizer.json";
pub(crate) const HEAD: &str = "head.safetensors";
pub(crate) const REASON_HEAD: &str = "reason_head.safetensors";
pub(crate) const REQUIRED: [&str; 2] = [CONFIG, TOKENIZER];

/// The files of a model directory, verified against its manifest if it has one.
#[derive(Debug)]
pub(crate) struct ModelFiles {
    dir: PathBuf,
    manifest: Option<Manifest>,
    /// Hash of each file read so far.
    seen: BTreeMap<String, String>,
}

impl ModelFiles {
    /// Opens a model directory, or the champion of a registry: every load of a model passes here. A file that the manifest
    /// does not list, or a listed file that is missing, is an error before anything is read.
    pub(crate) fn open(dir: &Path) -> Result<Self, ModelError> {
        let dir = &ModelRegistry::resolve(dir)?;
        let manifest = Manifest::read(dir)?;
        let found = model_files(dir)?;
        if let Some(manifest) = &manifest {
            if let Some(name) = found.iter().find(|name| !manifest.files.contains_key(*name)) {
                return Err(ModelError::UnlistedFile { path: dir.join(name) });
            }
            if let Some(name) = manifest.files.keys().find(|name| !dir.join(name).is_file()) {
                return Err(ModelError::ListedFileMissing { path: dir.join(name) });
            }
        }
        Ok(Self { dir: dir.to_path_buf(), manifest, seen: BTreeMap::new() })
    }

    pub(crate) fn manifest(&self) -> Option<&Manifest> {
        self.manifest.as_ref()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.path(name).is_file()
    }

    pub(crate) fn read(&mut self, name: &str) -> Result<Vec<u8>, ModelError> {
        let path = self.path(name);
        self.read_with(name, |file| {
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).map_err(|cause| ModelError::Io { path, cause })?;
            Ok(bytes)
        })
    }

    /// Reads a file with `parse`. A wrong hash takes precedence over an error of `parse`, which is only its consequence.
    pub(crate) fn read_with<T>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&mut HashedFile) -> Result<T, ModelError>,
    ) -> Result<T, ModelError> {
        let path = self.path(name);
        let mut file = HashedFile::open(&path)?;
        let parsed = parse(&mut file);
        let found = file.finish()?;
        if let Some(manifest) = &self.manifest {
            match manifest.files.get(name) {
                Some(expected) if *expected == found => {}
                Some(expected) => return Err(ModelError::Damaged { path, found, expected: expected.clone() }),
                None => return Err(ModelError::UnlistedFile { path }),
            }
        }
        self.seen.insert(name.to_owned(), found);
        parsed
    }

    /// Verifies the listed files that were not read, and returns the model's identifier.
    pub(crate) fn finish(mut self) -> Result<String, ModelError> {
        let listed = self.manifest.iter().flat_map(|manifest| manifest.files.keys());
        let unread: Vec<String> = listed.filter(|name| !self.seen.contains_key(*name)).cloned().collect();
        for name in unread {
            self.read_with(&name, |_| Ok(()))?;
        }
        Ok(match &self.manifest {
            Some(manifest) => manifest.model_id(),
            None => model_id(&directory_name(&self.dir), &self.seen, ""),
        })
    }
}

/// Names of the files in `dir` that belong to the model, sorted.
pub(crate) fn model_files(dir: &Path) -> Result<Vec<String>, ModelError> {
    let fail = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => ModelError::Missing { path: dir.to_path_buf() },
        _ => ModelError::Io { path: dir.to_path_buf(), cause: source },
    };
    let mut names = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(fail)? {
        let name = entry.map_err(fail)?.file_name().to_string_lossy().into_owned();
        let weights = name.ends_with(".safetensors") || name.ends_with(".safetensors.index.json");
        if weights || REQUIRED.contains(&name.as_str()) {
            names.push(name);
        }
    }
    names.sort();
    match REQUIRED.iter().find(|name| !names.iter().any(|found| found == *name)) {
        Some(name) if !dir.join(MANIFEST).is_file() => Err(ModelError::Missing { path: dir.join(name) }),
        _ => Ok(names),
    }
}

/// `<name>-<8 hex digits>` of the sha256 over `settings` (how the files are used) and the sorted lines "file hash".
pub(crate) fn model_id(name: &str, files: &BTreeMap<String, String>, settings: &str) -> String {
    let mut hasher = Sha256::new();
    hasher.update(format!("{settings}\n"));
    for (file, hash) in files {
        hasher.update(format!("{file} {hash}\n"));
    }
    let digest = hex(&hasher.finalize());
    format!("{name}-{}", digest.get(..8).unwrap_or_default())
}

fn directory_name(dir: &Path) -> String {
    let full = dir.canonicalize().unwrap_or_else(|_| dir.to_path_buf());
    full.file_name().map_or_else(|| "model".to_owned(), |name| name.to_string_lossy().into_owned())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}"); // writing to a String cannot fail
        text
    })
}

/// A file that is hashed while it is read.
#[derive(Debug)]
pub(crate) struct HashedFile {
    pub(crate) path: PathBuf,
    pub(crate) length: u64,
    file: File,
    hasher: Sha256,
}

impl HashedFile {
    pub(crate) fn open(path: &Path) -> Result<Self, ModelError> {
        let fail = |source: io::Error| match source.kind() {
            io::ErrorKind::NotFound => ModelError::Missing { path: path.to_path_buf() },
            _ => ModelError::Io { path: path.to_path_buf(), cause: source },
        };
        let file = File::open(path).map_err(fail)?;
        let length = file.metadata().map_err(fail)?.len();
        Ok(Self { path: path.to_path_buf(), length, file, hasher: Sha256::new() })
    }

    /// Reads the rest and returns the hash of the whole file in hex.
    pub(crate) fn finish(&mut self) -> Result<String, ModelError> {
        io::copy(self, &mut io::sink()).map_err(|cause| ModelError::Io { path: self.path.clone(), cause })?;
        Ok(hex(&std::mem::take(&mut self.hasher).finalize()))
    }
}

impl Read for HashedFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.hasher.update(buffer.get(..count).unwrap_or_default());
        Ok(count)
    }
}
