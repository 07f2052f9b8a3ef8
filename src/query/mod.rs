//! Reads of the store for the web and the command line: a [`Query`] is a cloneable handle that sees what the monitor has
//! committed, and never passes through the monitor's thread. Stands above `monitor`, whose tables it reads.
//!
//! A page of posts is read newest first. Which index gives the candidates depends on the filter: author or cascade, else
//! topics and labels, else all blocks; every candidate is then compared with the whole filter.

mod candidates;
mod compared_post;
mod contrast;
mod corrections;
mod curve;
mod drift;
mod each_post;
mod facets;
mod filter;
mod page;
mod similar;
mod term_tally;

use std::ops::ControlFlow;
use std::sync::{Arc, PoisonError, RwLock};

use jiff::Timestamp;

pub use contrast::{Contrast, ContrastReference, MAX_CONTRASTED, MIN_CONTRASTED};
pub use corrections::{CorrectionSummary, FeedbackPage};
pub use curve::CurveStep;
pub use drift::{DriftSample, DriftVerdict, LabelDrift, SampleDrift};
pub use facets::{Facet, Order, RepeatedPost, Survey};
pub use filter::{Filter, FilterError};
pub use page::{Page, PageToken};
pub use similar::{MAX_SIMILAR_COMPARED, SimilarPosts};
pub use term_tally::DistinctiveTerm;

use crate::alert::Alert;
use crate::classify::Label;
use crate::monitor::{StoredPost, block, index, post_of_id};
use crate::rule::Baseline;
use crate::store::{Key, Store, StoreError, StoreReader, Table, View};

/// Posts on a page at most.
pub const MAX_PAGE: usize = 1_000;

/// How many posts a filter selects, by label.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct LabelCounts {
    pub negative: u64,
    pub neutral: u64,
    pub positive: u64,
}

/// Reads a store. Clones read the same one, and follow when it is opened again.
#[derive(Debug, Clone)]
pub struct Query {
    reader: Arc<RwLock<StoreReader>>,
}

impl Query {
    pub fn new(store: &Store) -> Self {
        Self { reader: Arc::new(RwLock::new(store.reader())) }
    }

    /// Reads `store` from now on: it was closed and opened again.
    pub fn attach(&self, store: &Store) {
        *self.reader.write().unwrap_or_else(PoisonError::into_inner) = store.reader();
    }

