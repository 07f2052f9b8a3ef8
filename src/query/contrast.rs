//! [`Contrast`]: the words and the reasons that the posts of a filter have more often than other posts. Where the filter has a
//! start, the others are the posts before it; else all other posts. The statistic is that of alerts. Of either side only the
//! newest posts are read.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::term_tally::TermTally;
use super::{DistinctiveTerm, Filter, candidates};
use crate::classify::normalise_reason;
use crate::monitor::block::PackedPost;
use crate::monitor::{Counting, block};
use crate::store::{StoreError, View};
use crate::window::{informative_words, is_of_name, plain_name};

/// Posts of a side.
pub const MAX_CONTRASTED: usize = 2_000;
/// Posts that are compared with the filter to find them, about.
const MAX_COMPARED: usize = 20_000;
/// People that either side needs.
pub const MIN_CONTRASTED: usize = 20;
const MAX_WORDS: usize = 10;
const MAX_REASONS: usize = 5;

/// What stands out in the posts of a filter.
#[derive(Debug, Clone, PartialEq)]
pub struct Contrast {
    pub reference: ContrastReference,
    /// People whose posts were counted: of the filter, and of the others.
    pub people: usize,
    pub other_people: usize,
    /// The most distinctive first; none where there are fewer people than [`MIN_CONTRASTED`].
    pub words: Vec<DistinctiveTerm>,
    pub reasons: Vec<DistinctiveTerm>,
    /// There are more posts, on one side or both; the newest were counted.
    pub is_bounded: bool,
}

/// Which posts the others are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContrastReference {
    /// Those before the filter's time, of the same topics, labels, language and source.
    Before,
    /// All that the filter does not select: of the same topics, where it asks for more than topics.
    Others,
}

/// The posts of one side.
#[derive(Debug, Default)]
struct Side {
    words: TermTally,
    /// Of the posts that have a reason.
    reasons: TermTally,
    is_bounded: bool,
    /// Names of topics as words are compared with them.
    plain_names: BTreeMap<String, String>,
}

impl Contrast {
    pub fn is_too_small(&self) -> bool {
        self.people.min(self.other_people) < MIN_CONTRASTED
    }
}

/// None where the filter selects everything, or one cascade, whose posts all say the same.
pub(super) fn read(view: &View<'_>, filter: &Filter) -> Result<Option<Contrast>, StoreError> {
    let Some((reference, others)) = others_of(filter) else { return Ok(None) };
    let side = |candidates: &Filter, is_meant: &dyn Fn(&PackedPost<'_>) -> bool| {
        Side::read(view, candidates, &filter.texts, is_meant)
    };
    let stretch = side(filter, &|post| filter.matches(post))?;
    let mut contrast = Contrast {
        reference,
        people: stretch.words.people(),
        other_people: 0,
        words: Vec::new(),
        reasons: Vec::new(),
        is_bounded: stretch.is_bounded,
    };
    if contrast.people < MIN_CONTRASTED {
        return Ok(Some(contrast));
    }
    let others = side(&others, &|post| others.matches(post) && !filter.matches(post))?;
    contrast.other_people = others.words.people();
    contrast.is_bounded |= others.is_bounded;
    if !contrast.is_too_small() {
        contrast.words = stretch.words.distinctive(&others.words, MAX_WORDS);
        // All posts of a chosen reason have it.
        let has_reasons = stretch.reasons.people().min(others.reasons.people()) >= MIN_CONTRASTED;
        if has_reasons && filter.reason.is_none() {
            contrast.reasons = stretch.reasons.distinctive(&others.reasons, MAX_REASONS);
        }
    }
    Ok(Some(contrast))
}

