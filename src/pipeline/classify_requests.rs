//! [`ClassifyRequests`]: requests to classify a single text, answered by the classifier's thread between two batches.

use std::sync::Arc;

use anyhow::Context as _;
use tokio::sync::{mpsc, oneshot};

use crate::classify::Prediction;
use crate::clock::Clock;
use crate::source::{Envelope, SourceBatch};

/// Requests that may wait.
const WAITING: usize = 16;

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
    questions: mpsc::Sender<ClassifyRequest>,
    deliveries: mpsc::WeakSender<Envelope>,
    clock: Clock,
}

impl ClassifyRequests {
    pub(super) fn new(deliveries: mpsc::WeakSender<Envelope>, clock: Clock) -> (Self, mpsc::Receiver<ClassifyRequest>) {
        let (questions, asked) = mpsc::channel(WAITING);
        (Self { questions, deliveries, clock }, asked)
    }

    /// Classifies `text` with the daemon's model.
    ///
    /// # Errors
    /// When the daemon is ending, or the model fails on the text.
    pub(super) async fn ask(&self, text: String) -> anyhow::Result<ClassifyReply> {
        let (done, answer) = oneshot::channel();
        self.questions.send(ClassifyRequest { text, done }).await.ok().context("the daemon is ending")?;
        let deliveries = self.deliveries.upgrade().context("the daemon is ending")?;
        let empty =
            Envelope { source: Arc::from("feedback"), received_at: (self.clock)(), batch: SourceBatch::default() };
        deliveries.send(empty).await.ok().context("the daemon is ending")?;
        drop(deliveries); // it would keep the queue open
        answer.await.context("the daemon is ending")?.context("the model cannot read this text")
    }
}
