//! Gathers the classified batches that are committed together.

use std::sync::mpsc::Receiver;
use std::time::Instant;

use super::{COMMIT_INTERVAL, MAX_COMMIT_POSTS};
use crate::pipeline::message::{ClassifiedBatch, Event};

/// Adds the batches that arrive within [`COMMIT_INTERVAL`]; returns the first event of another kind.
pub(super) fn gather(batches: &mut Vec<ClassifiedBatch>, events: &Receiver<Event>) -> Option<Event> {
    let until = Instant::now() + COMMIT_INTERVAL;
    let mut posts: usize = batches.iter().map(|batch| batch.posts.len()).sum();
    while posts < MAX_COMMIT_POSTS {
        match events.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(Event::Classified(more)) => {
                posts += more.iter().map(|batch| batch.posts.len()).sum::<usize>();
                batches.extend(more);
            }
            Ok(other) => return Some(other),
            Err(_) => return None,
        }
    }
    None
}
