//! [`Findings`]: what `vigie inspect` found in one dump, gathered in one pass in bounded memory.

use std::collections::BTreeMap;

use crate::dump::{Row, TimeSpan};
use crate::post::Topics;

/// Rows that are shown.
const SHOWN: usize = 3;
/// Different values of a column that are counted.
const MAX_VALUES: usize = 1_000;

/// Counts of the values of one column.
#[derive(Debug, Default)]
pub(super) struct ValueCounts {
    pub(super) counts: BTreeMap<String, u64>,
    /// Rows whose value came after the limit of different values.
    pub(super) further: u64,
}

impl ValueCounts {
    fn add(&mut self, value: &str) {
        if let Some(count) = self.counts.get_mut(value) {
            *count += 1;
        } else if self.counts.len() < MAX_VALUES {
            self.counts.insert(value.to_owned(), 1);
        } else {
            self.further += 1;
        }
    }

    /// The most frequent first.
    pub(super) fn ranked(&self) -> Vec<(&str, u64)> {
        let mut ranked: Vec<(&str, u64)> = self.counts.iter().map(|(value, count)| (value.as_str(), *count)).collect();
        ranked.sort_by_key(|(value, count)| (std::cmp::Reverse(*count), *value));
        ranked
    }
}

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) rows: u64,
    pub(super) first: Vec<Row>,
    pub(super) times: TimeSpan,
    pub(super) with_time: u64,
    pub(super) with_id: u64,
    pub(super) with_author: u64,
    pub(super) labels: ValueCounts,
    pub(super) topics: ValueCounts,
    /// Posts of no topic.
    pub(super) unmatched: u64,
    pub(super) languages: ValueCounts,
}

impl Findings {
    pub(super) fn add(&mut self, row: &Row, topics: &mut Topics) {
        self.rows += 1;
        if let Some(time) = row.created_at {
            self.times.add(time, row.line);
            self.with_time += 1;
        }
        self.with_id += u64::from(row.id.is_some());
        self.with_author += u64::from(row.author.is_some());
        row.label.iter().for_each(|label| self.labels.add(label));
        row.lang.iter().for_each(|language| self.languages.add(language));
        self.count_topics(row, topics);
        if self.first.len() < SHOWN {
            self.first.push(row.clone());
        }
    }

    fn count_topics(&mut self, row: &Row, topics: &mut Topics) {
        // Topics are matched on posts, which have a time.
        let timed = Row { created_at: row.created_at.or(Some(jiff::Timestamp::UNIX_EPOCH)), ..row.clone() };
        let Some(post) = timed.into_post() else { return };
        let found: Vec<_> = topics.match_post(&post).to_vec();
        self.unmatched += u64::from(found.is_empty());
        found.into_iter().for_each(|topic| self.topics.add(topics.name(topic)));
    }
}
