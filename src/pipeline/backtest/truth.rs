//! [`Truth`]: what a dump knows by topic and minute: its labels, and which posts it marks as part of an incident.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use jiff::Timestamp;

use super::incident::TrueIncident;
use crate::classify::Label;
use crate::post::Post;

const MINUTE: i64 = 60;

/// The labels and marks of the dump, independent of the classifier.
#[derive(Debug, Clone, Default)]
pub struct Truth {
    topics: BTreeMap<String, BTreeMap<i64, Minute>>,
    has_marks: bool,
}

#[derive(Debug, Clone, Copy, Default)]
struct Minute {
    negative: u64,
    labelled: u64,
    /// Times of the first and the last post that is marked.
    marked: Option<(Timestamp, Timestamp)>,
    unmarked: bool,
}

impl Truth {
    pub(super) fn note(&mut self, topic: &str, post: &Post, incident: Option<bool>) {
        if !self.topics.contains_key(topic) {
            self.topics.insert(topic.to_owned(), BTreeMap::new());
        }
        let Some(minutes) = self.topics.get_mut(topic) else { return };
        let (at, second) = (post.created_at, post.created_at.as_second());
        let minute = minutes.entry(second - second.rem_euclid(MINUTE)).or_default();
        if let Some(label) = post.label.as_deref().and_then(Label::parse) {
            minute.labelled += 1;
            minute.negative += u64::from(label == Label::Negative);
        }
        self.has_marks |= incident.is_some();
        if incident == Some(true) {
            let (first, last) = minute.marked.unwrap_or((at, at));
            minute.marked = Some((first.min(at), last.max(at)));
        } else {
            minute.unmarked = true;
        }
    }

    /// Drops what posts dated far outside the dump say: an hour of theirs would stretch the usual rate over decades.
    pub(super) fn keep_within(&mut self, times: &RangeInclusive<Timestamp>) {
        let (from, to) = (times.start().as_second(), times.end().as_second());
        let from = from - from.rem_euclid(MINUTE);
        self.topics.values_mut().for_each(|minutes| minutes.retain(|start, _| (from..=to).contains(start)));
    }

    pub fn has_labels(&self) -> bool {
        self.topics.values().flat_map(BTreeMap::values).any(|minute| minute.labelled > 0)
    }

    /// The incidents that the dump marks: in each topic, from the first marked post to the last one before a minute that has
    /// only others. None where it has no such column.
    pub fn incidents(&self) -> Option<Vec<TrueIncident>> {
        if !self.has_marks {
            return None;
        }
        let mut incidents = Vec::new();
        for (topic, minutes) in &self.topics {
            let mut open: Option<TrueIncident> = None;
            for minute in minutes.values() {
                match (minute.marked, &mut open) {
                    (Some((_, last)), Some(incident)) => incident.ends = last,
                    (Some((begins, ends)), None) => {
                        open = Some(TrueIncident { topic: Some(topic.clone()), begins, ends });
                    }
                    (None, _) if minute.unmarked => incidents.extend(open.take()),
                    (None, _) => {}
                }
            }
            incidents.extend(open);
        }
        Some(incidents)
    }

    /// Negative posts, labelled posts and hours of `topic`, in the time from `from` to before `to`, and outside of it.
    pub(super) fn around(&self, topic: &str, from: Timestamp, to: Timestamp) -> (Share, Share) {
        let (mut within, mut outside) = (Share::default(), Share::default());
        let Some(minutes) = self.topics.get(topic) else { return (within, outside) };
        let (from, to) = (from.as_second(), to.as_second());
        for (start, minute) in minutes {
            let share = if (from..to).contains(start) { &mut within } else { &mut outside };
            share.negative += minute.negative;
            share.labelled += minute.labelled;
        }
        let (first, last) = (minutes.keys().next().copied(), minutes.keys().next_back().copied());
        let whole = last.unwrap_or_default() + MINUTE - first.unwrap_or_default();
        within.hours = (to - from) as f64 / 3_600.0;
        outside.hours = (whole - (to - from)).max(0) as f64 / 3_600.0;
        (within, outside)
    }
}

/// The labels in a span of time.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Share {
    pub(super) negative: u64,
    pub(super) labelled: u64,
    pub(super) hours: f64,
}

impl Share {
    pub(super) fn negative_rate(&self) -> f64 {
        self.negative as f64 / self.labelled.max(1) as f64
    }

    pub(super) fn negative_per_hour(&self) -> f64 {
        if self.hours > 0.0 { self.negative as f64 / self.hours } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn post(second: i64, label: &str) -> Post {
        Post { created_at: at(second), label: Some(label.into()), ..Post::default() }
    }

    #[test]
    fn marks_become_incidents_in_any_order() {
        let mut truth = Truth::default();
        truth.note("a", &post(0, "negative"), None);
        assert_eq!(truth.incidents(), None, "no column");
        for (second, mark) in
            [(700, false), (130, true), (70, true), (72, false), (400, true), (20, false), (900, true)]
        {
            truth.note("a", &post(second, "negative"), Some(mark));
        }
        truth.note("b", &post(300, "negative"), Some(false));
        let found = truth.incidents().unwrap();
        let spans: Vec<_> = found.iter().map(|one| (one.begins.as_second(), one.ends.as_second())).collect();
        assert_eq!(spans, [(70, 400), (900, 900)]);
    }

    #[test]
    fn labels_are_counted_within_and_outside() {
        let mut truth = Truth::default();
        for second in (0..36_000).step_by(600) {
            let label = if (7_200..10_800).contains(&second) { "negative" } else { "positive" };
            truth.note("a", &post(second, label), None);
        }
        let (within, outside) = truth.around("a", at(7_200), at(10_800));
        assert_eq!((within.negative, within.labelled, within.hours), (6, 6, 1.0));
        assert_eq!((outside.negative, outside.labelled), (0, 54));
        assert!(truth.has_labels());
        assert_eq!(truth.around("gone", at(0), at(1)), (Share::default(), Share::default()));
    }
}
