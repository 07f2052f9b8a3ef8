//! [`RetrainedModels`]: models that were retrained from the configured one, in a directory that the daemon may write. Asked
//! before a model is loaded.
//!
//! A retrained champion replaces the configured model that it descends from, and no other: another configured model, or a new
//! version of it, is used instead.

use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::{Manifest, ModelError, ModelRegistry, Promotion, RegisteredModel};

/// Where a retraining is described, in `training` and `metrics` of a manifest.
pub const RETRAINING: &str = "retraining";

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetrainedModels {
    registry: ModelRegistry,
    configured: PathBuf,
}

/// The model to load.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelInUse {
    pub dir: PathBuf,
    /// How it became the champion; `None` for the configured model.
    pub promotion: Option<Promotion>,
    /// A retrained champion that is not used, because it descends from another model than the configured one.
    pub unused: Option<String>,
}

impl RetrainedModels {
    /// Of the registry `dir`, which need not exist, and the configured model or registry.
    pub fn new(dir: &Path, configured: &Path) -> Self {
        Self { registry: ModelRegistry::new(dir), configured: configured.to_path_buf() }
    }

    /// Where a challenger with this name is, whether it exists or not.
    pub fn model_dir(&self, name: &str) -> PathBuf {
        self.registry.model_dir(name)
    }

    pub fn dir(&self) -> &Path {
        self.registry.dir()
    }

    /// Identifier of the configured model; `None` for one without a manifest, which cannot be retrained.
    ///
    /// # Errors
    /// When the configured model cannot be read.
    pub fn root(&self) -> Result<Option<String>, ModelError> {
        let dir = ModelRegistry::resolve(&self.configured)?;
        Ok(Manifest::read(&dir)?.map(|manifest| manifest.model_id()))
    }

    /// The model to load: the retrained champion, if it descends from the configured model.
    ///
    /// # Errors
    /// When a manifest or the history cannot be read, or the champion is not the model that was promoted.
    pub fn in_use(&self) -> Result<ModelInUse, ModelError> {
        let configured = |unused| -> Result<ModelInUse, ModelError> {
            Ok(ModelInUse { dir: ModelRegistry::resolve(&self.configured)?, promotion: None, unused })
        };
        let Some(history) = self.registry.read_history()? else { return configured(None) };
        let champion = history.champion;
        let dir = self.model_dir(&champion.model);
        if self.root()? != root_of(&dir)? {
            return configured(Some(champion.model_id));
        }
        Ok(ModelInUse { dir: self.registry.verify_promoted(&champion)?, promotion: Some(champion), unused: None })
    }

    /// All retrained models that descend from the configured one, the latest first.
    ///
    /// # Errors
    /// When the registry or a manifest in it cannot be read.
    pub fn list(&self) -> Result<Vec<RegisteredModel>, ModelError> {
        if !self.dir().is_dir() {
            return Ok(Vec::new());
        }
        let root = self.root()?;
        let mut models = self.registry.list_models()?;
        models.retain(|model| {
            root.is_some() && model.manifest.as_ref().is_some_and(|manifest| root_in(manifest) == root)
        });
        // Their names begin with the time.
        models.reverse();
        Ok(models)
    }

    /// Makes the challenger `name` the champion, by the decision of `by`; unless `force`, only one whose report says "better".
    ///
    /// # Errors
    /// When it is not a retrained model of the configured one, or is not better, or writing fails.
    pub fn promote(&self, name: &str, by: &str, force: bool, now: Timestamp) -> Result<Promotion, ModelError> {
        let model = self.list()?.into_iter().find(|model| model.name == name);
        let manifest = model.and_then(|model| model.manifest);
        let Some(manifest) = manifest else {
            return Err(ModelError::NotRetrained { dir: self.model_dir(name), root: self.root()? });
        };
        let report = &manifest.metrics[RETRAINING];
        let is_better = report["verdict"] == "better";
        if !is_better && !force {
            return Err(ModelError::NotBetter { name: name.to_owned(), verdict: report["verdict"].to_string() });
        }
        if self.in_use()?.unused.is_some() {
            // A rollback must not lead to a descendant of another model.
            self.registry.clear_history()?;
        }
        let promotion = Promotion {
            model: name.to_owned(),
            model_id: manifest.model_id(),
            promoted_at: Some(now),
            forced: !is_better,
            evaluation: json!({ "by": by, RETRAINING: report }),
        };
        self.registry.promote(promotion.clone())?;
        Ok(promotion)
    }

    /// Returns to the model before the champion: an earlier champion, or the configured model (`None`). Also returns the
    /// champion that is replaced.
    ///
    /// # Errors
    /// When the configured model is in use already, or writing fails.
    pub fn roll_back(&self) -> Result<(Promotion, Option<Promotion>), ModelError> {
        match self.registry.read_history()? {
            Some(history) if history.former.is_empty() => {
                self.registry.clear_history()?;
                Ok((history.champion, None))
            }
            Some(_) => self.registry.rollback().map(|(left, now)| (left, Some(now))),
            None => Err(ModelError::NoPreviousChampion { path: self.dir().join("champion.json") }),
        }
    }

    /// Removes all but the latest `keep` models that were never promoted.
    ///
    /// # Errors
    /// When the registry cannot be read or changed.
    pub fn remove_old(&self, keep: usize) -> Result<(), ModelError> {
        let mut unused = Vec::new();
        for model in self.list()? {
            if !self.registry.was_promoted(&model.name)? {
                unused.push(model.dir);
            }
        }
        for dir in unused.into_iter().skip(keep) {
            fs::remove_dir_all(&dir).map_err(|cause| ModelError::Io { path: dir, cause })?;
        }
        Ok(())
    }
}

