//! The commit, and the outbox it fills: transitions stay there until their receiver has saved them.

use super::{Monitor, MonitorError};
use crate::alert::{Transition, TransitionKind};
use crate::store::{Batch, Key, Table};

impl Monitor {
    /// Commits everything since the last commit. New transitions are on disk when this returns.
    ///
    /// # Errors
    /// When the store cannot be written. Nothing is committed then, and this monitor is unusable: open the store again.
    pub fn commit(&mut self) -> Result<(), MonitorError> {
        let mut batch = std::mem::take(&mut self.pending);
        for (name, state) in &mut self.topics {
            state.save(&mut batch, name, &self.rules, &self.totals)?;
        }
        if let Some(posts) = &mut self.posts {
            posts.save(&mut batch, self.totals.commits)?;
        }
        let has_transitions = !self.new_transitions.is_empty();
        for transition in std::mem::take(&mut self.new_transitions) {
            self.enqueue(transition, &mut batch)?;
        }
        self.events.save(&mut batch, &self.rules)?;
        self.dead_letters.save(&mut batch)?;
        self.totals.commits += 1;
        self.operational.save(&mut batch)?;
        batch.put(&Key::new(Table::Totals), &self.totals)?;
        self.store.commit(batch)?;
        self.committed = self.totals;
        // A notification must not be sent for a transition that a crash could take back.
        if has_transitions {
            self.store.flush()?;
        }
        Ok(())
    }

    fn enqueue(&mut self, transition: Transition, batch: &mut Batch) -> Result<(), MonitorError> {
        let alert = &transition.alert;
        // The history of a topic holds each alert once, with its end.
        if transition.status == TransitionKind::Resolved {
            let fired = Key::new(Table::Alert).text(&alert.topic).time(alert.fired_at.as_second()).text(&alert.rule);
            batch.put(&fired, alert)?;
        }
        let number = self.totals.transitions;
        batch.put(&Key::new(Table::Outbox).number(number), &transition)?;
        self.totals.transitions += 1;
        self.outbox.push_back((number, transition));
        Ok(())
    }

    /// Transitions since the last commit, the oldest first.
    pub fn new_transitions(&self) -> &[Transition] {
        &self.new_transitions
    }

    /// The committed transitions that nobody has acknowledged yet, the oldest first.
    pub fn outbox(&self) -> impl ExactSizeIterator<Item = &Transition> {
        self.outbox.iter().map(|(_, transition)| transition)
    }

    /// Empties the outbox. `batch` holds what its reader made of the transitions, and is committed with that: after a crash
    /// they are either still in the outbox or with their reader. On disk when this returns.
    ///
    /// # Errors
    /// When the store cannot be written; the outbox then stays as it is.
    pub fn ack_outbox(&mut self, mut batch: Batch) -> Result<(), MonitorError> {
        for (number, _) in &self.outbox {
            batch.remove(&Key::new(Table::Outbox).number(*number));
        }
        self.store.commit(batch)?;
        self.store.flush()?;
        self.outbox.clear();
        Ok(())
    }
}
