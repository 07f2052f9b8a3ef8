//! [`ModelStore`]: a directory of models, and which of them is read. Before a model directory is opened.
//!
//! ```text
//! models/<name>/          a model; it stays as it is once it was promoted
//! models/champion.json    which one is read: replaced as a whole by one rename, so that a reader meets the old or the new
//! models/default/         what is read where there is no champion.json
//! ```

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::{Manifest, ModelError};
use super::files::CONFIG;
use super::manifest::is_plain;

const CHAMPION: &str = "champion.json";
const DEFAULT: &str = "default";
const FORMAT: u32 = 1;

/// A directory of models.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelStore {
    dir: PathBuf,
}

/// What `champion.json` says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Champions {
    format: u32,
    pub champion: Promotion,
    /// Those before it, the latest last: where a rollback goes.
    pub former: Vec<Promotion>,
}

/// How a model became the champion.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Promotion {
    /// Its directory in the store.
    pub model: String,
    /// [`Manifest::model_id`] when it was promoted.
    pub model_id: String,
    /// `None` of the model that was read before anything was promoted.
    pub promoted_at: Option<Timestamp>,
    /// Whether it was promoted though it was found worse.
    pub forced: bool,
    /// The numbers it was promoted by, in the lab's words.
    pub evaluation: Value,
}

/// A model in the store.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredModel {
    pub name: String,
    pub dir: PathBuf,
    /// `None` of a checkpoint without.
    pub manifest: Option<Manifest>,
    pub is_champion: bool,
}