    /// The newest posts that `filter` selects, `limit` at most (up to [`MAX_PAGE`]), after the last of the page that ended
    /// with `after`. A page may be short or empty and still have a next one: what one call reads is bounded.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn page(&self, filter: &Filter, limit: usize, after: Option<PageToken>) -> Result<Page, StoreError> {
        self.read(|view| page::read(view, filter, limit.clamp(1, MAX_PAGE), after))
    }

    /// Labels that people gave, the oldest first, `limit` at most, after the record with the number `after`.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn feedback(&self, limit: usize, after: Option<u64>) -> Result<FeedbackPage, StoreError> {
        self.read(|view| corrections::page(view, limit, after))
    }

    /// What people corrected, in numbers.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn corrections(&self) -> Result<CorrectionSummary, StoreError> {
        self.read(|view| corrections::summary(view, |_| true))
    }

    /// What people corrected from `since` up to, and not including, `until`.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn corrections_between(&self, since: Timestamp, until: Timestamp) -> Result<CorrectionSummary, StoreError> {
        self.read(|view| corrections::summary(view, |at| (since..until).contains(&at)))
    }

    /// Gives every stored post from `since` up to, and not including, `until` to `each`, in no order. All of them are read: for work
    /// in the background.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn each_post(
        &self,
        since: Timestamp,
        until: Timestamp,
        each: &mut dyn FnMut(StoredPost),
    ) -> Result<(), StoreError> {
        // A view holds off a rewrite of the store's files, for which the monitor would wait: each part has its own.
        for part in each_post::parts(since, until, each_post::PART) {
            self.read(|view| each_post::read(view, (&Filter::default(), part), (since, until), each))?;
        }
        Ok(())
    }

    /// Gives the stored posts of `filter` from `since` up to, and not including, `until` to `each` in the order of their times,
    /// until `each` breaks. For work in the background.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn each_post_in_order(
        &self,
        filter: &Filter,
        (since, until): (Timestamp, Timestamp),
        each: &mut dyn FnMut(StoredPost) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        for part in each_post::parts(since, until, each_post::SORTED_PART) {
            let mut posts = Vec::new();
            self.read(|view| each_post::read(view, (filter, part), (since, until), &mut |post| posts.push(post)))?;
            // Posts of one moment always come in the same order, so that two reads give the same.
            posts.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
            if posts.into_iter().try_for_each(&mut *each).is_break() {
                break;
            }
        }
        Ok(())
    }

    /// When the oldest stored post was written, about: the end of its block.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn oldest_post(&self) -> Result<Option<Timestamp>, StoreError> {
        self.read(each_post::oldest)
    }

    /// The topics that posts were counted in, by name.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn topics(&self) -> Result<Vec<String>, StoreError> {
        self.read(curve::topics)
    }

    /// What is usual for `topic`, as the rules have learned it; none before its first hour.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn baseline(&self, topic: &str) -> Result<Option<Baseline>, StoreError> {
        self.read(|view| view.get(&Key::new(Table::Baseline).text(topic)))
    }

    /// The first hour (Unix seconds) and the last in which posts of `topic` were counted, as far as counts are kept.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn counted_hours(&self, topic: &str) -> Result<Option<(i64, i64)>, StoreError> {
        self.read(|view| curve::counted_hours(view, topic))
    }

    /// How the shares of the labels of `topic` moved in the week before `now`.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn drift(&self, topic: &str, now: Timestamp) -> Result<LabelDrift, StoreError> {
        self.read(|view| drift::labels(view, topic, now.as_second()))
    }

    /// The newest posts of the week before `now` that `model` has read, and of the four weeks before that. What one call reads is
    /// bounded.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn drift_sample(&self, model: &str, now: Timestamp) -> Result<DriftSample, StoreError> {
        self.read(|view| drift::sample(view, model, now))
    }

    /// Counts the posts of `filter` by their properties, and picks the `limit` first in `order`. What one call reads is bounded.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn survey(&self, filter: &Filter, order: Order, limit: usize) -> Result<Survey, StoreError> {
        self.read(|view| facets::survey(view, filter, order, limit.clamp(1, MAX_PAGE)))
    }

    /// The words and reasons that stand out in the posts of `filter`; none where there is nothing to compare them with. What one
    /// call reads is bounded.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn contrast(&self, filter: &Filter) -> Result<Option<Contrast>, StoreError> {
        self.read(|view| contrast::read(view, filter))
    }

    /// The posts of `filter` that are most like the post `id`, `limit` at most; none where that is not kept. What one call reads is
    /// bounded.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn similar(&self, id: &str, filter: &Filter, limit: usize) -> Result<Option<SimilarPosts>, StoreError> {
        self.read(|view| similar::read(view, id, filter, limit.clamp(1, MAX_PAGE)))
    }

    /// The post `id`, if it is kept.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn post(&self, id: &str) -> Result<Option<StoredPost>, StoreError> {
        self.read(|view| post_of_id(view, id))
    }

    /// How many posts `filter` selects.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn counts(&self, filter: &Filter) -> Result<LabelCounts, StoreError> {
        self.read(|view| counts(view, filter))
    }

    /// `topic` from `since` up to, and not including, `until`, in steps of `step` seconds (Unix seconds, multiples of `step`).
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn curve(&self, topic: &str, since: i64, until: i64, step: i64) -> Result<Vec<CurveStep>, StoreError> {
        self.read(|view| curve::read(view, topic, (since, until), step))
    }

    /// The resolved alerts of `topic` that fired before `until` and ended after `since` (Unix seconds), the oldest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn alerts(&self, topic: &str, since: i64, until: i64) -> Result<Vec<Alert>, StoreError> {
        self.read(|view| curve::alerts(view, topic, (since, until)))
    }

    fn read<T>(&self, read: impl FnOnce(&View<'_>) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let reader = self.reader.read().unwrap_or_else(PoisonError::into_inner).clone();
        read(&reader.view())
    }
}

fn counts(view: &View<'_>, filter: &Filter) -> Result<LabelCounts, StoreError> {
    let mut counts = LabelCounts::default();
    // Within whole blocks the index has the numbers of one topic. Those of several topics may be the same posts.
    let indexed = filter.is_of_one_topic();
    for found in candidates::of(view, filter, filter.span())? {
        let id = found?;
        let whole = filter.since.is_none_or(|since| since.as_second() <= id.slot())
            && filter.until.is_none_or(|until| id.newest < until.as_second());
        if let (Some(topic), true) = (indexed, whole) {
            for label in filter.labels_or_all() {
                let posts: Option<u64> = view.get(&index::label_key(topic, label, id))?;
                counts.add(label, posts.unwrap_or_default());
            }
            continue;
        }
        if let Some(bytes) = view.get_raw(&id.key())? {
            block::visit(&bytes, |_, post| {
                if filter.matches(&post) {
                    counts.add(post.label(), 1);
                }
            })?;
        }
    }
    Ok(counts)
}

impl LabelCounts {
    pub fn total(&self) -> u64 {
        self.negative + self.neutral + self.positive
    }

    fn add(&mut self, label: Label, posts: u64) {
        match label {
            Label::Negative => self.negative += posts,
            Label::Neutral => self.neutral += posts,
            Label::Positive => self.positive += posts,
        }
    }
}

#[cfg(test)]
mod tests;
