//! [`ClassifierThread`]: a classifier on its own OS thread, so that reading, classifying and monitoring overlap.
//!
//! ```text
//!  ClassifierSender::send (bounded)     thread: clean, classify        (bounded)  ClassifierThread::recv
//!  Vec<Post>  ------------------------> Box<dyn Classifier>  ------------------------>  Vec<ClassifiedPost>
//!
//!  ClassifierSender dropped -> what was sent is still classified, then recv returns None
//!  first error              -> recv returns it, then None; send returns Stopped
//!  panic                    -> recv returns ClassifyError::Panicked, then None
//!  ClassifierThread dropped -> the thread ends at its next chunk or when the sender is dropped; joined if the sender is gone
//! ```
//!
//! Chunks come out whole and in the order in which they were sent. Both channels are bounded: a slow end slows the other.
//! Replay and backtest use it; the daemon has its own thread, which also supervises the classifier.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Weak};
use std::thread::{Builder, JoinHandle};

use super::{ClassifiedPost, Classifier, ClassifyError, predict};
use crate::post::Post;

type ClassifiedChunk = Result<Vec<ClassifiedPost>, ClassifyError>;

/// The sending side. Dropping it ends the thread once everything that was sent is classified.
#[derive(Debug)]
pub struct ClassifierSender {
    posts: SyncSender<Vec<Post>>,
    _alive: Arc<()>,
}

/// The receiving side: the handle of the thread.
#[derive(Debug)]
pub struct ClassifierThread {
    model: String,
    /// `None` only while dropping.
    classified: Option<Receiver<ClassifiedChunk>>,
    sender: Weak<()>,
    thread: Option<JoinHandle<()>>,
}

impl ClassifierSender {
    /// Sends a chunk of posts; blocks while `capacity` chunks are queued.
    pub fn send(&self, posts: Vec<Post>) -> Result<(), ClassifyError> {
        self.posts.send(posts).map_err(|_| ClassifyError::Stopped)
    }
}

impl ClassifierThread {
    /// Starts the thread. Up to `capacity` chunks are queued on either side of it.
    pub fn spawn(classifier: Box<dyn Classifier>, capacity: usize) -> std::io::Result<(ClassifierSender, Self)> {
        let (posts, inbox) = sync_channel(capacity);
        let (outbox, classified) = sync_channel(capacity);
        let model = classifier.model().to_owned();
        let thread = Builder::new().name("classifier".to_owned()).spawn(move || run(classifier, &inbox, &outbox))?;
        let alive = Arc::new(());
        let sender = Arc::downgrade(&alive);
        let handle = Self { model, classified: Some(classified), sender, thread: Some(thread) };
        Ok((ClassifierSender { posts, _alive: alive }, handle))
    }

    /// The classifier's [`Classifier::model`].
    pub fn model(&self) -> &str {
        &self.model
    }

    /// Waits for the next chunk; `None` at the end.
    pub fn recv(&self) -> Option<ClassifiedChunk> {
        self.classified.as_ref()?.recv().ok()
    }
}

impl Drop for ClassifierThread {
    fn drop(&mut self) {
        self.classified = None; // a thread that is blocked on sending a chunk ends now
        if let Some(thread) = self.thread.take()
            && self.sender.strong_count() == 0
        {
            let _ = thread.join(); // its panics were caught and reported
        }
    }
}

fn run(mut classifier: Box<dyn Classifier>, inbox: &Receiver<Vec<Post>>, outbox: &SyncSender<ClassifiedChunk>) {
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

#[cfg(test)]
mod tests;
