//! Takes back the last label that was given to a post, and all its effects: the record, the count as an incorrect prediction, and
//! the label in windows, hours and stored posts. Again and again, up to the model's own label.

use jiff::Timestamp;

use super::{Feedback, Subject, key};
use crate::classify::Label;
use crate::monitor::{Monitor, MonitorError};
use crate::rule::EventKind;

/// Feedback that was taken back.
#[derive(Debug, Clone, PartialEq)]
pub struct UndoneFeedback {
    pub number: u64,
    pub feedback: Feedback,
    /// The label that counts from now on.
    pub label: Label,
}

impl Monitor {
    /// Takes back the last feedback on `what`, as for [`Monitor::find_subject`]; the next flush makes it durable. None where there
    /// is no feedback on it.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub fn undo_feedback(&mut self, what: &str, now: Timestamp) -> Result<Option<UndoneFeedback>, MonitorError> {
        // A single word that names no post is a text that somebody typed.
        let subject = self.find_subject(what, false, now)?.unwrap_or_else(|| Subject::typed(what.trim(), now));
        let given = self.feedback_about(&subject.post)?;
        let Some(((number, last), earlier)) = given.split_last() else { return Ok(None) };
        self.pending.remove(&key(*number));
        if let Some(index) = &mut self.feedback_index {
            index.remove(&subject.post, *number);
        }
        // A post counts as one incorrect prediction: when the first wrong label was reported.
        if last.is_wrong() && !earlier.iter().any(|(_, feedback)| feedback.is_wrong()) {
            self.take_back_event(EventKind::IncorrectPrediction, last.at);
        }
        let own = subject.read.as_ref().map_or(last.predicted, |(_, prediction)| prediction.label);
        let label = earlier.last().map_or(own, |(_, feedback): &(u64, Feedback)| feedback.label);
        self.relabel(&subject.post.id, label)?;
        self.commit()?;
        Ok(Some(UndoneFeedback { number: *number, feedback: last.clone(), label }))
    }
}
