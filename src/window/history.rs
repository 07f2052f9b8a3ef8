//! [`History`]: counts and the normal rate per hour of one topic. Kept much longer than buckets; baselines learn from
//! it and charts are drawn from it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Counts;
use super::buckets::bucket_start;
use crate::classify::Label;
use crate::store::{Batch, Key, Store, StoreError, Table};

const HOUR: i64 = 3_600;

/// One hour of one topic.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct HourRecord {
    pub counts: Counts,
    /// The normal negative rate at the last evaluation in this hour, in `[0, 1]`.
    pub normal: Option<f64>,
}

/// The hours that can still change or that alerts show. Older hours are only in the store.
#[derive(Debug, Default, Clone)]
pub(super) struct History {
    hours: BTreeMap<i64, HourRecord>,
    changed: BTreeSet<i64>,
}

impl History {
    /// Loads the hours that end after `time`.
    pub(super) fn load(store: &Store, topic: &str, time: i64) -> Result<Self, StoreError> {
        let mut history = Self::default();
        for entry in store.scan(&Key::new(Table::History).text(topic)) {
            let (key, hour) = entry?;
            if let Some(start) = key.last_time().filter(|start| *start + HOUR > time) {
                history.hours.insert(start, hour);
            }
        }
        Ok(history)
    }

    /// The counts of the hour that starts at `start`, if it is still in memory.
    pub(super) fn counts(&self, start: i64) -> Counts {
        self.hours.get(&start).map(|hour| hour.counts).unwrap_or_default()
    }

    pub(super) fn add(&mut self, time: i64, counts: Counts) {
        self.at(time).counts += counts;
    }

    pub(super) fn note_normal(&mut self, time: i64, rate: f64) {
        self.at(time).normal = Some(rate);
    }

    /// The normal negative rate at `time`, if known.
    pub(super) fn normal(&self, time: i64) -> Option<f64> {
        self.hours.get(&bucket_start(time, HOUR))?.normal
    }

    /// Moves one post of the hour of `time` from a label to another; false where the hour is not in memory.
    pub(super) fn relabel(&mut self, time: i64, from: Label, to: Label) -> bool {
        let start = bucket_start(time, HOUR);
        let Some(hour) = self.hours.get_mut(&start) else { return false };
        if hour.counts.relabel(from, to) {
            self.changed.insert(start);
        }
        true
    }

    fn at(&mut self, time: i64) -> &mut HourRecord {
        let start = bucket_start(time, HOUR);
        self.changed.insert(start);
        self.hours.entry(start).or_default()
    }

    /// Drops hours that end at or before `settled` without storing anything.
    pub(super) fn discard(&mut self, settled: i64) {
        self.changed.clear();
        self.hours.retain(|start, _| *start + HOUR > settled);
    }

    /// Stores changed hours, then drops hours that end at or before `settled`: they do not change any more.
    pub(super) fn save(&mut self, batch: &mut Batch, topic: &str, settled: i64) -> Result<(), StoreError> {
        for start in std::mem::take(&mut self.changed) {
            if let Some(hour) = self.hours.get(&start) {
                batch.put(&Key::new(Table::History).text(topic).time(start), hour)?;
            }
        }
        self.hours.retain(|start, _| *start + HOUR > settled);
        Ok(())
    }
}

/// Moves one post of the hour of `time` from a label to another, for an hour that is only in the store.
pub(super) fn relabel_stored_hour(
    (store, batch): (&Store, &mut Batch),
    (topic, time): (&str, i64),
    (from, to): (Label, Label),
) -> Result<(), StoreError> {
    let key = Key::new(Table::History).text(topic).time(bucket_start(time, HOUR));
    let Some(mut hour) = store.get::<HourRecord>(&key)? else { return Ok(()) };
    if hour.counts.relabel(from, to) {
        batch.put(&key, &hour)?;
    }
    Ok(())
}
