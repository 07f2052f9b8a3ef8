//! A replay: a dump through the stages of the daemon, in the posts' own time and as fast as they go.
//!
//! ```text
//!   this thread          feeder thread            classifier thread            this thread
//!   read, reject,  ==>   posts in event   ==>     clean, classify     ==>      monitor: count, judge, commit
//!   order on disk        time, in chunks                                       then deliver what is in the outbox
//! ```
//!
//! Chunks end at the same posts in every run, and a commit comes after a whole chunk: a replay that goes on after a kill
//! classifies the very batches that an uninterrupted one does, and its output is the same to the last bit.

mod delivery;
mod identity;
mod progress;
pub(super) mod read;

pub use progress::Progress;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::thread;

use anyhow::Context;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Receiving;
use crate::classify::{Classifier, Feed, ModelInfo, Worker};
use crate::config::Loaded;
use crate::dump::{Input, Ordered, SourceError};
use crate::monitor::{Monitor, Report};
use crate::notify::Observer;
use crate::post::Topics;
use crate::store::Store;
use delivery::Telling;
use identity::Identity;
use read::Dump;

/// Posts that are classified and committed together.
const CHUNK: usize = 512;
/// Chunks that may wait on either side of the classifier.
pub(super) const WAITING: usize = 2;
/// Name of a replay's cursor in the store.
const CURSOR: &str = "replay";

/// How far a replay is.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Cursor {
    /// Posts, in event time, that are committed.
    done: u64,
    /// The last bucket was closed.
    finished: bool,
}

/// What to replay, and onto what.
#[derive(Debug)]
pub struct Replay {
    pub loaded: Loaded,
    pub input: Input,
    /// Take each post's label from the dump instead of classifying it.
    pub given_labels: bool,
    /// The topic column must be there.
    pub topic_required: bool,
    /// Where the state is kept, so that a replay can go on after a kill; none for a temporary one.
    pub state: Option<PathBuf>,
    pub rejects: PathBuf,
}

/// What a replay came to.
#[derive(Debug)]
pub struct Outcome {
    /// Posts replayed in this run.
    pub replayed: u64,
    /// Posts that an earlier run on the same state had done.
    pub resumed_after: u64,
    pub rejected: BTreeMap<String, u64>,
    /// The rejects file, if there was anything to write into it.
    pub rejects_file: Option<PathBuf>,
    pub model: String,
    pub report: Report,
}

impl Replay {
    /// Replays the whole dump. Each transition goes to every one of `notifiers`, at least once.
    ///
    /// # Errors
    /// When something is missing or fails for good. What was committed stays, and a replay on the same state goes on
    /// from there.
    pub fn run(
        self,
        classifier: Box<dyn Classifier>,
        notifiers: &mut [Box<dyn Observer>],
        progress: &mut dyn FnMut(Progress),
    ) -> anyhow::Result<Outcome> {
        self.run_telling(classifier, notifiers, None, progress)
    }

