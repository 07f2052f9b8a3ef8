//! A backtest: a dump through the replay's stages, and then through monitors under several sets of rules at once, each block
//! of history by itself. What fired is judged by what the dump knows of incidents, or by its labels.
//!
//! ```text
//!                       Truth: labels, marks                                            /--> Judged per rule
//!   dump --> posts in event time --> classifier --> Trial (one set of rules, one block) --> alerts
//! ```
//!
//! Posts are read and classified once, however many sets of rules are tried.

mod incident;
mod judge;
mod sweep;
mod trial;
mod truth;

pub use incident::{Incident, IncidentError, read_incidents};
pub use judge::{Basis, Judged, Judgement, judge};
pub use sweep::{Sweep, SweepError};
pub use truth::Truth;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::thread;

use anyhow::Context;
use jiff::{SignedDuration, Timestamp};

use super::replay::read::Dump;
use super::replay::{Progress, Replay, WAITING, feed_chunks};
use crate::alert::Alert;
use crate::classify::{Classifier, ModelInfo, Worker};
use crate::post::{Post, Topics};
use crate::rule::Rules;
use trial::Trials;

/// What to replay, and under which rules.
#[derive(Debug)]
pub struct Backtest {
    /// Its rules and its state are not used.
    pub replay: Replay,
    /// Sets of rules, tried side by side.
    pub variants: Vec<Rules>,
    /// History is cut into blocks of this length, each judged by fresh rules that saw four weeks before it, where there are so
    /// many; none for all of it in one.
    pub block: Option<SignedDuration>,
}

/// What a backtest came to.
#[derive(Debug)]
pub struct Outcome {
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
}

impl Outcome {
    /// Weeks from the first to the last post.
    pub fn weeks(&self) -> f64 {
        self.span.1.duration_since(self.span.0).as_secs_f64() / (7.0 * 86_400.0)
    }
}

impl Backtest {
    /// Replays the whole dump.
    ///
    /// # Errors
    /// When something is missing or fails for good.
    pub fn run(self, classifier: Box<dyn Classifier>, progress: &mut dyn FnMut(Progress)) -> anyhow::Result<Outcome> {
        let config = &self.replay.loaded.config;
        let unmatched = Some(config.unmatched_topic.as_str()).filter(|name| !name.is_empty());
        let mut topics = Topics::new(&config.topics, unmatched)?;
        let mut truth = Truth::default();
        let mut span: Option<(Timestamp, Timestamp)> = None;
        let mut note = |post: &Post, incident: Option<bool>| {
            let (first, last) = span.unwrap_or((post.created_at, post.created_at));
            span = Some((first.min(post.created_at), last.max(post.created_at)));
            for id in topics.of(post).to_vec() {
                truth.note(topics.name(id), post, incident);
            }
        };
        let dump = Dump::read(&self.replay, &mut note, progress)?;
        let span = span.context("the dump has no post")?;

        let read_by = ModelInfo::of(classifier.as_ref());
        let model = read_by.id.clone();
        let mut trials = Trials::new(&self.variants, &config.window, read_by, self.block, span);
        let total = dump.posts.len();
        let (feed, worker) = Worker::spawn(classifier, WAITING).context("no thread for the classifier")?;
        let feeder = thread::Builder::new()
            .name("feeder".into())
            .spawn(move || feed_chunks(dump.posts, 0, &feed))
            .context("no thread for the feeder")?;
        let mut done = 0;
        while let Some(chunk) = worker.recv() {
            let chunk = chunk?;
            for classified in &chunk {
                let ids = topics.of(&classified.post).to_vec();
                let names: Vec<&str> = ids.into_iter().map(|id| topics.name(id)).collect();
                trials.observe(&names, classified)?;
            }
            trials.commit()?;
            done += chunk.len() as u64;
            progress(Progress::Replaying { done, total });
        }
        feeder.join().map_err(|_| anyhow::anyhow!("the thread that feeds the classifier failed"))??;
        let (blocks, fired) = trials.finish()?;
        let (rejected, rejects_file) = (dump.rejected, dump.rejects_file);
        Ok(Outcome { model, posts: done, span, blocks, fired, truth, rejected, rejects_file })
    }
}
