//! [`Report`]: a grid's runs, the best first, and what they ran on. Written as text, Markdown, JSON and an HTML page.
//!
//! The JSON is this struct; `report.schema.json` beside this file says what each field is.

mod chart;
mod format;
mod html;
mod markdown;
mod text;

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use super::{Combination, EmbeddingKind, EstimatorKind, Facts, Finished, Outcome, Run};
use crate::run_record::{Params, Series};
use crate::{CurvePoint, Scores, wilson};

/// What a grid is remembered by. Durations are in seconds, shares in `[0, 1]`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Version of this layout.
    pub format: u32,
    /// Version of this program.
    pub vigie: &'static str,
    /// What does the same again.
    pub command: String,
    pub begun: Timestamp,
    /// From the first embedding to the last prediction.
    pub seconds: f64,
    pub seed: u64,
    pub machine: Machine,
    pub data: Facts,
    /// By accuracy, the best first; those without one at the end.
    pub runs: Vec<Row>,
}

/// What the grid ran on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Machine {
    /// Cores that this process may use.
    pub cores: usize,
    /// As the system calls it, where it says.
    pub processor: Option<String>,
    pub system: String,
}

/// One run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    pub name: String,
    pub embedding: &'static str,
    pub estimator: &'static str,
    pub status: Status,
    /// Why there is no result.
    pub reason: Option<String>,
    /// Of the features, which the embedding's runs share.
    pub features_seconds: Option<f64>,
    #[serde(flatten)]
    pub result: Option<RunResult>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Finished,
    Failed,
    NotAvailable,
    Interrupted,
}

/// What a finished run reached.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunResult {
    pub started: Timestamp,
    /// From the first epoch to the last prediction, the features left out.
    pub seconds: f64,
    /// 95 %, by Wilson.
    pub accuracy_interval: [f64; 2],
    pub scores: Scores,
    pub params: Params,
    pub metrics: BTreeMap<String, f64>,
    pub epochs: Series,
    /// Precision and recall of negative by threshold, the strictest first; thinned.
    pub precision_recall: Vec<CurvePoint>,
}

/// How many runs ended how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    pub finished: usize,
    pub failed: usize,
    pub not_available: usize,
    pub interrupted: usize,
}

/// What a report says beside its runs.
#[derive(Debug, Clone)]
pub struct About {
    pub command: String,
    pub begun: Timestamp,
    pub took: Duration,
    pub seed: u64,
    pub data: Facts,
}

impl Report {
    /// Of the runs that ended; those of `combinations` that did not are told as interrupted.
    pub fn new(about: About, combinations: &[Combination], ended: Vec<Run>) -> Self {
        let missing =
            combinations.iter().filter(|combination| !ended.iter().any(|run| run.combination == **combination));
        let interrupted = |combination: &Combination| Run {
            combination: *combination,
            features: None,
            outcome: Outcome::Interrupted,
        };
        let interrupted: Vec<Run> = missing.map(interrupted).collect();
        let mut runs: Vec<(Combination, Row)> =
            ended.into_iter().chain(interrupted).map(|run| (run.combination, Row::of(run))).collect();
        runs.sort_by(|(a, of_a), (b, of_b)| of_b.accuracy().total_cmp(&of_a.accuracy()).then(a.cmp(b)));
        let About { command, begun, took, seed, data } = about;
        Self {
            format: 1,
            vigie: env!("CARGO_PKG_VERSION"),
            command,
            begun,
            seconds: took.as_secs_f64(),
            seed,
            machine: Machine::here(),
            data,
            runs: runs.into_iter().map(|(_, row)| row).collect(),
        }
    }

    pub fn tally(&self) -> Tally {
        let of = |status: Status| self.runs.iter().filter(|run| run.status == status).count();
        Tally {
            finished: of(Status::Finished),
            failed: of(Status::Failed),
            not_available: of(Status::NotAvailable),
            interrupted: of(Status::Interrupted),
        }
    }

    /// The run of the highest accuracy.
    fn best(&self) -> Option<(&Row, &RunResult)> {
        self.finished().next()
    }

    fn finished(&self) -> impl Iterator<Item = (&Row, &RunResult)> {
        self.runs.iter().filter_map(|row| Some((row, row.result.as_ref()?)))
    }

    /// The accuracy of calling every post what most are; what a run must beat to have learnt anything.
    fn majority(&self) -> f64 {
        let most = self.data.test.classes.values().max().copied().unwrap_or(0);
        most as f64 / self.data.test.rows.max(1) as f64
    }

    /// For a terminal of `width` columns.
    pub fn text(&self, width: usize) -> String {
        text::of(self, width)
    }

    pub fn markdown(&self) -> String {
        markdown::of(self)
    }

    pub fn json(&self) -> String {
        serde_json::to_string_pretty(self).expect("string keys and plain numbers: nothing JSON lacks") + "\n"
    }

    /// One page that needs nothing else: no script, no font, no picture from elsewhere.
    pub fn html(&self) -> String {
        html::of(self)
    }
}

impl Row {
    fn of(Run { combination: Combination { embedding, estimator }, features, outcome }: Run) -> Self {
        let (status, reason, result) = match outcome {
            Outcome::Finished(finished) => (Status::Finished, None, Some(RunResult::of(*finished))),
            Outcome::Failed(reason) => (Status::Failed, Some(reason), None),
            Outcome::NotAvailable(reason) => (Status::NotAvailable, Some(reason), None),
            Outcome::Interrupted => (Status::Interrupted, Some("interrupted".to_owned()), None),
        };
        Self {
            name: Combination { embedding, estimator }.to_string(),
            embedding: EmbeddingKind::name(embedding),
            estimator: EstimatorKind::name(estimator),
            status,
            reason,
            features_seconds: features.map(|duration| duration.as_secs_f64()),
            result,
        }
    }

    /// Below all accuracies where there is none.
    fn accuracy(&self) -> f64 {
        self.result.as_ref().map_or(-1.0, |result| result.scores.accuracy)
    }

    /// What stands in the place of numbers.
    fn excuse(&self) -> String {
        let reason = self.reason.as_deref().unwrap_or_default();
        match self.status {
            Status::Failed => format!("failed: {reason}"),
            Status::NotAvailable => format!("not available: {reason}"),
            Status::Finished | Status::Interrupted => reason.to_owned(),
        }
    }
}

impl RunResult {
    fn of(Finished { record, curve }: Finished) -> Self {
        let right = record.scores.confusion_matrix.iter().enumerate().filter_map(|(class, row)| row.get(class)).sum();
        Self {
            started: record.started,
            seconds: record.duration.as_secs_f64(),
            accuracy_interval: wilson(right, record.scores.posts),
            scores: record.scores,
            params: record.params,
            metrics: record.metrics,
            epochs: record.epochs,
            precision_recall: curve,
        }
    }
}

impl Machine {
    fn here() -> Self {
        let processor = std::fs::read_to_string("/proc/cpuinfo").ok().and_then(|text| {
            let line = text.lines().find(|line| line.starts_with("model name"))?;
            Some(line.split_once(':')?.1.trim().to_owned())
        });
        Self {
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            processor,
            system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        }
    }
}

#[cfg(test)]
mod tests;
