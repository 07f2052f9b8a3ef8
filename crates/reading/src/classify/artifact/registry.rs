//! [`ModelRegistry`]: a directory of models, of which one is the champion. Resolved before a model directory is opened.
//!
//! ```text
//! models/<name>/          a model; it must not change after it was promoted
//! models/champion.json    the champion and its history; replaced atomically, so that a reader sees the old or the new
//! models/default/         the champion without a champion.json
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
pub struct ModelRegistry {
    dir: PathBuf,
}

/// The content of `champion.json`: the champion and its predecessors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChampionHistory {
    format: u32,
    pub champion: Promotion,
    /// Earlier champions, the latest last; a rollback returns to it.
    pub former: Vec<Promotion>,
}

/// How a model became the champion.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Promotion {
    /// Its directory in the registry.
    pub model: String,
    /// [`Manifest::model_id`] when it was promoted.
    pub model_id: String,
    /// `None` for the default model, which was in use before the first promotion.
    pub promoted_at: Option<Timestamp>,
    /// Whether it was promoted although the evaluation found it worse.
    pub forced: bool,
    /// The evaluation that led to the promotion, in the lab's format.
    pub evaluation: Value,
}

/// A model in the registry.
#[derive(Debug, Clone, PartialEq)]
pub struct RegisteredModel {
    pub name: String,
    pub dir: PathBuf,
    /// `None` for a checkpoint without a manifest.
    pub manifest: Option<Manifest>,
    pub is_champion: bool,
}

