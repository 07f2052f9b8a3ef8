//! [`Entry`]: all that is to be sent of one run, as `entry.json` in the spool keeps it, and how it is made of a run.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::files;
use super::files::Content;
use super::names;
use super::points::{Point, points};
use crate::run_record::RunRecord;
use vigie_reading::classify::Manifest;

const FORMAT: u32 = 1;
/// Where a model's files are among a run's artifacts.
pub(super) const MODEL: &str = "model";

/// Why bytes are no entry.
#[derive(Debug, thiserror::Error)]
pub enum EntryError {
    #[error("it is no run as vigie keeps them: {0}")]
    Malformed(serde_json::Error),
    #[error("it has format {0}, this vigie reads format {FORMAT}: send it with the vigie that wrote it")]
    Format(u64),
}

/// One run to be sent. File `n` of `files` is `files/n` beside it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    format: u32,
    /// Tells this run from all others, at the server too: 32 hex digits.
    pub key: String,
    pub experiment: String,
    pub name: String,
    /// Milliseconds since 1970, as `end`.
    pub start: i64,
    pub end: i64,
    pub tags: BTreeMap<String, String>,
    pub params: BTreeMap<String, String>,
    pub points: Vec<Point>,
    pub files: Vec<Kept>,
    /// Where a version of a registered model is to be made of the files under `model/`.
    pub model: Option<ModelNote>,
    pub promotion: Option<Promotion>,
}

/// A file that goes with a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    /// Its path among the run's artifacts.
    pub name: String,
    pub bytes: u64,
    /// In hex.
    pub sha256: String,
}

/// What a registered model's version says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelNote {
    /// Name of the registered model, such as `vigie`.
    pub registered: String,
    /// The model's own, such as `default-1a2b3c4d`; none where its directory has no manifest.
    pub id: Option<String>,
    pub description: String,
}

/// That a model is the champion now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Promotion {
    pub model_id: String,
    /// Milliseconds since 1970: of two promotions, the later one counts, whichever is sent last.
    pub at: i64,
}

impl Entry {
    /// # Errors
    /// When `bytes` are no entry, or one of another format.
    pub fn decode(bytes: &[u8]) -> Result<Self, EntryError> {
        #[derive(Deserialize)]
        struct Versioned {
            format: u64,
        }
        let version: Versioned = serde_json::from_slice(bytes).map_err(EntryError::Malformed)?;
        if version.format != u64::from(FORMAT) {
            return Err(EntryError::Format(version.format));
        }
        serde_json::from_slice(bytes).map_err(EntryError::Malformed)
    }

    /// The bytes that [`Entry::decode`] reads.
    pub fn encode(&self) -> Vec<u8> {
        // Strings, numbers and lists of them: nothing that JSON lacks.
        serde_json::to_vec_pretty(self).unwrap_or_default()
    }

    /// Of this run among the spool's; a promotion is not the run that it may make.
    pub(super) fn folder_key(&self) -> String {
        match &self.promotion {
            Some(promotion) => format!("{}-{}", self.key, promotion.at),
            None => self.key.clone(),
        }
    }
}

/// An entry whose files are still where they were made.
#[derive(Debug)]
pub(super) struct Draft<'a> {
    pub(super) entry: Entry,
    pub(super) files: BTreeMap<String, Content<'a>>,
}

