//! [`Report`]: the runs of a grid, the best first, and what they ran on. Written as text, Markdown, JSON and an HTML
//! page.
//!
//! The JSON is this struct; `report.schema.json` in this folder describes each field.

mod chart;
mod format;
mod html;
mod markdown;
mod text;

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use super::{Combination, DataSummary, EstimatorKind, FeaturizerKind, FinishedRun, Run, RunOutcome};
use crate::run_record::{Params, Series};
use crate::{CurvePoint, Scores};
use vigie_reading::stats::wilson_interval;

/// The record of a grid. Durations are in seconds, shares in `[0, 1]`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Version of this layout.
    pub format: u32,
    /// Version of this program.
    pub vigie: &'static str,
    /// The command that repeats the grid.
    pub command: String,
    pub begun: Timestamp,
    /// From the first featurizer to the last prediction.
    pub seconds: f64,
    pub seed: u64,
    pub machine: Machine,
    pub data: DataSummary,
    /// By accuracy, the best first; runs without one at the end.
    pub runs: Vec<ReportRow>,
}

/// The machine that ran the grid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Machine {
    /// Cores that this process may use.
    pub cores: usize,
    /// Model name, if the system reports it.
    pub processor: Option<String>,
    pub system: String,
}

/// One run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReportRow {
    pub name: String,
    pub embedding: &'static str,
    pub estimator: &'static str,
    pub status: RunStatus,
    /// Why the run has no result.
    pub reason: Option<String>,
    /// Duration of the features, which the runs of a featurizer share.
    pub features_seconds: Option<f64>,
    #[serde(flatten)]
    pub result: Option<RunResult>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    Finished,
    Failed,
    NotAvailable,
    Interrupted,
}

/// The result of a finished run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunResult {
    pub started: Timestamp,
    /// From the first epoch to the last prediction, without the features.
    pub seconds: f64,
    /// 95%, by Wilson.
    pub accuracy_interval: [f64; 2],
    pub scores: Scores,
    pub params: Params,
    pub metrics: BTreeMap<String, f64>,
    pub epochs: Series,
    /// Precision and recall of negative by threshold, the strictest first; thinned.
    pub precision_recall: Vec<CurvePoint>,
}

/// Number of runs by how they ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RunCounts {
    pub finished: usize,
    pub failed: usize,
    pub not_available: usize,
    pub interrupted: usize,
}

/// What a report contains apart from its runs.
#[derive(Debug, Clone)]
pub struct ReportContext {
    pub command: String,
    pub begun: Timestamp,
    pub took: Duration,
    pub seed: u64,
    pub data: DataSummary,
}

impl Report {
    /// A report of the finished runs; the other `combinations` are marked as interrupted.
    pub fn new(context: ReportContext, combinations: &[Combination], ended: Vec<Run>) -> Self {
        let missing =
            combinations.iter().filter(|combination| !ended.iter().any(|run| run.combination == **combination));
        let interrupted = |combination: &Combination| Run {
            combination: *combination,
            features: None,
            outcome: RunOutcome::Interrupted,
        };
        let interrupted: Vec<Run> = missing.map(interrupted).collect();
        let mut runs: Vec<(Combination, ReportRow)> =
            ended.into_iter().chain(interrupted).map(|run| (run.combination, ReportRow::from_run(run))).collect();
        runs.sort_by(|(a, of_a), (b, of_b)| of_b.accuracy().total_cmp(&of_a.accuracy()).then(a.cmp(b)));
        let ReportContext { command, begun, took, seed, data } = context;
        Self {
            format: 1,
            vigie: env!("CARGO_PKG_VERSION"),
            command,
            begun,
            seconds: took.as_secs_f64(),
            seed,
            machine: Machine::current(),
            data,
            runs: runs.into_iter().map(|(_, row)| row).collect(),
        }
    }