impl ModelStore {
    pub fn at(dir: &Path) -> Self {
        Self { dir: dir.to_path_buf() }
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The directory of the model that `path` stands for: its own, or, of a store, that of the champion.
    ///
    /// # Errors
    /// When `champion.json` is damaged, or the model it names is no longer the one that was promoted.
    pub fn resolve(path: &Path) -> Result<PathBuf, ModelError> {
        let store = Self::at(path);
        if path.join(CONFIG).exists() {
            return Ok(path.to_path_buf());
        }
        match store.champions()? {
            Some(champions) => store.promoted(&champions.champion),
            None if store.model(DEFAULT).is_dir() => Ok(store.model(DEFAULT)),
            None => Ok(path.to_path_buf()), // opening it tells what is missing
        }
    }

    /// The directory of a model that is, or would be, in the store.
    pub fn model(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// What `champion.json` says; `None` where there is none.
    ///
    /// # Errors
    /// When it cannot be read, or is not one.
    pub fn champions(&self) -> Result<Option<Champions>, ModelError> {
        let path = self.dir.join(CHAMPION);
        let fault = |reason: String| ModelError::Manifest { path: path.clone(), reason };
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(cause) => return Err(ModelError::Io { path, cause }),
        };
        let champions: Champions = serde_json::from_slice(&bytes)
            .map_err(|error| fault(format!("does not say which model is the champion: {error}")))?;
        if champions.format != FORMAT {
            return Err(fault(format!("format is {}; this vigie reads format {FORMAT}", champions.format)));
        }
        Ok(Some(champions))
    }

    /// What is read now, promoted or by default; `None` of a store with neither.
    ///
    /// # Errors
    /// When the champion cannot be told.
    pub fn champion(&self) -> Result<Option<Promotion>, ModelError> {
        match self.champions()? {
            Some(champions) => Ok(Some(champions.champion)),
            None => Ok(Manifest::read(&self.model(DEFAULT))?.map(|manifest| Promotion {
                model: DEFAULT.to_owned(),
                model_id: manifest.model_id(),
                promoted_at: None,
                forced: false,
                evaluation: Value::Null,
            })),
        }
    }

    /// Whether a model of this name is, or was, the champion, and so must stay as it is.
    ///
    /// # Errors
    /// When `champion.json` cannot be read.
    pub fn was_promoted(&self, name: &str) -> Result<bool, ModelError> {
        let champions = self.champions()?;
        Ok(champions.is_some_and(|all| all.former.iter().chain([&all.champion]).any(|one| one.model == name)))
    }

    /// Every model in the store, by name.
    ///
    /// # Errors
    /// When the store or a manifest in it cannot be read.
    pub fn models(&self) -> Result<Vec<StoredModel>, ModelError> {
        let champion = self.champion()?.map(|champion| champion.model);
        let fail = |cause| ModelError::Io { path: self.dir.clone(), cause };
        let mut models = Vec::new();
        for entry in fs::read_dir(&self.dir).map_err(fail)? {
            let name = entry.map_err(fail)?.file_name().to_string_lossy().into_owned();
            let dir = self.model(&name);
            if dir.join(CONFIG).is_file() && !name.starts_with('.') {
                let is_champion = champion.as_ref() == Some(&name);
                models.push(StoredModel { manifest: Manifest::read(&dir)?, name, dir, is_champion });
            }
        }
        models.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(models)
    }

    /// Makes `promotion` the champion, and the one before it the latest of the former.
    ///
    /// # Errors
    /// When the model is not in the store as the promotion has it, or nothing can be written: then the old one stays.
    pub fn promote(&self, promotion: Promotion) -> Result<(), ModelError> {
        self.promoted(&promotion)?;
        self.replace(|store| {
            let mut former = store.champions()?.map_or_else(Vec::new, |champions| champions.former);
            former.extend(store.champion()?);
            Ok(Champions { format: FORMAT, champion: promotion, former })
        })?;
        Ok(())
    }

    /// Goes back to the former champion; gives the one that was left, and the one that is read now.
    ///
    /// # Errors
    /// When there is no former champion, it is no longer as it was promoted, or nothing can be written.
    pub fn rollback(&self) -> Result<(Promotion, Promotion), ModelError> {
        let mut left = None;
        let champions = self.replace(|store| {
            let none = || ModelError::NoFormer { path: store.dir.join(CHAMPION) };
            let mut champions = store.champions()?.ok_or_else(none)?;
            let back = champions.former.pop().ok_or_else(none)?;
            store.promoted(&back)?;
            left = Some(std::mem::replace(&mut champions.champion, back));
            Ok(champions)
        })?;
        let now = champions.champion;
        Ok((left.unwrap_or_else(|| now.clone()), now))
    }

    /// The directory of a model that was promoted, checked to hold that very model.
    fn promoted(&self, promotion: &Promotion) -> Result<PathBuf, ModelError> {
        let dir = self.model(&promotion.model);
        let wanted = &promotion.model_id;
        let found = match is_plain(&promotion.model) {
            true => Manifest::read(&dir)?.map(|manifest| manifest.model_id()),
            false => None, // a model outside of the store could change unseen
        };
        if found.as_ref() != Some(wanted) {
            return Err(ModelError::NotPromoted { dir, found, wanted: wanted.clone() });
        }
        Ok(dir)
    }

    /// Writes what `change` makes of the store's state, one writer at a time.
    fn replace(&self, change: impl FnOnce(&Self) -> Result<Champions, ModelError>) -> Result<Champions, ModelError> {
        let fail = |cause| ModelError::Io { path: self.dir.join(CHAMPION), cause };
        let lock = File::open(&self.dir).map_err(fail)?;
        lock.lock().map_err(fail)?; // let go of when it is closed
        let champions = change(self)?;
        let json = serde_json::to_string_pretty(&champions).map_err(|error| fail(error.into()))? + "\n";
        let half = self.dir.join(".champion.json.half");
        let written = write_through(&half, &json).and_then(|()| fs::rename(&half, self.dir.join(CHAMPION)));
        if let Err(cause) = written {
            let _ = fs::remove_file(&half); // the first failure is the one to tell
            return Err(fail(cause));
        }
        lock.sync_all().map_err(fail)?;
        Ok(champions)
    }
}

/// To the disk: a rename must not get there before what it names.
fn write_through(path: &Path, content: &str) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(content.as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests;
