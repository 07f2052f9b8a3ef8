//! A backtest: a dump goes through the replay's stages, then through monitors with several sets of rules at once, one per block
//! of history. Alerts are judged by the incidents that the dump marks, or by its labels.
//!
//! ```text
//!                       Truth: labels, marks                                            /--> Judged per rule
//!   dump --> posts in event time --> classifier --> Trial (one set of rules, one block) --> alerts
//! ```
//!
//! Posts are read and classified once for all sets of rules. [`StoredBacktest`] is the same on the posts that the daemon keeps, with
//! the predictions of then.

mod calm;
mod incident;
mod judge;
mod messages;
mod stored;
mod sweep;
mod trial;
mod truth;

pub use calm::FalseAlarms;
pub use incident::{IncidentError, TrueIncident, read_incidents};
pub use judge::{Basis, Judged, Judgement, judge};
pub use messages::MessageCounts;
pub use stored::{MAX_POSTS, MAX_SECONDS, RuleOutcome, StoredBacktest, StoredBacktestResult};
pub use sweep::{Sweep, SweepError};
pub use truth::Truth;

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};

use super::post_path::TopicMatcher;
use super::replay::feed::ChunkReader;
use super::replay::read::Dump;
use super::replay::{Replay, ReplayStage};
use crate::alert::Alert;
use crate::classify::{Classifier, ModelInfo};
use crate::dump::RejectSummary;
use crate::post::Post;
use crate::rule::Rules;
use trial::Trials;

/// What to replay, and under which rules.
#[derive(Debug)]
pub struct Backtest {
    /// Its rules and its state directory are ignored.
    pub replay: Replay,
    /// Sets of rules to compare.
    pub variants: Vec<Rules>,
    /// History is cut into blocks of this length. Each is judged by fresh rules that first saw up to four weeks before it. None
    /// means one block.
    pub block: Option<SignedDuration>,
}

/// The result of a backtest.
#[derive(Debug)]
pub struct BacktestResult {
    pub model: String,
    pub posts: u64,
    /// Times of the first and the last post.
    pub span: (Timestamp, Timestamp),
    pub blocks: usize,
    /// Alerts of each variant, by the time they fired.
    pub fired: Vec<Vec<Alert>>,
    pub truth: Truth,
    pub rejected: BTreeMap<String, u64>,
    pub rejects_file: Option<PathBuf>,
    pub rejects: RejectSummary,
}

impl BacktestResult {
    /// Weeks from the first to the last post.
    pub fn weeks(&self) -> f64 {
        self.span.1.duration_since(self.span.0).as_secs_f64() / (7.0 * 86_400.0)
    }
}

impl Backtest {
    /// Replays the whole dump.
    ///
    /// # Errors
    /// When the dump or the model cannot be read, or the store fails.
    pub fn run(
        self,
        classifier: Box<dyn Classifier>,
        progress: &mut dyn FnMut(ReplayStage),
    ) -> anyhow::Result<BacktestResult> {
        let config = &self.replay.loaded.config;
        let mut topics = TopicMatcher::new(config)?;
        let mut truth = Truth::default();
        let mut note = |post: &Post, incident: Option<bool>| {
            for topic in topics.match_post(post) {
                truth.note(&topic, post, incident);
            }
        };
        let dump = Dump::read(&self.replay, &mut note, progress)?;
        let times = dump.times.range.clone();
        truth.keep_within(&times);
        let span = (*times.start(), *times.end());

        let read_by = ModelInfo::from_classifier(classifier.as_ref());
        let model = read_by.id.clone();
        let mut trials = Trials::new(&self.variants, config, read_by, self.block, span);
        let total = dump.posts.len();
        let matcher = TopicMatcher::new(config)?;
        let chunks = ChunkReader::start((dump.posts, dump.times.range), 0, matcher, classifier)?;
        let mut done = 0;
        while let Some(chunk) = chunks.next_chunk() {
            let chunk = chunk?;
            for post in &chunk {
                trials.observe(post)?;
            }
            trials.commit()?;
            done += chunk.len() as u64;
            progress(ReplayStage::Replaying { done, total });
        }
        chunks.finish()?;
        let (blocks, fired) = trials.finish()?;
        let (rejected, rejects_file, rejects) = (dump.rejected, dump.rejects_file, dump.rejects);
        Ok(BacktestResult { model, posts: done, span, blocks, fired, truth, rejected, rejects_file, rejects })
    }
}
