//! Erasure: removes the texts and names of a post or an author from everywhere, and keeps them from coming back.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::super::posts::erase::posts_of_terms;
use super::super::posts::index::Term;
use super::super::{Monitor, MonitorError, StoredPost, posts};
use super::retention::RewriteSchedule;
use super::selector::{Selector, names};
use crate::post::ComplianceEvent;
use crate::store::{Batch, Key, Table};
use crate::window::{forget_stored, id_hash, name_hash};

/// What was erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ErasureTarget {
    Post,
    Author,
}

/// How many were removed, by place.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ErasedCounts {
    /// In the posts table.
    pub posts: u64,
    /// Sample posts kept for future alerts.
    pub samples: u64,
    /// Sample posts of alerts, past and present.
    pub alert_samples: u64,
    /// Sample posts in the outbox.
    pub outbox_samples: u64,
    /// Records that could not be used.
    pub dead_letters: u64,
    /// Labels that people gave to posts.
    pub feedback: u64,
}

/// Proof of an erasure. Names nobody, and is kept for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Receipt {
    pub at: Timestamp,
    pub what: ErasureTarget,
    /// Keyed hash of the id or name, in hexadecimal.
    pub key: String,
    pub removed: ErasedCounts,
    /// Whether the store's files were rewritten, so that no trace is left in them. If not, vigie tries again every day.
    pub rewritten: bool,
    /// Backups and damaged files beside the store, which were not searched.
    pub copies: Vec<String>,
}

impl ErasedCounts {
    pub fn total(&self) -> u64 {
        let samples = self.samples + self.alert_samples + self.outbox_samples;
        self.posts + samples + self.dead_letters + self.feedback
    }
}

impl Monitor {
    /// Removes the texts and names that `who` selects, in memory and in the store, in one commit, and rewrites the
    /// store's files. Posts of theirs that arrive later are counted and not kept.
    ///
    /// # Errors
    /// When `who` is empty, or the store cannot be read or written.
    pub fn forget(&mut self, who: &Selector, now: Timestamp) -> Result<Receipt, MonitorError> {
        if who.normal().is_empty() {
            return Err(MonitorError::NobodySelected);
        }
        let mut batch = Batch::default();
        let key = self.tombstones.set(&mut batch, who, now, true)?;
        let what = if matches!(who, Selector::Post(_)) { ErasureTarget::Post } else { ErasureTarget::Author };
        let removed = self.remove(&mut batch, std::slice::from_ref(who), now, true)?;
        let copies = self.store.copies()?.iter().map(|path| path.display().to_string()).collect();
        let mut receipt = Receipt { at: now, what, key, removed, rewritten: false, copies };
        let receipt_key = Key::new(Table::Receipt).number(self.next_receipt()?);
        batch.put(&receipt_key, &receipt)?;
        RewriteSchedule::request(&self.store, &mut batch)?;
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

    /// Applies compliance events: removes deleted posts, the posts of deleted authors, and old versions of edited posts, in one
    /// commit that is on disk when this returns. Returns how many were removed; the files are rewritten within a day.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub fn apply_compliance(&mut self, events: &[ComplianceEvent], now: Timestamp) -> Result<u64, MonitorError> {
        let selectors = events.iter().map(|event| match event {
            ComplianceEvent::PostGone { id } | ComplianceEvent::PostEdited { id, .. } => Selector::Post(id.clone()),
            ComplianceEvent::AuthorGone { author_id } => Selector::Author(author_id.clone()),
        });
        let selectors: Vec<Selector> = selectors.filter(|who| !who.normal().is_empty()).collect();
        if selectors.is_empty() {
            return Ok(0);
        }
        let mut batch = Batch::default();
        let removed = self.remove(&mut batch, &selectors, now, false)?;
        if removed.total() > 0 {
            RewriteSchedule::request(&self.store, &mut batch)?;
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
        requested: bool,
    ) -> Result<ErasedCounts, MonitorError> {
        let who = self.with_known_names(who)?;
        for who in &who {
            self.tombstones.set(batch, who, now, requested)?;
        }
        let dead_letters = self.erase_dead_letters(batch, &who)?;
        let scrubbed = self.scrub(batch, &|sample| who.iter().any(|who| who.matches(sample)), usize::MAX)?;
        let feedback = self.erase_feedback(batch, &who)?;
        let posts = self.erase_posts(batch, &who)?;
        let named = who.iter().filter(|who| matches!(who, Selector::Post(_))).map(Selector::normal);
        let mut ids: BTreeSet<u64> = named.map(|id| id_hash(&id)).collect();
        ids.extend(scrubbed.ids().into_iter().map(id_hash));
        ids.extend(posts.iter().map(|post| id_hash(&post.id)));
        let ids: Vec<u64> = ids.into_iter().collect();
        forget_stored(&self.store, batch, &ids)?;
        let authors = who.iter().filter(|who| matches!(who, Selector::Author(_)));
        let authors: Vec<u64> = authors.map(|who| name_hash(&who.normal())).collect();
        for state in self.topics.values_mut() {
            state.window.forget_hashes(&ids);
            state.window.forget_authors(batch, &authors)?;
        }
        Ok(ErasedCounts {
            posts: posts.len() as u64,
            samples: scrubbed.found_in(&[Table::Sample]),
            alert_samples: scrubbed.found_in(&[Table::Alert, Table::RuleState, Table::IncidentAlert]),
            outbox_samples: scrubbed.found_in(&[Table::Outbox]),
            dead_letters,
            feedback,
        })
    }

    /// `who`, and the other names under which posts show the same authors: a handle may change, an identifier does not.
    fn with_known_names(&self, who: &[Selector]) -> Result<Vec<Selector>, MonitorError> {
        let mut authors: BTreeSet<String> =
            who.iter().filter(|who| matches!(who, Selector::Author(_))).map(Selector::normal).collect();
        let mut all = who.to_vec();
        if authors.is_empty() {
            return Ok(all);
        }
        let mut of_one = BTreeSet::new();
        self.for_each_sample(|sample| {
            of_one.insert(names(sample).collect::<Vec<_>>());
        })?;
        let reader = self.store.reader();
        let mut looked_up = BTreeSet::new();
        loop {
            let known = authors.len();
            // The posts table is large: its index finds the posts of each name.
            for name in authors.difference(&looked_up) {
                let posts = posts_of_terms(&reader.view(), [Term::author(name)])?;
                of_one.extend(posts.values().flatten().map(|post| names(&post.to_sample()).collect()));
            }
            looked_up.clone_from(&authors);
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

    /// Erases what `who` selects from the posts table, and from the posts to be committed; returns them.
    fn erase_posts(&mut self, batch: &mut Batch, who: &[Selector]) -> Result<Vec<StoredPost>, MonitorError> {
        let selected = |post: &StoredPost| who.iter().any(|who| who.matches(&post.to_sample()));
        let mut erased = posts::erase::erase(&self.store, batch, who.iter().map(term), selected)?;
        if let Some(pending) = &mut self.posts {
            erased.extend(pending.remove(selected)?);
        }
        Ok(erased)
    }

    fn next_receipt(&self) -> Result<u64, MonitorError> {
        let last = self.store.keys(&Key::new(Table::Receipt)).last().transpose()?;
        Ok(last.and_then(|key| key.last_number()).map_or(0, |last| last + 1))
    }
}

/// By which the posts of a selector are found.
fn term(who: &Selector) -> Term {
    match who {
        Selector::Post(_) => Term::of_hash(id_hash(&who.normal())),
        Selector::Author(_) => Term::author(&who.normal()),
    }
}

#[cfg(test)]
mod tests;
