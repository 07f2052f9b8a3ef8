//! The posts: a list that can be filtered, ordered and exported, with counts by property, and buttons that correct a label.
//! `parameters` reads the address, `choices` links to other filters, `saved` keeps filters under a name, `contrast` shows the words and reasons that stand out, `labels` records corrections, `export`
//! streams what is filtered.

mod choices;
mod contrast;
pub(in crate::web) mod export;
pub(in crate::web) mod labels;
mod parameters;
pub(in crate::web) mod saved;

use std::collections::{BTreeMap, HashSet};
use std::convert::Infallible;

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
use crate::monitor::StoredPost;
use crate::query::{Order, Query, Survey};
use crate::store::StoreError;
use crate::text::readable;
use choices::{Choice, cascade_line, choices, kept, toggle, words};
use contrast::ContrastView;
use parameters::{ORDERS, PostsParameters};

/// Posts on a page.
const PAGE: usize = 50;
/// Cascades that the facet lists.
const MAX_CASCADES: usize = 8;

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
    if let Some((_, name)) = parameters.iter().find(|(name, _)| name == "saved") {
        return saved::open(&console, name.clone()).await;
    }
    let refused = |problem| Problem::new(StatusCode::BAD_REQUEST, problem);
    let asked = PostsParameters::read(&parameters).map_err(refused)?;
    let (status, query, reader) = (console.daemon.status(), console.daemon.query.clone(), visitor.clone());
    let (filter, contrasted) = (asked.filter.clone(), query.clone());
    // Later pages show more of the same posts.
    let is_first = asked.page.is_none();
    let contrast = blocking::run(move || if is_first { contrasted.contrast(&filter) } else { Ok(None) });
    let list = blocking::run(move || values(&asked, &query, &reader, status.now).map(|values| (values, asked)));
    let filters = console.filters.clone();
    let saved = blocking::run(move || Ok::<_, Infallible>(filters.load()));
    // Side by side: none needs another.
    let (contrast, (values, asked), saved) = tokio::try_join!(contrast, list, saved)?;
    let contrast = contrast.map(|contrast| ContrastView::new(contrast, &asked.filter, &visitor));
    // The posts are shown, whatever the state of this file.
    let (saved, saved_problem) = match saved {
        Ok(saved) => (saved::views(saved, &asked.to_query()), None),
        Err(error) => (Vec::new(), Some(error.to_string())),
    };
    let values = minijinja::context! {
        contrast => Serde(&contrast),
        saved => Serde(&saved),
        saved_problem,
        can_be_saved => !asked.to_query().is_empty() && saved.iter().all(|filter| !filter.chosen),
        ..values
    };
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
        text => asked.filter.texts.first(),
        words => Serde(words(&asked.filter, visitor)),
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
