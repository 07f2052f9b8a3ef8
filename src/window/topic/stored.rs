//! A [`TopicWindow`] in the store: loading, saving, and what is read past it.

use serde::{Deserialize, Serialize};

use super::{DAY, TopicWindow};
use crate::store::{Batch, Key, Store, StoreError, Table};
use crate::window::authors::Authors;
use crate::window::history::History;
use crate::window::samples::Samples;
use crate::window::seen_ids::SeenIds;
use crate::window::{Config, HourRecord, Span};

/// The stored record of a topic; times in Unix seconds.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct TopicRecord {
    since: i64,
    watermark: Option<i64>,
}

impl TopicWindow {
    /// The stored windows of topic `name`, or empty ones. `edge` is the start of the open bucket in Unix seconds. Hours
    /// from `learned_until` on are kept in memory until [`TopicWindow::set_learned_until`] is called.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn load(
        store: &Store,
        config: &Config,
        spans: &[Span],
        name: &str,
        edge: i64,
        learned_until: Option<i64>,
    ) -> Result<Self, StoreError> {
        let empty = Self::new(config, spans, name, edge);
        let known: Option<TopicRecord> = store.get(&Key::new(Table::Topic).text(name))?;
        let TopicRecord { since, watermark } = known.unwrap_or(TopicRecord { since: edge, watermark: None });
        let settled = watermark.unwrap_or(i64::MIN / 2) - empty.lateness;
        let learned_until = learned_until.unwrap_or(since);
        Ok(Self {
            watermark,
            since,
            learned_until,
            moved: known.is_none(),
            buckets: empty.buckets.load(store, name)?,
            seen: SeenIds::load(store, name)?,
            samples: Samples::load(store, name)?,
            history: History::load(store, name, settled.min(learned_until).min(edge - DAY))?,
            cascades: empty.cascades.load(store, name)?,
            authors: Authors::load(store, name)?,
            words: empty.words.load(store, name)?,
            reasons: empty.reasons.load(store, name)?,
            ..empty
        })
    }

    /// Names of the topics in the store.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn stored_names(store: &Store) -> Result<Vec<String>, StoreError> {
        store.scan::<TopicRecord>(&Key::new(Table::Topic)).map(|entry| Ok(entry?.0.first_text())).collect()
    }

    /// The hours of topic `name` in the store, oldest first, by their start in Unix seconds.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn stored_hours(store: &Store, name: &str) -> Result<Vec<(i64, HourRecord)>, StoreError> {
        let hours = store.scan(&Key::new(Table::History).text(name));
        hours.map(|entry| entry.map(|(key, hour)| (key.last_time().unwrap_or_default(), hour))).collect()
    }

    /// Drops what [`TopicWindow::save`] would store, for a topic that is not stored.
    pub fn discard(&mut self) {
        let settled = self.settled().min(self.learned_until).min(self.buckets.edge() - DAY);
        self.buckets.discard();
        self.history.discard(settled);
    }

    /// Writes everything that changed since the last call to `batch`. `commit` is a unique number of the commit.
    ///
    /// # Errors
    /// When a record cannot be encoded.
    pub fn save(&mut self, batch: &mut Batch, commit: u64) -> Result<(), StoreError> {
        if std::mem::take(&mut self.moved) {
            let known = TopicRecord { since: self.since, watermark: self.watermark };
            batch.put(&Key::new(Table::Topic).text(&self.name), &known)?;
        }
        self.buckets.save(batch, &self.name)?;
        self.seen.save(batch, &self.name, commit)?;
        self.samples.save(batch, &self.name)?;
        self.cascades.save(batch, &self.name)?;
        self.authors.save(batch, &self.name)?;
        self.words.save(batch, &self.name)?;
        self.reasons.save(batch, &self.name)?;
        let done = self.settled().min(self.learned_until).min(self.buckets.edge() - DAY);
        self.history.save(batch, &self.name, done)
    }
}