impl<'a> Draft<'a> {
    /// Of a finished run.
    ///
    /// # Errors
    /// When the model's directory cannot be read.
    pub(super) fn of_run(record: &'a RunRecord, experiment: &str, registered: &str) -> std::io::Result<Self> {
        let start = record.started.as_millisecond();
        let end = start.saturating_add(i64::try_from(record.duration.as_millis()).unwrap_or(i64::MAX));
        let mut metrics = record.metrics.clone();
        metrics.entry("duration_s".into()).or_insert(record.duration.as_secs_f64());
        for (name, value) in scores(record) {
            metrics.entry(name.to_owned()).or_insert(value);
        }
        let artifact = |name: &str, content: Cow<'a, [u8]>| (names::path(name), Content::Bytes(content));
        let mut files: BTreeMap<_, _> =
            record.artifacts.iter().map(|kept| artifact(&kept.name, Cow::Borrowed(&kept.content))).collect();
        if let Ok(json) = serde_json::to_vec_pretty(&record.scores) {
            let (name, content) = artifact("scores.json", Cow::Owned(json));
            files.entry(name).or_insert(content);
        }
        let key = key(&[&record.name, &format!("{:?}", (start, end, &record.params, &metrics, &record.epochs))]);
        let description = describe(&record.name, &metrics);
        let entry = Entry {
            points: points(metrics, record.epochs.clone(), start, end),
            tags: record.tags.clone(),
            params: record.params.clone(),
            ..Entry::empty(key, experiment, &record.name, start, end)
        };
        let mut draft = Self { entry, files };
        draft.shorten();
        if let Some(dir) = &record.model {
            let id = Manifest::read(dir).ok().flatten().map(|manifest| manifest.model_id());
            draft.add_model(dir, ModelNote { registered: registered.to_owned(), id, description })?;
        }
        Ok(draft)
    }

    /// Of the model in `dir`, champion since `at`.
    ///
    /// # Errors
    /// When its directory cannot be read.
    pub(super) fn of_promotion(
        model_id: &str,
        metrics: &BTreeMap<String, f64>,
        dir: &Path,
        at: Timestamp,
        (experiment, registered): (&str, &str),
    ) -> std::io::Result<Self> {
        let (at, name) = (at.as_millisecond(), format!("promote_{model_id}"));
        let entry = Entry {
            points: points(metrics.clone(), BTreeMap::new(), at, at),
            promotion: Some(Promotion { model_id: model_id.to_owned(), at }),
            ..Entry::empty(key(&["promotion", registered, model_id]), experiment, &name, at, at)
        };
        let mut draft = Self { entry, files: BTreeMap::new() };
        let (registered, id) = (registered.to_owned(), Some(model_id.to_owned()));
        draft.add_model(dir, ModelNote { registered, id, description: describe(model_id, metrics) })?;
        draft.shorten();
        Ok(draft)
    }

    fn add_model(&mut self, dir: &Path, note: ModelNote) -> std::io::Result<()> {
        for (name, path) in files::walk(dir)? {
            self.files.insert(names::path(&format!("{MODEL}/{name}")), Content::File(path));
        }
        if let Some(id) = &note.id {
            self.entry.tags.entry("vigie.model_id".into()).or_insert(id.clone());
        }
        self.entry.model = Some(note);
        Ok(())
    }

    /// Tags and parameters as MLflow takes them; the whole of what is too long goes into a file.
    fn shorten(&mut self) {
        let entry = &mut self.entry;
        let own = own_tags(&entry.name, &entry.key);
        entry.tags = names::renamed(std::mem::take(&mut entry.tags), names::plain);
        entry.tags.extend(own);
        entry.params = names::renamed(std::mem::take(&mut entry.params), names::plain);
        let mut long = BTreeMap::new();
        for (values, most) in [(&mut entry.tags, names::TAG), (&mut entry.params, names::PARAM)] {
            for (name, value) in values {
                let short = names::shortened(value, most);
                if short != *value {
                    long.insert(name.clone(), std::mem::replace(value, short));
                }
            }
        }
        if !long.is_empty() {
            let json = serde_json::to_vec_pretty(&long).unwrap_or_default();
            self.files.insert("long_values.json".into(), Content::Bytes(json.into()));
        }
    }
}

impl Entry {
    fn empty(key: String, experiment: &str, name: &str, start: i64, end: i64) -> Self {
        Self {
            format: FORMAT,
            key,
            experiment: experiment.to_owned(),
            name: name.to_owned(),
            start,
            end,
            tags: BTreeMap::new(),
            params: BTreeMap::new(),
            points: Vec::new(),
            files: Vec::new(),
            model: None,
            promotion: None,
        }
    }
}

