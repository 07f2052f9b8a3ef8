//! [`Manifest`]: the `manifest.json` of a model directory: how to use the model, and the hashes of its files. The lab writes
//! it; loading verifies it.

use std::collections::BTreeMap;
use std::path::{Component, Path};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::{Label, ModelError, Pooling, Probes, normalise_reason};
use super::files;
use super::files::HashedFile;
use crate::text::Profile;

pub(crate) const MANIFEST: &str = "manifest.json";
const FORMAT: u32 = 1;

/// A model directory's `manifest.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    format: u32,
    /// Name of the model, such as `default`; [`Manifest::model_id`] adds a hash of its files.
    pub id: String,
    /// The label of each row of the head. A head for two classes has two rows and never predicts the third label.
    pub labels: Vec<Label>,
    /// The reason of each row of the reason head, if there is one; normalised
    /// ([`normalise_reason`](super::super::normalise_reason)).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<String>,
    /// How texts are cleaned for this model.
    pub text_profile: Profile,
    pub pooling: Pooling,
    /// Texts are truncated to this many tokens, special tokens included.
    pub max_tokens: usize,
    /// Sha256, in hex, of each file of the model.
    pub files: BTreeMap<String, String>,
    pub encoder: Origin,
    /// How the head was fitted, in the lab's format.
    pub training: Value,
    /// What was measured on held-out data, in the lab's format.
    pub metrics: Value,
    /// Answers of f32, with which a faster precision is compared when the model is loaded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probes: Option<Probes>,
}

/// Where an encoder comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    pub name: String,
    pub origin: String,
    pub licence: String,
}

impl Manifest {
    /// A manifest for a head with its rows in the order of [`Label::ALL`]; [`Manifest::write`] adds the files.
    pub fn new(id: &str, pooling: Pooling, max_tokens: usize, encoder: Origin) -> Self {
        Self {
            format: FORMAT,
            id: id.to_owned(),
            labels: Label::ALL.to_vec(),
            reasons: Vec::new(),
            text_profile: Profile::Transformer,
            pooling,
            max_tokens,
            files: BTreeMap::new(),
            encoder,
            training: Value::Null,
            metrics: Value::Null,
            probes: None,
        }
    }

    /// Hashes the model's files in `dir` and writes `manifest.json` there.
    pub fn write(&mut self, dir: &Path) -> Result<(), ModelError> {
        let path = dir.join(MANIFEST);
        self.files.clear();
        for name in files::model_files(dir)? {
            let mut file = HashedFile::open(&dir.join(&name))?;
            self.files.insert(name, file.finish()?);
        }
        self.check(&path)?;
        let json = serde_json::to_string_pretty(self)
            .map_err(|error| ModelError::Manifest { path: path.clone(), reason: error.to_string() })?;
        std::fs::write(&path, json + "\n").map_err(|cause| ModelError::Io { path, cause })
    }

    /// `None` if the directory has no manifest.
    pub fn read(dir: &Path) -> Result<Option<Self>, ModelError> {
        let path = dir.join(MANIFEST);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(cause) => return Err(ModelError::Io { path, cause }),
        };
        let manifest: Self = serde_json::from_slice(&bytes).map_err(|error| ModelError::Manifest {
            path: path.clone(),
            reason: format!("not a model's manifest: {error}"),
        })?;
        manifest.check(&path)?;
        Ok(Some(manifest))
    }

    /// `<id>-<first 8 hex digits of the sha256 over settings, file names and hashes>`: other weights, other identifier.
    pub fn model_id(&self) -> String {
        let Self { labels, text_profile, pooling, max_tokens, .. } = self;
        let mut settings = format!("{labels:?} {text_profile:?} {pooling:?} {max_tokens}");
        if !self.reasons.is_empty() {
            settings.push_str(&format!(" {:?}", self.reasons)); // models without reasons keep their earlier identifier
        }
        files::model_id(&self.id, &self.files, &settings)
    }

    fn check(&self, path: &Path) -> Result<(), ModelError> {
        match self.find_problem() {
            Some(reason) => Err(ModelError::Manifest { path: path.to_path_buf(), reason }),
            None => Ok(()),
        }
    }

    fn find_problem(&self) -> Option<String> {
        if self.format != FORMAT {
            return Some(format!("format is {}; this vigie reads format {FORMAT}", self.format));
        }
        if self.id.is_empty() || !self.id.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)) {
            return Some(format!("id is `{}`; expected letters, digits, `-`, `_` and `.`", self.id));
        }
        let mut distinct = self.labels.clone();
        distinct.sort();
        distinct.dedup();
        if distinct.len() != self.labels.len() || distinct.len() < 2 || !distinct.contains(&Label::Negative) {
            return Some(
                "labels: expected negative, neutral and positive, or negative and one of the others, each once, in the \
                 order of the head"
                    .to_owned(),
            );
        }
        if let Some(problem) = self.find_reason_problem() {
            return Some(problem);
        }
        if let Some(name) = self.files.keys().find(|name| !is_plain(name)) {
            return Some(format!("files: `{name}` is not a plain file name of this directory"));
        }
        let missing = files::REQUIRED.iter().find(|name| !self.files.contains_key(**name));
        missing.map(|name| format!("files: `{name}` is not listed; every model needs it"))
    }
}