/// The configured model that the model in `dir` descends from.
fn root_of(dir: &Path) -> Result<Option<String>, ModelError> {
    Ok(Manifest::read(dir)?.as_ref().and_then(root_in))
}

fn root_in(manifest: &Manifest) -> Option<String> {
    match &manifest.training[RETRAINING]["root"] {
        Value::String(root) => Some(root.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::{Origin, Pooling};

    fn model(dir: &Path, id: &str, root: Option<&str>) -> Manifest {
        fs::create_dir_all(dir).unwrap();
        for name in ["config.json", "tokenizer.json"] {
            fs::write(dir.join(name), id).unwrap();
        }
        let origin = Origin { name: "tiny".into(), origin: "by hand".into(), licence: "MIT".into() };
        let mut manifest = Manifest::new(id, Pooling::Mean, 64, origin);
        if let Some(root) = root {
            manifest.training = json!({ RETRAINING: { "root": root } });
        }
        manifest.write(dir).unwrap();
        manifest
    }

    fn at(hour: i64) -> Timestamp {
        Timestamp::from_second(hour * 3_600).unwrap()
    }

    #[test]
    fn a_challenger_is_promoted_and_rolled_back_to_the_configured_model() {
        let dir = tempfile::tempdir().unwrap();
        let configured = dir.path().join("configured");
        let root = model(&configured, "base", None).model_id();
        let models = RetrainedModels::new(&dir.path().join("state/models"), &configured);
        assert_eq!(models.in_use().unwrap().dir, configured);
        assert_eq!(models.list().unwrap(), []);
        assert!(models.roll_back().is_err(), "the configured model has none before it");

        let first = model(&models.model_dir("retrained-1"), "retrained-1", Some(&root));
        model(&models.model_dir("retrained-2"), "retrained-2", Some(&root));
        let names = |models: &RetrainedModels| -> Vec<String> {
            models.list().unwrap().into_iter().map(|model| model.name).collect()
        };
        assert_eq!(names(&models), ["retrained-2", "retrained-1"]);
        assert_eq!(models.in_use().unwrap().dir, configured, "a challenger is not used by itself");
        let refused = models.promote("retrained-1", "Claire", false, at(1)).unwrap_err().to_string();
        assert!(refused.starts_with("retrained-1 is not promoted: its report does not say \"better\""), "{refused}");
        models.promote("retrained-1", "Claire", true, at(1)).unwrap();
        let used = models.in_use().unwrap();
        assert_eq!((used.dir, used.promotion.unwrap().model_id), (models.model_dir("retrained-1"), first.model_id()));
        models.promote("retrained-2", "Claire", true, at(2)).unwrap();
        let (left, now) = models.roll_back().unwrap();
        assert_eq!((left.model.as_str(), now.unwrap().model.as_str()), ("retrained-2", "retrained-1"));
        let (left, now) = models.roll_back().unwrap();
        assert_eq!((left.model.as_str(), now), ("retrained-1", None));
        assert_eq!(models.in_use().unwrap().dir, configured);
    }

    #[test]
    fn another_configured_model_is_used_and_its_challengers_start_afresh() {
        let dir = tempfile::tempdir().unwrap();
        let (configured, other) = (dir.path().join("configured"), dir.path().join("other"));
        let root = model(&configured, "base", None).model_id();
        let other_root = model(&other, "other", None).model_id();
        let state = dir.path().join("models");
        let models = RetrainedModels::new(&state, &configured);
        let first = model(&models.model_dir("retrained-1"), "retrained-1", Some(&root));
        models.promote("retrained-1", "Claire", true, at(1)).unwrap();

        let models = RetrainedModels::new(&state, &other);
        let used = models.in_use().unwrap();
        assert_eq!((used.dir, used.promotion, used.unused), (other.clone(), None, Some(first.model_id())));
        assert!(models.promote("retrained-1", "Claire", true, at(2)).is_err());
        model(&models.model_dir("retrained-2"), "retrained-2", Some(&other_root));
        models.promote("retrained-2", "Claire", true, at(3)).unwrap();
        assert_eq!(models.roll_back().unwrap().1, None, "not to a descendant of the former model");
    }

    #[test]
    fn a_promoted_model_that_changed_is_not_loaded() {
        let dir = tempfile::tempdir().unwrap();
        let configured = dir.path().join("configured");
        let root = model(&configured, "base", None).model_id();
        let models = RetrainedModels::new(&dir.path().join("models"), &configured);
        model(&models.model_dir("retrained-1"), "retrained-1", Some(&root));
        models.promote("retrained-1", "Claire", true, at(1)).unwrap();
        model(&models.model_dir("retrained-1"), "changed", Some(&root));
        assert!(matches!(models.in_use(), Err(ModelError::NotPromoted { .. })));
    }

    #[test]
    fn old_challengers_go_and_promoted_models_stay() {
        let dir = tempfile::tempdir().unwrap();
        let configured = dir.path().join("configured");
        let root = model(&configured, "base", None).model_id();
        let models = RetrainedModels::new(&dir.path().join("models"), &configured);
        for number in 1..=5 {
            let name = format!("retrained-{number}");
            model(&models.model_dir(&name), &name, Some(&root));
        }
        models.promote("retrained-1", "Claire", true, at(1)).unwrap();
        models.remove_old(2).unwrap();
        let names: Vec<String> = models.list().unwrap().into_iter().map(|model| model.name).collect();
        assert_eq!(names, ["retrained-5", "retrained-4", "retrained-1"]);
    }
}
