//! Removes sample posts from everywhere: the samples of topics, firing and past alerts, and the outbox. From memory and from
//! the store separately: the store stays as of the last commit, except for what is removed.

use std::collections::BTreeSet;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::super::rule_state::RuleState;
use super::super::{Monitor, MonitorError, rule_state_key};
use crate::alert::{Alert, Transition};
use crate::store::{Batch, Key, Table};
use crate::window::Sample;

/// What was removed.
#[derive(Debug, Default)]
pub(in crate::monitor) struct ScrubResult {
    /// Where each post was: the record, and the post's id. A set, because most are in memory and in the store.
    found: BTreeSet<(Key, String)>,
    /// Records that were changed.
    pub(in crate::monitor) records: usize,
}

impl ScrubResult {
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

/// The pass over the store.
struct StoreScrub<'a> {
    batch: &'a mut Batch,
    scrubbed: &'a mut ScrubResult,
    most: usize,
    erased: ErasureFilter<'a>,
}

/// Selects the samples to remove.
type ErasureFilter<'a> = &'a dyn Fn(&Sample) -> bool;

impl Monitor {
    /// Removes the samples that `erased` selects, from memory at once and from the store with `batch`, which changes `most` of
    /// its records at most.
    pub(in crate::monitor) fn scrub(
        &mut self,
        batch: &mut Batch,
        erased: ErasureFilter<'_>,
        most: usize,
    ) -> Result<ScrubResult, MonitorError> {
        let mut scrubbed = ScrubResult::default();
        let mut stored = StoreScrub { batch, scrubbed: &mut scrubbed, most, erased };
        self.scrub_table(&mut stored, Table::Sample, |samples| Some(samples))?;
        self.scrub_table(&mut stored, Table::Alert, |alert: &mut Alert| Some(&mut alert.samples))?;
        self.scrub_table(&mut stored, Table::RuleState, |rule_state: &mut RuleState| {
            rule_state.alert.as_mut().map(|alert| &mut alert.samples)
        })?;
        self.scrub_table(&mut stored, Table::IncidentAlert, |alert: &mut Alert| Some(&mut alert.samples))?;
        self.scrub_table(&mut stored, Table::Outbox, |transition: &mut Transition| {
            Some(&mut transition.alert.samples)
        })?;
        self.scrub_memory(&mut scrubbed, erased);
        Ok(scrubbed)
    }

    fn scrub_table<V: Serialize + DeserializeOwned>(
        &self,
        stored: &mut StoreScrub<'_>,
        table: Table,
        samples: fn(&mut V) -> Option<&mut Vec<Sample>>,
    ) -> Result<(), MonitorError> {
        for entry in self.store.scan::<V>(&Key::new(table)) {
            if stored.scrubbed.records == stored.most {
                break;
            }
            let (key, mut value) = entry?;
            let ids = samples(&mut value).map(|samples| remove_samples(samples, stored.erased)).unwrap_or_default();
            if !ids.is_empty() {
                stored.scrubbed.note(&key, ids);
                stored.batch.put(&key, &value)?;
                stored.scrubbed.records += 1;
            }
        }
        Ok(())
    }

    fn scrub_memory(&mut self, scrubbed: &mut ScrubResult, erased: ErasureFilter<'_>) {
        for (name, state) in &mut self.topics {
            for (slot, id) in state.window.forget(erased) {
                scrubbed.note(&Key::new(Table::Sample).text(name).time(slot), [id]);
            }
            for (rule, rule_state) in self.rules.rules.iter().zip(&mut state.rule_states) {
                if let Some(alert) = &mut rule_state.alert {
                    scrubbed.note(&rule_state_key(name, &rule.name), remove_samples(&mut alert.samples, erased));
                }
            }
        }
        for (number, transition) in &mut self.outbox {
            scrubbed
                .note(&Key::new(Table::Outbox).number(*number), remove_samples(&mut transition.alert.samples, erased));
        }
        for (number, transition) in (self.totals.transitions..).zip(&mut self.new_transitions) {
            scrubbed
                .note(&Key::new(Table::Outbox).number(number), remove_samples(&mut transition.alert.samples, erased));
        }
    }

    /// Visits every sample in memory and in the store, some of them more than once. The posts table is not part of it.
    pub(in crate::monitor) fn for_each_sample(&self, mut look: impl FnMut(&Sample)) -> Result<(), MonitorError> {
        for state in self.topics.values() {
            state.window.kept().for_each(&mut look);
            let alerts = state.rule_states.iter().filter_map(|rule_state| rule_state.alert.as_ref());
            alerts.flat_map(|alert| &alert.samples).for_each(&mut look);
        }
        let transitions = self.outbox.iter().map(|(_, transition)| transition).chain(&self.new_transitions);
        transitions.flat_map(|transition| &transition.alert.samples).for_each(&mut look);
        for table in [Table::Alert, Table::IncidentAlert] {
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

/// Removes what `erased` selects and returns its ids.
fn remove_samples(samples: &mut Vec<Sample>, erased: ErasureFilter<'_>) -> Vec<String> {
    samples.extract_if(.., |sample| erased(sample)).map(|sample| sample.id).collect()
}
