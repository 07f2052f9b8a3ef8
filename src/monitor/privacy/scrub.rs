//! Taking posts out of wherever they are kept: the samples of topics, alerts that fire, alerts of the past, and what is
//! waiting to be delivered. In memory as in the store, and each apart from the other: what is stored is that of the last
//! commit, and stays so but for what is taken out.

use std::collections::BTreeSet;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::super::rule_state::Tracked;
use super::super::{Monitor, MonitorError, tracker_key};
use crate::alert::{Alert, Transition};
use crate::store::{Batch, Key, Table};
use crate::window::Sample;

/// What was taken out.
#[derive(Debug, Default)]
pub(in crate::monitor) struct Scrubbed {
    /// Where each post was: the record, and the post's id. A set, because most are in memory and in the store.
    found: BTreeSet<(Key, String)>,
    /// Records that change.
    pub(in crate::monitor) records: usize,
}

impl Scrubbed {
    /// Posts that were found in records of these tables.
    pub(in crate::monitor) fn found_in(&self, tables: &[Table]) -> u64 {
        self.found.iter().filter(|(key, _)| key.table().is_some_and(|table| tables.contains(&table))).count() as u64
    }

    /// The posts that were found, each once.
    pub(in crate::monitor) fn ids(&self) -> BTreeSet<&str> {
        self.found.iter().map(|(_, id)| id.as_str()).collect()
    }

    fn note(&mut self, key: &Key, ids: impl IntoIterator<Item = String>) {
        self.found.extend(ids.into_iter().map(|id| (key.clone(), id)));
    }
}

/// The pass over what is stored.
struct Stored<'a> {
    batch: &'a mut Batch,
    scrubbed: &'a mut Scrubbed,
    most: usize,
    doomed: Doomed<'a>,
}

type Doomed<'a> = &'a dyn Fn(&Sample) -> bool;

impl Monitor {
    /// Takes out the posts that are `doomed`, from memory at once and from the store with `batch`, which changes `most`
    /// of its records.
    pub(in crate::monitor) fn scrub(
        &mut self,
        batch: &mut Batch,
        doomed: Doomed<'_>,
        most: usize,
    ) -> Result<Scrubbed, MonitorError> {
        let mut scrubbed = Scrubbed::default();
        let mut stored = Stored { batch, scrubbed: &mut scrubbed, most, doomed };
        self.scrub_table(&mut stored, Table::Sample, |samples| Some(samples))?;
        self.scrub_table(&mut stored, Table::Alert, |alert: &mut Alert| Some(&mut alert.samples))?;
        self.scrub_table(&mut stored, Table::Tracker, |tracked: &mut Tracked| {
            tracked.alert.as_mut().map(|alert| &mut alert.samples)
        })?;
        self.scrub_table(&mut stored, Table::Told, |alert: &mut Alert| Some(&mut alert.samples))?;
        self.scrub_table(&mut stored, Table::Outbox, |told: &mut Transition| Some(&mut told.alert.samples))?;
        self.scrub_memory(&mut scrubbed, doomed);
        Ok(scrubbed)
    }

    fn scrub_table<V: Serialize + DeserializeOwned>(
        &self,
        stored: &mut Stored<'_>,
        table: Table,
        samples: fn(&mut V) -> Option<&mut Vec<Sample>>,
    ) -> Result<(), MonitorError> {
        for entry in self.store.scan::<V>(&Key::new(table)) {
            if stored.scrubbed.records == stored.most {
                break;
            }
            let (key, mut value) = entry?;
            let ids = samples(&mut value).map(|samples| take_out(samples, stored.doomed)).unwrap_or_default();
            if !ids.is_empty() {
                stored.scrubbed.note(&key, ids);
                stored.batch.put(&key, &value)?;
                stored.scrubbed.records += 1;
            }
        }
        Ok(())
    }

    fn scrub_memory(&mut self, scrubbed: &mut Scrubbed, doomed: Doomed<'_>) {
        for (name, watched) in &mut self.topics {
            for (slot, id) in watched.window.forget(doomed) {
                scrubbed.note(&Key::new(Table::Sample).text(name).time(slot), [id]);
            }
            for (rule, tracked) in self.rules.rules.iter().zip(&mut watched.tracked) {
                if let Some(alert) = &mut tracked.alert {
                    scrubbed.note(&tracker_key(name, &rule.name), take_out(&mut alert.samples, doomed));
                }
            }
        }
        for (number, told) in &mut self.outbox {
            scrubbed.note(&Key::new(Table::Outbox).number(*number), take_out(&mut told.alert.samples, doomed));
        }
        for (number, told) in (self.totals.transitions..).zip(&mut self.fresh) {
            scrubbed.note(&Key::new(Table::Outbox).number(number), take_out(&mut told.alert.samples, doomed));
        }
    }

    /// Every post that is kept anywhere, in memory or in the store; some of them more than once.
    pub(in crate::monitor) fn each_post(&self, mut look: impl FnMut(&Sample)) -> Result<(), MonitorError> {
        for watched in self.topics.values() {
            watched.window.kept().for_each(&mut look);
            let alerts = watched.tracked.iter().filter_map(|tracked| tracked.alert.as_ref());
            alerts.flat_map(|alert| &alert.samples).for_each(&mut look);
        }
        let told = self.outbox.iter().map(|(_, told)| told).chain(&self.fresh);
        told.flat_map(|told| &told.alert.samples).for_each(&mut look);
        for table in [Table::Alert, Table::Told] {
            for entry in self.store.scan::<Alert>(&Key::new(table)) {
                entry?.1.samples.iter().for_each(&mut look);
            }
        }
        for given in self.feedback()? {
            look(&given.feedback.post);
        }
        Ok(())
    }
}

/// Removes what is doomed and returns its ids.
fn take_out(samples: &mut Vec<Sample>, doomed: Doomed<'_>) -> Vec<String> {
    samples.extract_if(.., |sample| doomed(sample)).map(|sample| sample.id).collect()
}
