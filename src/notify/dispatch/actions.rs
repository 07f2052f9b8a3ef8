//! What people do with incidents: acknowledge them, silence alerts.

use std::time::Duration;

use jiff::Timestamp;

use super::history::{HistoryEvent, MAX_NOTES};
use super::{Dispatcher, name};
use crate::notify::Acknowledged;
use crate::notify::matcher::Matcher;
use crate::notify::silence::Silence;

const MIN_SILENCE: Duration = Duration::from_secs(60);
const MAX_SILENCE: Duration = Duration::from_secs(400 * 86_400);
/// Characters of the comment of an acknowledgement: it stands in messages.
pub const MAX_COMMENT: usize = 300;
/// Characters of a note.
pub const MAX_NOTE: usize = 4_000;

/// Why a request about incidents or silences is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AlertQueryError {
    #[error("unknown incident {0}; `vigie alerts list --all` lists all incidents")]
    NoIncident(String),
    #[error("incident {0} is already resolved: there is nothing to acknowledge")]
    AlreadyResolved(String),
    #[error("a note of {0} characters: expected 1 to {MAX_NOTE}")]
    NoteLength(usize),
    #[error("a comment of {0} characters: expected at most {MAX_COMMENT}; a note may have {MAX_NOTE}")]
    CommentLength(usize),
    #[error("incident {0} has {MAX_NOTES} notes already")]
    TooManyNotes(String),
    #[error("unknown or expired silence {0}")]
    NoSilence(String),
    #[error(
        "a silence needs at least one matcher, such as topic=\"Air Paradis\"; alertname=~\".*\" matches every alert"
    )]
    NoMatcher,
    #[error("a silence must last from 1 minute to 400 days")]
    SilenceLength,
}

impl Dispatcher {
    /// Acknowledges an incident: no reminders and no escalation from now on.
    ///
    /// # Errors
    /// When no incident with this id is firing, or the comment is too long.
    pub fn acknowledge(&mut self, id: &str, by: &str, comment: &str, now: Timestamp) -> Result<(), AlertQueryError> {
        let id = id.to_ascii_uppercase();
        let comment = clean(comment);
        let length = comment.chars().count();
        if length > MAX_COMMENT {
            return Err(AlertQueryError::CommentLength(length));
        }
        let group = self.groups.get_mut(&id).ok_or_else(|| AlertQueryError::NoIncident(id.clone()))?;
        if !group.is_firing() {
            return Err(AlertQueryError::AlreadyResolved(id));
        }
        // The first acknowledgement stands: messages name the person who really took over.
        if group.acknowledged.is_none() {
            group.acknowledged = Some(Acknowledged { by: by.to_owned(), at: now, comment: comment.clone() });
            group.record(now, HistoryEvent::Acknowledged { by: by.to_owned(), comment });
            self.dirty.groups.insert(id);
        }
        Ok(())
    }

    /// Withdraws an acknowledgement.
    ///
    /// # Errors
    /// When the incident does not exist.
    pub fn unacknowledge(&mut self, id: &str, by: Option<&str>, now: Timestamp) -> Result<(), AlertQueryError> {
        let id = id.to_ascii_uppercase();
        let group = self.groups.get_mut(&id).ok_or_else(|| AlertQueryError::NoIncident(id.clone()))?;
        if group.acknowledged.take().is_some() {
            group.record(now, HistoryEvent::AcknowledgementWithdrawn { by: by.map(str::to_owned) });
            self.dirty.groups.insert(id);
        }
        Ok(())
    }

    /// Adds a note to an incident, firing or over.
    ///
    /// # Errors
    /// When the incident does not exist or has too many notes, or the text is empty or too long.
    pub fn note(&mut self, id: &str, by: &str, text: &str, now: Timestamp) -> Result<(), AlertQueryError> {
        let id = id.to_ascii_uppercase();
        let text = clean(text);
        let length = text.chars().count();
        if !(1..=MAX_NOTE).contains(&length) {
            return Err(AlertQueryError::NoteLength(length));
        }
        let group = self.groups.get_mut(&id).ok_or_else(|| AlertQueryError::NoIncident(id.clone()))?;
        if group.notes() >= MAX_NOTES {
            return Err(AlertQueryError::TooManyNotes(id));
        }
        group.record(now, HistoryEvent::Noted { by: by.to_owned(), text });
        self.dirty.groups.insert(id);
        Ok(())
    }

    /// Silences matching alerts for `duration`, from `now` on.
    ///
    /// # Errors
    /// Without a matcher, or when the duration is too short or too long.
    pub fn silence(
        &mut self,
        matchers: Vec<Matcher>,
        duration: Duration,
        by: &str,
        comment: &str,
        now: Timestamp,
    ) -> Result<Silence, AlertQueryError> {
        if matchers.is_empty() {
            return Err(AlertQueryError::NoMatcher);
        }
        let ends_at = now.checked_add(duration).map_err(|_| AlertQueryError::SilenceLength)?;
        if !(MIN_SILENCE..=MAX_SILENCE).contains(&duration) {
            return Err(AlertQueryError::SilenceLength);
        }
        let of = format!("{matchers:?} {now} {by}");
        let id = name::short("S", &of, |name| self.silences.contains_key(name));
        let silence =
            Silence { id: id.clone(), matchers, starts_at: now, ends_at, by: by.into(), comment: comment.into() };
        self.silences.insert(id.clone(), silence.clone());
        self.dirty.silences.insert(id);
        Ok(silence)
    }

    /// Ends a silence now.
    ///
    /// # Errors
    /// When no silence with this id is active.
    pub fn unsilence(&mut self, id: &str, now: Timestamp) -> Result<(), AlertQueryError> {
        let id = id.to_ascii_uppercase();
        match self.silences.get_mut(&id).filter(|silence| silence.ends_at > now) {
            Some(silence) => {
                silence.ends_at = now;
                self.dirty.silences.insert(id);
                Ok(())
            }
            None => Err(AlertQueryError::NoSilence(id)),
        }
    }
}

/// What a person wrote, without control characters other than line breaks.
fn clean(text: &str) -> String {
    let text: String = text.replace("\r\n", "\n").chars().filter(|c| *c == '\n' || !c.is_control()).collect();
    text.trim().to_owned()
}
