//! The posts: a list that can be filtered, ordered and exported, with counts by property, and buttons that correct a label.
//! `labels` records corrections, `export` streams what is filtered.

pub(in crate::web) mod export;
pub(in crate::web) mod labels;

use std::collections::{BTreeMap, HashSet};

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use minijinja::Value;
use minijinja::value::Serde;
use serde::Serialize;

use super::super::error::{Problem, UrlParameters};
use super::super::{Console, blocking};
use super::templates::Frame;
use super::visitor::Visitor;
use crate::classify::Label;
use crate::monitor::{CascadeId, StoredPost};
use crate::query::{Filter, Order, PageToken, Query, Survey};
use crate::store::StoreError;
use crate::text::readable;

/// Posts on a page.
const PAGE: usize = 50;
/// Cascades that the facet lists.
const MAX_CASCADES: usize = 8;

/// Orders by their names in addresses.
const ORDERS: [(&str, Order); 3] =
    [("newest", Order::Newest), ("doubtful", Order::Doubtful), ("influential", Order::Influential)];

/// What the address asks for.
#[derive(Debug, Default)]
struct PostsParameters {
    filter: Filter,
    order: Order,
    page: Option<PageToken>,
}

/// A post of the list.
#[derive(Debug, Serialize)]
pub(super) struct PostView {
    /// Its text without HTML entities.
    #[serde(flatten)]
    post: StoredPost,
    predicted: Label,
    corrected: bool,
    /// Further posts of its cascade that match.
    copies: u64,
    /// The probability of the label that counts.
    confidence: f32,
}

/// A value of a facet, and the address that selects or releases it.
#[derive(Debug, Serialize)]
struct Choice {
    value: String,
    posts: u64,
    chosen: bool,
    address: String,
}

impl PostsParameters {
    /// # Errors
    /// A line that names the parameter and what is expected of it.
    fn read(parameters: &[(String, String)]) -> Result<Self, String> {
        let mut asked = Self::default();
        for (name, value) in parameters.iter().filter(|(_, value)| !value.is_empty()) {
            match name.as_str() {
                "order" => {
                    let known = ORDERS.iter().find(|(known, _)| known == value);
                    asked.order = known.ok_or("order: expected newest, doubtful or influential")?.1;
                }
                "page" => asked.page = Some(value.parse().map_err(|error: String| format!("page: {error}"))?),
                // `language` is the one of the page.
                "lang" => asked.filter.set("language", value).map_err(|error| error.to_string())?,
                "language" => {}
                name => asked.filter.set(name, value).map_err(|error| error.to_string())?,
            }
        }
        Ok(asked)
    }
}

impl PostView {
    fn new(post: StoredPost, copies: u64) -> Self {
        let (predicted, corrected) = (post.predicted(), post.is_corrected());
        let confidence = post.probabilities.get(post.label as usize).copied().unwrap_or_default();
        let post = StoredPost { text: readable(&post.text), ..post };
        Self { post, predicted, corrected, copies, confidence }
    }
}

pub(in crate::web) async fn page(
    State(console): State<Console>,
    visitor: Visitor,
    UrlParameters(parameters): UrlParameters<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    let refused = |problem| Problem::new(StatusCode::BAD_REQUEST, problem);
    let asked = PostsParameters::read(&parameters).map_err(refused)?;
    let (status, query, reader) = (console.daemon.status(), console.daemon.query.clone(), visitor.clone());
    let values = blocking::run(move || values(&asked, &query, &reader, status.now)).await?;
    let frame = Frame { place: "posts", open: console.daemon.board().open() };
    Ok(console.pages.respond(&visitor, ("posts.html", &frame), values))
}

