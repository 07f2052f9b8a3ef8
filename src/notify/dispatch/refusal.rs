//! [`Refusal`]: a message that a receiver refused for its content, in one incident. The message is tried again in a smaller
//! form, and held once the smallest was refused. Other incidents do not wait for it.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::notification_log::Pending;
use crate::notify::MessageForm;

/// How long a message that was refused in every form is held: the other side may have changed by then.
const HOLD: SignedDuration = SignedDuration::from_hours(1);

/// See the module.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Refusal {
    /// The alerts of the refused message: other content is another message, and starts in full.
    firing: BTreeSet<String>,
    ended: BTreeSet<String>,
    /// The form of the next attempt.
    form: MessageForm,
    /// The receiver's answer.
    pub(super) error: String,
    /// Set once every form was refused; the next attempt is made then.
    held_until: Option<Timestamp>,
}

impl Refusal {
    /// The message with `firing` and `ended` alerts was refused in `form`.
    pub(super) fn new(
        (firing, ended): (&BTreeSet<String>, &BTreeSet<String>),
        form: MessageForm,
        error: &str,
        now: Timestamp,
    ) -> Self {
        let smaller = form.smaller();
        Self {
            firing: firing.clone(),
            ended: ended.clone(),
            form: smaller.unwrap_or_default(),
            error: error.to_owned(),
            held_until: if smaller.is_none() { now.checked_add(HOLD).ok() } else { None },
        }
    }

    /// Whether `pending` makes the message that was refused.
    pub(super) fn concerns(&self, pending: &Pending) -> bool {
        self.firing == pending.firing && pending.ended().all(|id| self.ended.contains(id))
    }

    /// The form in which the refused message is sent next.
    pub(super) fn form(&self) -> MessageForm {
        self.form
    }

    /// Until when the message is held: it was refused in every form.
    pub(super) fn held_until(&self) -> Option<Timestamp> {
        self.held_until
    }
}