/// The others, as a filter that the posts of `filter` may match too.
fn others_of(filter: &Filter) -> Option<(ContrastReference, Filter)> {
    if filter.cascade.is_some() {
        return None;
    }
    if filter.since.is_some() {
        // What the posts are about is compared, so it must not be the same on both sides.
        let before = Filter {
            since: None,
            until: filter.since,
            texts: Vec::new(),
            reason: None,
            author: None,
            corrected: None,
            ..filter.clone()
        };
        return Some((ContrastReference::Before, before));
    }
    let only_topics = Filter { topics: filter.topics.clone(), language: filter.language.clone(), ..Filter::default() };
    // Words of another language would stand out in any case.
    let same_language = Filter { language: filter.language.clone(), ..Filter::default() };
    let others = if *filter == only_topics { same_language } else { only_topics };
    (others != *filter).then_some((ContrastReference::Others, others))
}

impl Side {
    /// The newest posts among the candidates that `is_meant` selects. Words of `searched`, and those that
    /// contain one, make the posts what they are: they are not counted.
    fn read(
        view: &View<'_>,
        candidates: &Filter,
        searched: &[String],
        is_meant: &dyn Fn(&PackedPost<'_>) -> bool,
    ) -> Result<Self, StoreError> {
        let searched: Vec<String> = searched.iter().map(|text| text.to_lowercase()).collect();
        let (mut side, mut counted, mut compared) = (Self::default(), 0, 0);
        for id in candidates::of(view, candidates, candidates.span())? {
            if counted >= MAX_CONTRASTED || compared >= MAX_COMPARED {
                side.is_bounded = true;
                break;
            }
            let Some(bytes) = view.get_raw(&id?.key())? else { continue };
            block::visit(&bytes, |_, post| {
                compared += 1;
                // A copy has no vote, and a late post is in no rate.
                if post.counting() == Counting::Counted && is_meant(&post) {
                    counted += 1;
                    side.add(&post, &searched);
                }
            })?;
        }
        Ok(side)
    }

    fn add(&mut self, post: &PackedPost<'_>, searched: &[String]) {
        let author = post.author_id().or(post.author().map(Cow::Borrowed)).unwrap_or_else(|| post.id());
        for topic in post.topics() {
            if !self.plain_names.contains_key(topic) {
                self.plain_names.insert(topic.to_owned(), plain_name(topic));
            }
        }
        let names: Vec<&String> = post.topics().filter_map(|topic| self.plain_names.get(topic)).collect();
        let mut words = informative_words(post.text(), "");
        // A word is a link to the posts that contain it: cleaning joins some words that no text contains.
        let text = post.text().to_lowercase();
        words.retain(|word| {
            text.contains(word.as_str())
                && !searched.iter().any(|searched| searched.contains(word.as_str()) || word.contains(searched.as_str()))
                && !names.iter().any(|name| is_of_name(word, name))
        });
        self.words.add(&author, words);
        if let Some(reason) = post.reason() {
            self.reasons.add(&author, vec![normalise_reason(reason)]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::{ClassifiedPost, Label, Prediction};
    use crate::monitor::Monitor;
    use crate::post::{Details, Post};
    use crate::query::Query;
    use crate::rule::Rules;
    use crate::store::Store;
    use crate::window;

    const START: i64 = 1_790_000_000;

    /// A store with posts of Air Paradis, one a second, each of another author: `text` gives the text and the reason.
    fn store(dir: &std::path::Path, posts: i64, text: impl Fn(i64) -> (String, Option<&'static str>)) -> Monitor {
        // All texts are alike: none is to count as a copy.
        let config = window::Config { cascade: jiff::SignedDuration::ZERO, ..window::Config::default() };
        let mut monitor = Monitor::open(Store::open(dir).unwrap(), config, Rules::default()).unwrap();
        monitor.keep_posts(true);
        for second in 0..posts {
            let created_at = jiff::Timestamp::from_second(START + second).unwrap();
            monitor.advance(created_at);
            let (text, reason) = text(second);
            let details = Details { reason: reason.map(str::to_owned), ..Details::default() };
            let (id, author) = (second.to_string(), Some(format!("u{second}")));
            let post = Post { id, created_at, author, text, details, ..Post::default() };
            let prediction = Prediction { label: Label::Negative, probabilities: [1.0, 0.0, 0.0], reason: None };
            monitor.observe("x", &["Air Paradis"], &ClassifiedPost { post, prediction }).unwrap();
        }
        monitor.commit().unwrap();
        monitor
    }

    fn since(second: i64) -> Filter {
        let since = jiff::Timestamp::from_second(START + second).unwrap();
        Filter { since: Some(since), ..Filter::default() }
    }

    fn names(terms: &[DistinctiveTerm]) -> Vec<(&str, u64)> {
        terms.iter().map(|term| (term.term.as_str(), term.people)).collect()
    }

    #[test]
    fn what_people_began_to_say_stands_out_and_what_one_searches_for_does_not() {
        let dir = tempfile::tempdir().unwrap();
        let monitor = store(dir.path(), 300, |second| {
            // From the 200th post on every other one is about bags; all name the airline.
            let about = if second >= 200 && second % 2 == 0 { "lost bags" } else { "seat" };
            let reason = if second >= 200 && second % 2 == 0 { "lost_luggage" } else { "late_flight" };
            (format!("Air Paradis {about} q{second}z"), Some(reason))
        });
        let query = Query::new(monitor.store());
        let found = query.contrast(&since(200)).unwrap().unwrap();
        assert_eq!((found.reference, found.people, found.other_people), (ContrastReference::Before, 100, 200));
        assert_eq!(names(&found.words), [("bags", 50), ("lost", 50)]);
        assert_eq!((names(&found.reasons), found.reasons[0].usual), (vec![("lost_luggage", 50)], 0.0));
        assert!(!found.is_bounded && !found.is_too_small());
        let bags = Filter { texts: vec!["Bag".into()], ..since(200) };
        assert_eq!(names(&query.contrast(&bags).unwrap().unwrap().words), [("lost", 50)]);
        let all_bags = Filter { texts: vec!["bags".into()], ..Filter::default() };
        let found = query.contrast(&all_bags).unwrap().unwrap();
        assert_eq!((found.reference, found.other_people), (ContrastReference::Others, 250));
        assert_eq!(names(&found.words), [("lost", 50)]);
    }

    #[test]
    fn few_people_say_nothing_and_of_many_posts_the_newest_are_read() {
        let dir = tempfile::tempdir().unwrap();
        let monitor = store(dir.path(), 5_000, |second| {
            (format!("{} q{second}z", if second < 1_500 { "old" } else { "new" }), None)
        });
        let query = Query::new(monitor.store());
        let found = query.contrast(&since(4_990)).unwrap().unwrap();
        assert!(found.is_too_small() && found.words.is_empty() && found.people == 10);
        let found = query.contrast(&since(4_000)).unwrap().unwrap();
        assert!(found.is_bounded && found.people == 1_000, "{found:?}");
        // As many as are read, up to the end of a block.
        assert!((MAX_CONTRASTED..MAX_CONTRASTED + 200).contains(&found.other_people), "{found:?}");
        assert_eq!(found.words, [], "old words are older than those read");
        assert_eq!(names(&query.contrast(&since(1_500)).unwrap().unwrap().words)[0].0, "new");
    }

    #[test]
    fn a_time_is_compared_with_what_came_before_and_a_part_with_the_rest() {
        let at = |second| jiff::Timestamp::from_second(second).unwrap();
        let topics = vec!["a".to_owned()];
        let labels = vec![Label::Negative];
        let hour = Filter {
            topics: topics.clone(),
            labels: labels.clone(),
            texts: vec!["bag".into()],
            since: Some(at(100)),
            until: Some(at(200)),
            ..Filter::default()
        };
        let before =
            Filter { topics: topics.clone(), labels: labels.clone(), until: Some(at(100)), ..Filter::default() };
        assert_eq!(others_of(&hour), Some((ContrastReference::Before, before)));
        let topic = Filter { topics, ..Filter::default() };
        let part = Filter { labels, ..topic.clone() };
        assert_eq!(others_of(&part), Some((ContrastReference::Others, topic.clone())));
        assert_eq!(others_of(&topic), Some((ContrastReference::Others, Filter::default())));
        let french = Filter { language: Some("fr".into()), ..Filter::default() };
        assert_eq!((others_of(&Filter::default()), others_of(&french)), (None, None));
    }
}
