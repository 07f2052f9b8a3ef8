//! The grid of `vigie lab compare`: four featurizers by three estimators on one set of posts, and its report.
//!
//! ```text
//! InputDumps -> ComparisonData --featurizer--> GridFeatures --+--estimator--> probabilities -> Scores -> Run   (three each)
//!                                (once for its three runs)                                                \-> Report -> text, Markdown, JSON, HTML
//! ```
//!
//! Runs are executed one after another, each with all cores, so that their durations can be compared. A run that fails
//! becomes a row with its reason, and the others continue. The same dumps, settings and seed give the same results,
//! except for durations.

mod combination;
mod confusion_png;
mod dataset;
mod estimator;
mod features;
mod record;
pub mod report;
mod settings;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use indicatif::ProgressBar;

use super::LabError;
use super::run_record::RunRecord;
use super::score::CurvePoint;
pub use combination::{Combination, EstimatorKind, FeaturizerKind, UnknownRunError};
pub(super) use confusion_png::confusion_matrix;
pub use dataset::{CleanedPosts, ComparisonData, DataError, DataSummary, FileSummary, InputDumps, SideSummary};
use features::GridFeatures;
pub use settings::GridSettings;

/// One row of the grid.
#[derive(Debug)]
pub struct Run {
    pub combination: Combination,
    /// Duration of the features that the runs of a featurizer share; `None` if they were not computed.
    pub features: Option<Duration>,
    pub outcome: RunOutcome,
}

/// How a run ended.
#[derive(Debug)]
pub enum RunOutcome {
    Finished(Box<FinishedRun>),
    /// The reason, in one line.
    Failed(String),
    /// This machine or this build lacks a requirement: which one, and how to get it, in one line.
    NotAvailable(String),
    /// The user stopped the grid before this run finished.
    Interrupted,
}

/// A run that finished.
#[derive(Debug)]
pub struct FinishedRun {
    pub record: RunRecord,
    /// Precision and recall of negative by threshold, few enough to draw; empty if all posts, or none, are negative.
    pub curve: Vec<CurvePoint>,
}

/// Progress of the grid.
#[derive(Debug)]
pub enum GridEvent {
    /// The progress bar now shows this featurizer or run.
    Started(String),
    Finished(Run),
}

/// Runs `combinations` on `data` and calls `report` with every event. `progress` shows the progress of the current run.
pub fn compare(
    combinations: &[Combination],
    data: &ComparisonData,
    settings: &GridSettings,
    progress: &ProgressBar,
    report: &mut dyn FnMut(GridEvent),
) {
    let grid = Grid { data, settings, progress, started: Instant::now() };
    for featurizer in FeaturizerKind::ALL {
        // Computed for the first run that needs them: none may be available.
        let mut features = None;
        for combination in combinations.iter().filter(|run| run.featurizer == featurizer) {
            if let Err(reason) = estimator::build(combination.estimator, settings.seed).check_available() {
                let outcome = RunOutcome::NotAvailable(reason.to_string());
                report(GridEvent::Finished(Run { combination: *combination, features: None, outcome }));
                continue;
            }
            let features = features.get_or_insert_with(|| {
                report(GridEvent::Started(featurizer.name().to_owned()));
                grid.features(featurizer)
            });
            report(GridEvent::Started(combination.to_string()));
            let (duration, outcome) = match features {
                Ok(features) => (Some(features.duration), grid.run(*combination, features)),
                Err(reason) => (None, RunOutcome::Failed(reason.clone())),
            };
            report(GridEvent::Finished(Run { combination: *combination, features: duration, outcome }));
        }
    }
}

/// What all runs share.
struct Grid<'a> {
    data: &'a ComparisonData,
    settings: &'a GridSettings,
    progress: &'a ProgressBar,
    started: Instant,
}

impl Grid<'_> {
    fn features(&self, featurizer: FeaturizerKind) -> Result<GridFeatures, String> {
        self.progress.reset();
        catch_panic(|| GridFeatures::compute(featurizer, self.data, self.settings, self.progress))
    }

    fn run(&self, combination: Combination, features: &GridFeatures) -> RunOutcome {
        self.progress.reset();
        match catch_panic(|| self.run_to_end(combination, features)) {
            Ok(finished) => RunOutcome::Finished(Box::new(finished)),
            Err(reason) => RunOutcome::Failed(reason),
        }
    }

    fn run_to_end(&self, combination: Combination, features: &GridFeatures) -> Result<FinishedRun, LabError> {
        let offset = self.started.elapsed();
        let clock = Instant::now();
        let estimator = estimator::build(combination.estimator, self.settings.seed);
        let fitted = estimator.fit(&features.features.train, &self.data.train.labels, self.progress)?;
        let probabilities = fitted.predict(&features.features.test)?;
        let measurement = record::RunMeasurement {
            combination,
            features,
            params: estimator.params(),
            epochs: fitted.epochs().clone(),
            probabilities: &probabilities,
            offset,
            duration: clock.elapsed(),
        };
        measurement.into_finished(self.data, self.settings)
    }
}

/// The result of `work`; a panic in a library counts as a failure of this run: the other eleven runs are worth keeping.
fn catch_panic<T>(work: impl FnOnce() -> Result<T, LabError>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => result.map_err(|error| error.to_string()),
        Err(panic) => {
            let message = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
            Err(format!("it panicked, which is a bug in vigie, please report it: {}", message.unwrap_or("no message")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_reason() {
        let reason = catch_panic(|| -> Result<(), LabError> { panic!("row {} is odd", 7) }).unwrap_err();
        assert!(reason.ends_with("please report it: row 7 is odd"), "{reason}");
        assert_eq!(
            catch_panic(|| Err::<(), _>(LabError::NothingToEvaluate)).unwrap_err(),
            LabError::NothingToEvaluate.to_string()
        );
    }
}
