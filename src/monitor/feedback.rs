//! Feedback: labels that people give in place of a model's, kept for retraining. A label that differs from the model's is an
//! incorrect prediction, an event that rules can count. Windows, hours and stored posts then count the post by the given label,
//! until that is undone.
//!
//! Feedback holds a post's text, and is personal data: `forget` and the retention of posts remove it.

mod index;
mod undo;

use std::collections::HashMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub(super) use index::FeedbackIndex;
pub use undo::UndoneFeedback;

use super::label_schema::label_schema;
use super::posts::Counting;
use super::posts::erase::post_of_id;
use super::posts::relabel::relabel;
use super::privacy::selector::Selector;
use super::{Monitor, MonitorError};
use crate::classify::{Label, Prediction};
use crate::rule::EventKind;
use crate::store::{Batch, Key, StoreError, Table, View, decode};
use crate::window::Sample;

/// Characters of a text.
const MAX_TEXT: usize = 10_000;
/// Characters of a reporter's name.
const MAX_NAME: usize = 100;
/// Records kept; the oldest are removed first.
const MAX_RECORDS: usize = 100_000;

/// Where a text comes from, which decides how it may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Provenance {
    /// A post on X: its terms restrict training on it.
    X,
    /// A post from elsewhere.
    Post,
    /// Typed by the reporter.
    Typed,
}

impl Provenance {
    /// Of a post with this link.
    pub fn of(url: Option<&str>) -> Self {
        let on_x = |url: &str| url.starts_with("https://x.com/") || url.starts_with("https://twitter.com/");
        if url.is_some_and(on_x) { Self::X } else { Self::Post }
    }
}

/// A request: the right label of a post or text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Correction {
    /// The identifier of a stored post, or a text.
    #[schema(min_length = 1, max_length = 10_000)]
    pub what: String,
    #[schema(schema_with = label_schema)]
    pub label: Label,
    /// The reporter.
    #[serde(default)]
    #[schema(max_length = 100)]
    pub by: Option<String>,
    /// `what` is a text, also where it is one word.
    #[serde(default)]
    pub is_text: bool,
}

/// What a correction is about.
#[derive(Debug, Clone, PartialEq)]
pub struct Subject {
    /// Without an identifier where only a text was given.
    pub post: Sample,
    pub provenance: Provenance,
    /// The model that read it, and its prediction, where the post is stored.
    pub read: Option<(String, Prediction)>,
    /// As the source states it, where the post is stored.
    pub language: Option<String>,
}

/// One label, as stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Feedback {
    pub at: Timestamp,
    pub by: Option<String>,
    /// Without an identifier where only a text was given.
    pub post: Sample,
    pub provenance: Provenance,
    /// The model, and its prediction.
    pub model: String,
    #[schema(schema_with = label_schema)]
    pub predicted: Label,
    /// In the order of [`Label::ALL`].
    pub probabilities: [f32; 3],
    #[schema(schema_with = label_schema)]
    pub label: Label,
}

/// Feedback by its number, and whether it was given before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct FeedbackRecord {
    pub number: u64,
    pub known: bool,
    pub feedback: Feedback,
}

impl Correction {
    /// The first problem of the request, for its sender.
    pub fn validate(&self) -> Option<String> {
        let by = self.by.as_deref().unwrap_or_default();
        if self.what.trim().is_empty() {
            Some("expected the identifier of a post, or a text".into())
        } else if self.what.chars().count() > MAX_TEXT {
            Some(format!("the text is longer than {MAX_TEXT} characters"))
        } else if by.chars().count() > MAX_NAME {
            Some(format!("the reporter's name is longer than {MAX_NAME} characters"))
        } else {
            None
        }
    }
}

impl Subject {
    /// A text that somebody typed.
    fn typed(text: &str, now: Timestamp) -> Self {
        let post = Sample { created_at: now, text: text.to_owned(), ..Sample::default() };
        Self { post, provenance: Provenance::Typed, read: None, language: None }
    }
}

impl Feedback {
    pub fn is_wrong(&self) -> bool {
        self.predicted != self.label
    }
}

/// The last label that each post was given, in the order of `all`, the oldest first: nobody counts or learns two of one post.
pub fn last_labels(all: &[FeedbackRecord]) -> Vec<&FeedbackRecord> {
    let mut last = HashMap::new();
    for (place, given) in all.iter().enumerate() {
        let post = &given.feedback.post;
        last.insert((&post.id, &post.text), place);
    }
    let mut places: Vec<usize> = last.into_values().collect();
    places.sort_unstable();
    places.into_iter().filter_map(|place| all.get(place)).collect()
}

/// All feedback in a store, the oldest first.
///
/// # Errors
/// When the store cannot be read.
pub(crate) fn stored_feedback(view: &View<'_>) -> Result<Vec<FeedbackRecord>, StoreError> {
    feedback_from(view, 0, usize::MAX)
}

/// Feedback in a store from the number `first` on, the oldest first, `limit` at most.
///
/// # Errors
/// When the store cannot be read.
pub(crate) fn feedback_from(view: &View<'_>, first: u64, limit: usize) -> Result<Vec<FeedbackRecord>, StoreError> {
    let entries = view.range(&key(first), &key(u64::MAX))?.take(limit);
    let given = entries.map(|entry| {
        let (key, bytes) = entry?;
        let feedback = decode(&key, &bytes)?;
        Ok(FeedbackRecord { number: key.last_number().unwrap_or_default(), known: true, feedback })
    });
    given.collect()
}

