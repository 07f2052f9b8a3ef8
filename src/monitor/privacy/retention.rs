//! Retention: what is older than it may be goes, a bounded part at each call, and the store's files are rewritten when
//! something went, at most once a day.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::super::{Monitor, MonitorError, Retention};
use crate::store::{Batch, Key, Store, StoreError, Table};

/// Records changed in one call.
const MOST_AT_ONCE: usize = 1_000;
/// A forgotten author stays so for this long at least, whatever the retention of posts.
const TOMBSTONE_DAYS: u32 = 30;
const BETWEEN_REWRITES: SignedDuration = SignedDuration::from_hours(24);

/// What one call removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Expired {
    /// Posts, wherever they were.
    pub posts: u64,
    pub set_aside: u64,
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

/// When the store's files were last rewritten, and whether they are to be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(in crate::monitor) struct Cleaning {
    /// Something was removed since.
    wanted: bool,
    /// Unix seconds of the last attempt.
    tried: Option<i64>,
}

impl Cleaning {
    fn key() -> Key {
        Key::new(Table::Meta).text("cleaning")
    }

    /// Makes `batch` say that the files are to be rewritten.
    pub(in crate::monitor) fn wanted(store: &Store, batch: &mut Batch) -> Result<(), StoreError> {
        let found: Self = store.get(&Self::key())?.unwrap_or_default();
        batch.put(&Self::key(), &Self { wanted: true, ..found })
    }

    fn is_due(&self, now: Timestamp) -> bool {
        let long_ago = |tried: i64| (now.as_second() - tried).abs() >= BETWEEN_REWRITES.as_secs();
        self.wanted && self.tried.is_none_or(long_ago)
    }
}

impl Monitor {
    /// Removes what is older at `now` than `retention` allows: posts by the time they were written, with their hashes and
    /// words nobody used since, labels people gave by the time they gave them, records of what could not be used, hours and alerts, tombstones, and what `vigie store repair` left. Changes a thousand records
    /// at most, in one commit; now and then rewrites the store's files.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub fn expire(&mut self, now: Timestamp, retention: &Retention) -> Result<Expired, MonitorError> {
        let posts = days_before(now, retention.posts_days);
        let mut old = false;
        for watched in self.topics.values_mut() {
            old |= watched.window.expire(posts);
        }
        if old {
            self.commit()?;
            let mut batch = Batch::default();
            Cleaning::wanted(&self.store, &mut batch)?;
            self.store.commit(batch)?;
        }
        let history = days_before(now, retention.history_days);
        let tombstones = days_before(now, retention.posts_days.max(TOMBSTONE_DAYS));

        let mut left = MOST_AT_ONCE;
        let mut batch = Batch::default();
        let scrubbed = self.scrub(&mut batch, &|sample| sample.created_at.as_second() < posts, left)?;
        left -= scrubbed.records;
        let found = scrubbed.found_in(&Table::ALL);
        let feedback = self.expire_feedback(&mut batch, posts, left)?;
        left = left.saturating_sub(usize::try_from(feedback).unwrap_or(left));
        let set_aside = self.remove_aside(&mut batch, |record| record.at.as_second() < posts, left)?;
        left = left.saturating_sub(usize::try_from(set_aside).unwrap_or(left));
        let hours = self.remove_before(&mut batch, Table::History, history, left)?;
        left -= hours;
        let alerts = self.remove_before(&mut batch, Table::Alert, history, left)?;
        left -= alerts;
        let stones = self.tombstones.drop_before(&mut batch, tombstones, left);
        left -= stones;
        let copies = self.store.remove_copies_before(posts)?;

        let mut expired = Expired {
            posts: found,
            set_aside,
            feedback,
            hours: hours as u64,
            alerts: alerts as u64,
            tombstones: stones as u64,
            copies,
            rewritten: false,
            more: left == 0,
        };
        if left < MOST_AT_ONCE {
            if found + set_aside + feedback > 0 {
                Cleaning::wanted(&self.store, &mut batch)?;
            }
            self.store.commit(batch)?;
            self.store.flush()?;
        }
        let cleaning: Cleaning = self.store.get(&Cleaning::key())?.unwrap_or_default();
        if !expired.more && cleaning.is_due(now) {
            expired.rewritten = self.rewrite(now)?;
        }
        Ok(expired)
    }

    /// Rewrites the store's files; false when that failed, which is tried again in a day. The records are as before.
    pub(in crate::monitor) fn rewrite(&mut self, now: Timestamp) -> Result<bool, MonitorError> {
        let outcome = self.store.rewrite();
        if let Err(error) = &outcome {
            tracing::warn!(%error, "the store's files could not be rewritten: what was removed may still be in them");
        }
        let mut batch = Batch::default();
        batch.put(&Cleaning::key(), &Cleaning { wanted: outcome.is_err(), tried: Some(now.as_second()) })?;
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
