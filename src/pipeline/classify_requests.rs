//! [`ClassifyRequests`]: requests to classify a single text, answered by the classifier's thread between two batches.

use std::sync::Arc;

use anyhow::Context as _;
use tokio::sync::{mpsc, oneshot};

use crate::classify::Prediction;
use crate::clock::Clock;
use crate::source::{Envelope, SourceBatch};

/// Requests that may wait.
const QUEUED_REQUESTS: usize = 16;

/// The model's prediction for a text.
#[derive(Debug, Clone)]
pub(super) struct ClassifyReply {
    pub(super) model: String,
    pub(super) prediction: Prediction,
}

/// One text, and where its reply goes. The reply is none where the model fails on the text.
pub(super) struct ClassifyRequest {
    pub(super) text: String,
    pub(super) done: oneshot::Sender<Option<ClassifyReply>>,
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

    /// Classifies `text` with the daemon's model.
    ///
    /// # Errors
    /// When the daemon is ending, or the model fails on the text.
    pub(super) async fn ask(&self, text: String) -> anyhow::Result<ClassifyReply> {
        let (done, answer) = oneshot::channel();
        self.requests.send(ClassifyRequest { text, done }).await.ok().context("the daemon is ending")?;
        let batches = self.batches.upgrade().context("the daemon is ending")?;
        let empty =
            Envelope { source: Arc::from("feedback"), received_at: (self.clock)(), batch: SourceBatch::default() };
        batches.send(empty).await.ok().context("the daemon is ending")?;
        drop(batches); // it would keep the queue open
        answer.await.context("the daemon is ending")?.context("the model cannot read this text")
    }
}
