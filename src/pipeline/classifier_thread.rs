//! The classifier's thread: receives batches from sources, drops repeats and posts of no topic, classifies the rest and sends
//! it to the monitor.
//!
//! ```text
//!   batches ==> gather (about BATCH posts) -> drop repeats -> match topics -> clean, classify ==> monitor
//!                                                                    | fails
//!                                                                    v
//!                                        a new classifier, post by post; a post it fails on
//!                                        again becomes a dead letter, unless it fails on any post
//! ```

use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use anyhow::Context as _;
use tokio::sync::mpsc;

use super::classify_requests::{ClassifyReply, ClassifyRequest};
use super::dedup::RecentIds;
use super::message::{ClassifiedBatch, Event, MatchedPost};
use super::post_path::TopicMatcher;
use super::restart_policy::{RestartDecision, RestartPolicy};
use super::stopwatch::Stopwatch;
use crate::classify::{ClassifiedPost, Classifier, Prediction, predict};
use crate::clock::Clock;
use crate::logging::SPANS;
use crate::metrics::Metrics;
use crate::post::{Post, RejectedRecord};
use crate::source::Envelope;

/// Posts gathered into one batch, where as many are waiting.
const BATCH: usize = 64;
/// A text that every working classifier can read. One that fails on it is broken, whichever post came before.
const CANARY: &str = "The flight was fine.";

/// A new classifier for a running daemon, and its factory.
pub type ClassifierSwap = (Box<dyn Classifier>, MakeClassifier);

/// Builds a classifier: at the start, and after each failure.
pub type MakeClassifier = Box<dyn FnMut() -> anyhow::Result<Box<dyn Classifier>> + Send>;

/// The classifier and the topics of a reload, until the thread takes them.
#[derive(Clone, Default)]
pub(super) struct PendingSwap(Arc<Mutex<Option<(ClassifierSwap, TopicMatcher)>>>);

impl PendingSwap {
    pub(super) fn set(&self, classifier: ClassifierSwap, topics: TopicMatcher) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((classifier, topics));
    }

    fn take(&self) -> Option<(ClassifierSwap, TopicMatcher)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Everything the thread works with.
pub(super) struct ClassifierStage {
    pub(super) classifier: Box<dyn Classifier>,
    pub(super) make: MakeClassifier,
    pub(super) next: PendingSwap,
    pub(super) topics: TopicMatcher,
    pub(super) recent: RecentIds,
    pub(super) classify_requests: mpsc::Receiver<ClassifyRequest>,
    pub(super) clock: Clock,
    /// The time on the present batch.
    pub(super) busy: Stopwatch,
    pub(super) metrics: Metrics,
    pub(super) restart_policy: RestartPolicy,
}

