//! Intake: counts each post in the windows of its topics, keeps it for `query`, and records what else a source sent.

use jiff::Timestamp;
use serde::Serialize;

use super::posts::{CascadeId, Counting};
use super::topic_state::TopicState;
use super::{MAX_TOPICS, Monitor, MonitorError, PostOutcome, cursor_key};
use crate::classify::ClassifiedPost;
use crate::post::{Post, ReferenceKind};
use crate::window::{Arrival, TopicWindow};

impl Monitor {
    /// Counts a post of `source` in each of `topics`. Call [`Monitor::advance`] first. A post that states a time ahead of
    /// that by more than the clock skew allowed counts when it arrives.
    ///
    /// # Errors
    /// When a new topic exceeds the limit or cannot be loaded.
    pub fn observe(
        &mut self,
        source: &str,
        topics: &[&str],
        classified: &ClassifiedPost,
    ) -> Result<PostOutcome, MonitorError> {
        let moved = self.arrival_of(classified).map(|arrival| {
            let mut moved = classified.clone();
            moved.post.move_to(arrival);
            moved
        });
        let classified = moved.as_ref().unwrap_or(classified);
        let outcome = self.count(source, topics, classified)?;
        let is_moved = classified.post.details.stated_at.is_some();
        self.totals.future += u64::from(is_moved && outcome != PostOutcome::Duplicate);
        Ok(outcome)
    }

    /// When a post arrived whose own time lies too far ahead; none for any other.
    fn arrival_of(&self, classified: &ClassifiedPost) -> Option<Timestamp> {
        let now = self.now?;
        let latest = now.checked_add(self.config.clock_skew).unwrap_or(Timestamp::MAX);
        (classified.post.created_at > latest).then_some(now)
    }

    fn count(
        &mut self,
        source: &str,
        topics: &[&str],
        classified: &ClassifiedPost,
    ) -> Result<PostOutcome, MonitorError> {
        let mut arrivals = Vec::with_capacity(topics.len());
        let erased = self.tombstones.matches(&classified.post);
        for name in topics {
            let window = self.topic(name)?;
            // It comes at another time each time it is sent again.
            if classified.post.details.stated_at.is_some() && window.has_seen(&classified.post.id) {
                arrivals.push(Arrival::Duplicate);
                continue;
            }
            // An erased post is counted, and nothing else of it is kept.
            arrivals.push(if erased { window.count(classified) } else { window.add(classified) });
        }
        let outcome = outcome(&arrivals);
        match outcome {
            PostOutcome::Counted => self.totals.count(classified, false),
            PostOutcome::Copied => self.totals.count(classified, true),
            PostOutcome::TooLate => self.totals.too_late += 1,
            PostOutcome::Duplicate => self.totals.duplicates += 1,
            PostOutcome::Unmatched => self.totals.unmatched += 1,
        }
        let counting = match outcome {
            PostOutcome::Counted => Counting::Counted,
            PostOutcome::Copied => Counting::Copied,
            PostOutcome::TooLate => Counting::TooLate,
            PostOutcome::Duplicate | PostOutcome::Unmatched => return Ok(outcome),
        };
        // A post that one topic has counted before, and another has not, is stored already.
        if let Some(posts) = self.posts.as_mut().filter(|_| !erased && !arrivals.contains(&Arrival::Duplicate)) {
            let root = arrivals.iter().find_map(|arrival| match arrival {
                Arrival::Counted { root } | Arrival::Copied { root } => Some(CascadeId(*root)),
                Arrival::Duplicate | Arrival::TooLate => None,
            });
            let cascade = root.unwrap_or_else(|| referenced(&classified.post));
            posts.push(source, topics, classified, &self.model.id, (counting, cascade));
        }
        Ok(outcome)
    }

    /// Counts posts of no topic.
    pub fn record_unmatched(&mut self, posts: u64) {
        self.totals.unmatched += posts;
    }

    /// Records what a source sent, and what was dropped before it could be observed: `received` in all, of them `duplicates`
    /// that had come before and `rejected` that could not be used.
    pub fn record_intake(&mut self, received: u64, duplicates: u64, rejected: u64) {
        self.totals.received += received;
        self.totals.duplicates += duplicates;
        self.totals.rejected += rejected;
    }

    /// Stores the checkpoint of `source` with the next commit.
    ///
    /// # Errors
    /// When the cursor cannot be encoded.
    pub fn set_cursor<C: Serialize>(&mut self, source: &str, cursor: &C) -> Result<(), MonitorError> {
        Ok(self.pending.put(&cursor_key(source), cursor)?)
    }

    fn topic(&mut self, name: &str) -> Result<&mut TopicWindow, MonitorError> {
        // A second look-up, because a borrow returned early would last for the whole function.
        if !self.topics.contains_key(name) {
            let is_other = !self.settings.names(name);
            if is_other && self.others == MAX_TOPICS {
                return Err(MonitorError::TooManyTopics);
            }
            let edge = self.totals.edge.unwrap_or_default();
            let mut state = TopicState::load(&self.store, &self.config, &self.rules, name, edge)?;
            state.configure(name, &self.settings);
            state.set_model(&self.model.id, edge);
            self.topics.insert(name.into(), state);
            self.others += usize::from(is_other);
        }
        self.topics.get_mut(name).map(|state| &mut state.window).ok_or(MonitorError::TooManyTopics)
    }
}

/// What the arrivals of a post in its topics amount to: it counts once, as the best of them.
fn outcome(arrivals: &[Arrival]) -> PostOutcome {
    let any = |matches: fn(&Arrival) -> bool| arrivals.iter().any(matches);
    if arrivals.is_empty() {
        PostOutcome::Unmatched
    } else if any(|arrival| matches!(arrival, Arrival::Counted { .. })) {
        PostOutcome::Counted
    } else if any(|arrival| matches!(arrival, Arrival::Copied { .. })) {
        PostOutcome::Copied
    } else if any(|arrival| matches!(arrival, Arrival::TooLate)) {
        PostOutcome::TooLate
    } else {
        PostOutcome::Duplicate
    }
}

/// The cascade that a post names itself, where no window has placed it.
fn referenced(post: &Post) -> CascadeId {
    let repeated = post.details.references.iter().find(|reference| reference.kind != ReferenceKind::RepliedTo);
    CascadeId::of_post(repeated.map_or(&post.id, |reference| &reference.id))
}