    /// As [`Replay::run`], and tells `receivers` as the daemon would, in event time: at once, without waiting.
    ///
    /// # Errors
    /// As [`Replay::run`]. A receiver that cannot be told is no error, and is named in the log.
    pub fn run_telling(
        self,
        classifier: Box<dyn Classifier>,
        notifiers: &mut [Box<dyn Observer>],
        receivers: Option<Vec<Receiving>>,
        progress: &mut dyn FnMut(Progress),
    ) -> anyhow::Result<Outcome> {
        let temporary;
        let state = match &self.state {
            Some(state) => state.as_path(),
            None => {
                temporary = tempfile::tempdir().context("no temporary directory can be made for the state")?;
                temporary.path()
            }
        };
        let store = Store::open(state)?;

        let dump = Dump::read(&self, &mut |_, _| (), progress)?;
        let read_by = ModelInfo::of(classifier.as_ref());
        let model = read_by.id.clone();
        Identity::new(&dump.fingerprint, &model, &self.loaded)?.claim(&store, state)?;
        let mut monitor = Monitor::open(store, self.loaded.config.window.clone(), self.loaded.rules.clone())?;
        monitor.read_by(read_by);
        let telling = |receivers| Telling::new(&monitor, &self.loaded.config, receivers);
        let mut telling = receivers.map(telling).transpose()?;
        deliver(&mut monitor, notifiers, telling.as_mut())?;

        let total = dump.posts.len();
        let mut cursor: Cursor = monitor.cursor(CURSOR)?.unwrap_or_default();
        let resumed_after = cursor.done;
        let (feed, worker) = Worker::spawn(classifier, WAITING).context("no thread for the classifier")?;
        let feeder = thread::Builder::new()
            .name("feeder".into())
            .spawn(move || feed_chunks(dump.posts, resumed_after, &feed))
            .context("no thread for the feeder")?;
        let config = &self.loaded.config;
        let unmatched = Some(config.unmatched_topic.as_str()).filter(|name| !name.is_empty());
        let mut topics = Topics::new(&config.topics, unmatched)?;
        progress(Progress::Replaying { done: cursor.done, total });
        while let Some(chunk) = worker.recv() {
            for classified in &chunk? {
                match &mut telling {
                    Some(telling) => telling.follow(&mut monitor, classified.post.created_at),
                    None => monitor.advance(classified.post.created_at),
                }
                let ids = topics.of(&classified.post).to_vec();
                let names: Vec<&str> = ids.into_iter().map(|id| topics.name(id)).collect();
                monitor.observe(&names, classified)?;
                cursor.done += 1;
            }
            monitor.read_up_to(CURSOR, &cursor)?;
            monitor.commit()?;
            deliver(&mut monitor, notifiers, telling.as_mut())?;
            progress(Progress::Replaying { done: cursor.done, total });
        }
        feeder.join().map_err(|_| anyhow::anyhow!("the thread that feeds the classifier failed"))??;
        if !cursor.finished {
            monitor.close();
            cursor.finished = true;
            monitor.read_up_to(CURSOR, &cursor)?;
            monitor.commit()?;
            deliver(&mut monitor, notifiers, telling.as_mut())?;
        }
        if let (Some(telling), Some(edge)) = (&mut telling, monitor.edge()) {
            // What ended last is told too.
            let until = edge.checked_add(self.loaded.config.notify.group_interval).unwrap_or(edge);
            telling.deliver(&mut monitor, notifiers, until)?;
        }
        monitor.flush()?;

        let report = monitor.report()?;
        let (rejected, rejects_file) = (dump.rejected, dump.rejects_file);
        Ok(Outcome { replayed: cursor.done - resumed_after, resumed_after, rejected, rejects_file, model, report })
    }
}

/// Sends the posts after the first `skipped` in chunks; ends early when nobody takes them any more.
pub(super) fn feed_chunks(mut posts: Ordered, skipped: u64, feed: &Feed) -> Result<(), SourceError> {
    posts.pass(skipped)?;
    loop {
        let chunk = posts.by_ref().take(CHUNK).collect::<Result<Vec<_>, _>>()?;
        if chunk.is_empty() || feed.send(chunk).is_err() {
            return Ok(());
        }
    }
}

/// Empties the outbox: a transition leaves it once every notifier has it.
fn deliver(
    monitor: &mut Monitor,
    notifiers: &mut [Box<dyn Observer>],
    telling: Option<&mut Telling>,
) -> anyhow::Result<()> {
    if let Some(telling) = telling {
        let until = monitor.edge().unwrap_or(Timestamp::MIN);
        return telling.deliver(monitor, notifiers, until);
    }
    while let Some(transition) = monitor.undelivered() {
        for notifier in &mut *notifiers {
            notifier.observe(transition)?;
        }
        monitor.delivered()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