impl ClassifierStage {
    /// Runs until all sources have ended, or the monitor has.
    ///
    /// # Errors
    /// When the classifier failed too often.
    pub(super) fn run(
        mut self,
        mut inbox: mpsc::Receiver<Envelope>,
        monitor: &SyncSender<Event>,
    ) -> anyhow::Result<()> {
        self.publish_model();
        while let Some(first) = inbox.blocking_recv() {
            let mut arrived = vec![first];
            let mut posts = arrived[0].batch.posts.len();
            while posts < BATCH
                && let Ok(next) = inbox.try_recv()
            {
                posts += next.batch.posts.len();
                arrived.push(next);
            }
            if let Some(((classifier, make), topics)) = self.next.take() {
                (self.classifier, self.make, self.topics) = (classifier, make, topics);
                self.publish_model();
            }
            self.busy.start();
            self.answer()?;
            let classified = self.classify(arrived)?;
            self.busy.stop();
            // Those that only woke this thread have nothing to commit.
            if classified.iter().all(ClassifiedBatch::is_empty) {
                continue;
            }
            if monitor.send(Event::Classified(classified)).is_err() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Answers the requests to classify texts that wait now, all that fit into a batch together. Later ones wait until the posts
    /// that have arrived are classified: callers must not keep posts from being read.
    fn answer(&mut self) -> anyhow::Result<()> {
        let mut waiting = self.classify_requests.len();
        while waiting > 0 {
            let (mut posts, mut callers) = (Vec::new(), Vec::new());
            while posts.len() < BATCH
                && waiting > 0
                && let Ok(ClassifyRequest { texts, done }) = self.classify_requests.try_recv()
            {
                waiting -= 1;
                callers.push((texts.len(), done));
                posts.extend(texts.into_iter().map(|text| Post { text, ..Post::default() }));
            }
            let mut predictions = self.predict(&posts)?.into_iter();
            for (count, done) in callers {
                let model = self.classifier.model().to_owned();
                // The caller may have gone.
                let _ = done.send(ClassifyReply { model, predictions: predictions.by_ref().take(count).collect() });
            }
        }
        Ok(())
    }

    fn publish_model(&self) {
        self.metrics.classify.model.reset();
        self.metrics.classify.model.with_label_values(&[self.classifier.model()]).set(1);
    }

    /// Drops repeats and posts of no topic, and classifies the rest of all batches together.
    fn classify(&mut self, arrived: Vec<Envelope>) -> anyhow::Result<Vec<ClassifiedBatch>> {
        let mut posts: Vec<Post> = Vec::new();
        let mut topics: Vec<Vec<String>> = Vec::new();
        let mut counts = Vec::with_capacity(arrived.len());
        let mut classified = Vec::with_capacity(arrived.len());
        for Envelope { source, received_at: at, batch } in arrived {
            let before = posts.len();
            let (mut duplicates, mut unmatched) = (0, 0);
            let received = batch.received() as u64;
            for post in batch.posts {
                // A repeat is dropped first: it was matched and counted when it came before.
                if !self.recent.insert(&post.id, post.created_at.min(at)) {
                    duplicates += 1;
                    continue;
                }
                let matched = self.topics.match_post(&post);
                // Nothing watches for it: it is counted, and the model does not read it.
                if matched.is_empty() {
                    unmatched += 1;
                    continue;
                }
                posts.push(post);
                topics.push(matched);
            }
            counts.push(posts.len() - before);
            classified.push(ClassifiedBatch {
                source,
                at,
                received,
                duplicates,
                unmatched,
                posts: Vec::new(),
                rejected: batch.rejected,
                compliance: batch.compliance,
                cursor: batch.cursor,
                ack: batch.ack,
            });
        }
        let mut predictions = self.predict(&posts)?.into_iter();
        let mut matched = posts.into_iter().zip(topics);
        for (batch, count) in classified.iter_mut().zip(counts) {
            for ((post, topics), prediction) in matched.by_ref().take(count).zip(predictions.by_ref()) {
                match prediction {
                    Some(prediction) => {
                        batch.posts.push(MatchedPost { topics, classified: ClassifiedPost::new(post, prediction) });
                    }
                    None => batch.rejected.push(dead_letter(&post)),
                }
            }
        }
        Ok(classified)
    }

    /// A prediction for each post; none for a post that the classifier failed on twice.
    fn predict(&mut self, posts: &[Post]) -> anyhow::Result<Vec<Option<Prediction>>> {
        if posts.is_empty() {
            return Ok(Vec::new());
        }
        let started = Instant::now();
        let span =
            tracing::trace_span!(target: SPANS, "classify", posts = posts.len(), model = self.classifier.model());
        let entered = span.enter();
        let cached = self.classifier.cached();
        let predicted: Vec<Option<Prediction>> = match predict(&mut *self.classifier, posts) {
            Ok(predictions) => predictions.into_iter().map(Some).collect(),
            Err(error) => {
                self.metrics.classify.failures.inc();
                tracing::warn!(%error, "classifier failed on a batch: retrying its posts one by one");
                self.restart()?;
                posts.iter().map(|post| self.predict_alone(post)).collect::<anyhow::Result<_>>()?
            }
        };
        drop(entered);
        // A classifier that was built again counts from 0.
        self.metrics.classify.cached.inc_by(self.classifier.cached().saturating_sub(cached));
        self.metrics.classify.duration.observe(started.elapsed().as_secs_f64());
        self.metrics.classify.batch.observe(posts.len() as f64);
        for prediction in predicted.iter().flatten() {
            self.metrics.classify.posts.with_label_values(&[prediction.label.as_str()]).inc();
        }
        Ok(predicted)
    }

    /// Retries a post whose batch failed.
    fn predict_alone(&mut self, post: &Post) -> anyhow::Result<Option<Prediction>> {
        if let Ok(predictions) = predict(&mut *self.classifier, std::slice::from_ref(post)) {
            return Ok(predictions.into_iter().next());
        }
        self.metrics.classify.failures.inc();
        self.restart()?;
        self.metrics.classify.dead_letters.inc();
        tracing::warn!("classifier failed twice on a post: kept as a dead letter");
        Ok(None)
    }

    /// Replaces the failed classifier by a new one: after a panic its state cannot be trusted.
    fn restart(&mut self) -> anyhow::Result<()> {
        while let Err(error) = self.rebuild_and_probe() {
            self.metrics.daemon.deaths.with_label_values(&["classifier"]).inc();
            match self.restart_policy.record_failure((self.clock)()) {
                RestartDecision::GiveUp => {
                    return Err(error.context("the classifier failed three times in five minutes"));
                }
                RestartDecision::RestartAfter(wait) => {
                    tracing::error!(error = format!("{error:#}"), "classifier failed: restarting");
                    std::thread::sleep(wait);
                }
            }
        }
        Ok(())
    }

    fn rebuild_and_probe(&mut self) -> anyhow::Result<()> {
        self.classifier = (self.make)().context("it cannot be built again")?;
        let canary = Post { text: CANARY.into(), label: Some("neutral".into()), ..Post::default() };
        predict(&mut *self.classifier, &[canary]).context("it fails on any post")?;
        Ok(())
    }
}

fn dead_letter(post: &Post) -> RejectedRecord {
    let raw = serde_json::to_string(post).unwrap_or_default();
    RejectedRecord::new("poison", "the classifier failed on it twice", &raw)
}

#[cfg(test)]
mod tests;