impl Manifest {
    fn find_reason_problem(&self) -> Option<String> {
        if let Some(name) = self.reasons.iter().find(|name| name.is_empty() || normalise_reason(name) != **name) {
            return Some(format!(
                "reasons: `{name}`; expected lower-case letters, digits and `_`, such as `late_flight`"
            ));
        }
        let mut sorted = self.reasons.clone();
        sorted.sort();
        if sorted.windows(2).any(|pair| pair.first() == pair.last()) {
            return Some("reasons: duplicate entry".to_owned());
        }
        let listed = self.files.contains_key(files::REASON_HEAD);
        match (self.reasons.is_empty(), listed) {
            (false, false) => Some(format!("reasons are listed, but files does not list `{}`", files::REASON_HEAD)),
            (true, true) => Some(format!("files lists `{}`, but reasons is empty", files::REASON_HEAD)),
            _ => None,
        }
    }
}

/// Whether `name` stays within its directory.
pub(crate) fn is_plain(name: &str) -> bool {
    let mut parts = Path::new(name).components();
    matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
        let origin = Origin { name: "tiny".into(), origin: "made by hand".into(), licence: "MIT".into() };
        let mut manifest = Manifest::new("tiny", Pooling::Mean, 64, origin);
        manifest.files = ["config.json", "tokenizer.json"].map(|name| (name.to_owned(), "00".to_owned())).into();
        manifest
    }

    #[test]
    fn each_problem_is_named() {
        type Change = fn(&mut Manifest);
        let problems: [(&str, Change); 9] = [
            ("format is 2", |m| m.format = 2),
            ("id is `a/b`", |m| m.id = "a/b".into()),
            ("labels: expected negative", |m| m.labels[0] = Label::Positive),
            ("`../head.safetensors` is not a plain file name", |m| {
                m.files.insert("../head.safetensors".into(), "00".into());
            }),
            ("reasons: `Late Flight`; expected lower-case letters", |m| m.reasons = vec!["Late Flight".into()]),
            ("reasons: duplicate entry", |m| m.reasons = vec!["late".into(), "late".into()]),
            ("reasons are listed, but files does not list `reason_head", |m| m.reasons = vec!["late".into()]),
            ("but reasons is empty", |m| {
                m.files.insert("reason_head.safetensors".into(), "00".into());
            }),
            ("`config.json` is not listed", |m| {
                m.files.remove("config.json");
            }),
        ];
        assert_eq!(manifest().find_problem(), None);
        for (expected, change) in problems {
            let mut manifest = manifest();
            change(&mut manifest);
            let problem = manifest.find_problem().unwrap_or_default();
            assert!(problem.contains(expected), "{problem:?} should contain {expected:?}");
        }
    }

    #[test]
    fn whatever_changes_a_prediction_makes_another_id() {
        let first = manifest();
        assert!(first.model_id().starts_with("tiny-") && first.model_id().len() == "tiny-".len() + 8);
        let changes: [fn(&mut Manifest); 5] = [
            |m| drop(m.files.insert("config.json".into(), "01".into())),
            |m| m.max_tokens -= 1,
            |m| m.pooling = Pooling::Cls,
            |m| m.labels.reverse(),
            |m| m.reasons = vec!["late_flight".into()],
        ];
        for change in changes {
            let mut second = manifest();
            change(&mut second);
            assert_ne!(first.model_id(), second.model_id());
        }
    }
}
