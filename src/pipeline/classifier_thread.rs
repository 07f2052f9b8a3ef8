//! The classifier's thread: takes deliveries, drops what came before, classifies the rest, hands on to the monitor.
//!
//! ```text
//!   deliveries ==> gather (at most BATCH posts) -> drop repeats -> clean, classify ==> monitor
//!                                                                    | fails
//!                                                                    v
//!                                        a fresh classifier, post by post; a post it fails on
//!                                        again is set aside, unless it fails on any post at all
//! ```

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::SyncSender;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use anyhow::Context as _;
use jiff::Timestamp;
use tokio::sync::mpsc;

use super::classify_requests::{Answer, Question};
use super::dedup::Recent;
use super::monitor_thread::Event;
use super::restart_policy::{Deaths, Verdict};
use crate::classify::{ClassifiedPost, Classifier, Prediction, predict};
use crate::clock::Clock;
use crate::metrics::Metrics;
use crate::post::{Notice, Post, Unusable};
use crate::source::{Arrived, Cursor};

/// Posts gathered into one batch, where as many are waiting.
const BATCH: usize = 64;
/// What any classifier can read: one that fails on it is broken, whatever the post before it was.
const CANARY: &str = "The flight was fine.";

/// A classifier, and how to make its like.
pub type Reloaded = (Box<dyn Classifier>, MakeClassifier);

/// Makes a classifier: the first, and each that follows one that failed.
pub type MakeClassifier = Box<dyn FnMut() -> anyhow::Result<Box<dyn Classifier>> + Send>;

/// A delivery whose posts are classified.
#[derive(Debug)]
pub(super) struct Classified {
    pub(super) source: Arc<str>,
    /// When the source handed it over.
    pub(super) at: Timestamp,
    pub(super) received: u64,
    pub(super) duplicates: u64,
    pub(super) posts: Vec<ClassifiedPost>,
    pub(super) unusable: Vec<Unusable>,
    pub(super) notices: Vec<Notice>,
    pub(super) cursor: Option<Cursor>,
    pub(super) durable: Option<tokio::sync::oneshot::Sender<()>>,
}

/// The classifier that a reload wants in place of the one in use.
#[derive(Clone, Default)]
pub(super) struct NextClassifier(Arc<Mutex<Option<Reloaded>>>);

impl NextClassifier {
    pub(super) fn set(&self, classifier: Reloaded) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(classifier);
    }

    fn take(&self) -> Option<Reloaded> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Since when the thread works on one batch, for the watchdog.
#[derive(Debug, Clone, Default)]
pub(super) struct Busy(Arc<AtomicU64>);

impl Busy {
    fn begin(&self, now: Timestamp) {
        self.0.store(now.as_second().unsigned_abs(), Ordering::Relaxed);
    }

