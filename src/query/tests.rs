//! Pages and counts against a list of all posts: what is committed is seen, what was erased is not.

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::*;
use crate::classify::{ClassifiedPost, ModelInfo, Prediction};
use crate::monitor::{CascadeId, Correction, Counting, Monitor, Selector};
use crate::post::{Details, Post, Reference, ReferenceKind};
use crate::rule::Rules;
use crate::window;

const START: i64 = 1_790_000_000;
const TOPICS: [&[&str]; 3] = [&["a"], &["a", "b"], &["b c"]];
const AUTHORS: [&str; 3] = ["Ann", "bob", "carl"];
const TEXTS: [&str; 3] = ["Lost my bag", "lost again", "thank you"];

fn open(dir: &std::path::Path) -> Monitor {
    let config = window::Config { lateness: SignedDuration::from_hours(1), ..window::Config::default() };
    let mut monitor = Monitor::open(Store::open(dir).unwrap(), config, Rules::default()).unwrap();
    monitor.set_model(ModelInfo { id: "model".into(), ..ModelInfo::default() });
    monitor.keep_posts(true);
    monitor
}

/// What a post of the test is made of.
#[derive(Debug, Clone)]
struct Draft {
    topics: usize,
    author: usize,
    text: usize,
    label: usize,
    lang: Option<usize>,
    /// Seconds before the time at which it arrives.
    late: i64,
    /// Which earlier post it reposts, counted back.
    reposts: Option<usize>,
}

fn draft() -> impl Strategy<Value = Draft> {
    let late = prop_oneof![3 => 0_i64..5, 1 => 0_i64..5_000];
    (
        0..3_usize,
        0..3_usize,
        0..3_usize,
        0..3_usize,
        proptest::option::of(0..2_usize),
        late,
        proptest::option::of(0..4_usize),
    )
        .prop_map(|(topics, author, text, label, lang, late, reposts)| Draft {
            topics,
            author,
            text,
            label,
            lang,
            late,
            reposts,
        })
}

fn filter() -> impl Strategy<Value = Filter> {
    let topics = proptest::sample::subsequence(vec!["a", "b", "b c", "none"], 0..3);
    let labels = proptest::sample::subsequence(Label::ALL.to_vec(), 0..3);
    let some = |values: &'static [&'static str]| proptest::option::weighted(0.2, proptest::sample::select(values));
    let times = (proptest::option::weighted(0.3, 0_i64..400_000), proptest::option::weighted(0.3, 0_i64..800_000));
    let cascade = proptest::option::weighted(0.15, 0_u64..20);
    let corrected = proptest::option::weighted(0.2, proptest::bool::ANY);
    (
        topics,
        labels,
        some(&["x", "y"]),
        some(&["fr", "en"]),
        some(&["@ann", "9BOB"]),
        proptest::sample::subsequence(vec!["LOST", "bag"], 0..3),
        times,
        (cascade, corrected),
    )
        .prop_map(|(topics, labels, source, language, author, texts, (since, until), (cascade, corrected))| {
            let time = |millis: i64| Timestamp::from_millisecond(START * 1_000 + millis).unwrap();
            Filter {
                topics: topics.into_iter().map(str::to_owned).collect(),
                labels,
                source: source.map(str::to_owned),
                language: language.map(str::to_owned),
                author: author.map(str::to_owned),
                cascade: cascade.map(|id| CascadeId::of_post(&id.to_string())),
                since: since.map(time),
                until: until.map(time),
                texts: texts.into_iter().map(str::to_owned).collect(),
                reason: None,
                corrected,
            }
        })
}

/// The post that a draft makes, as number `id`, arriving at `second`.
fn post(id: usize, second: i64, draft: &Draft) -> ClassifiedPost {
    let millis = (START + second - draft.late) * 1_000 + id as i64 % 997;
    let root = draft.reposts.and_then(|back| id.checked_sub(back + 1));
    let references = root.map(|root| Reference { kind: ReferenceKind::Reposted, id: root.to_string() });
    let author = AUTHORS[draft.author];
    let details = Details {
        author_id: Some(format!("9{}", author.to_lowercase())),
        references: references.into_iter().collect(),
        ..Details::default()
    };
    let post = Post {
        id: id.to_string(),
        created_at: Timestamp::from_millisecond(millis).unwrap(),
        author: Some(author.into()),
        text: format!("{} {id}", TEXTS[draft.text]),
        lang: draft.lang.map(|lang| ["fr-CA", "en"][lang].to_owned()),
        details,
        ..Post::default()
    };
    let label = Label::ALL[draft.label];
    let mut probabilities = [0.0; 3];
    probabilities[draft.label] = 1.0;
    ClassifiedPost { post, prediction: Prediction { label, probabilities, reason: None } }
}

