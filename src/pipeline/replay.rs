//! A replay: a dump through the stages of the daemon, in the posts' own time and as fast as they go.
//!
//! ```text
//!   this thread          feeder thread            classifier thread            this thread
//!   read, reject,  ==>   posts in event   ==>     clean, classify     ==>      monitor: count, judge, commit
//!   order on disk        time, in chunks                                       then deliver what is in the outbox
//! ```
//!
//! Chunks end at the same posts in every run, and a commit comes after a whole chunk: a replay that resumes after a kill
//! classifies the batches of an uninterrupted one, and its output is the same to the last bit.

mod commit_pace;
mod delivery;
pub(super) mod feed;
mod identity;
mod progress;
pub(super) mod read;

pub use progress::ReplayStage;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::Context;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ReceiverHandle;
use super::post_path::{PostObserver, TopicMatcher, topic_settings};
use crate::classify::{Classifier, ModelInfo};
use crate::config::LoadedConfig;
use crate::dump::{Inputs, RejectSummary};
use crate::monitor::{Monitor, MonitorReport};
use crate::notify::TransitionSink;
use crate::store::{Batch, Store};
use commit_pace::CommitPace;
use delivery::ReplayDelivery;
use feed::ChunkReader;
use identity::Identity;
use read::Dump;

/// Name of a replay's cursor in the store.
const CURSOR: &str = "replay";

/// The progress of a replay.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct ReplayProgress {
    /// Posts, in event time, that are committed.
    done: u64,
    /// The last bucket was closed.
    finished: bool,
}

/// What to replay, and where its state goes.
#[derive(Debug)]
pub struct Replay {
    pub loaded: LoadedConfig,
    /// Its files are read as one dump.
    pub input: Inputs,
    /// Take each post's label from the dump instead of classifying it.
    pub given_labels: bool,
    /// The topic column is required.
    pub topic_required: bool,
    /// Where the state is kept, so that a replay can resume after a kill; none for a temporary directory.
    pub state: Option<PathBuf>,
    pub rejects: PathBuf,
}

/// The result of a replay.
#[derive(Debug)]
pub struct ReplaySummary {
    /// Posts replayed in this run.
    pub replayed: u64,
    /// Posts that an earlier run on the same state has replayed.
    pub resumed_after: u64,
    pub rejected: BTreeMap<String, u64>,
    /// The rejects file, if any row was rejected.
    pub rejects_file: Option<PathBuf>,
    pub rejects: RejectSummary,
    pub model: String,
    pub report: MonitorReport,
}

impl Replay {
    /// Replays the whole dump. Each transition goes to every sink, at least once.
    ///
    /// # Errors
    /// When the dump or the model cannot be read, or the store fails. What was committed stays, and a replay on the same state
    /// resumes from there.
    pub fn run(
        self,
        classifier: Box<dyn Classifier>,
        notifiers: &mut [Box<dyn TransitionSink>],
        progress: &mut dyn FnMut(ReplayStage),
    ) -> anyhow::Result<ReplaySummary> {
        self.run_with_receivers(classifier, notifiers, None, progress)
    }

