//! [`SpooledRun`]: everything to send of one run, as stored in the spool's `entry.json`, and how it is made from a
//! [`RunRecord`].

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::files;
use super::files::Content;
use super::names;
use super::points::{MetricPoint, points};
use crate::run_record::RunRecord;
use vigie_reading::classify::Manifest;

const FORMAT: u32 = 1;
/// Folder of a model's files among a run's artifacts.
pub(super) const MODEL: &str = "model";

/// Why bytes are not a spooled run.
#[derive(Debug, thiserror::Error)]
pub enum SpooledRunError {
    #[error("not a spooled run of vigie: {0}")]
    Malformed(serde_json::Error),
    #[error("format {0} is not supported, this vigie reads format {FORMAT}: send it with the vigie that wrote it")]
    Format(u64),
}

/// One run to send. File `n` of `files` is stored as `files/n` next to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpooledRun {
    format: u32,
    /// Identifies this run, on the server too: 32 hex digits.
    pub key: String,
    pub experiment: String,
    pub name: String,
    /// Milliseconds since 1970, like `end`.
    pub start: i64,
    pub end: i64,
    pub tags: BTreeMap<String, String>,
    pub params: BTreeMap<String, String>,
    pub points: Vec<MetricPoint>,
    pub files: Vec<SpooledFile>,
    /// Set if the files under `model/` become a version of a registered model.
    pub model: Option<ModelRegistration>,
    pub promotion: Option<PromotionRecord>,
}

/// A file of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpooledFile {
    /// Its path among the run's artifacts.
    pub name: String,
    pub bytes: u64,
    /// In hex.
    pub sha256: String,
}

/// The registered model's version to create.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelRegistration {
    /// Name of the registered model, such as `vigie`.
    pub registered: String,
    /// The model's own id, such as `default-1a2b3c4d`; `None` if its directory has no manifest.
    pub id: Option<String>,
    pub description: String,
}

/// A model became the champion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PromotionRecord {
    pub model_id: String,
    /// Milliseconds since 1970: of two promotions the later one counts, whichever is sent last.
    pub at: i64,
}

impl SpooledRun {
    /// # Errors
    /// If `bytes` are not a spooled run, or one of another format.
    pub fn decode(bytes: &[u8]) -> Result<Self, SpooledRunError> {
        #[derive(Deserialize)]
        struct Versioned {
            format: u64,
        }
        let version: Versioned = serde_json::from_slice(bytes).map_err(SpooledRunError::Malformed)?;
        if version.format != u64::from(FORMAT) {
            return Err(SpooledRunError::Format(version.format));
        }
        serde_json::from_slice(bytes).map_err(SpooledRunError::Malformed)
    }

    /// The bytes that [`SpooledRun::decode`] reads.
    pub fn encode(&self) -> Vec<u8> {
        // Strings, numbers and lists of them always serialize.
        serde_json::to_vec_pretty(self).unwrap_or_default()
    }

    /// Identifies its folder in the spool; a promotion differs from the run that it may create.
    pub(super) fn folder_key(&self) -> String {
        match &self.promotion {
            Some(promotion) => format!("{}-{}", self.key, promotion.at),
            None => self.key.clone(),
        }
    }
}

/// A run whose files are still where they were made.
#[derive(Debug)]
pub(super) struct RunDraft<'a> {
    pub(super) spooled: SpooledRun,
    pub(super) files: BTreeMap<String, Content<'a>>,
}

impl<'a> RunDraft<'a> {
    /// From a finished run.
    ///
    /// # Errors
    /// If the model's directory cannot be read.
    pub(super) fn from_record(record: &'a RunRecord, experiment: &str, registered: &str) -> std::io::Result<Self> {
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
        let spooled = SpooledRun {
            points: points(metrics, record.epochs.clone(), start, end),
            tags: record.tags.clone(),
            params: record.params.clone(),
            ..SpooledRun::empty(key, experiment, &record.name, start, end)
        };
        let mut draft = Self { spooled, files };
        draft.shorten();
        if let Some(dir) = &record.model {
            let id = Manifest::read(dir).ok().flatten().map(|manifest| manifest.model_id());
            draft.add_model(dir, ModelRegistration { registered: registered.to_owned(), id, description })?;
        }
        Ok(draft)
    }

    /// From a promotion of the model in `dir` at `at`.
    ///
    /// # Errors
    /// If its directory cannot be read.
    pub(super) fn from_promotion(
        model_id: &str,
        metrics: &BTreeMap<String, f64>,
        dir: &Path,
        at: Timestamp,
        (experiment, registered): (&str, &str),
    ) -> std::io::Result<Self> {
        let (at, name) = (at.as_millisecond(), format!("promote_{model_id}"));
        let spooled = SpooledRun {
            points: points(metrics.clone(), BTreeMap::new(), at, at),
            promotion: Some(PromotionRecord { model_id: model_id.to_owned(), at }),
            ..SpooledRun::empty(key(&["promotion", registered, model_id]), experiment, &name, at, at)
        };
        let mut draft = Self { spooled, files: BTreeMap::new() };
        let (registered, id) = (registered.to_owned(), Some(model_id.to_owned()));
        draft.add_model(dir, ModelRegistration { registered, id, description: describe(model_id, metrics) })?;
        draft.shorten();
        Ok(draft)
    }

