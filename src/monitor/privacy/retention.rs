//! Retention: removes what is too old, a bounded part per call, and rewrites the store's files after a removal, once a day at
//! most.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::super::{Monitor, MonitorError, Retention, posts};
use crate::store::{Batch, Key, Store, StoreError, Table};

/// Records changed per call.
const MAX_RECORDS_PER_CALL: usize = 1_000;
/// An erased author stays erased at least this long, whatever the retention of posts.
const MIN_TOMBSTONE_DAYS: u32 = 30;
/// How often it is checked whether a rewrite would save space.
const COMPACTION_INTERVAL: SignedDuration = SignedDuration::from_hours(1);
const REWRITE_INTERVAL: SignedDuration = SignedDuration::from_hours(24);

/// What one call removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RetentionResult {
    /// In the posts table.
    pub posts: u64,
    /// Sample posts, wherever they were.
    pub samples: u64,
    pub dead_letters: u64,
    pub feedback: u64,
    pub hours: u64,
    pub alerts: u64,
    pub tombstones: u64,
    /// Backups and damaged files.
    pub copies: u64,
    /// The store's files were rewritten.
    pub rewritten: bool,
    /// There is more to remove: call again.
    pub more: bool,
}

/// When the store's files were last rewritten, and whether they must be rewritten.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(in crate::monitor) struct RewriteSchedule {
    /// Something was removed since.
    requested: bool,
    /// Unix seconds of the last attempt.
    tried: Option<i64>,
}

impl RewriteSchedule {
    fn key() -> Key {
        Key::new(Table::Meta).text("rewrite")
    }

    /// Requests, with `batch`, that the files are rewritten.
    pub(in crate::monitor) fn request(store: &Store, batch: &mut Batch) -> Result<(), StoreError> {
        let found: Self = store.get(&Self::key())?.unwrap_or_default();
        batch.put(&Self::key(), &Self { requested: true, ..found })
    }

    fn is_due(&self, now: Timestamp) -> bool {
        let long_ago = |tried: i64| (now.as_second() - tried).abs() >= REWRITE_INTERVAL.as_secs();
        self.requested && self.tried.is_none_or(long_ago)
    }
}

impl Monitor {
    /// Removes what is older at `now` than `retention` allows: posts by when they were written, with their hashes and words that
    /// were not used since; feedback by when it was given; dead letters, hours, alerts, tombstones, and the copies that `vigie
    /// store repair` made. Changes about a thousand records, in one commit, and rewrites the store's files when that is due.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub fn expire(&mut self, now: Timestamp, retention: &Retention) -> Result<RetentionResult, MonitorError> {
        let oldest = days_before(now, retention.posts_days);
        let mut is_changed = false;
        for state in self.topics.values_mut() {
            is_changed |= state.window.expire(oldest);
        }
        if is_changed {
            self.commit()?;
            let mut batch = Batch::default();
            RewriteSchedule::request(&self.store, &mut batch)?;
            self.store.commit(batch)?;
        }
        let history = days_before(now, retention.history_days);
        let tombstones = days_before(now, retention.posts_days.max(MIN_TOMBSTONE_DAYS));

        let mut left = MAX_RECORDS_PER_CALL;
        let mut batch = Batch::default();
        let scrubbed = self.scrub(&mut batch, &|sample| sample.created_at.as_second() < oldest, left)?;
        left -= scrubbed.records;
        let found = scrubbed.found_in(&Table::ALL);
        let feedback = self.expire_feedback(&mut batch, oldest, left)?;
        left = left.saturating_sub(usize::try_from(feedback).unwrap_or(left));
        let dead_letters = self.remove_dead_letters(&mut batch, |record| record.at.as_second() < oldest, left)?;
        left = left.saturating_sub(usize::try_from(dead_letters).unwrap_or(left));
        let hours = self.remove_before(&mut batch, Table::History, history, left)?;
        left -= hours;
        let alerts = self.remove_before(&mut batch, Table::Alert, history, left)?;
        left -= alerts;
        let stones = self.tombstones.drop_before(&mut batch, tombstones, left);
        left -= stones;
        let (stored_posts, records) = posts::erase::expire(&self.store, &mut batch, oldest, left)?;
        left = left.saturating_sub(records);
        let copies = self.store.remove_copies_before(oldest)?;

        let mut expired = RetentionResult {
            posts: stored_posts,
            samples: found,
            dead_letters,
            feedback,
            hours: hours as u64,
            alerts: alerts as u64,
            tombstones: stones as u64,
            copies,
            rewritten: false,
            more: left == 0,
        };
        if left < MAX_RECORDS_PER_CALL {
            if stored_posts + found + dead_letters + feedback > 0 {
                RewriteSchedule::request(&self.store, &mut batch)?;
            }
            self.store.commit(batch)?;
            self.store.flush()?;
        }
        let schedule: RewriteSchedule = self.store.get(&RewriteSchedule::key())?.unwrap_or_default();
        if !expired.more && (schedule.is_due(now) || self.is_compaction_due(now)?) {
            expired.rewritten = self.rewrite(now)?;
        }
        Ok(expired)
    }

    /// Whether the store's files hold little but old records; looked at once an hour.
    fn is_compaction_due(&mut self, now: Timestamp) -> Result<bool, MonitorError> {
        if self.compaction_checked.is_some_and(|last| now.duration_since(last).abs() < COMPACTION_INTERVAL) {
            return Ok(false);
        }
        self.compaction_checked = Some(now);
        Ok(self.store.is_wasteful()?)
    }

    /// Rewrites the store's files where they hold little but old records.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub fn compact(&mut self) -> Result<(), MonitorError> {
        if self.store.is_wasteful()? {
            self.store.rewrite()?;
        }
        Ok(())
    }

    /// Rewrites the store's files; false when that failed: it is tried again in a day. The records do not change.
    pub(in crate::monitor) fn rewrite(&mut self, now: Timestamp) -> Result<bool, MonitorError> {
        let outcome = self.store.rewrite();
        if let Err(error) = &outcome {
            tracing::warn!(%error, "rewriting the store's files failed: traces of removed posts may remain");
        }
        let mut batch = Batch::default();
        batch.put(
            &RewriteSchedule::key(),
            &RewriteSchedule { requested: outcome.is_err(), tried: Some(now.as_second()) },
        )?;
        self.store.commit(batch)?;
        self.store.flush()?;
        Ok(outcome.is_ok())
    }

    /// Removes `most` records of a table whose keys are a topic, then a time before `time` (Unix seconds).
    fn remove_before(&self, batch: &mut Batch, table: Table, time: i64, most: usize) -> Result<usize, MonitorError> {
        let mut removed = 0;
        for key in self.store.keys(&Key::new(table)) {
            let key = key?;
            if removed == most {
                break;
            }
            if key.time_after_text().is_some_and(|stored| stored < time) {
                batch.remove(&key);
                removed += 1;
            }
        }
        Ok(removed)
    }
}

fn days_before(now: Timestamp, days: u32) -> i64 {
    now.as_second() - i64::from(days) * 86_400
}
