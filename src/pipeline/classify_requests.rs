//! [`Questions`]: single texts that somebody wants read, answered by the classifier's thread between two batches.

use std::sync::Arc;

use anyhow::Context as _;
use tokio::sync::{mpsc, oneshot};

use crate::classify::Prediction;
use crate::clock::Clock;
use crate::source::{Arrived, Delivery};

/// Texts that may wait.
const WAITING: usize = 16;

/// What the model says of a text.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) model: String,
    pub(super) prediction: Prediction,
}

/// One text, and who waits; none for one the model fails on.
pub(super) struct Question {
    pub(super) text: String,
    pub(super) done: oneshot::Sender<Option<Answer>>,
}

/// The way to the classifier's thread, which waits for deliveries: an empty one wakes it.
#[derive(Clone)]
pub(super) struct Questions {
    questions: mpsc::Sender<Question>,
    deliveries: mpsc::WeakSender<Arrived>,
    clock: Clock,
}

impl Questions {
    pub(super) fn new(deliveries: mpsc::WeakSender<Arrived>, clock: Clock) -> (Self, mpsc::Receiver<Question>) {
        let (questions, asked) = mpsc::channel(WAITING);
        (Self { questions, deliveries, clock }, asked)
    }

    /// What the model says of `text`.
    ///
    /// # Errors
    /// When the daemon is ending, or the model fails on the text.
    pub(super) async fn ask(&self, text: String) -> anyhow::Result<Answer> {
        let (done, answer) = oneshot::channel();
        self.questions.send(Question { text, done }).await.ok().context("the daemon is ending")?;
        let deliveries = self.deliveries.upgrade().context("the daemon is ending")?;
        let empty = Arrived { source: Arc::from("feedback"), at: (self.clock)(), delivery: Delivery::default() };
        deliveries.send(empty).await.ok().context("the daemon is ending")?;
        drop(deliveries); // it would keep the queue open
        answer.await.context("the daemon is ending")?.context("the model cannot read this text")
    }
}