fn values(asked: &PostsParameters, query: &Query, visitor: &Visitor, now: Timestamp) -> Result<Value, StoreError> {
    let survey = query.survey(&asked.filter, asked.order, PAGE)?;
    let (found, next) = match asked.order {
        Order::Newest => {
            let page = query.page(&asked.filter, PAGE, asked.page)?;
            (page.posts, page.next)
        }
        Order::Doubtful | Order::Influential => (survey.first.clone(), None),
    };
    let posts = folded(found, &survey, asked.filter.cascade.is_some());
    let next = next.map(|token| visitor.with_parameters(&[("page", Some(&token.to_string()))]));
    let orders: Vec<(&str, bool, String)> = ORDERS
        .iter()
        .map(|(name, order)| {
            (*name, *order == asked.order, visitor.with_parameters(&[("order", Some(name)), ("page", None)]))
        })
        .collect();
    let facets: Vec<(&str, Vec<Choice>)> = [
        ("topic", &survey.topics, asked.filter.topics.clone()),
        ("label", &survey.labels, asked.filter.labels.iter().map(|label| label.as_str().to_owned()).collect()),
        ("reason", &survey.reasons, asked.filter.reason.iter().cloned().collect()),
        ("lang", &survey.languages, asked.filter.language.iter().cloned().collect()),
        ("source", &survey.sources, asked.filter.source.iter().cloned().collect()),
    ]
    .into_iter()
    .map(|(name, counts, chosen)| (name, choices(visitor, name, counts, &chosen)))
    .collect();
    let cascades: Vec<(String, u64, String)> = survey
        .cascades
        .iter()
        .take(MAX_CASCADES)
        .filter_map(|(cascade, posts)| cascade_line(query, *cascade, *posts, visitor).transpose())
        .collect::<Result<_, StoreError>>()?;
    Ok(minijinja::context! {
        posts => Serde(&posts),
        total => survey.posts,
        corrected => survey.corrected,
        corrected_address => toggle(visitor, "corrected", asked.filter.corrected.map(|_| "true"), "true"),
        only_corrected => asked.filter.corrected == Some(true),
        compared_until => survey.compared_until.map(|time| time.to_string()),
        facets => Serde(&facets),
        cascades => Serde(&cascades),
        in_cascade => asked.filter.cascade.map(|_| visitor.with_parameters(&[("cascade", None), ("page", None)])),
        orders => Serde(&orders),
        order => ORDERS.iter().find(|(_, order)| *order == asked.order).map(|(name, _)| *name),
        filter => Serde(&asked.filter.parameters().into_iter().collect::<BTreeMap<_, _>>()),
        kept => Serde(kept(&asked.filter)),
        next,
        is_first => asked.page.is_none(),
        parameters => form_urlencoded::Serializer::new(String::new()).extend_pairs(asked.filter.parameters()).finish(),
        labels => Serde(Label::ALL.map(Label::as_str)),
        now => now.to_string(),
        live => false,
    })
}

/// One post of each cascade, with the number of further ones; all of them where one cascade is asked for.
fn folded(posts: Vec<StoredPost>, survey: &Survey, in_cascade: bool) -> Vec<PostView> {
    let mut seen = HashSet::new();
    let shown = posts.into_iter().filter(|post| in_cascade || seen.insert(post.cascade));
    shown
        .map(|post| {
            let cascade = survey.cascades.iter().find(|(cascade, _)| *cascade == post.cascade && !in_cascade);
            let copies = cascade.map_or(0, |(_, posts)| posts - 1);
            PostView::new(post, copies)
        })
        .collect()
}

fn choices(visitor: &Visitor, name: &str, counts: &[(String, u64)], chosen: &[String]) -> Vec<Choice> {
    // A chosen value stays, so that it can be released, though nothing has it: "none" is an answer.
    let missing =
        chosen.iter().filter(|value| !counts.iter().any(|(known, _)| known == *value)).map(|value| (value, 0));
    let all = counts.iter().map(|(value, posts)| (value, *posts)).chain(missing);
    all.map(|(value, posts)| {
        let is_chosen = chosen.contains(value);
        let address = toggle(visitor, name, is_chosen.then_some(value), value);
        Choice { value: value.clone(), posts, chosen: is_chosen, address }
    })
    .collect()
}

/// The address with the parameter set to `value`, or without it where it was `chosen`.
fn toggle(visitor: &Visitor, name: &str, chosen: Option<&str>, value: &str) -> String {
    visitor.with_parameters(&[("page", None), (name, chosen.is_none().then_some(value))])
}

/// A cascade of the facet: the beginning of its text, its posts, and where they are.
fn cascade_line(
    query: &Query,
    cascade: CascadeId,
    posts: u64,
    visitor: &Visitor,
) -> Result<Option<(String, u64, String)>, StoreError> {
    let filter = Filter { cascade: Some(cascade), ..Filter::default() };
    let Some(post) = query.page(&filter, 1, None)?.posts.into_iter().next() else { return Ok(None) };
    let address = visitor.with_parameters(&[("cascade", Some(&cascade.to_string())), ("page", None)]);
    Ok(Some((readable(&post.text).chars().take(60).collect(), posts, address)))
}

/// Filters that the form has no field for, as parameters of this page: a search keeps them.
fn kept(filter: &Filter) -> Vec<(&'static str, String)> {
    let has_field = |name: &str| matches!(name, "text" | "author" | "since" | "until");
    let own = |name| if name == "language" { "lang" } else { name };
    filter
        .parameters()
        .into_iter()
        .filter(|(name, _)| !has_field(name))
        .map(|(name, value)| (own(name), value))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_keeps_the_filters_that_have_no_field() {
        let parameters = [
            ("topic", "a"),
            ("topic", "b"),
            ("lang", "fr"),
            ("text", "late"),
            ("order", "doubtful"),
            ("language", "en"),
        ];
        let parameters: Vec<_> = parameters.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let asked = PostsParameters::read(&parameters).unwrap();
        assert_eq!(asked.order, Order::Doubtful);
        let expected = [("topic", "a"), ("topic", "b"), ("lang", "fr")];
        assert_eq!(kept(&asked.filter), expected.map(|(name, value)| (name, value.to_owned())));
        assert!(PostsParameters::read(&[("order".into(), "best".into())]).unwrap_err().starts_with("order: expected"));
    }
}
