//! The posts: a list that can be filtered, ordered and exported, with counts by property, and buttons that correct a label.
//! `parameters` reads the address, `list` the posts, `choices` links to other filters, `saved` keeps filters under a name, `contrast` shows the words and reasons that stand out, `labels` records corrections, `export`
//! streams what is filtered.

mod choices;
mod contrast;
pub(in crate::web) mod export;
pub(in crate::web) mod labels;
mod list;
mod parameters;
pub(in crate::web) mod saved;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use minijinja::Value;
use minijinja::value::{Serde, merge_maps};

use super::super::error::{Problem, UrlParameters};
use super::super::{Console, blocking};
use super::templates::Frame;
use super::visitor::Visitor;
use crate::classify::Label;
use crate::query::{Query, Survey};
use crate::store::StoreError;
use choices::{Choice, cascade_line, choices, kept, toggle, words};
use contrast::ContrastView;
use list::PostList;
use parameters::{ORDERS, PostsParameters};

/// Posts on a page.
const PAGE: usize = 50;
/// Cascades that the facet lists.
const MAX_CASCADES: usize = 8;

pub(in crate::web) async fn page(
    State(console): State<Console>,
    visitor: Visitor,
    UrlParameters(parameters): UrlParameters<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    if let Some((_, name)) = parameters.iter().find(|(name, _)| name == "saved") {
        return saved::open(&console, name.clone()).await;
    }
    let refused = |problem| Problem::new(StatusCode::BAD_REQUEST, problem);
    let asked = Arc::new(PostsParameters::read(&parameters).map_err(refused)?);
    let (query, filters) = (console.daemon.query.clone(), console.filters.clone());
    let survey = read(&query, &asked, |query, asked| query.survey(&asked.filter, asked.order, PAGE));
    let contrast = read(&query, &asked, contrast::read);
    let list = read(&query, &asked, list::read);
    let saved = blocking::run(move || Ok::<_, Infallible>(filters.load()));
    // Side by side: none needs another.
    let (survey, contrast, list, saved) = tokio::try_join!(survey, contrast, list, saved)?;
    if asked.similar.is_some() && list.similar.is_none() {
        return Err(Problem::new(StatusCode::NOT_FOUND, "similar: no post with this identifier is kept"));
    }
    let contrast = contrast.map(|contrast| ContrastView::new(contrast, &asked.filter, &visitor));
    let now = console.daemon.status().now.to_string();
    let own = minijinja::context! { contrast => Serde(&contrast), now, live => false };
    let values = merge_maps([own, saved::values(saved, &asked), values(&asked, &survey, list, &visitor)]);
    let frame = Frame { place: "posts", open: console.daemon.board().open() };
    Ok(console.pages.respond(&visitor, ("posts.html", &frame), values))
}

/// Reads the store on a thread for such work.
async fn read<T: Send + 'static>(
    query: &Query,
    asked: &Arc<PostsParameters>,
    read: impl FnOnce(&Query, &PostsParameters) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, Problem> {
    let (query, asked) = (query.clone(), Arc::clone(asked));
    blocking::run(move || read(&query, &asked)).await
}

fn values(asked: &PostsParameters, survey: &Survey, list: PostList, visitor: &Visitor) -> Value {
    let posts = list.posts.unwrap_or_else(|| survey.first.clone());
    let posts = list::folded(posts, survey, asked.filter.cascade.is_some());
    let next = list.next.map(|token| visitor.with_parameters(&[("page", Some(&token.to_string()))]));
    let orders: Vec<(&str, bool, String)> = ORDERS
        .iter()
        .map(|(name, order)| {
            let is_chosen = *order == asked.order && asked.similar.is_none();
            let changes = [("order", Some(*name)), ("similar", None), ("page", None)];
            (*name, is_chosen, visitor.with_parameters(&changes))
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
    let cascades = survey.repeated.iter().take(MAX_CASCADES).map(|repeated| cascade_line(repeated, visitor));
    let cascades: Vec<(String, u64, String)> = cascades.collect();
    minijinja::context! {
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
        similar => Serde(list.similar),
    }
}