/// Nothing of who ran it or where.
fn own_tags(name: &str, key: &str) -> BTreeMap<String, String> {
    let commit = option_env!("VIGIE_GIT_COMMIT").map(|commit| ("mlflow.source.git.commit", commit));
    let tags = [
        ("mlflow.runName", name),
        ("mlflow.source.name", "vigie lab"),
        ("mlflow.source.type", "LOCAL"),
        ("vigie.run_key", key),
        ("vigie.version", env!("CARGO_PKG_VERSION")),
    ];
    tags.into_iter().chain(commit).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// What a table of runs sorts by, where the run itself names no such metric.
fn scores(record: &RunRecord) -> impl Iterator<Item = (&'static str, f64)> {
    let scores = &record.scores;
    let known = [("accuracy", scores.accuracy), ("macro_f1", scores.macro_f1), ("macro_recall", scores.macro_recall)];
    known.into_iter().chain(scores.roc_auc.map(|area| ("roc_auc", area)))
}

/// `NAME: accuracy 0.7706, macro_f1 0.7704, ...`.
fn describe(name: &str, metrics: &BTreeMap<String, f64>) -> String {
    let metrics: Vec<String> = metrics.iter().take(20).map(|(name, value)| format!("{name} {value:.4}")).collect();
    names::shortened(&format!("{name}: {}", metrics.join(", ")), names::TAG)
}

fn key(parts: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    let digest = files::hex(&hasher.finalize());
    digest.get(..32).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::{btree_map, vec};
    use proptest::prelude::*;

    fn entries() -> impl Strategy<Value = Entry> {
        let texts = || btree_map(".{0,20}", ".{0,40}", 0..4);
        let point = (".{0,20}", any::<f64>(), any::<i64>(), any::<i64>())
            .prop_map(|(key, value, timestamp, step)| Point { key, value, timestamp, step });
        let kept =
            (".{0,20}", any::<u64>(), "[0-9a-f]{64}").prop_map(|(name, bytes, sha256)| Kept { name, bytes, sha256 });
        let note = (".{0,9}", proptest::option::of(".{0,9}"), ".{0,40}")
            .prop_map(|(registered, id, description)| ModelNote { registered, id, description });
        let promotion = (".{0,9}", any::<i64>()).prop_map(|(model_id, at)| Promotion { model_id, at });
        let more = (proptest::option::of(note), proptest::option::of(promotion));
        ("[0-9a-f]{32}", any::<[i64; 2]>(), texts(), texts(), vec(point, 0..6), vec(kept, 0..3), more).prop_map(
            |(key, [start, end], tags, params, points, files, (model, promotion))| Entry {
                tags,
                params,
                points,
                files,
                model,
                promotion,
                ..Entry::empty(key, "lab", "run é", start, end)
            },
        )
    }

    proptest! {
        #[test]
        fn what_is_kept_is_read_back_to_the_last_bit(entry in entries()) {
            let back = Entry::decode(&entry.encode()).unwrap();
            let bits = |entry: &Entry| {
                // Two that are no number are the same here: the word for them has no payload.
                let bits = |value: f64| if value.is_nan() { f64::NAN.to_bits() } else { value.to_bits() };
                entry.points.iter().map(|point| bits(point.value)).collect::<Vec<_>>()
            };
            prop_assert_eq!(bits(&back), bits(&entry));
            let bare = |entry: Entry| Entry { points: Vec::new(), ..entry };
            prop_assert_eq!(bare(back), bare(entry));
        }

        #[test]
        fn no_bytes_are_too_strange(bytes in vec(any::<u8>(), 0..200), cut in 0_usize..400, entry in entries()) {
            prop_assert!(Entry::decode(&bytes).is_err());
            let whole = entry.encode();
            prop_assert!(Entry::decode(whole.get(..cut.min(whole.len() - 1)).unwrap()).is_err());
        }
    }

    #[test]
    fn another_format_is_told_from_damage() {
        let newer = Entry::decode(br#"{"format": 2, "anything": []}"#).unwrap_err();
        assert!(matches!(newer, EntryError::Format(2)), "{newer}");
        assert!(matches!(Entry::decode(br#"{"format": 1}"#), Err(EntryError::Malformed(_))));
    }
}
