//! Which blocks may hold posts of a filter, the newest first, by the index that leaves the fewest.

use std::iter::Peekable;

use super::Filter;
use crate::monitor::index::{BlockId, Term, blocks_of_label, blocks_of_term};
use crate::monitor::{SLOT, normal_author};
use crate::store::{Key, StoreError, Table, View};

type Blocks<'a> = Box<dyn Iterator<Item = Result<BlockId, StoreError>> + 'a>;

/// The candidates among posts from the first up to, and not including, the second of `span` (Unix seconds).
pub(super) fn of<'a>(view: &'a View<'_>, filter: &Filter, span: (i64, i64)) -> Result<Blocks<'a>, StoreError> {
    // The newest post of a block may be later than those asked for, but lies in the same slot.
    let until = span.1.saturating_sub(1);
    let blocks = (span.0, until.saturating_sub(until.rem_euclid(SLOT)).saturating_add(SLOT));
    if let Some(cascade) = filter.cascade {
        return Ok(Box::new(blocks_of_term(view, Term::of_hash(cascade.0), blocks)?));
    }
    if let Some(author) = &filter.author {
        return Ok(Box::new(blocks_of_term(view, Term::author(&normal_author(author)), blocks)?));
    }
    if filter.topics.is_empty() {
        let key = |time| Key::new(Table::Post).time(time);
        let found = view.range(&key(blocks.0), &key(blocks.1))?.rev();
        return Ok(Box::new(found.filter_map(|entry| entry.map(|(key, _)| BlockId::of_key(&key)).transpose())));
    }
    let mut parts: Vec<Peekable<Blocks<'a>>> = Vec::new();
    for topic in &filter.topics {
        for label in filter.labels_or_all() {
            let found: Blocks<'a> = Box::new(blocks_of_label(view, topic, label, blocks)?);
            parts.push(found.peekable());
        }
    }
    Ok(Box::new(Merged { parts }))
}

/// Several series of blocks as one, each block once.
struct Merged<'a> {
    parts: Vec<Peekable<Blocks<'a>>>,
}

impl Iterator for Merged<'_> {
    type Item = Result<BlockId, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut newest = None;
        for part in &mut self.parts {
            match part.peek() {
                Some(Ok(block)) => newest = newest.max(Some(*block)),
                Some(Err(_)) => return part.next(),
                None => {}
            }
        }
        let newest = newest?;
        for part in &mut self.parts {
            part.next_if(|block| block.as_ref().is_ok_and(|block| *block == newest));
        }
        Some(Ok(newest))
    }
}
