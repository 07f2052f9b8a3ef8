//! [`RunRecord`]: one run as tables show it and trackers keep it. What the grid, a fit and an evaluation end in.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;

use super::Scores;

/// Settings by name, as written for people.
pub type Params = BTreeMap<String, String>;

/// Values by name, one an epoch, the first epoch's first.
pub type Series = BTreeMap<String, Vec<f64>>;

/// A finished run.
#[derive(Debug, Clone)]
pub struct RunRecord {
    /// Such as `TFIDF_LogisticRegression`.
    pub name: String,
    pub started: Timestamp,
    /// From the first epoch to the last prediction; features that runs share are not in it.
    pub duration: Duration,
    pub tags: BTreeMap<String, String>,
    pub params: Params,
    /// By name, such as `accuracy`; finite.
    pub metrics: BTreeMap<String, f64>,
    pub epochs: Series,
    pub scores: Scores,
    pub artifacts: Vec<Artifact>,
    /// The model that the run made, where it made one to keep.
    pub model: Option<PathBuf>,
}

/// A file kept with a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// Its name with the run, such as `confusion_matrix.png`; `/` parts directories.
    pub name: String,
    pub content: Vec<u8>,
}
