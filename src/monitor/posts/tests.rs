//! Blocks give back the posts they were made of, and erasure leaves no post and no index record behind.

use proptest::prelude::*;

use super::*;
use crate::classify::Prediction;
use crate::post::{Details, Post};
use crate::store::{Key, Store, Table};

fn stored() -> impl Strategy<Value = StoredPost> {
    let id = prop_oneof!["[0-9]{1,20}", "[0+][0-9]{0,3}", ".{0,8}"];
    let names = (proptest::option::of("[a-z0-9]{1,6}"), proptest::option::of("[0-9]{1,20}"));
    let numbers = (0..SLOT * 1_000, any::<Option<u64>>(), 0_u8..=100, 0_u8..=100, any::<bool>());
    let texts = (".{0,40}", proptest::option::of("[a-z]{2}(-[A-Z]{2})?"), proptest::option::of("[a-z_]{1,9}"));
    (id, names, numbers, texts, any::<bool>(), proptest::option::of(any::<u64>())).prop_map(
        |(id, (author, author_id), (millis, followers, negative, rest, copied), (text, lang, reason), on_x, root)| {
            let (negative, rest) = (f32::from(negative) / 100.0, f32::from(rest) / 100.0);
            let probabilities = [negative, (1.0 - negative) * rest, (1.0 - negative) * (1.0 - rest)];
            let url = if on_x { format!("https://x.com/i/web/status/{id}") } else { "https://example.org/a".into() };
            StoredPost {
                source: "x-search".into(),
                created_at: Timestamp::from_millisecond(1_790_000_100_000 + millis).unwrap(),
                stated_at: root.map(|at| Timestamp::from_millisecond((at % 4_000_000_000_000).cast_signed()).unwrap()),
                author,
                author_id,
                url: Some(url),
                text,
                lang,
                topics: if copied { vec!["a".into()] } else { vec!["a".into(), "b c".into()] },
                label: Label::ALL[usize::from(copied)],
                probabilities,
                reason,
                model: "model".into(),
                counting: if copied { Counting::Copied } else { Counting::Counted },
                cascade: root.map_or_else(|| CascadeId(id_hash(&id)), CascadeId),
                followers,
                metrics: followers.map(|likes| PublicMetrics { likes, ..PublicMetrics::default() }),
                id,
            }
        },
    )
}

proptest! {
    #[test]
    fn a_block_gives_back_its_posts(posts in proptest::collection::vec(stored(), 1..20)) {
        let bytes = block::of_posts(&posts).unwrap().encode().unwrap();
        let found = block::decode(&bytes).unwrap();
        prop_assert_eq!(found.len(), posts.len());
        for (found, post) in found.iter().zip(&posts) {
            for (a, b) in found.probabilities.iter().zip(post.probabilities) {
                prop_assert!((a - b).abs() < 1e-4, "{:?} {:?}", found.probabilities, post.probabilities);
            }
            prop_assert_eq!(&StoredPost { probabilities: post.probabilities, ..found.clone() }, post);
        }
        let oldest = posts.iter().map(|post| post.created_at.as_millisecond()).min().unwrap();
        prop_assert_eq!(block::header(&bytes).unwrap().oldest(), oldest);
        // Read and stored again, as by an export and an import, it does not change.
        prop_assert_eq!(block::of_posts(&found).unwrap().encode().unwrap(), bytes);
    }

    #[test]
    fn damaged_bytes_are_an_error_and_never_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        if let Ok(posts) = block::decode(&bytes) {
            prop_assert!(block::of_posts(&posts).is_some() || posts.is_empty());
        }
    }
}

fn classified(id: u64, second: i64, author: &str, text: &str) -> ClassifiedPost {
    let details = Details { author_id: Some(format!("9{author}")), ..Details::default() };
    let created_at = Timestamp::from_second(second).unwrap();
    let post = Post {
        id: id.to_string(),
        created_at,
        author: Some(author.into()),
        text: text.into(),
        details,
        ..Post::default()
    };
    ClassifiedPost {
        post,
        prediction: Prediction { label: Label::Negative, probabilities: [0.8, 0.1, 0.1], reason: None },
    }
}

/// Posts of three slots in two commits.
fn filled(store: &Store) {
    let mut pending = PendingPosts::default();
    for commit in 0..2 {
        for i in 0..300 {
            let id = commit * 300 + i;
            let author = if id % 7 == 0 { "Ann" } else { "bob" };
            let text = if id % 11 == 0 { "RT @ann: late again" } else { "late again" };
            let post = classified(id, 1_790_000_000 + (id as i64 % 3) * SLOT + id as i64 % 200, author, text);
            let cascade = CascadeId::of_post(&(id % 50).to_string());
            pending.push("x", &["t"], &post, "model", (Counting::Counted, cascade));
        }
        let mut batch = Batch::default();
        pending.save(&mut batch, commit).unwrap();
        store.commit(batch).unwrap();
    }
}

