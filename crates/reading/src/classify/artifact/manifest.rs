//! [`Manifest`]: what a model directory says of itself in `manifest.json`. The lab writes it, loading checks it.

use std::collections::BTreeMap;
use std::path::{Component, Path};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::{Label, ModelError, Pooling, plain_reason};
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
    /// Name of the model, such as `default`; [`Manifest::model_id`] adds what tells its weights apart.
    pub id: String,
    /// Order of the head's rows. A head fitted to two classes has two: the third is then never read.
    pub labels: Vec<Label>,
    /// Order of the reason head's rows, where the model has one: words as [`plain_reason`](super::super::plain_reason) writes them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<String>,
    /// How texts are cleaned before this model.
    pub text_profile: Profile,
    pub pooling: Pooling,
    /// Where texts are cut, special tokens counted.
    pub max_tokens: usize,
    /// Sha256, in hex, of each file that makes the model.
    pub files: BTreeMap<String, String>,
    pub encoder: Origin,
    /// How the head was fitted, in the lab's words.
    pub training: Value,
    /// What was measured on held-out data, in the lab's words.
    pub metrics: Value,
}

/// Where an encoder came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    pub name: String,
    pub origin: String,
    pub licence: String,
}

impl Manifest {
    /// Of a model whose head has its rows in the order of [`Label::ALL`]; [`Manifest::write`] fills in the files.
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
        }
    }

    /// Hashes the model's files in `dir`, and writes `manifest.json` beside them.
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

    /// `None` where the directory has no manifest.
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

    /// `<id>-<first 8 hex digits of the sha256 over the files' names and hashes>`: other weights, other name.
    pub fn model_id(&self) -> String {
        let Self { labels, text_profile, pooling, max_tokens, .. } = self;
        let mut reading = format!("{labels:?} {text_profile:?} {pooling:?} {max_tokens}");
        if !self.reasons.is_empty() {
            reading.push_str(&format!(" {:?}", self.reasons)); // models without keep the name they had
        }
        files::model_id(&self.id, &self.files, &reading)
    }

    fn check(&self, path: &Path) -> Result<(), ModelError> {
        match self.fault() {
            Some(reason) => Err(ModelError::Manifest { path: path.to_path_buf(), reason }),
            None => Ok(()),
        }
    }

    fn fault(&self) -> Option<String> {
        if self.format != FORMAT {
            return Some(format!("format is {}; this vigie reads format {FORMAT}", self.format));
        }
        if self.id.is_empty() || !self.id.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)) {
            return Some(format!("id is `{}`; wanted letters, digits, `-`, `_` and `.`", self.id));
        }
        let mut distinct = self.labels.clone();
        distinct.sort();
        distinct.dedup();
        if distinct.len() != self.labels.len() || distinct.len() < 2 || !distinct.contains(&Label::Negative) {
            return Some(
                "labels: wanted negative, neutral and positive, or negative and one of the others, each once, in the \
                 order of the head"
                    .to_owned(),
            );
        }
        if let Some(fault) = self.reason_fault() {
            return Some(fault);
        }
        if let Some(name) = self.files.keys().find(|name| !is_plain(name)) {
            return Some(format!("files: `{name}` is not a plain file name of this directory"));
        }
        let missing = files::REQUIRED.iter().find(|name| !self.files.contains_key(**name));
        missing.map(|name| format!("files: `{name}` is not listed; a model needs it"))
    }
}

impl Manifest {
    fn reason_fault(&self) -> Option<String> {
        if let Some(name) = self.reasons.iter().find(|name| name.is_empty() || plain_reason(name) != **name) {
            return Some(format!("reasons: `{name}`; wanted small letters, digits and `_`, such as `late_flight`"));
        }
        let mut sorted = self.reasons.clone();
        sorted.sort();
        if sorted.windows(2).any(|pair| pair.first() == pair.last()) {
            return Some("reasons: one is named twice".to_owned());
        }
        let listed = self.files.contains_key(files::REASON_HEAD);
        match (self.reasons.is_empty(), listed) {
            (false, false) => Some(format!("reasons are named, but files lists no `{}`", files::REASON_HEAD)),
            (true, true) => Some(format!("files lists `{}`, but reasons names none of its rows", files::REASON_HEAD)),
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
    fn each_fault_is_named() {
        type Spoil = fn(&mut Manifest);
        let faults: [(&str, Spoil); 9] = [
            ("format is 2", |m| m.format = 2),
            ("id is `a/b`", |m| m.id = "a/b".into()),
            ("labels: wanted negative", |m| m.labels[0] = Label::Positive),
            ("`../head.safetensors` is not a plain file name", |m| {
                m.files.insert("../head.safetensors".into(), "00".into());
            }),
            ("reasons: `Late Flight`; wanted small letters", |m| m.reasons = vec!["Late Flight".into()]),
            ("reasons: one is named twice", |m| m.reasons = vec!["late".into(), "late".into()]),
            ("reasons are named, but files lists no `reason_head", |m| m.reasons = vec!["late".into()]),
            ("reasons names none of its rows", |m| {
                m.files.insert("reason_head.safetensors".into(), "00".into());
            }),
            ("`config.json` is not listed", |m| {
                m.files.remove("config.json");
            }),
        ];
        assert_eq!(manifest().fault(), None);
        for (wanted, spoil) in faults {
            let mut manifest = manifest();
            spoil(&mut manifest);
            let fault = manifest.fault().unwrap_or_default();
            assert!(fault.contains(wanted), "{fault:?} should say {wanted:?}");
        }
    }

    #[test]
    fn whatever_changes_a_prediction_makes_another_id() {
        let first = manifest();
        assert!(first.model_id().starts_with("tiny-") && first.model_id().len() == "tiny-".len() + 8);
        let spoils: [fn(&mut Manifest); 5] = [
            |m| drop(m.files.insert("config.json".into(), "01".into())),
            |m| m.max_tokens -= 1,
            |m| m.pooling = Pooling::Cls,
            |m| m.labels.reverse(),
            |m| m.reasons = vec!["late_flight".into()],
        ];
        for spoil in spoils {
            let mut second = manifest();
            spoil(&mut second);
            assert_ne!(first.model_id(), second.model_id());
        }
    }
}
