//! Posts and people of each topic and hour of the dump: what alerts about crowds are compared with.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use vigie::dump::{DumpReader, Inputs, ReadOptions, RequiredFields, Row};

const HOUR: i64 = 3_600;

/// Posts and authors by topic and hour since 1970.
#[derive(Debug, Default)]
pub(crate) struct Hours(BTreeMap<(String, i64), (u64, BTreeSet<String>)>);

impl Hours {
    pub(crate) fn read(input: &Inputs, options: &ReadOptions) -> Self {
        let required = RequiredFields { created_at: true, ..RequiredFields::default() };
        let mut reader = DumpReader::open(input, options, required).unwrap();
        let mut hours = Self::default();
        while let Some(row) = reader.next_row().unwrap() {
            let Some(post) = row.ok().and_then(Row::into_post) else { continue };
            let key = (post.topic.clone().unwrap_or_default(), post.created_at.as_second().div_euclid(HOUR));
            let (posts, people) = hours.0.entry(key).or_default();
            *posts += 1;
            people.extend(post.author.clone());
        }
        hours
    }

    fn at(&self, topic: &str, hour: i64) -> (u64, usize) {
        self.0.get(&(topic.to_owned(), hour)).map_or((0, 0), |(posts, people)| (*posts, people.len()))
    }

    /// The hour with the most people among those that touch the time from `from` to `to`, with its posts and people.
    pub(crate) fn busiest(&self, topic: &str, from: Timestamp, to: Timestamp) -> (Timestamp, (u64, usize)) {
        let hours = from.as_second().div_euclid(HOUR)..=to.as_second().div_euclid(HOUR);
        let busiest = hours.max_by_key(|hour| self.at(topic, *hour).1).unwrap();
        (Timestamp::from_second(busiest * HOUR).unwrap(), self.at(topic, busiest))
    }

    /// Posts and people in the same hour of the days before and after.
    pub(crate) fn other_days(&self, topic: &str, at: Timestamp) -> impl Iterator<Item = (u64, usize)> {
        let days = (-6..=6).filter(|day| *day != 0);
        let hours = days.map(move |day| (at + SignedDuration::from_hours(24 * day)).as_second().div_euclid(HOUR));
        let first = self.0.keys().map(|(_, hour)| *hour).min().unwrap_or_default();
        let last = self.0.keys().map(|(_, hour)| *hour).max().unwrap_or_default();
        hours.filter(move |hour| (first..=last).contains(hour)).map(|hour| self.at(topic, hour))
    }
}
