//! What stands out in the posts of a filter, as the page shows it: each word is a link that also asks for it.

use serde::Serialize;

use super::super::visitor::Visitor;
use super::parameters::PostsParameters;
use crate::query::{Contrast, ContrastReference, DistinctiveTerm, Filter, MAX_CONTRASTED, MIN_CONTRASTED, Query};
use crate::store::StoreError;

#[derive(Debug, Serialize)]
pub(super) struct ContrastView {
    /// The others are the posts before the filter's time.
    is_before: bool,
    people: usize,
    other_people: usize,
    is_too_small: bool,
    min_people: usize,
    /// Only so many posts of a side were read.
    bound: Option<usize>,
    words: Vec<TermView>,
    reasons: Vec<TermView>,
}

#[derive(Debug, Serialize)]
struct TermView {
    term: String,
    people: u64,
    usual: f64,
    address: String,
}

/// What stands out in what the page lists. Later pages show more of the same posts, and posts like one another were chosen by their
/// words.
pub(super) fn read(query: &Query, asked: &PostsParameters) -> Result<Option<Contrast>, StoreError> {
    if asked.page.is_some() || asked.similar.is_some() { Ok(None) } else { query.contrast(&asked.filter) }
}

impl ContrastView {
    pub(super) fn new(contrast: Contrast, filter: &Filter, visitor: &Visitor) -> Self {
        let with_word = |word: &str| {
            let texts = filter.texts.iter().map(|text| ("text", Some(text.as_str())));
            let changes: Vec<_> = texts.chain([("text", Some(word)), ("page", None)]).collect();
            visitor.with_parameters(&changes)
        };
        let with_reason = |reason: &str| visitor.with_parameters(&[("reason", Some(reason)), ("page", None)]);
        Self {
            is_before: contrast.reference == ContrastReference::Before,
            is_too_small: contrast.is_too_small(),
            people: contrast.people,
            other_people: contrast.other_people,
            min_people: MIN_CONTRASTED,
            bound: contrast.is_bounded.then_some(MAX_CONTRASTED),
            words: terms(contrast.words, &with_word),
            reasons: terms(contrast.reasons, &with_reason),
        }
    }
}

fn terms(terms: Vec<DistinctiveTerm>, address: &dyn Fn(&str) -> String) -> Vec<TermView> {
    let view = |DistinctiveTerm { term, people, usual }| TermView { address: address(&term), term, people, usual };
    terms.into_iter().map(view).collect()
}