    fn add_model(&mut self, dir: &Path, note: ModelRegistration) -> std::io::Result<()> {
        for (name, path) in files::walk(dir)? {
            self.files.insert(names::path(&format!("{MODEL}/{name}")), Content::File(path));
        }
        if let Some(id) = &note.id {
            self.spooled.tags.entry("vigie.model_id".into()).or_insert(id.clone());
        }
        self.spooled.model = Some(note);
        Ok(())
    }

    /// Makes tags and parameters acceptable for MLflow; complete values of those that are too long go into a file.
    fn shorten(&mut self) {
        let spooled = &mut self.spooled;
        let own = own_tags(&spooled.name, &spooled.key);
        spooled.tags = names::rename(std::mem::take(&mut spooled.tags), names::plain);
        spooled.tags.extend(own);
        spooled.params = names::rename(std::mem::take(&mut spooled.params), names::plain);
        let mut long = BTreeMap::new();
        for (values, max) in [(&mut spooled.tags, names::MAX_TAG), (&mut spooled.params, names::MAX_PARAM)] {
            for (name, value) in values {
                let short = names::shorten(value, max);
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

impl SpooledRun {
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

/// Contains nothing about the user or the machine.
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

/// What a table of runs is sorted by, unless the run has a metric of that name.
fn scores(record: &RunRecord) -> impl Iterator<Item = (&'static str, f64)> {
    let scores = &record.scores;
    let known = [("accuracy", scores.accuracy), ("macro_f1", scores.macro_f1), ("macro_recall", scores.macro_recall)];
    known.into_iter().chain(scores.roc_auc.map(|area| ("roc_auc", area)))
}

/// `NAME: accuracy 0.7706, macro_f1 0.7704, ...`.
fn describe(name: &str, metrics: &BTreeMap<String, f64>) -> String {
    let metrics: Vec<String> = metrics.iter().take(20).map(|(name, value)| format!("{name} {value:.4}")).collect();
    names::shorten(&format!("{name}: {}", metrics.join(", ")), names::MAX_TAG)
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

    fn entries() -> impl Strategy<Value = SpooledRun> {
        let texts = || btree_map(".{0,20}", ".{0,40}", 0..4);
        let point = (".{0,20}", any::<f64>(), any::<i64>(), any::<i64>())
            .prop_map(|(key, value, timestamp, step)| MetricPoint { key, value, timestamp, step });
        let kept = (".{0,20}", any::<u64>(), "[0-9a-f]{64}").prop_map(|(name, bytes, sha256)| SpooledFile {
            name,
            bytes,
            sha256,
        });
        let note = (".{0,9}", proptest::option::of(".{0,9}"), ".{0,40}")
            .prop_map(|(registered, id, description)| ModelRegistration { registered, id, description });
        let promotion = (".{0,9}", any::<i64>()).prop_map(|(model_id, at)| PromotionRecord { model_id, at });
        let more = (proptest::option::of(note), proptest::option::of(promotion));
        ("[0-9a-f]{32}", any::<[i64; 2]>(), texts(), texts(), vec(point, 0..6), vec(kept, 0..3), more).prop_map(
            |(key, [start, end], tags, params, points, files, (model, promotion))| SpooledRun {
                tags,
                params,
                points,
                files,
                model,
                promotion,
                ..SpooledRun::empty(key, "lab", "run é", start, end)
            },
        )
    }

    proptest! {
        #[test]
        fn a_stored_run_is_read_back_bit_for_bit(run in entries()) {
            let back = SpooledRun::decode(&run.encode()).unwrap();
            let bits = |spooled: &SpooledRun| {
                // All NaNs are equal here: their text has no payload.
                let bits = |value: f64| if value.is_nan() { f64::NAN.to_bits() } else { value.to_bits() };
                spooled.points.iter().map(|point| bits(point.value)).collect::<Vec<_>>()
            };
            prop_assert_eq!(bits(&back), bits(&run));
            let without_points = |spooled: SpooledRun| SpooledRun { points: Vec::new(), ..spooled };
            prop_assert_eq!(without_points(back), without_points(run));
        }

        #[test]
        fn malformed_bytes_are_an_error(bytes in vec(any::<u8>(), 0..200), cut in 0_usize..400, run in entries()) {
            prop_assert!(SpooledRun::decode(&bytes).is_err());
            let whole = run.encode();
            prop_assert!(SpooledRun::decode(whole.get(..cut.min(whole.len() - 1)).unwrap()).is_err());
        }
    }

    #[test]
    fn another_format_is_distinguished_from_damage() {
        let newer = SpooledRun::decode(br#"{"format": 2, "anything": []}"#).unwrap_err();
        assert!(matches!(newer, SpooledRunError::Format(2)), "{newer}");
        assert!(matches!(SpooledRun::decode(br#"{"format": 1}"#), Err(SpooledRunError::Malformed(_))));
    }
}
