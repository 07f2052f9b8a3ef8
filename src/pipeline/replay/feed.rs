//! Feeds the classifier of a replay or a backtest: chunks of posts in event time, matched to topics first.
//!
//! ```text
//!   SortedPosts --> chunk --> topics of each post ------------------------------\
//!                        \--> posts of a topic --> classifier thread -----------> ChunkReader
//! ```
//!
//! Chunks end at the same posts in every run, so that a replay that resumes classifies the batches of an uninterrupted one.

use std::ops::RangeInclusive;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{Builder, JoinHandle};

use anyhow::Context as _;
use jiff::Timestamp;

use crate::classify::{ClassifiedPost, Classifier, ClassifierSender, ClassifierThread, ClassifyError};
use crate::dump::{DumpError, SortedPosts};
use crate::monitor::{Monitor, MonitorError};
use crate::pipeline::post_path::{PostObserver, TopicMatcher};

/// Posts that are classified and committed together.
pub(in crate::pipeline) const CHUNK: usize = 512;
/// Chunks that may wait on either side of the classifier.
const QUEUE_CHUNKS: usize = 2;

/// The source of posts that come from a dump.
const SOURCE: &str = "dump";

/// A post of a dump as the monitor will observe it.
pub(in crate::pipeline) struct ReadPost {
    /// Its event time.
    pub(in crate::pipeline) at: Timestamp,
    pub(in crate::pipeline) topics: Vec<String>,
    /// None for a post of no topic, which the model does not read.
    pub(in crate::pipeline) classified: Option<ClassifiedPost>,
}

impl ReadPost {
    /// Counts the post in `monitor`, which was advanced to its time.
    ///
    /// # Errors
    /// When the store fails.
    pub(in crate::pipeline) fn observe(
        &self,
        observer: &mut PostObserver,
        monitor: &mut Monitor,
    ) -> Result<(), MonitorError> {
        match &self.classified {
            Some(classified) => observer.observe(monitor, SOURCE, &self.topics, classified).map(drop),
            None => {
                monitor.record_unmatched(1);
                Ok(())
            }
        }
    }
}

/// Event times and topics of a chunk's posts.
type ChunkTopics = Vec<(Timestamp, Vec<String>)>;

/// Gives the classified chunks of a dump, in order.
pub(in crate::pipeline) struct ChunkReader {
    topics: Receiver<ChunkTopics>,
    worker: ClassifierThread,
    feeder: JoinHandle<Result<(), DumpError>>,
}

impl ChunkReader {
    /// Starts the threads. The first `skipped` posts are passed over; a post outside `times` counts at the nearer end.
    ///
    /// # Errors
    /// When a thread cannot be started.
    pub(in crate::pipeline) fn start(
        (posts, times): (SortedPosts, RangeInclusive<Timestamp>),
        skipped: u64,
        matcher: TopicMatcher,
        classifier: Box<dyn Classifier>,
    ) -> anyhow::Result<Self> {
        let (feed, worker) =
            ClassifierThread::spawn(classifier, QUEUE_CHUNKS).context("cannot start the classifier's thread")?;
        let (sender, topics) = channel();
        let feeder = Builder::new()
            .name("feeder".into())
            .spawn(move || feed_chunks((posts, &times), skipped, matcher, &sender, &feed))
            .context("cannot start the feeder's thread")?;
        Ok(Self { topics, worker, feeder })
    }

    /// The next chunk, waiting for it; none after the last.
    pub(in crate::pipeline) fn next_chunk(&self) -> Option<Result<Vec<ReadPost>, ClassifyError>> {
        let topics = self.topics.recv().ok()?;
        let is_read = topics.iter().any(|(_, topics)| !topics.is_empty());
        // A chunk of unmatched posts never went to the classifier.
        let classified =
            if is_read { self.worker.recv().unwrap_or(Err(ClassifyError::Stopped)) } else { Ok(Vec::new()) };
        Some(classified.map(|classified| join(topics, classified)))
    }

    /// Ends the threads.
    ///
    /// # Errors
    /// When the dump could not be read to its end.
    pub(in crate::pipeline) fn finish(self) -> anyhow::Result<()> {
        Ok(self.feeder.join().map_err(|_| anyhow::anyhow!("the thread that feeds the classifier panicked"))??)
    }
}

fn join(topics: ChunkTopics, classified: Vec<ClassifiedPost>) -> Vec<ReadPost> {
    let mut classified = classified.into_iter();
    let read = |(at, topics): (Timestamp, Vec<String>)| {
        let classified = if topics.is_empty() { None } else { classified.next() };
        ReadPost { at, topics, classified }
    };
    topics.into_iter().map(read).collect()
}

/// Ends early when the reader is gone.
fn feed_chunks(
    (mut posts, times): (SortedPosts, &RangeInclusive<Timestamp>),
    skipped: u64,
    mut matcher: TopicMatcher,
    topics: &Sender<ChunkTopics>,
    feed: &ClassifierSender,
) -> Result<(), DumpError> {
    posts.skip_posts(skipped)?;
    loop {
        let mut chunk = posts.by_ref().take(CHUNK).collect::<Result<Vec<_>, _>>()?;
        if chunk.is_empty() {
            return Ok(());
        }
        for post in chunk.iter_mut().filter(|post| !times.contains(&post.created_at)) {
            post.move_to(post.created_at.clamp(*times.start(), *times.end()));
        }
        let matched: ChunkTopics = chunk.iter().map(|post| (post.created_at, matcher.match_post(post))).collect();
        let read: Vec<_> = chunk
            .into_iter()
            .zip(&matched)
            .filter(|(_, (_, topics))| !topics.is_empty())
            .map(|(post, _)| post)
            .collect();
        let is_gone = topics.send(matched).is_err();
        if is_gone || (!read.is_empty() && feed.send(read).is_err()) {
            return Ok(());
        }
    }
}
