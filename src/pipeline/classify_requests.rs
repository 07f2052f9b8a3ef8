//! [`ClassifyRequests`]: requests to classify texts, answered by the classifier's thread between two batches; those that wait at
//! the same time together.

use std::sync::Arc;

use anyhow::Context as _;
use tokio::sync::{mpsc, oneshot};

use crate::classify::Prediction;
use crate::clock::Clock;
use crate::source::{Envelope, SourceBatch};

/// Requests that may wait.
const QUEUED_REQUESTS: usize = 64;

/// The model's predictions, in the order of the texts; none for a text that it fails on.
#[derive(Debug, Clone)]
pub(super) struct ClassifyReply {
    pub(super) model: String,
    pub(super) predictions: Vec<Option<Prediction>>,
}

/// Some texts, and where the reply goes.
pub(super) struct ClassifyRequest {
    pub(super) texts: Vec<String>,
    pub(super) done: oneshot::Sender<ClassifyReply>,
}

/// Sends requests to the classifier's thread. It waits for batches of posts, so an empty batch wakes it.
#[derive(Clone)]
pub(super) struct ClassifyRequests {
    requests: mpsc::Sender<ClassifyRequest>,
    batches: mpsc::WeakSender<Envelope>,
    clock: Clock,
}

impl ClassifyRequests {
    pub(super) fn new(batches: mpsc::WeakSender<Envelope>, clock: Clock) -> (Self, mpsc::Receiver<ClassifyRequest>) {
        let (requests, asked) = mpsc::channel(QUEUED_REQUESTS);
        (Self { requests, batches, clock }, asked)
    }

    /// Classifies `texts` with the daemon's model.
    ///
    /// # Errors
    /// When the daemon is ending.
    pub(super) async fn ask(&self, texts: Vec<String>) -> anyhow::Result<ClassifyReply> {
        let (done, answer) = oneshot::channel();
        self.requests.send(ClassifyRequest { texts, done }).await.ok().context("the daemon is ending")?;
        let batches = self.batches.upgrade().context("the daemon is ending")?;
        let empty =
            Envelope { source: Arc::from("classify"), received_at: (self.clock)(), batch: SourceBatch::default() };
        batches.send(empty).await.ok().context("the daemon is ending")?;
        drop(batches); // it would keep the queue open
        answer.await.context("the daemon is ending")
    }
}
