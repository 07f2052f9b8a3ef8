//! [`Worker`]: a classifier on an OS thread of its own, so that reading, classifying and monitoring overlap.
//!
//! ```text
//!  Feed::send          (bounded)        thread: clean, classify        (bounded)        Worker::recv
//!  Vec<Post>  ------------------------> Box<dyn Classifier>  ------------------------>  Vec<ClassifiedPost>
//!
//!  Feed dropped      -> what was sent is still classified, then recv gives None
//!  first error       -> recv gives it, then None; send says Stopped
//!  panic             -> recv gives ClassifyError::Panicked, then None
//!  Worker dropped    -> the thread ends at its next chunk, or when the feed goes; joined if the feed is gone
//! ```
//!
//! Chunks come out whole and in the order they went in. Both channels are bounded: a slow end slows the other.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Weak};
use std::thread::{Builder, JoinHandle};

use super::{ClassifiedPost, Classifier, ClassifyError, Input, Prediction};
use crate::post::Post;
use crate::text;

type Classified = Result<Vec<ClassifiedPost>, ClassifyError>;

/// The side that takes posts; dropping it ends the worker once all that was sent is classified.
#[derive(Debug)]
pub struct Feed {
    posts: SyncSender<Vec<Post>>,
    _alive: Arc<()>,
}

/// The side that gives classified posts.
#[derive(Debug)]
pub struct Worker {
    model: String,
    /// `None` only while dropping.
    classified: Option<Receiver<Classified>>,
    feed: Weak<()>,
    thread: Option<JoinHandle<()>>,
}

impl Feed {
    /// Hands over a chunk of posts; waits while `capacity` chunks are waiting already.
    pub fn send(&self, posts: Vec<Post>) -> Result<(), ClassifyError> {
        self.posts.send(posts).map_err(|_| ClassifyError::Stopped)
    }
}

impl Worker {
    /// Starts the thread. Up to `capacity` chunks wait on either side of it.
    pub fn spawn(classifier: Box<dyn Classifier>, capacity: usize) -> std::io::Result<(Feed, Self)> {
        let (posts, inbox) = sync_channel(capacity);
        let (outbox, classified) = sync_channel(capacity);
        let model = classifier.model().to_owned();
        let thread = Builder::new().name("classifier".to_owned()).spawn(move || work(classifier, &inbox, &outbox))?;
        let alive = Arc::new(());
        let feed = Arc::downgrade(&alive);
        Ok((Feed { posts, _alive: alive }, Self { model, classified: Some(classified), feed, thread: Some(thread) }))
    }

    /// The classifier's own [`Classifier::model`].
    pub fn model(&self) -> &str {
        &self.model
    }

    /// The next chunk, waiting for it; `None` when all is done.
    pub fn recv(&self) -> Option<Classified> {
        self.classified.as_ref()?.recv().ok()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.classified = None; // a thread that waits to hand over a chunk now ends
        if let Some(thread) = self.thread.take()
            && self.feed.strong_count() == 0
        {
            let _ = thread.join(); // its panics were caught and reported
        }
    }
}

fn work(mut classifier: Box<dyn Classifier>, inbox: &Receiver<Vec<Post>>, outbox: &SyncSender<Classified>) {
    for posts in inbox {
        let classified = predict(&mut *classifier, &posts).map(|predictions| {
            posts.into_iter().zip(predictions).map(|(post, prediction)| ClassifiedPost::new(post, prediction)).collect()
        });
        let failed = classified.is_err();
        if outbox.send(classified).is_err() || failed {
            return;
        }
    }
}

/// Cleans as the classifier wants it, and classifies: one prediction per post, in their order.
///
/// # Errors
/// When the classifier fails or panics; after a panic it is of no more use.
pub fn predict(classifier: &mut dyn Classifier, posts: &[Post]) -> Result<Vec<Prediction>, ClassifyError> {
    let predict = AssertUnwindSafe(|| predict_unguarded(classifier, posts));
    catch_unwind(predict).unwrap_or(Err(ClassifyError::Panicked)) // its message may quote a post
}

fn predict_unguarded(classifier: &mut dyn Classifier, posts: &[Post]) -> Result<Vec<Prediction>, ClassifyError> {
    let profile = classifier.profile();
    let texts: Vec<String> = posts.iter().map(|post| text::clean(profile, &post.text)).collect();
    let inputs: Vec<Input<'_>> =
        texts.iter().zip(posts).map(|(text, post)| Input { text, given: post.label.as_deref() }).collect();
    let predictions = classifier.classify(&inputs)?;
    if predictions.len() != posts.len() {
        let (found, wanted) = (predictions.len(), posts.len());
        return Err(ClassifyError::Model(format!(
            "`{}` gave {found} predictions for {wanted} posts",
            classifier.model()
        )));
    }
    Ok(predictions)
}

#[cfg(test)]
mod tests;
