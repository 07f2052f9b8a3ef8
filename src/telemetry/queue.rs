//! [`Queue`]: records that wait to be sent, so many at most. Adding one never waits: at the limit the oldest is dropped.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// Records sent in one request.
pub(super) const MAX_BATCH: usize = 512;

/// See the module.
#[derive(Debug)]
pub(super) struct Queue<T> {
    waiting: Mutex<VecDeque<T>>,
    limit: usize,
    batch_ready: Notify,
}

impl<T> Queue<T> {
    pub(super) fn new(limit: usize) -> Self {
        Self { waiting: Mutex::default(), limit, batch_ready: Notify::new() }
    }

    /// Adds `record`; false where the oldest one was dropped for it.
    pub(super) fn push(&self, record: T) -> bool {
        let mut waiting = self.lock();
        let has_room = waiting.len() < self.limit;
        if !has_room {
            waiting.pop_front();
        }
        waiting.push_back(record);
        // A full batch need not wait for the interval, nor a queue that is smaller than a batch overflow.
        if waiting.len() >= MAX_BATCH.min(self.limit) {
            self.batch_ready.notify_one();
        }
        has_room
    }

    /// The oldest records, one batch at most.
    pub(super) fn take(&self) -> Vec<T> {
        let mut waiting = self.lock();
        let count = waiting.len().min(MAX_BATCH);
        waiting.drain(..count).collect()
    }

    /// Waits until there is a full batch; may also return too early.
    pub(super) async fn batch_ready(&self) {
        self.batch_ready.notified().await;
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<T>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_make_way() {
        let queue = Queue::new(3);
        let added: Vec<bool> = (0..5).map(|number| queue.push(number)).collect();
        assert_eq!(added, [true, true, true, false, false]);
        assert_eq!(queue.take(), [2, 3, 4]);
        assert_eq!(queue.take(), [0; 0]);
    }

    #[tokio::test]
    async fn a_full_batch_is_announced_and_taken_in_parts() {
        let queue = Queue::new(MAX_BATCH * 2);
        (0..MAX_BATCH + 1).for_each(|number| assert!(queue.push(number)));
        queue.batch_ready().await;
        assert_eq!((queue.take().len(), queue.take()), (MAX_BATCH, vec![MAX_BATCH]));
    }
}