impl Monitor {
    /// The post or text that `what` means: a text where `is_text`, else a stored post, or, where it is more than one word, a text.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn find_subject(&self, what: &str, is_text: bool, now: Timestamp) -> Result<Option<Subject>, MonitorError> {
        let what = what.trim();
        if is_text {
            return Ok(Some(Subject::typed(what, now)));
        }
        let stored = post_of_id(&self.store.reader().view(), what)?;
        let read = stored.as_ref().map(|post| {
            let prediction = Prediction { label: post.predicted(), probabilities: post.probabilities, reason: None };
            (post.model.clone(), prediction)
        });
        let language = stored.as_ref().and_then(|post| post.lang.clone());
        let mut found = stored.map(|post| post.to_sample());
        // Posts of alerts may outlive the posts table by some hours.
        if found.is_none() {
            self.for_each_sample(|sample| {
                if sample.id == what && found.is_none() {
                    found = Some(sample.clone());
                }
            })?;
        }
        Ok(match found {
            Some(post) => {
                let provenance = Provenance::of(post.url.as_deref());
                Some(Subject { post, provenance, read, language })
            }
            None if what.contains(char::is_whitespace) => Some(Subject::typed(what, now)),
            None => None,
        })
    }

    /// Stores the label that `correction` gives to `subject`, for which `model` gave `prediction`, and counts the post by that
    /// label from now on, also in what was counted before. The next flush makes it durable. The same label given again is
    /// stored once, and a post counts as one incorrect prediction at most.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub fn record_feedback(
        &mut self,
        correction: &Correction,
        subject: Subject,
        (model, prediction): (&str, &Prediction),
        now: Timestamp,
    ) -> Result<FeedbackRecord, MonitorError> {
        let Subject { post, provenance, .. } = subject;
        let given = self.feedback_about(&post)?;
        if let Some((number, last)) = given.last().filter(|(_, last)| last.label == correction.label) {
            return Ok(FeedbackRecord { number: *number, known: true, feedback: last.clone() });
        }
        let number = self.feedback_index.as_ref().map_or(0, FeedbackIndex::next);
        let feedback = Feedback {
            at: now,
            by: correction.by.clone(),
            post,
            provenance,
            model: model.into(),
            predicted: prediction.label,
            probabilities: prediction.probabilities,
            label: correction.label,
        };
        self.pending.put(&key(number), &feedback)?;
        if let Some(index) = &mut self.feedback_index {
            index.add(&feedback.post, number);
        }
        if let Some(oldest) = number.checked_sub(MAX_RECORDS as u64) {
            self.pending.remove(&key(oldest));
        }
        if feedback.is_wrong() && !given.iter().any(|(_, earlier)| earlier.is_wrong()) {
            self.record_event(EventKind::IncorrectPrediction, now);
        }
        self.relabel(&feedback.post.id, feedback.label)?;
        self.commit()?;
        Ok(FeedbackRecord { number, known: false, feedback })
    }

    /// Feedback on `post`, the oldest first, with its numbers.
    fn feedback_about(&mut self, post: &Sample) -> Result<Vec<(u64, Feedback)>, MonitorError> {
        if self.feedback_index.is_none() {
            self.feedback_index = Some(FeedbackIndex::new(&self.feedback()?));
        }
        let numbers = self.feedback_index.as_ref().map(|index| index.about(post)).unwrap_or_default();
        let mut given = Vec::new();
        for number in numbers {
            let found: Option<Feedback> = self.store.get(&key(number))?;
            // Another post may have the same hash, and the oldest records go without notice.
            given.extend(found.filter(|it| it.post.id == post.id && it.post.text == post.text).map(|it| (number, it)));
        }
        Ok(given)
    }

    /// Counts the stored post `id` by the label `to` wherever it was counted by another one.
    fn relabel(&mut self, id: &str, to: Label) -> Result<(), MonitorError> {
        let Self { store, pending, topics, .. } = self;
        for post in relabel(store, pending, id, to)? {
            // A copy has no vote, and a late post was not counted.
            if post.counting != Counting::Counted {
                continue;
            }
            for topic in &post.topics {
                let Some(state) = topics.get_mut(topic) else { continue };
                let time = post.created_at.as_second();
                state.window.relabel((&*store, &mut *pending), (id, time), (post.label, to))?;
                // The sums that rules compare have changed though no post has come.
                state.wake();
            }
        }
        Ok(())
    }

    /// All feedback, the oldest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn feedback(&self) -> Result<Vec<FeedbackRecord>, MonitorError> {
        Ok(stored_feedback(&self.store.reader().view())?)
    }

    /// Removes the feedback on posts that one of `who` selects; returns how many.
    pub(super) fn erase_feedback(&mut self, batch: &mut Batch, who: &[Selector]) -> Result<u64, MonitorError> {
        self.remove_feedback(batch, usize::MAX, |feedback| {
            let gives = |who: &Selector| match (who, &feedback.by) {
                (Selector::Author(_), Some(by)) => who.normal() == super::privacy::selector::normal_author(by),
                _ => false,
            };
            who.iter().any(|who| who.matches(&feedback.post) || gives(who))
        })
    }

    /// Removes feedback given before `time` (Unix seconds), `most` records at most; returns how many.
    pub(super) fn expire_feedback(&mut self, batch: &mut Batch, time: i64, most: usize) -> Result<u64, MonitorError> {
        self.remove_feedback(batch, most, |feedback| feedback.at.as_second() < time)
    }

    fn remove_feedback(
        &mut self,
        batch: &mut Batch,
        most: usize,
        erased: impl Fn(&Feedback) -> bool,
    ) -> Result<u64, MonitorError> {
        let mut removed = 0;
        self.feedback_index = None;
        for given in self.feedback()?.iter().filter(|given| erased(&given.feedback)).take(most) {
            batch.remove(&key(given.number));
            removed += 1;
        }
        Ok(removed)
    }
}

fn key(number: u64) -> Key {
    Key::new(Table::Feedback).number(number)
}

#[cfg(test)]
mod tests;