impl ModelRegistry {
    pub fn new(dir: &Path) -> Self {
        Self { dir: dir.to_path_buf() }
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The model directory for `path`: `path` itself, or the champion's directory if `path` is a registry.
    ///
    /// # Errors
    /// When `champion.json` is damaged, or the champion's files have changed since it was promoted.
    pub fn resolve(path: &Path) -> Result<PathBuf, ModelError> {
        let registry = Self::new(path);
        if path.join(CONFIG).exists() {
            return Ok(path.to_path_buf());
        }
        match registry.read_history()? {
            Some(history) => registry.verify_promoted(&history.champion),
            None if registry.model_dir(DEFAULT).is_dir() => Ok(registry.model_dir(DEFAULT)),
            None => Ok(path.to_path_buf()), // opening it reports what is missing
        }
    }

    /// The directory of a model with this name, whether it exists or not.
    pub fn model_dir(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// Reads `champion.json`; `None` if there is none.
    ///
    /// # Errors
    /// When it cannot be read or parsed.
    pub fn read_history(&self) -> Result<Option<ChampionHistory>, ModelError> {
        let path = self.dir.join(CHAMPION);
        let error = |reason: String| ModelError::Manifest { path: path.clone(), reason };
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(cause) => return Err(ModelError::Io { path, cause }),
        };
        let history: ChampionHistory =
            serde_json::from_slice(&bytes).map_err(|cause| error(format!("not a champion.json: {cause}")))?;
        if history.format != FORMAT {
            return Err(error(format!("format is {}; this vigie reads format {FORMAT}", history.format)));
        }
        Ok(Some(history))
    }

    /// The current champion, promoted or default; `None` if the registry has neither.
    ///
    /// # Errors
    /// When `champion.json` or the default model's manifest cannot be read.
    pub fn current_champion(&self) -> Result<Option<Promotion>, ModelError> {
        match self.read_history()? {
            Some(history) => Ok(Some(history.champion)),
            None => Ok(Manifest::read(&self.model_dir(DEFAULT))?.map(|manifest| Promotion {
                model: DEFAULT.to_owned(),
                model_id: manifest.model_id(),
                promoted_at: None,
                forced: false,
                evaluation: Value::Null,
            })),
        }
    }

    /// Whether a model of this name is or was the champion and therefore must not change.
    ///
    /// # Errors
    /// When `champion.json` cannot be read.
    pub fn was_promoted(&self, name: &str) -> Result<bool, ModelError> {
        let history = self.read_history()?;
        Ok(history.is_some_and(|all| all.former.iter().chain([&all.champion]).any(|one| one.model == name)))
    }

    /// All models in the registry, sorted by name.
    ///
    /// # Errors
    /// When the registry or a manifest in it cannot be read.
    pub fn list_models(&self) -> Result<Vec<RegisteredModel>, ModelError> {
        let champion = self.current_champion()?.map(|champion| champion.model);
        let fail = |cause| ModelError::Io { path: self.dir.clone(), cause };
        let mut models = Vec::new();
        for entry in fs::read_dir(&self.dir).map_err(fail)? {
            let name = entry.map_err(fail)?.file_name().to_string_lossy().into_owned();
            let dir = self.model_dir(&name);
            if dir.join(CONFIG).is_file() && !name.starts_with('.') {
                let is_champion = champion.as_ref() == Some(&name);
                models.push(RegisteredModel { manifest: Manifest::read(&dir)?, name, dir, is_champion });
            }
        }
        models.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(models)
    }

    /// Makes the model of `promotion` the champion and appends the previous champion to the history.
    ///
    /// # Errors
    /// When the model's files do not match the promotion, or writing fails: the champion then stays the same.
    pub fn promote(&self, promotion: Promotion) -> Result<(), ModelError> {
        self.verify_promoted(&promotion)?;
        self.replace_history(|registry| {
            let mut former = registry.read_history()?.map_or_else(Vec::new, |history| history.former);
            former.extend(registry.current_champion()?);
            Ok(ChampionHistory { format: FORMAT, champion: promotion, former })
        })?;
        Ok(())
    }

    /// Returns to the previous champion. Returns the replaced champion and the new one.
    ///
    /// # Errors
    /// When a previous champion is missing, its files have changed since it was promoted, or writing fails.
    pub fn rollback(&self) -> Result<(Promotion, Promotion), ModelError> {
        let mut replaced = None;
        let history = self.replace_history(|registry| {
            let none = || ModelError::NoPreviousChampion { path: registry.dir.join(CHAMPION) };
            let mut history = registry.read_history()?.ok_or_else(none)?;
            let previous = history.former.pop().ok_or_else(none)?;
            registry.verify_promoted(&previous)?;
            replaced = Some(std::mem::replace(&mut history.champion, previous));
            Ok(history)
        })?;
        let champion = history.champion;
        Ok((replaced.unwrap_or_else(|| champion.clone()), champion))
    }

    /// Forgets champion and history; no model is removed.
    ///
    /// # Errors
    /// When `champion.json` cannot be removed.
    pub(super) fn clear_history(&self) -> Result<(), ModelError> {
        let path = self.dir.join(CHAMPION);
        let fail = |cause| ModelError::Io { path: path.clone(), cause };
        let dir = File::open(&self.dir).map_err(fail)?;
        dir.lock().map_err(fail)?; // released when the file is closed
        fs::remove_file(&path).map_err(fail)?;
        dir.sync_all().map_err(fail)
    }

    /// The directory of a promoted model, after checking that its files are still those that were promoted.
    pub(super) fn verify_promoted(&self, promotion: &Promotion) -> Result<PathBuf, ModelError> {
        let dir = self.model_dir(&promotion.model);
        let expected = &promotion.model_id;
        let found = match is_plain(&promotion.model) {
            true => Manifest::read(&dir)?.map(|manifest| manifest.model_id()),
            false => None, // a model outside the registry could change unnoticed
        };
        if found.as_ref() != Some(expected) {
            return Err(ModelError::NotPromoted { dir, found, expected: expected.clone() });
        }
        Ok(dir)
    }

    /// Replaces `champion.json` with the result of `change`, one writer at a time.
    fn replace_history(
        &self,
        change: impl FnOnce(&Self) -> Result<ChampionHistory, ModelError>,
    ) -> Result<ChampionHistory, ModelError> {
        let fail = |cause| ModelError::Io { path: self.dir.join(CHAMPION), cause };
        let lock = File::open(&self.dir).map_err(fail)?;
        lock.lock().map_err(fail)?; // released when the file is closed
        let history = change(self)?;
        let json = serde_json::to_string_pretty(&history).map_err(|error| fail(error.into()))? + "\n";
        let temporary = self.dir.join(".champion.json.half");
        let written = write_synced(&temporary, &json).and_then(|()| fs::rename(&temporary, self.dir.join(CHAMPION)));
        if let Err(cause) = written {
            let _ = fs::remove_file(&temporary); // the first failure is the one to report
            return Err(fail(cause));
        }
        lock.sync_all().map_err(fail)?;
        Ok(history)
    }
}

/// Writes and syncs: the content must be on disk before the rename is.
fn write_synced(path: &Path, content: &str) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(content.as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests;
