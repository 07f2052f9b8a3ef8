//! The grid of `vigie lab compare`: four embeddings by three estimators on one set of posts, and the report of it.
//!
//! ```text
//! Dumps -> Data --embedding--> Embedded --+--estimator--> probabilities -> Scores -> Run   (three a time)
//!                (once for its three runs)                                            \-> Report -> text, Markdown, JSON, HTML
//! ```
//!
//! Runs come one after another, each with all cores, so that their durations can be compared. One that fails is a row with
//! its reason, and the others go on. The same dumps, settings and seed give the same results but for durations.

mod combination;
mod data;
mod embedding;
mod estimator;
mod picture;
mod record;
pub mod report;
mod settings;
mod split;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use indicatif::ProgressBar;

use super::LabError;
use super::run_record::RunRecord;
use super::score::CurvePoint;
pub use combination::{Combination, EmbeddingKind, EstimatorKind, UnknownRun};
pub use data::{Data, DataError, Dumps, Facts, FileFacts, Side, SideFacts};
use embedding::Features;
pub(super) use picture::confusion_matrix;
pub use settings::Settings;
pub use split::Split;

/// One row of the grid.
#[derive(Debug)]
pub struct Run {
    pub combination: Combination,
    /// What the features took that its embedding's runs share; none where there are none.
    pub features: Option<Duration>,
    pub outcome: Outcome,
}

/// How a run ended.
#[derive(Debug)]
pub enum Outcome {
    Finished(Box<Finished>),
    /// Why, in one line.
    Failed(String),
    /// This machine or this build lacks what it needs: what, and how to get it, in one line.
    NotAvailable(String),
    /// The user stopped the grid before its end.
    Interrupted,
}

/// A run that came to its end.
#[derive(Debug)]
pub struct Finished {
    pub record: RunRecord,
    /// Precision and recall of negative by threshold, few enough to be drawn; empty where all posts, or none, are negative.
    pub curve: Vec<CurvePoint>,
}

/// What happens while the grid is run.
#[derive(Debug)]
pub enum Event {
    /// The progress bar now shows this: an embedding, or a run.
    Began(String),
    Ended(Run),
}

/// Runs `combinations` on `data` and tells of each. `progress` shows how far the one under way is.
pub fn compare(
    combinations: &[Combination],
    data: &Data,
    settings: &Settings,
    progress: &ProgressBar,
    told: &mut dyn FnMut(Event),
) {
    let grid = Grid { data, settings, progress, started: Instant::now() };
    for embedding in EmbeddingKind::ALL {
        // Made when the first run asks: without one there is no need.
        let mut features = None;
        for combination in combinations.iter().filter(|run| run.embedding == embedding) {
            if let Err(reason) = estimator::of(combination.estimator, settings.seed).available() {
                let outcome = Outcome::NotAvailable(reason.to_string());
                told(Event::Ended(Run { combination: *combination, features: None, outcome }));
                continue;
            }
            let features = features.get_or_insert_with(|| {
                told(Event::Began(embedding.name().to_owned()));
                grid.features(embedding)
            });
            told(Event::Began(combination.to_string()));
            let (duration, outcome) = match features {
                Ok(features) => (Some(features.duration), grid.run(*combination, features)),
                Err(reason) => (None, Outcome::Failed(reason.clone())),
            };
            told(Event::Ended(Run { combination: *combination, features: duration, outcome }));
        }
    }
}

/// What every run is given.
struct Grid<'a> {
    data: &'a Data,
    settings: &'a Settings,
    progress: &'a ProgressBar,
    started: Instant,
}

impl Grid<'_> {
    fn features(&self, embedding: EmbeddingKind) -> Result<Features, String> {
        self.progress.reset();
        guarded(|| Features::make(embedding, self.data, self.settings, self.progress))
    }

    fn run(&self, combination: Combination, features: &Features) -> Outcome {
        self.progress.reset();
        match guarded(|| self.finished(combination, features)) {
            Ok(finished) => Outcome::Finished(Box::new(finished)),
            Err(reason) => Outcome::Failed(reason),
        }
    }

    fn finished(&self, combination: Combination, features: &Features) -> Result<Finished, LabError> {
        let begun = self.started.elapsed();
        let clock = Instant::now();
        let estimator = estimator::of(combination.estimator, self.settings.seed);
        let fitted = estimator.fit(&features.embedded.train, &self.data.train.labels, self.progress)?;
        let probabilities = fitted.predict(&features.embedded.test)?;
        let measured = record::Measured {
            combination,
            features,
            params: estimator.params(),
            epochs: fitted.epochs().clone(),
            probabilities: &probabilities,
            begun,
            duration: clock.elapsed(),
        };
        measured.finished(self.data, self.settings)
    }
}

/// The outcome of `work`, with a library's panic as one more failure: eleven runs are worth more than a clean stop.
fn guarded<T>(work: impl FnOnce() -> Result<T, LabError>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => result.map_err(|error| error.to_string()),
        Err(panic) => {
            let said = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
            Err(format!(
                "it panicked, which is a fault of this program, please report it: {}",
                said.unwrap_or("no message")
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_reason() {
        let reason = guarded(|| -> Result<(), LabError> { panic!("row {} is odd", 7) }).unwrap_err();
        assert!(reason.ends_with("please report it: row 7 is odd"), "{reason}");
        assert_eq!(
            guarded(|| Err::<(), _>(LabError::NothingToJudge)).unwrap_err(),
            LabError::NothingToJudge.to_string()
        );
    }
}
