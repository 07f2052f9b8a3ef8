//! Feedback: labels that people give in place of a model's, kept for retraining. One that differs from what the model read
//! is an incorrect prediction, which rules can ask for.
//!
//! A feedback holds a post's text, and is personal data: it goes with `forget`, and once it is as old as posts may get.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::privacy::selector::Selector;
use super::{Monitor, MonitorError};
use crate::classify::{Label, Prediction};
use crate::rule::EventKind;
use crate::store::{Batch, Key, Table};
use crate::window::Sample;

/// Longest text that is taken, in characters.
const MOST_TEXT: usize = 10_000;
/// Longest name of who gives it.
const MOST_NAME: usize = 100;
/// Feedbacks kept; the oldest go first.
const MOST: usize = 100_000;

/// Where a text comes from: what may be done with it depends on that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Provenance {
    /// A post on X: its terms restrict training on it.
    X,
    /// A post from elsewhere.
    Post,
    /// Given as a text, by who gave the label.
    Typed,
}

/// What is asked for: the right label of a post or text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Correction {
    /// Identifier of a post that is kept, or a text.
    pub what: String,
    pub label: Label,
    /// Who says so.
    #[serde(default)]
    pub by: Option<String>,
}

/// One label, as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Feedback {
    pub at: Timestamp,
    pub by: Option<String>,
    /// With an empty identifier where only a text was given.
    pub post: Sample,
    pub provenance: Provenance,
    /// The model that read it, and what it read.
    pub model: String,
    pub predicted: Label,
    /// In the order of [`Label::ALL`].
    pub probabilities: [f32; 3],
    pub label: Label,
}

/// A feedback by its number, and whether it was given before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Given {
    pub number: u64,
    pub known: bool,
    pub feedback: Feedback,
}

impl Correction {
    /// What is wrong with it, for who gave it.
    pub fn fault(&self) -> Option<String> {
        let by = self.by.as_deref().unwrap_or_default();
        if self.what.trim().is_empty() {
            Some("wanted the identifier of a post, or a text".into())
        } else if self.what.chars().count() > MOST_TEXT {
            Some(format!("the text is longer than {MOST_TEXT} characters"))
        } else if by.chars().count() > MOST_NAME {
            Some(format!("the name of who reports it is longer than {MOST_NAME} characters"))
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
    /// What `what` stands for: a post that is kept, or, where it is no single word, a text of its own.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn subject(&self, what: &str, now: Timestamp) -> Result<Option<(Sample, Provenance)>, MonitorError> {
        let what = what.trim();
        let mut found = None;
        self.each_post(|sample| {
            if sample.id == what && found.is_none() {
                found = Some(sample.clone());
            }
        })?;
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

    /// Keeps the label that `correction` gives to `subject`, which `model` read as `prediction`; on disk when this returns.
    /// One that was given before is not kept twice, and is no further incorrect prediction.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub fn correct(
        &mut self,
        correction: &Correction,
        (post, provenance): (Sample, Provenance),
        model: &str,
        prediction: &Prediction,
        now: Timestamp,
    ) -> Result<Given, MonitorError> {
        let mut next = 0;
        for given in self.feedback()? {
            next = given.number + 1;
            let same = &given.feedback.post;
            if same.id == post.id && same.text == post.text && given.feedback.label == correction.label {
                return Ok(Given { known: true, ..given });
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
        if let Some(oldest) = next.checked_sub(MOST as u64) {
            self.pending.remove(&key(oldest));
        }
        if feedback.is_wrong() {
            self.happened(EventKind::IncorrectPrediction, now);
        }
        self.commit_to_disk()?;
        Ok(Given { number: next, known: false, feedback })
    }

    /// Every feedback, the oldest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn feedback(&self) -> Result<Vec<Given>, MonitorError> {
        let entries = self.store.scan::<Feedback>(&Key::new(Table::Feedback));
        let given = entries.map(|entry| {
            let (key, feedback) = entry?;
            Ok(Given { number: key.last_number().unwrap_or_default(), known: true, feedback })
        });
        given.collect()
    }

    /// Removes the feedback on posts that any of `who` selects; returns how many.
    pub(super) fn forget_feedback(&self, batch: &mut Batch, who: &[Selector]) -> Result<u64, MonitorError> {
        self.remove_feedback(batch, usize::MAX, |feedback| {
            let gives = |who: &Selector| match (who, &feedback.by) {
                (Selector::Author(_), Some(by)) => who.normal() == super::privacy::selector::normal_author(by),
                _ => false,
            };
            who.iter().any(|who| who.wants(&feedback.post) || gives(who))
        })
    }

    /// Removes at most `most` feedbacks that were given before `time` (Unix seconds).
    pub(super) fn expire_feedback(&self, batch: &mut Batch, time: i64, most: usize) -> Result<u64, MonitorError> {
        self.remove_feedback(batch, most, |feedback| feedback.at.as_second() < time)
    }

    fn remove_feedback(
        &self,
        batch: &mut Batch,
        most: usize,
        doomed: impl Fn(&Feedback) -> bool,
    ) -> Result<u64, MonitorError> {
        let mut removed = 0;
        for given in self.feedback()?.iter().filter(|given| doomed(&given.feedback)).take(most) {
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
