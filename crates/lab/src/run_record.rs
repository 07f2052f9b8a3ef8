//! [`RunRecord`]: one run as tables show it and trackers store it. The result of the grid, a fit or an evaluation.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;

use super::Scores;

/// Settings by name, as text.
pub type Params = BTreeMap<String, String>;

/// Values by name, one per epoch, in order.
pub type Series = BTreeMap<String, Vec<f64>>;

/// A finished run.
#[derive(Debug, Clone)]
pub struct RunRecord {
    /// Such as `TFIDF_LogisticRegression`.
    pub name: String,
    pub started: Timestamp,
    /// From the first epoch to the last prediction, without the features that runs share.
    pub duration: Duration,
    pub tags: BTreeMap<String, String>,
    pub params: Params,
    /// By name, such as `accuracy`; finite.
    pub metrics: BTreeMap<String, f64>,
    pub epochs: Series,
    pub scores: Scores,
    pub artifacts: Vec<Artifact>,
    /// Directory of the model that the run made, if it made one to keep.
    pub model: Option<PathBuf>,
}

/// A file stored with a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// Path among the run's artifacts, such as `confusion_matrix.png`; `/` separates directories.
    pub name: String,
    pub content: Vec<u8>,
}
