//! [`Survey`]: one pass over the posts of a filter that counts them by each of their properties, and picks those that come
//! first in an order other than time. What is read is bounded, and the survey says how far it came.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap};

use jiff::Timestamp;

use super::{Filter, candidates};
use crate::classify::normalise_reason;
use crate::monitor::block::PackedPost;
use crate::monitor::index::BlockId;
use crate::monitor::{CascadeId, StoredPost, block};
use crate::store::{StoreError, View};

/// Posts compared with the filter in one survey, about.
const MAX_COMPARED: usize = 50_000;
/// Values of a facet that are returned.
const MAX_VALUES: usize = 12;

/// Which posts come first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Order {
    #[default]
    Newest,
    /// Those that the model was least sure of; what people have corrected is settled, and comes last.
    Doubtful,
    /// Those that reached most: followers of the author, and reactions.
    Influential,
}

/// How many posts have which value of one property, the most frequent first.
pub type Facet = Vec<(String, u64)>;

/// See the module. Each facet counts the posts that match the rest of the filter, so that another value can be chosen.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Survey {
    /// Posts that match the filter.
    pub posts: u64,
    pub topics: Facet,
    pub labels: Facet,
    pub reasons: Facet,
    pub languages: Facet,
    pub sources: Facet,
    /// Cascades of two posts and more, the largest first.
    pub cascades: Vec<(CascadeId, u64)>,
    /// The largest of them, with a text.
    pub repeated: Vec<RepeatedPost>,
    /// Corrected by people.
    pub corrected: u64,
    /// The first posts in the order that was asked for; none for [`Order::Newest`].
    pub first: Vec<StoredPost>,
    /// The oldest post compared, where older ones were left out.
    pub compared_until: Option<Timestamp>,
}

/// A cascade of several posts.
#[derive(Debug, Clone, PartialEq)]
pub struct RepeatedPost {
    pub cascade: CascadeId,
    pub posts: u64,
    /// Of one of its newest posts.
    pub text: String,
}

/// How many posts of a cascade there are, and where the first that was read is.
#[derive(Debug, Clone, Copy)]
struct CascadeCount {
    posts: u64,
    block: BlockId,
    place: u32,
}

/// A post in a bounded heap: the last one in the order is on top.
struct Ranked(Reverse<u64>, Reverse<i64>, StoredPost);

pub(super) fn survey(view: &View<'_>, filter: &Filter, order: Order, limit: usize) -> Result<Survey, StoreError> {
    let mut counts: [BTreeMap<String, u64>; 5] = Default::default();
    let mut cascades: HashMap<CascadeId, CascadeCount> = HashMap::new();
    let mut survey = Survey::default();
    let mut first: BinaryHeap<Ranked> = BinaryHeap::new();
    let mut compared = 0;
    // Topics and labels are facets too: their counts need the posts that have another one.
    let wide = Filter { topics: Vec::new(), labels: Vec::new(), ..filter.clone() };
    for id in candidates::of(view, &wide, wide.span())? {
        let id = id?;
        if compared >= MAX_COMPARED {
            survey.compared_until = Timestamp::from_second(id.newest).ok();
            break;
        }
        let Some(bytes) = view.get_raw(&id.key())? else { continue };
        block::visit(&bytes, |place, post| {
            compared += 1;
            let mismatches = filter.mismatches(&post);
            let [topics, labels, reasons, languages, sources] = &mut counts;
            let count = |facet: &mut BTreeMap<String, u64>, own: u8, value: &str| {
                if mismatches & !own == 0 {
                    match facet.get_mut(value) {
                        Some(posts) => *posts += 1,
                        None => drop(facet.insert(value.to_owned(), 1)),
                    }
                }
            };
            post.topics().for_each(|topic| count(topics, Filter::TOPIC, topic));
            count(labels, Filter::LABEL, post.label().as_str());
            post.reason().iter().for_each(|reason| count(reasons, Filter::REASON, &normalise_reason(reason)));
            post.lang().iter().for_each(|lang| count(languages, Filter::LANGUAGE, primary(lang)));
            count(sources, Filter::SOURCE, post.source());
            if mismatches & !Filter::CASCADE == 0 {
                let first = CascadeCount { posts: 0, block: id, place };
                cascades.entry(post.cascade()).or_insert(first).posts += 1;
            }
            if mismatches & !Filter::CORRECTED == 0 {
                survey.corrected += u64::from(post.is_corrected());
            }
            if mismatches == 0 {
                survey.posts += 1;
                rank(&mut first, &post, order, limit);
            }
        })?;
    }
    let [topics, labels, reasons, languages, sources] = counts.map(sorted);
    let mut counted: Vec<(CascadeId, CascadeCount)> =
        cascades.into_iter().filter(|(_, count)| count.posts > 1).collect();
    counted.sort_by_key(|(cascade, count)| (Reverse(count.posts), *cascade));
    let repeated = repeated(view, &counted)?;
    let cascades = counted.into_iter().map(|(cascade, count)| (cascade, count.posts)).collect();
    let first = first.into_sorted_vec().into_iter().map(|Ranked(.., post)| post).collect();
    Ok(Survey { topics, labels, reasons, languages, sources, cascades, repeated, first, ..survey })
}

/// The largest cascades with a text, from where they were read: looking each up by its index would read months of it.
fn repeated(view: &View<'_>, counted: &[(CascadeId, CascadeCount)]) -> Result<Vec<RepeatedPost>, StoreError> {
    let mut repeated = Vec::new();
    for (cascade, count) in counted.iter().take(MAX_VALUES) {
        let Some(bytes) = view.get_raw(&count.block.key())? else { continue };
        let text = block::post_at(&bytes, count.place)?.map(|post| post.text);
        repeated.extend(text.map(|text| RepeatedPost { cascade: *cascade, posts: count.posts, text }));
    }
    Ok(repeated)
}

fn sorted(counts: BTreeMap<String, u64>) -> Facet {
    let mut values: Facet = counts.into_iter().collect();
    values.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    values.truncate(MAX_VALUES);
    values
}

/// The language without its region.
fn primary(lang: &str) -> &str {
    lang.split('-').next().unwrap_or(lang)
}

/// Keeps `post` where it is one of the `limit` first.
fn rank(first: &mut BinaryHeap<Ranked>, post: &PackedPost<'_>, order: Order, limit: usize) {
    if order == Order::Newest {
        return;
    }
    let (score, time) = (Reverse(score(post, order)), Reverse(post.created_at().as_millisecond()));
    // Most are not, and need no copy.
    if first.len() >= limit && first.peek().is_some_and(|last| (last.0, last.1) < (score, time)) {
        return;
    }
    first.push(Ranked(score, time, post.to_post()));
    if first.len() > limit {
        first.pop();
    }
}

/// What an order puts first, the largest first.
fn score(post: &PackedPost<'_>, order: Order) -> u64 {
    match order {
        Order::Newest => 0,
        Order::Doubtful if post.is_corrected() => 0,
        Order::Doubtful => {
            let mut sorted = post.probabilities();
            sorted.sort_by(f32::total_cmp);
            // How close the second label is to the first, in millionths.
            let [_, second, best] = sorted;
            ((1.0 - (best - second).clamp(0.0, 1.0)) * 1e6) as u64
        }
        Order::Influential => post.reach(),
    }
}

impl PartialEq for Ranked {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Ranked {}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ranked {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.0, self.1).cmp(&(other.0, other.1)).then_with(|| self.2.id.cmp(&other.2.id))
    }
}