    fn end(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    /// Seconds on the present batch; 0 while it waits for one.
    pub(super) fn seconds(&self, now: Timestamp) -> u64 {
        match self.0.load(Ordering::Relaxed) {
            0 => 0,
            since => now.as_second().unsigned_abs().saturating_sub(since),
        }
    }
}

/// Everything the thread works with.
pub(super) struct Classifying {
    pub(super) classifier: Box<dyn Classifier>,
    pub(super) make: MakeClassifier,
    pub(super) next: NextClassifier,
    pub(super) recent: Recent,
    pub(super) questions: mpsc::Receiver<Question>,
    pub(super) clock: Clock,
    pub(super) busy: Busy,
    pub(super) metrics: Metrics,
    pub(super) deaths: Deaths,
}

impl Classifying {
    /// Works until all sources are gone, or nobody takes what is classified.
    ///
    /// # Errors
    /// When the classifier is broken beyond a restart.
    pub(super) fn run(mut self, mut inbox: mpsc::Receiver<Arrived>, monitor: &SyncSender<Event>) -> anyhow::Result<()> {
        self.tell_model();
        while let Some(first) = inbox.blocking_recv() {
            let mut arrived = vec![first];
            let mut posts = arrived[0].delivery.posts.len();
            while posts < BATCH
                && let Ok(next) = inbox.try_recv()
            {
                posts += next.delivery.posts.len();
                arrived.push(next);
            }
            if let Some((classifier, make)) = self.next.take() {
                (self.classifier, self.make) = (classifier, make);
                self.tell_model();
            }
            self.busy.begin((self.clock)());
            self.answer()?;
            let classified = self.classify(arrived)?;
            self.busy.end();
            if monitor.send(Event::Classified(classified)).is_err() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Reads the texts that somebody asks about.
    fn answer(&mut self) -> anyhow::Result<()> {
        while let Ok(Question { text, done }) = self.questions.try_recv() {
            let prediction = self.predict(&[Post { text, ..Post::default() }])?.into_iter().next().flatten();
            let model = self.classifier.model().to_owned();
            // Who asked may have gone.
            let _ = done.send(prediction.map(|prediction| Answer { model, prediction }));
        }
        Ok(())
    }

    fn tell_model(&self) {
        self.metrics.classify.model.reset();
        self.metrics.classify.model.with_label_values(&[self.classifier.model()]).set(1);
    }

    fn classify(&mut self, arrived: Vec<Arrived>) -> anyhow::Result<Vec<Classified>> {
        let mut posts: Vec<Post> = Vec::new();
        let mut counts = Vec::with_capacity(arrived.len());
        let mut classified: Vec<Classified> = arrived
            .into_iter()
            .map(|Arrived { source, at, delivery }| {
                let received = delivery.received() as u64;
                let before = posts.len();
                let given = delivery.posts.len();
                posts.extend(delivery.posts.into_iter().filter(|post| self.recent.insert(&post.id, post.created_at)));
                counts.push(posts.len() - before);
                let duplicates = (given - (posts.len() - before)) as u64;
                let (unusable, notices) = (delivery.unusable, delivery.notices);
                let (cursor, durable) = (delivery.cursor, delivery.durable);
                let posts = Vec::new();
                Classified { source, at, received, duplicates, posts, unusable, notices, cursor, durable }
            })
            .collect();
        let mut predictions = self.predict(&posts)?.into_iter();
        let mut posts = posts.into_iter();
        for (delivery, count) in classified.iter_mut().zip(counts) {
            for (post, prediction) in posts.by_ref().take(count).zip(predictions.by_ref()) {
                match prediction {
                    Some(prediction) => delivery.posts.push(ClassifiedPost::new(post, prediction)),
                    None => delivery.unusable.push(poison(&post)),
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
        let predicted: Vec<Option<Prediction>> = match predict(&mut *self.classifier, posts) {
            Ok(predictions) => predictions.into_iter().map(Some).collect(),
            Err(error) => {
                self.metrics.classify.failures.inc();
                tracing::warn!(%error, "the classifier failed on a batch; its posts are tried one by one");
                self.revive()?;
                posts.iter().map(|post| self.predict_alone(post)).collect::<anyhow::Result<_>>()?
            }
        };
        self.metrics.classify.duration.observe(started.elapsed().as_secs_f64());
        self.metrics.classify.batch.observe(posts.len() as f64);
        for prediction in predicted.iter().flatten() {
            self.metrics.classify.posts.with_label_values(&[prediction.label.as_str()]).inc();
        }
        Ok(predicted)
    }

    /// The second try of a post whose batch failed.
    fn predict_alone(&mut self, post: &Post) -> anyhow::Result<Option<Prediction>> {
        if let Ok(predictions) = predict(&mut *self.classifier, std::slice::from_ref(post)) {
            return Ok(predictions.into_iter().next());
        }
        self.metrics.classify.failures.inc();
        self.revive()?;
        self.metrics.classify.set_aside.inc();
        tracing::warn!("a post that the classifier failed on twice is set aside");
        Ok(None)
    }

    /// Puts a classifier that works in place of one that failed: who panicked once is not trusted again.
    fn revive(&mut self) -> anyhow::Result<()> {
        while let Err(error) = self.start_afresh() {
            self.metrics.daemon.deaths.with_label_values(&["classifier"]).inc();
            match self.deaths.note((self.clock)()) {
                Verdict::GiveUp => return Err(error.context("the classifier died three times in five minutes")),
                Verdict::RestartAfter(wait) => {
                    tracing::error!(error = format!("{error:#}"), "the classifier died and is started again");
                    std::thread::sleep(wait);
                }
            }
        }
        Ok(())
    }

    fn start_afresh(&mut self) -> anyhow::Result<()> {
        self.classifier = (self.make)().context("it cannot be made again")?;
        let canary = Post { text: CANARY.into(), label: Some("neutral".into()), ..Post::default() };
        predict(&mut *self.classifier, &[canary]).context("it fails on any post")?;
        Ok(())
    }
}

fn poison(post: &Post) -> Unusable {
    let raw = serde_json::to_string(post).unwrap_or_default();
    Unusable::new("poison", "the classifier failed on it twice", &raw)
}

#[cfg(test)]
mod tests;
