//! Forgetting: a post's or an author's texts and names are removed wherever they are, and do not come back.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::super::{Monitor, MonitorError};
use super::retention::Cleaning;
use super::selector::{Selector, names};
use crate::post::Notice;
use crate::store::{Batch, Key, Table};
use crate::window::{forget_stored, id_hash};

/// What a [`Receipt`] is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum What {
    Post,
    Author,
}

/// How many were removed, by where they were.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removed {
    /// Of the posts kept for alerts to come.
    pub samples: u64,
    /// Posts shown in alerts, past and present.
    pub alert_samples: u64,
    /// Posts in notifications not yet delivered.
    pub outbox_samples: u64,
    /// Records of what could not be used.
    pub set_aside: u64,
    /// Labels that people gave to posts.
    #[serde(default)]
    pub feedback: u64,
}

/// Proof that something was forgotten. Names nobody, and is kept for good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    pub at: Timestamp,
    pub what: What,
    /// Keyed hash of the id or name, in hexadecimal.
    pub key: String,
    pub removed: Removed,
    /// Whether the store's files were rewritten, so that nothing is left in them. Where it is false, vigie tries again
    /// every day.
    pub rewritten: bool,
    /// Backups and damaged files beside the store, which were not searched.
    pub copies: Vec<String>,
}

impl Removed {
    pub fn total(&self) -> u64 {
        self.samples + self.alert_samples + self.outbox_samples + self.set_aside + self.feedback
    }
}

impl Monitor {
    /// Removes the texts and names that `who` selects, in memory and in the store, in one commit, and rewrites the
    /// store's files. What comes of them later is counted and not kept.
    ///
    /// # Errors
    /// When `who` is empty, or the store cannot be read or written.
    pub fn forget(&mut self, who: &Selector, now: Timestamp) -> Result<Receipt, MonitorError> {
        if who.normal().is_empty() {
            return Err(MonitorError::NobodySelected);
        }
        let mut batch = Batch::default();
        let key = self.tombstones.set(&mut batch, who, now, true)?;
        let what = if matches!(who, Selector::Post(_)) { What::Post } else { What::Author };
        let removed = self.remove(&mut batch, std::slice::from_ref(who), now, true)?;
        let copies = self.store.copies()?.iter().map(|path| path.display().to_string()).collect();
        let mut receipt = Receipt { at: now, what, key, removed, rewritten: false, copies };
        let receipt_key = Key::new(Table::Receipt).number(self.next_receipt()?);
        batch.put(&receipt_key, &receipt)?;
        Cleaning::wanted(&self.store, &mut batch)?;
        self.store.commit(batch)?;
        self.store.flush()?;

        if self.rewrite(now)? {
            receipt.rewritten = true;
            let mut batch = Batch::default();
            batch.put(&receipt_key, &receipt)?;
            self.store.commit(batch)?;
            self.store.flush()?;
        }
        Ok(receipt)
    }

    /// Does what sources announced: removes posts and authors that are gone, and versions that were edited, in one commit
    /// that is on disk when this returns. Returns how many were removed; the files are rewritten within a day.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub fn honour(&mut self, notices: &[Notice], now: Timestamp) -> Result<u64, MonitorError> {
        let selectors = notices.iter().map(|notice| match notice {
            Notice::PostGone { id } | Notice::PostEdited { id, .. } => Selector::Post(id.clone()),
            Notice::AuthorGone { author_id } => Selector::Author(author_id.clone()),
        });
        let selectors: Vec<Selector> = selectors.filter(|who| !who.normal().is_empty()).collect();
        if selectors.is_empty() {
            return Ok(0);
        }
        let mut batch = Batch::default();
        let removed = self.remove(&mut batch, &selectors, now, false)?;
        if removed.total() > 0 {
            Cleaning::wanted(&self.store, &mut batch)?;
        }
        self.store.commit(batch)?;
        self.store.flush()?;
        Ok(removed.total())
    }

    fn remove(
        &mut self,
        batch: &mut Batch,
        who: &[Selector],
        now: Timestamp,
        asked: bool,
    ) -> Result<Removed, MonitorError> {
        let who = self.with_other_names(who)?;
        for who in &who {
            self.tombstones.set(batch, who, now, asked)?;
        }
        let set_aside = self.scrub_aside(batch, &who)?;
        let scrubbed = self.scrub(batch, &|sample| who.iter().any(|who| who.wants(sample)), usize::MAX)?;
        let feedback = self.forget_feedback(batch, &who)?;
        let named = who.iter().filter(|who| matches!(who, Selector::Post(_))).map(Selector::normal);
        let ids: Vec<u64> = scrubbed.ids().into_iter().map(id_hash).chain(named.map(|id| id_hash(&id))).collect();
        forget_stored(&self.store, batch, &ids)?;
        self.topics.values_mut().for_each(|watched| watched.window.forget_hashes(&ids));
        Ok(Removed {
            samples: scrubbed.found_in(&[Table::Sample]),
            alert_samples: scrubbed.found_in(&[Table::Alert, Table::Tracker, Table::Told]),
            outbox_samples: scrubbed.found_in(&[Table::Outbox]),
            set_aside,
            feedback,
        })
    }

    /// `who`, and the other names under which posts show the same authors: a handle may have changed, an identifier stays.
    fn with_other_names(&self, who: &[Selector]) -> Result<Vec<Selector>, MonitorError> {
        let mut authors: BTreeSet<String> =
            who.iter().filter(|who| matches!(who, Selector::Author(_))).map(Selector::normal).collect();
        let mut all = who.to_vec();
        if authors.is_empty() {
            return Ok(all);
        }
        let mut of_one = BTreeSet::new();
        self.each_post(|sample| {
            of_one.insert(names(sample).collect::<Vec<_>>());
        })?;
        loop {
            let known = authors.len();
            for names in of_one.iter().filter(|names| names.len() == 2) {
                if names.iter().any(|name| authors.contains(name)) {
                    authors.extend(names.iter().cloned());
                }
            }
            if authors.len() == known {
                break;
            }
        }
        all.extend(authors.into_iter().map(Selector::Author));
        Ok(all)
    }

    fn next_receipt(&self) -> Result<u64, MonitorError> {
        let last = self.store.keys(&Key::new(Table::Receipt)).last().transpose()?;
        Ok(last.and_then(|key| key.last_number()).map_or(0, |last| last + 1))
    }
}

#[cfg(test)]
mod tests;