    /// As [`Replay::run`], and notifies `receivers` as the daemon would, in event time and without waiting.
    ///
    /// # Errors
    /// As [`Replay::run`]. A failed notification is logged and is not an error.
    pub fn run_with_receivers(
        self,
        classifier: Box<dyn Classifier>,
        notifiers: &mut [Box<dyn TransitionSink>],
        receivers: Option<Vec<ReceiverHandle>>,
        progress: &mut dyn FnMut(ReplayStage),
    ) -> anyhow::Result<ReplaySummary> {
        let temporary;
        let state = match &self.state {
            Some(state) => state.as_path(),
            None => {
                temporary = tempfile::tempdir().context("cannot create a temporary directory for the state")?;
                temporary.path()
            }
        };
        let store = Store::open(state)?;

        let dump = Dump::read(&self, &mut |_, _| (), progress)?;
        let model_info = ModelInfo::from_classifier(classifier.as_ref());
        let model = model_info.id.clone();
        Identity::new(&dump.fingerprint, &model, &self.loaded)?.claim(&store, state)?;
        let mut monitor = Monitor::open(store, self.loaded.config.window.clone(), self.loaded.rules.clone())?;
        // A temporary state is gone before anybody could ask for posts.
        monitor.keep_posts(self.state.is_some());
        monitor.configure_topics(topic_settings(&self.loaded.config));
        monitor.set_model(model_info);
        let delivery = |receivers| ReplayDelivery::new(&monitor, &self.loaded.config, receivers);
        let mut delivery = receivers.map(delivery).transpose()?;
        deliver(&mut monitor, notifiers, delivery.as_mut())?;

        let total = dump.posts.len();
        let mut cursor: ReplayProgress = monitor.cursor(CURSOR)?.unwrap_or_default();
        let resumed_after = cursor.done;
        let matcher = TopicMatcher::new(&self.loaded.config)?;
        let chunks = ChunkReader::start((dump.posts, dump.times.range), resumed_after, matcher, classifier)?;
        let mut observer = PostObserver::default();
        progress(ReplayStage::Replaying { done: cursor.done, total });
        let mut pace = CommitPace::new(cursor.done, Instant::now());
        while let Some(chunk) = chunks.next_chunk() {
            for post in &chunk? {
                match &mut delivery {
                    Some(delivery) => delivery.follow(&mut monitor, post.at),
                    None => monitor.advance(post.at),
                }
                post.observe(&mut observer, &mut monitor)?;
                cursor.done += 1;
            }
            if pace.is_due(cursor.done, !monitor.new_transitions().is_empty(), Instant::now()) {
                monitor.set_cursor(CURSOR, &cursor)?;
                monitor.commit()?;
                deliver(&mut monitor, notifiers, delivery.as_mut())?;
            }
            progress(ReplayStage::Replaying { done: cursor.done, total });
        }
        chunks.finish()?;
        if pace.is_behind(cursor.done) {
            monitor.set_cursor(CURSOR, &cursor)?;
            monitor.commit()?;
            deliver(&mut monitor, notifiers, delivery.as_mut())?;
        }
        if !cursor.finished {
            monitor.close();
            cursor.finished = true;
            monitor.set_cursor(CURSOR, &cursor)?;
            monitor.commit()?;
            deliver(&mut monitor, notifiers, delivery.as_mut())?;
        }
        if let (Some(delivery), Some(edge)) = (&mut delivery, monitor.edge()) {
            // The last resolved notifications are delivered too.
            let until = edge.checked_add(self.loaded.config.notify.group_interval).unwrap_or(edge);
            delivery.deliver(&mut monitor, notifiers, until)?;
        }
        monitor.flush()?;
        if self.state.is_some() {
            monitor.compact()?;
        }

        let report = monitor.report()?;
        let (rejected, rejects_file, rejects) = (dump.rejected, dump.rejects_file, dump.rejects);
        Ok(ReplaySummary {
            replayed: cursor.done - resumed_after,
            resumed_after,
            rejected,
            rejects_file,
            rejects,
            model,
            report,
        })
    }
}

/// Empties the outbox: a transition leaves it once every sink has it.
fn deliver(
    monitor: &mut Monitor,
    notifiers: &mut [Box<dyn TransitionSink>],
    delivery: Option<&mut ReplayDelivery>,
) -> anyhow::Result<()> {
    if let Some(delivery) = delivery {
        let until = monitor.edge().unwrap_or(Timestamp::MIN);
        return delivery.deliver(monitor, notifiers, until);
    }
    if monitor.outbox().len() == 0 {
        return Ok(());
    }
    for transition in monitor.outbox() {
        for notifier in &mut *notifiers {
            notifier.write(transition)?;
        }
    }
    Ok(monitor.ack_outbox(Batch::default())?)
}

#[cfg(test)]
mod tests;
