//! Feedback: labels that people give in place of a model's, kept for retraining. A label that differs from the model's is an
//! incorrect prediction, an event that rules can count.
//!
//! Feedback holds a post's text, and is personal data: `forget` and the retention of posts remove it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::posts::erase::post_of_id;
use super::privacy::selector::Selector;
use super::{Monitor, MonitorError};
use crate::classify::{Label, Prediction};
use crate::rule::EventKind;
use crate::store::{Batch, Key, Table};
use crate::window::Sample;

/// Characters of a text.
const MAX_TEXT: usize = 10_000;
/// Characters of a reporter's name.
const MAX_NAME: usize = 100;
/// Records kept; the oldest are removed first.
const MAX_RECORDS: usize = 100_000;

/// Where a text comes from, which decides how it may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Provenance {
    /// A post on X: its terms restrict training on it.
    X,
    /// A post from elsewhere.
    Post,
    /// Typed by the reporter.
    Typed,
}

/// A request: the right label of a post or text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Correction {
    /// The identifier of a stored post, or a text.
    pub what: String,
    pub label: Label,
    /// The reporter.
    #[serde(default)]
    pub by: Option<String>,
}

/// One label, as stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Feedback {
    pub at: Timestamp,
    pub by: Option<String>,
    /// Without an identifier where only a text was given.
    pub post: Sample,
    pub provenance: Provenance,
    /// The model, and its prediction.
    pub model: String,
    pub predicted: Label,
    /// In the order of [`Label::ALL`].
    pub probabilities: [f32; 3],
    pub label: Label,
}

/// Feedback by its number, and whether it was given before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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

impl Feedback {
    pub fn is_wrong(&self) -> bool {
        self.predicted != self.label
    }
}

impl Monitor {
    /// The post or text that `what` means: a stored post, or, where it is more than one word, a text.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn find_subject(&self, what: &str, now: Timestamp) -> Result<Option<(Sample, Provenance)>, MonitorError> {
        let what = what.trim();
        let mut found = None;
        self.for_each_sample(|sample| {
            if sample.id == what && found.is_none() {
                found = Some(sample.clone());
            }
        })?;
        // Most posts are in the posts table only; those of alerts may outlive it by some hours.
        if found.is_none() {
            found = post_of_id(&self.store.reader().view(), what)?.map(|post| post.to_sample());
        }
        Ok(match found {
            Some(post) => {
                let on_x = |url: &String| url.starts_with("https://x.com/") || url.starts_with("https://twitter.com/");
                let provenance = if post.url.as_ref().is_some_and(on_x) { Provenance::X } else { Provenance::Post };
                Some((post, provenance))
            }
            None if what.contains(char::is_whitespace) => {
                let post = Sample { created_at: now, text: what.to_owned(), ..Sample::default() };
                Some((post, Provenance::Typed))
            }
            None => None,
        })
    }

    /// Stores the label that `correction` gives to `subject`, for which `model` gave `prediction`; on disk when this returns.
    /// The same label for the same post is stored once, and counts as one incorrect prediction at most.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub fn record_feedback(
        &mut self,
        correction: &Correction,
        (post, provenance): (Sample, Provenance),
        model: &str,
        prediction: &Prediction,
        now: Timestamp,
    ) -> Result<FeedbackRecord, MonitorError> {
        let mut next = 0;
        for given in self.feedback()? {
            next = given.number + 1;
            let same = &given.feedback.post;
            if same.id == post.id && same.text == post.text && given.feedback.label == correction.label {
                return Ok(FeedbackRecord { known: true, ..given });
            }
        }
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
        self.pending.put(&key(next), &feedback)?;
        if let Some(oldest) = next.checked_sub(MAX_RECORDS as u64) {
            self.pending.remove(&key(oldest));
        }
        if feedback.is_wrong() {
            self.record_event(EventKind::IncorrectPrediction, now);
        }
        self.commit_and_flush()?;
        Ok(FeedbackRecord { number: next, known: false, feedback })
    }

    /// All feedback, the oldest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn feedback(&self) -> Result<Vec<FeedbackRecord>, MonitorError> {
        let entries = self.store.scan::<Feedback>(&Key::new(Table::Feedback));
        let given = entries.map(|entry| {
            let (key, feedback) = entry?;
            Ok(FeedbackRecord { number: key.last_number().unwrap_or_default(), known: true, feedback })
        });
        given.collect()
    }

    /// Removes the feedback on posts that one of `who` selects; returns how many.
    pub(super) fn erase_feedback(&self, batch: &mut Batch, who: &[Selector]) -> Result<u64, MonitorError> {
        self.remove_feedback(batch, usize::MAX, |feedback| {
            let gives = |who: &Selector| match (who, &feedback.by) {
                (Selector::Author(_), Some(by)) => who.normal() == super::privacy::selector::normal_author(by),
                _ => false,
            };
            who.iter().any(|who| who.matches(&feedback.post) || gives(who))
        })
    }

    /// Removes feedback given before `time` (Unix seconds), `most` records at most; returns how many.
    pub(super) fn expire_feedback(&self, batch: &mut Batch, time: i64, most: usize) -> Result<u64, MonitorError> {
        self.remove_feedback(batch, most, |feedback| feedback.at.as_second() < time)
    }

    fn remove_feedback(
        &self,
        batch: &mut Batch,
        most: usize,
        erased: impl Fn(&Feedback) -> bool,
    ) -> Result<u64, MonitorError> {
        let mut removed = 0;
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
