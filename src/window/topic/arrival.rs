//! How a [`TopicWindow`] counts a post: once, with the weight of its author, in the bucket of its time.

use super::TopicWindow;
use crate::classify::{ClassifiedPost, Label, normalise_reason};
use crate::window::Counts;
use crate::window::authors::Voice;
use crate::window::cascade::Placement;
use crate::window::informative_words;

/// How a post was counted for a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// `root` is the hash of the identifier of the first post of its cascade.
    Counted { root: u64 },
    /// Counted as a copy: it repeats a counted post.
    Copied { root: u64 },
    /// Ignored: it was counted before.
    Duplicate,
    /// Ignored: older than the watermark by more than the lateness.
    TooLate,
}

impl TopicWindow {
    /// Counts a post, and keeps it as a sample if it is one of the most negative.
    pub fn add(&mut self, classified: &ClassifiedPost) -> Arrival {
        let (arrival, voice) = self.arrive(classified, true);
        if matches!(arrival, Arrival::Counted { .. }) {
            self.samples.offer(classified.post.created_at.as_second(), classified);
            // Words count by author: the first complaint of a person, not each of them.
            if voice.is_some_and(|voice| voice.is_first_negative) {
                self.note_words(classified);
            }
        }
        arrival
    }

    /// Counts a post without keeping anything else of it.
    pub fn count(&mut self, classified: &ClassifiedPost) -> Arrival {
        self.arrive(classified, false).0
    }

    /// Counts a post; also returns how much its author counts, unless the post repeats another or is not counted.
    fn arrive(&mut self, classified: &ClassifiedPost, keep: bool) -> (Arrival, Option<Voice>) {
        let time = classified.post.created_at.as_second();
        if time < self.settled() {
            return (Arrival::TooLate, None);
        }
        if !self.seen.insert(time, &classified.post.id) {
            return (Arrival::Duplicate, None);
        }
        // A post from a clock that runs ahead must not make the posts of now too late.
        let reached = time.min(self.buckets.edge() + self.width);
        if self.watermark.is_none_or(|watermark| watermark < reached) {
            self.watermark = Some(reached);
            self.moved = true;
            self.seen.drop_before(self.settled());
        }
        let watermark = self.watermark.unwrap_or(time);
        let Placement { repeats: copied, root } = self.cascades.place(watermark, &classified.post, keep);
        let label = classified.prediction.label;
        let voice = (!copied).then(|| self.authors.add(watermark, time, &classified.post, label, keep));
        let counts = voice.map_or_else(Counts::copy, |voice| Counts::one(label).discounted(voice.discount));
        let counts = counts.reaching(classified.post.details.followers.unwrap_or(0));
        self.buckets.add(time, counts);
        self.history.add(time, counts);
        (if copied { Arrival::Copied { root } } else { Arrival::Counted { root } }, voice)
    }

    /// Whether the post `id` was counted, at whatever time: for posts whose own time is not used.
    pub fn has_seen(&self, id: &str) -> bool {
        self.seen.contains(id)
    }

    /// Adds counts at `time` (Unix seconds) of posts that are not at hand.
    pub fn count_all(&mut self, time: i64, counts: Counts) {
        if counts != Counts::default() {
            self.watermark = self.watermark.max(Some(time));
            self.buckets.add(time, counts);
            self.history.add(time, counts);
        }
    }

    /// Counts a post at `time` (Unix seconds) of which only its author, a number above 0, and its label are at hand.
    pub fn count_author(&mut self, time: i64, author: u64, label: Label) {
        let watermark = self.watermark.max(Some(time)).unwrap_or(time);
        let voice = self.authors.add_author(watermark, time, (author, author), label);
        self.count_all(time, Counts::one(label).discounted(voice.discount));
    }

    fn note_words(&mut self, classified: &ClassifiedPost) {
        let time = classified.post.created_at.as_second();
        // Older words are part of the word baseline.
        if time < self.words_start() {
            return;
        }
        let words = informative_words(&classified.post.text, &self.plain_name);
        self.words.add(time, words.iter().map(String::as_str));
        if let Some(reason) = &classified.post.details.reason {
            self.reasons.add(time, std::iter::once(normalise_reason(reason).as_str()));
        }
    }
}