    pub fn run_counts(&self) -> RunCounts {
        let count = |status: RunStatus| self.runs.iter().filter(|run| run.status == status).count();
        RunCounts {
            finished: count(RunStatus::Finished),
            failed: count(RunStatus::Failed),
            not_available: count(RunStatus::NotAvailable),
            interrupted: count(RunStatus::Interrupted),
        }
    }

    /// The run with the highest accuracy.
    fn best(&self) -> Option<(&ReportRow, &RunResult)> {
        self.finished().next()
    }

    /// Which run leads, and whether significantly: the 95% interval of its accuracy does not overlap with that of the
    /// second.
    fn headline(&self) -> Option<String> {
        let mut finished = self.finished();
        let (best, result) = finished.next()?;
        let [low, _] = result.accuracy_interval;
        Some(match finished.next() {
            None => format!("{} is the only finished run", best.name),
            Some((_, second)) if second.accuracy_interval[1] >= low => {
                format!("{} leads by accuracy (not significantly)", best.name)
            }
            Some(_) => format!("{} leads by accuracy", best.name),
        })
    }

    fn finished(&self) -> impl Iterator<Item = (&ReportRow, &RunResult)> {
        self.runs.iter().filter_map(|row| Some((row, row.result.as_ref()?)))
    }

    /// The accuracy of predicting the most common class for every post; a run has to beat it to have learned anything.
    fn majority(&self) -> f64 {
        let most = self.data.test.classes.values().max().copied().unwrap_or(0);
        most as f64 / self.data.test.rows.max(1) as f64
    }

    /// For a terminal of `width` columns.
    pub fn text(&self, width: usize) -> String {
        text::render(self, width)
    }

    pub fn markdown(&self) -> String {
        markdown::render(self)
    }

    pub fn json(&self) -> String {
        serde_json::to_string_pretty(self).expect("string keys and plain numbers serialize to JSON") + "\n"
    }

    /// One self-contained page: no script, font or image from elsewhere.
    pub fn html(&self) -> String {
        html::render(self)
    }
}

impl ReportRow {
    fn from_run(Run { combination: Combination { featurizer, estimator }, features, outcome }: Run) -> Self {
        let (status, reason, result) = match outcome {
            RunOutcome::Finished(finished) => (RunStatus::Finished, None, Some(RunResult::from_finished(*finished))),
            RunOutcome::Failed(reason) => (RunStatus::Failed, Some(reason), None),
            RunOutcome::NotAvailable(reason) => (RunStatus::NotAvailable, Some(reason), None),
            RunOutcome::Interrupted => (RunStatus::Interrupted, Some("interrupted".to_owned()), None),
        };
        Self {
            name: Combination { featurizer, estimator }.to_string(),
            embedding: FeaturizerKind::name(featurizer),
            estimator: EstimatorKind::name(estimator),
            status,
            reason,
            features_seconds: features.map(|duration| duration.as_secs_f64()),
            result,
        }
    }

    /// Below all accuracies if there is none.
    fn accuracy(&self) -> f64 {
        self.result.as_ref().map_or(-1.0, |result| result.scores.accuracy)
    }

    /// The text instead of numbers.
    fn reason_text(&self) -> String {
        let reason = self.reason.as_deref().unwrap_or_default();
        match self.status {
            RunStatus::Failed => format!("failed: {reason}"),
            RunStatus::NotAvailable => format!("not available: {reason}"),
            RunStatus::Finished | RunStatus::Interrupted => reason.to_owned(),
        }
    }
}

impl RunResult {
    fn from_finished(FinishedRun { record, curve }: FinishedRun) -> Self {
        let right = record.scores.confusion_matrix.iter().enumerate().filter_map(|(class, row)| row.get(class)).sum();
        Self {
            started: record.started,
            seconds: record.duration.as_secs_f64(),
            accuracy_interval: wilson_interval(right, record.scores.posts),
            scores: record.scores,
            params: record.params,
            metrics: record.metrics,
            epochs: record.epochs,
            precision_recall: curve,
        }
    }
}

impl Machine {
    fn current() -> Self {
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