fn problems(store: &Store) -> Vec<String> {
    let reader = store.reader();
    let view = reader.view();
    let records = store.records().map(Result::unwrap);
    let problem = |(key, value): (Key, Vec<u8>)| erase::index_problem(&view, key.table()?, &key, &value);
    records.filter_map(problem).collect()
}

#[test]
fn what_is_erased_is_in_no_block_and_no_index() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    filled(&store);
    assert!(problems(&store).is_empty(), "{:?}", problems(&store));
    let found = |term: Term| {
        let reader = store.reader();
        let view = reader.view();
        erase::posts_of_terms(&view, [term]).unwrap().into_values().flatten().collect::<Vec<_>>()
    };
    let is_ann = |post: &StoredPost| post.author.as_deref() == Some("Ann") || post.text.contains("@ann");
    let expected = (0..600).filter(|id| id % 7 == 0 || id % 11 == 0).count();
    assert_eq!(found(Term::author("ann")).iter().filter(|post| is_ann(post)).count(), expected);
    assert_eq!(found(Term::of_hash(id_hash("77"))).iter().filter(|post| post.id == "77").count(), 1);

    let mut batch = Batch::default();
    let gone = erase::erase(&store, &mut batch, [Term::author("ann"), Term::author("9ann")], is_ann).unwrap();
    store.commit(batch).unwrap();
    assert_eq!(gone.len(), expected);
    assert!(found(Term::author("ann")).is_empty(), "no block is left in the index");
    assert!(erase::post_of_id(&store.reader().view(), "77").unwrap().is_none());
    assert_eq!(erase::post_of_id(&store.reader().view(), "78").unwrap().unwrap().id, "78");
    assert!(problems(&store).is_empty(), "{:?}", problems(&store));
}

#[test]
fn retention_leaves_later_slots_and_nothing_of_earlier_ones() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    filled(&store);
    let before: Vec<_> = store.records().map(Result::unwrap).collect();
    let time = 1_790_000_000 + SLOT + 210;
    let (mut posts, mut calls) = (0, 0);
    loop {
        let mut batch = Batch::default();
        let (gone, records) = erase::expire(&store, &mut batch, time, 20).unwrap();
        store.commit(batch).unwrap();
        posts += gone;
        calls += 1;
        if records == 0 {
            break;
        }
    }
    assert!(posts > 200 && calls > 2, "{posts} posts in {calls} calls");
    let left = store.keys(&Key::new(Table::Post));
    let left: Vec<BlockId> = left.map(|key| BlockId::of_key(&key.unwrap()).unwrap()).collect();
    assert!(!left.is_empty() && left.iter().all(|block| block.slot() + SLOT > time), "{left:?}");
    assert!(problems(&store).is_empty(), "{:?}", problems(&store));

    // Everything else goes with the last slot.
    let mut batch = Batch::default();
    erase::expire(&store, &mut batch, time + 10 * SLOT, usize::MAX).unwrap();
    store.commit(batch).unwrap();
    assert_eq!(store.records().count(), 1, "the layout version, of {} records", before.len());
}

#[test]
fn indexes_are_made_again_from_the_posts() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    filled(&store);
    let before: Vec<_> = store.records().map(Result::unwrap).collect();
    let mut batch = Batch::default();
    for table in [Table::PostLabel, Table::PostTerm] {
        let key = store.keys(&Key::new(table)).next().unwrap().unwrap();
        batch.remove(&key);
    }
    store.commit(batch).unwrap();
    assert!(!problems(&store).is_empty());
    let mut batch = Batch::default();
    erase::rebuild_index(&store, &mut batch).unwrap();
    store.commit(batch).unwrap();
    assert_eq!(store.records().map(Result::unwrap).collect::<Vec<_>>(), before);
}

#[test]
fn pending_posts_can_be_erased_too() {
    let mut pending = PendingPosts::default();
    for id in 0..300 {
        let author = if id % 3 == 0 { "ann" } else { "bob" };
        let post = classified(id, 1_790_000_000, author, "late");
        pending.push("x", &["t"], &post, "model", (Counting::Counted, CascadeId::of_post(&id.to_string())));
    }
    let gone = pending.remove(|post| post.author.as_deref() == Some("ann")).unwrap();
    assert_eq!(gone.len(), 100);
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let mut batch = Batch::default();
    pending.save(&mut batch, 0).unwrap();
    store.commit(batch).unwrap();
    assert!(problems(&store).is_empty());
    assert!(erase::posts_of_terms(&store.reader().view(), [Term::author("ann")]).unwrap().is_empty());
    assert_eq!(
        erase::posts_of_terms(&store.reader().view(), [Term::author("bob")]).unwrap().values().flatten().count(),
        200
    );
}

#[test]
fn a_cascade_is_named_by_sixteen_digits() {
    let id = CascadeId(0x0f);
    assert_eq!(id.to_string(), "000000000000000f");
    assert_eq!("000000000000000f".parse(), Ok(id));
    for faulty in ["f", "000000000000000g", "+00000000000000f", "000000000000000f0"] {
        assert!(faulty.parse::<CascadeId>().is_err(), "{faulty}");
    }
}
