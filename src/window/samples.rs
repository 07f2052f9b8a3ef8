//! [`Samples`]: the most negative posts of every ten minutes, kept as examples for alerts.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::buckets::bucket_start;
use super::slot::SLOT;
use crate::classify::{ClassifiedPost, Label};
use crate::store::{Batch, Key, Store, StoreError, Table};
use crate::text::readable;

/// Posts kept per slot.
const PER_SLOT: usize = 5;

/// A post shown as an example in an alert. It is personal data.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Sample {
    pub id: String,
    pub created_at: Timestamp,
    /// Handle without `@`.
    pub author: Option<String>,
    /// The source's own identifier of the author.
    pub author_id: Option<String>,
    /// Link to the post.
    pub url: Option<String>,
    pub text: String,
    /// Probability of negative, in `[0, 1]`.
    pub negative: f32,
}

#[derive(Debug, Default, Clone)]
pub(super) struct Samples {
    slots: BTreeMap<i64, Vec<Sample>>,
    changed: BTreeSet<i64>,
    dropped: Vec<i64>,
}

impl Samples {
    pub(super) fn load(store: &Store, topic: &str) -> Result<Self, StoreError> {
        let mut samples = Self::default();
        for entry in store.scan(&Key::new(Table::Sample).text(topic)) {
            let (key, kept) = entry?;
            if let Some(slot) = key.last_time() {
                samples.slots.insert(slot, kept);
            }
        }
        Ok(samples)
    }

    pub(super) fn offer(&mut self, time: i64, classified: &ClassifiedPost) {
        if classified.prediction.label != Label::Negative {
            return;
        }
        let negative = classified.prediction.probabilities[0];
        let slot = bucket_start(time, SLOT);
        let kept = self.slots.entry(slot).or_default();
        if kept.len() == PER_SLOT && kept.last().is_some_and(|least| least.negative >= negative) {
            return;
        }
        let post = &classified.post;
        let sample = Sample {
            id: post.id.clone(),
            created_at: post.created_at,
            author: post.author.clone(),
            author_id: post.details.author_id.clone(),
            url: post.details.url.clone(),
            text: readable(&post.text),
            negative,
        };
        let place = kept.partition_point(|other| other.negative >= negative);
        kept.insert(place, sample);
        kept.truncate(PER_SLOT);
        self.changed.insert(slot);
    }

    /// Drops slots that start after `time` (Unix seconds).
    pub(super) fn drop_after(&mut self, time: i64) {
        let slots = self.slots.split_off(&(time + 1));
        self.changed.retain(|slot| *slot <= time);
        self.dropped.extend(slots.into_keys());
    }

    /// The `count` most negative posts from `start` (Unix seconds) on, no two of the same wording or author.
    pub(super) fn pick(&self, start: i64, count: usize) -> Vec<Sample> {
        let kept = self.slots.range(bucket_start(start, SLOT)..).flat_map(|(_, kept)| kept);
        let mut all: Vec<&Sample> = kept.filter(|sample| sample.created_at.as_second() >= start).collect();
        all.sort_by(|a, b| b.negative.total_cmp(&a.negative).then(b.created_at.cmp(&a.created_at)));
        let (mut wordings, mut authors) = (BTreeSet::new(), BTreeSet::new());
        let is_other_voice = |sample: &&Sample| {
            let author = sample.author_id.as_ref().or(sample.author.as_ref());
            wordings.insert(wording(&sample.text)) && author.is_none_or(|author| authors.insert(author.clone()))
        };
        all.into_iter().filter(is_other_voice).take(count).cloned().collect()
    }

    /// Removes what is `matches`; returns its slots and ids. What is stored is not touched.
    pub(super) fn remove(&mut self, matches: &dyn Fn(&Sample) -> bool) -> Vec<(i64, String)> {
        let mut removed = Vec::new();
        for (slot, kept) in &mut self.slots {
            removed.extend(kept.extract_if(.., |sample| matches(sample)).map(|sample| (*slot, sample.id)));
        }
        removed
    }

    /// Drops the post `id`, in the store with the next save.
    pub(super) fn drop_post(&mut self, id: &str) {
        let removed = self.remove(&|sample| sample.id == id);
        self.changed.extend(removed.into_iter().map(|(slot, _)| slot));
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Sample> {
        self.slots.values().flatten()
    }

    /// Drops slots that end at or before `time`.
    pub(super) fn drop_before(&mut self, time: i64) {
        while let Some(entry) = self.slots.first_entry()
            && *entry.key() + SLOT <= time
        {
            self.changed.remove(entry.key());
            self.dropped.push(entry.remove_entry().0);
        }
    }

    pub(super) fn save(&mut self, batch: &mut Batch, topic: &str) -> Result<(), StoreError> {
        let key = |slot: i64| Key::new(Table::Sample).text(topic).time(slot);
        for slot in self.dropped.drain(..) {
            batch.remove(&key(slot));
        }
        for slot in std::mem::take(&mut self.changed) {
            if let Some(kept) = self.slots.get(&slot) {
                batch.put(&key(slot), kept)?;
            }
        }
        Ok(())
    }
}

/// Letters and digits of a text, in lower case: copies often differ in spaces or in the case of a link.
fn wording(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::Prediction;
    use crate::post::Post;

    fn post(id: &str, time: i64, text: &str, negative: f32) -> ClassifiedPost {
        let post = Post {
            id: id.into(),
            created_at: Timestamp::from_second(time).unwrap(),
            author: None,
            text: text.into(),
            lang: None,
            topic: None,
            label: None,
            ..Post::default()
        };
        let prediction =
            Prediction { label: Label::Negative, probabilities: [negative, 1.0 - negative, 0.0], reason: None };
        ClassifiedPost { post, prediction }
    }

    #[test]
    fn the_most_negative_are_kept_and_copies_shown_once() {
        let mut samples = Samples::default();
        let offered =
            [("1", "Lost my bag", 0.7), ("2", "Never again", 0.9), ("3", "lost my bag!", 0.8), ("4", "Late", 0.6)];
        for (id, text, negative) in offered {
            samples.offer(0, &post(id, 0, text, negative));
        }
        samples.offer(700, &post("5", 700, "Rude", 0.65));

        let ids = |samples: Vec<Sample>| samples.into_iter().map(|sample| sample.id).collect::<Vec<_>>();
        assert_eq!(ids(samples.pick(0, 5)), ["2", "3", "5", "4"]);
        assert_eq!(ids(samples.pick(700, 5)), ["5"]);
        samples.drop_before(600);
        assert_eq!(ids(samples.pick(0, 5)), ["5"]);
    }

    #[test]
    fn a_sample_is_written_as_people_read_it() {
        let mut samples = Samples::default();
        samples.offer(0, &post("1", 0, "Late &amp; rude:\n3 h &gt; 1 h", 0.9));
        assert_eq!(samples.pick(0, 1)[0].text, "Late & rude: 3 h > 1 h");
    }
}