fn newest_first(mut posts: Vec<StoredPost>) -> Vec<(Timestamp, String)> {
    posts.sort_by(|a, b| (b.created_at, &b.id).cmp(&(a.created_at, &a.id)));
    posts.into_iter().map(|post| (post.created_at, post.id)).collect()
}

/// All pages of a filter; each has `limit` posts at most, and they are in order.
fn all(query: &Query, filter: &Filter, limit: usize) -> Vec<StoredPost> {
    let (mut posts, mut after) = (Vec::<StoredPost>::new(), None);
    loop {
        let page = query.page(filter, limit, after).unwrap();
        assert!(page.posts.len() <= limit);
        posts.extend(page.posts);
        assert!(posts.is_sorted_by(|a, b| a.created_at >= b.created_at));
        match page.next {
            Some(next) => after = Some(next.to_string().parse().unwrap()),
            None => return posts,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn pages_and_counts_agree_with_a_list(
        drafts in proptest::collection::vec(draft(), 1..150),
        commits in proptest::collection::btree_set(0_usize..150, 0..8),
        filters in proptest::collection::vec(filter(), 6),
        limit in 1_usize..40,
        gone in 0_usize..150,
        corrections in proptest::collection::vec((0_usize..150, 0_usize..4), 0..12),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let mut monitor = open(dir.path());
        let query = Query::new(monitor.store());
        let mut list: Vec<StoredPost> = Vec::new();
        let mut uncommitted = 0;
        for (id, draft) in drafts.iter().enumerate() {
            let second = id as i64 * 7;
            monitor.advance(Timestamp::from_second(START + second).unwrap());
            let classified = post(id, second, draft);
            let source = if id % 5 == 0 { "y" } else { "x" };
            let topics = TOPICS[draft.topics];
            monitor.observe(source, topics, &classified).unwrap();
            uncommitted += 1;
            if commits.contains(&id) || id + 1 == drafts.len() {
                monitor.commit().unwrap();
                uncommitted = 0;
            }
            let Post { id, created_at, author, text, lang, details, .. } = classified.post;
            let stored = query.post(&id).unwrap();
            prop_assert_eq!(stored.is_some(), uncommitted == 0, "seen once it is committed");
            // What only the monitor knows of a post is compared once, below.
            list.push(StoredPost {
                source: source.into(), created_at, stated_at: None, author, author_id: details.author_id.clone(), url: None, text, lang,
                topics: topics.iter().map(ToString::to_string).collect(), label: classified.prediction.label,
                probabilities: classified.prediction.probabilities, reason: None, model: "model".into(),
                counting: Counting::Counted, cascade: CascadeId::of_post(&id), followers: None, metrics: None, id,
            });
        }
        for post in &mut list {
            let found = query.post(&post.id).unwrap().unwrap();
            (post.counting, post.cascade) = (found.counting, found.cascade);
            prop_assert_eq!(&found, &*post);
        }
        // Labels that people give, and take back, are those that count.
        let now = Timestamp::from_second(START + drafts.len() as i64 * 7).unwrap();
        for (id, label) in corrections {
            let Some(post) = list.iter_mut().find(|post| post.id == id.to_string()) else { continue };
            post.label = match Label::ALL.get(label) {
                Some(label) => {
                    let correction = Correction { what: post.id.clone(), label: *label, by: None, is_text: false };
                    let subject = monitor.find_subject(&post.id, false, now).unwrap().unwrap();
                    let read = subject.read.clone().unwrap();
                    monitor.record_feedback(&correction, subject, (&read.0, &read.1), now).unwrap();
                    *label
                }
                None => monitor.undo_feedback(&post.id, now).unwrap().map_or(post.label, |undone| undone.label),
            };
        }
        prop_assert!(crate::monitor::check(monitor.store()).unwrap().is_sound());
        for erased in [false, true] {
            if erased {
                let who = if gone % 2 == 0 { Selector::Author("ANN".into()) } else { Selector::Post(gone.to_string()) };
                monitor.forget(&who, Timestamp::from_second(START).unwrap()).unwrap();
                list.retain(|post| match &who {
                    Selector::Author(_) => post.author.as_deref() != Some("Ann"),
                    Selector::Post(id) => post.id != *id,
                });
            }
            for filter in &filters {
                let expected: Vec<StoredPost> = list.iter().filter(|post| filter.matches(*post)).cloned().collect();
                let mut counts = LabelCounts::default();
                expected.iter().for_each(|post| counts.add(post.label, 1));
                prop_assert_eq!(query.counts(filter).unwrap(), counts, "{:?}", filter);
                prop_assert_eq!(newest_first(all(&query, filter, limit)), newest_first(expected.clone()), "{:?}", filter);
                let survey = query.survey(filter, Order::Doubtful, limit).unwrap();
                prop_assert_eq!((survey.posts, survey.first.len()), (counts.total(), limit.min(expected.len())));
                for (repeated, (cascade, posts)) in survey.repeated.iter().zip(&survey.cascades) {
                    prop_assert_eq!((repeated.cascade, repeated.posts), (*cascade, *posts));
                    let texts = || list.iter().filter(|post| post.cascade == *cascade).map(|post| &post.text);
                    prop_assert!(*posts > 1 && texts().any(|text| *text == repeated.text), "{:?}", repeated);
                }
                for (topic, posts) in survey.topics {
                    let counted = query.counts(&Filter { topics: vec![topic], ..filter.clone() }).unwrap();
                    prop_assert_eq!(posts, counted.total(), "{:?}", filter);
                }
                for (label, posts) in survey.labels {
                    let labels = vec![Label::parse(&label).unwrap()];
                    prop_assert_eq!(posts, query.counts(&Filter { labels, ..filter.clone() }).unwrap().total(), "{:?}", filter);
                }
                let corrected = query.counts(&Filter { corrected: Some(true), ..filter.clone() }).unwrap();
                prop_assert_eq!(survey.corrected, corrected.total());
            }
        }
    }
}

#[test]
fn a_repost_is_found_by_its_cascade() {
    let dir = tempfile::tempdir().unwrap();
    let mut monitor = open(dir.path());
    let first = Draft { topics: 0, author: 0, text: 0, label: 0, lang: None, late: 0, reposts: None };
    monitor.advance(Timestamp::from_second(START).unwrap());
    for (id, draft) in [first.clone(), Draft { reposts: Some(0), ..first.clone() }, first].iter().enumerate() {
        monitor.observe("x", &["a"], &post(id, 0, draft)).unwrap();
    }
    monitor.commit().unwrap();
    let query = Query::new(monitor.store());
    let filter = Filter { cascade: Some(CascadeId::of_post("0")), ..Filter::default() };
    let found = query.page(&filter, 10, None).unwrap();
    let mut ids: Vec<(&str, Counting)> = found.posts.iter().map(|post| (post.id.as_str(), post.counting)).collect();
    ids.sort_by_key(|(id, _)| *id);
    assert_eq!(ids, [("0", Counting::Counted), ("1", Counting::Copied)]);
}

#[test]
fn posts_like_one_are_of_its_topics_and_of_the_filter() {
    let dir = tempfile::tempdir().unwrap();
    let mut monitor = open(dir.path());
    let start = Timestamp::from_second(START).unwrap();
    monitor.advance(start);
    let texts = [
        ("1", "a", "My bag is lost in Rome", 0),
        ("2", "a", "lost bag, Rome airport", 0),
        ("3", "a", "they lost it", 0),
        ("4", "b", "bag lost in Rome too", 0),
        ("5", "a", "bag found in Rome", 2),
        ("6", "a", "thank you", 2),
    ];
    for (id, topic, text, label) in texts {
        let draft = Draft { topics: 0, author: 0, text: 0, label, lang: None, late: 0, reposts: None };
        let mut classified = post(1, 0, &draft);
        (classified.post.id, classified.post.text) = (id.into(), text.into());
        monitor.observe("x", &[topic], &classified).unwrap();
    }
    monitor.commit().unwrap();
    let query = Query::new(monitor.store());
    let ids = |filter: &Filter, limit| {
        let found = query.similar("1", filter, limit).unwrap().unwrap();
        assert_eq!((found.post.text.as_str(), found.compared_until), ("My bag is lost in Rome", None));
        found.posts.into_iter().map(|post| post.id).collect::<Vec<_>>()
    };
    assert_eq!(ids(&Filter::default(), 10), ["2", "5", "3"]);
    assert_eq!(ids(&Filter::default(), 1), ["2"]);
    assert_eq!(ids(&Filter { labels: vec![Label::Positive], ..Filter::default() }, 10), ["5"]);
    assert_eq!(ids(&Filter { topics: vec!["b".into()], ..Filter::default() }, 10), ["4"]);
    assert_eq!(query.similar("7", &Filter::default(), 10).unwrap(), None);
}

#[test]
fn a_query_follows_a_store_that_is_opened_again() {
    let dir = tempfile::tempdir().unwrap();
    let monitor = open(dir.path());
    let query = Query::new(monitor.store());
    drop(monitor);
    assert!(query.post("1").is_err());
    let monitor = open(dir.path());
    query.clone().attach(monitor.store());
    assert_eq!(query.post("1").unwrap(), None);
}

#[test]
fn parameters_make_the_filter_they_came_from() {
    let mut filter = Filter::default();
    let parameters = [
        ("topic", "Air Paradis"),
        ("topic", "b"),
        ("label", "negative"),
        ("source", "x"),
        ("language", "fr"),
        ("author", "@ann"),
        ("text", "a & b"),
        ("text", "c"),
        ("cascade", "00000000000000ff"),
        ("reason", "late_flight"),
        ("corrected", "true"),
        ("since", "2026-11-28T09:00:00Z"),
        ("until", "2026-11-28T10:00:00Z"),
    ];
    parameters.iter().for_each(|(name, value)| filter.set(name, value).unwrap());
    let mut again = Filter::default();
    filter.parameters().iter().for_each(|(name, value)| again.set(name, value).unwrap());
    assert_eq!(again, filter);
    for (name, value, expected) in [
        ("label", "angry", "label: expected negative, neutral or positive"),
        ("since", "yesterday", "since: expected a time such as"),
        ("cascade", "7", "cascade: expected 16"),
        ("colour", "red", "unknown parameter `colour`"),
    ] {
        let error = filter.set(name, value).unwrap_err().to_string();
        assert!(error.starts_with(expected) && !error.contains("yesterday"), "{error}");
    }
}

#[test]
fn a_page_token_is_read_back_or_refused() {
    let token: PageToken = "1790000000123.5.7".parse().unwrap();
    assert_eq!(token.to_string(), "1790000000123.5.7");
    for faulty in ["", "1", "1.2", "1.2.3.4", "a.b.c", "9223372036854775807.0.0", "1.-2.3"] {
        assert!(faulty.parse::<PageToken>().is_err(), "{faulty}");
    }
}

#[test]
fn a_drift_sample_has_two_times_of_one_model() {
    const DAY: i64 = 86_400;
    let dir = tempfile::tempdir().unwrap();
    let mut monitor = open(dir.path());
    let now = START + 40 * DAY;
    // Two posts a day; another model reads the last ten days.
    for number in 0..80 {
        let second = START + number * DAY / 2;
        let id = if second < now - 10 * DAY { "model" } else { "next" };
        monitor.set_model(ModelInfo { id: id.into(), ..ModelInfo::default() });
        monitor.advance(Timestamp::from_second(second).unwrap());
        let created_at = Timestamp::from_second(second).unwrap();
        let post = Post { id: number.to_string(), created_at, text: format!("text {number}"), ..Post::default() };
        let prediction = Prediction { label: Label::Neutral, probabilities: [0.2, 0.5, 0.3], reason: None };
        monitor.observe("x", &["a"], &ClassifiedPost { post, prediction }).unwrap();
    }
    monitor.commit().unwrap();
    let query = Query::new(monitor.store());
    let found = |model: &str| {
        let sample = query.drift_sample(model, Timestamp::from_second(now).unwrap()).unwrap();
        (sample.recent.len(), sample.reference.len())
    };
    // Seven days now; of the 28 before them the last three were read by the next model.
    assert_eq!(found("model"), (0, 2 * 25));
    assert_eq!(found("next"), (2 * 7, 2 * 3));
    assert_eq!(found("none"), (0, 0));
}
