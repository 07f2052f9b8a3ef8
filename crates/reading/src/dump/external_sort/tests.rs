//! Tests of the external sort.

use jiff::Timestamp;
use proptest::prelude::*;

use super::key::compare_ids;
use super::*;

fn post(millisecond: i64, id: &str, text: &str) -> Post {
    Post {
        id: id.into(),
        created_at: Timestamp::from_millisecond(millisecond).unwrap(),
        author: Some("someone".into()),
        text: text.into(),
        lang: None,
        topic: Some("t".into()),
        label: None,
        ..Post::default()
    }
}

fn sorted(posts: &[Post], memory: usize) -> SortedPosts {
    let mut sort = ExternalSort::new(memory);
    for post in posts {
        sort.push(post).unwrap();
    }
    assert_eq!((sort.len(), sort.is_empty()), (posts.len() as u64, posts.is_empty()));
    sort.finish().unwrap()
}

fn by_std(posts: &[Post]) -> Vec<Post> {
    let mut sorted = posts.to_vec();
    let packed = |post: &Post| postcard::to_stdvec(post).unwrap();
    sorted.sort_by(|a, b| {
        let quick = a.created_at.cmp(&b.created_at).then_with(|| compare_ids(&a.id, &b.id));
        quick.then_with(|| packed(a).cmp(&packed(b)))
    });
    sorted
}

fn any_post() -> impl Strategy<Value = Post> {
    let id = prop_oneof!["[0-9]{1,3}", "[0-9]{18,22}", "[a-c0-9]{0,3}"];
    (-3i64..3, id, "[a-z]{0,60}").prop_map(|(millisecond, id, text)| post(millisecond, &id, &text))
}

proptest! {
    #[test]
    fn equals_a_sort_in_memory(posts in prop::collection::vec(any_post(), 0..60), memory in 1usize..6000) {
        let sorted: Vec<Post> = sorted(&posts, memory).map(Result::unwrap).collect();
        prop_assert_eq!(&sorted, &by_std(&posts));
    }

    #[test]
    fn the_order_of_arrival_does_not_matter(mut posts in prop::collection::vec(any_post(), 0..30), memory in 1usize..3000) {
        let forward: Vec<Post> = sorted(&posts, memory).map(Result::unwrap).collect();
        posts.reverse();
        let backward: Vec<Post> = sorted(&posts, memory).map(Result::unwrap).collect();
        prop_assert_eq!(forward, backward);
    }

    #[test]
    fn skip_posts_equals_iterator_skip(posts in prop::collection::vec(any_post(), 0..30), memory in 1usize..3000, skipped in 0u64..40) {
        let mut rest = sorted(&posts, memory);
        rest.skip_posts(skipped).unwrap();
        prop_assert_eq!(rest.len(), (posts.len() as u64).saturating_sub(skipped));
        let rest: Vec<Post> = rest.map(Result::unwrap).collect();
        let expected: Vec<Post> = by_std(&posts).into_iter().skip(skipped as usize).collect();
        prop_assert_eq!(rest, expected);
    }
}

#[test]
fn ids_are_compared_as_numbers_where_they_are() {
    let mut ids = ["b", "10", "9", "99999999999999999999", "a", "100000000000000000000", "7"].map(|id| post(0, id, ""));
    ids.reverse();
    let sorted: Vec<String> = sorted(&ids, 1 << 20).map(|post| post.unwrap().id).collect();
    assert_eq!(sorted, ["7", "9", "10", "99999999999999999999", "100000000000000000000", "a", "b"]);
}

#[test]
fn posts_that_fit_are_not_spilled() {
    let mut sort = ExternalSort::new(1 << 20);
    (0..100).for_each(|at| sort.push(&post(-at, "1", "x")).unwrap());
    assert!(sort.spill.is_none());
    let mut sort = ExternalSort::new(1 << 10);
    (0..100).for_each(|at| sort.push(&post(-at, "1", "x")).unwrap());
    assert!(sort.spill.is_some_and(|spill| spill.run_ends.len() > 1));
}

#[test]
fn posts_longer_than_any_buffer_are_sorted() {
    let long = "é".repeat(300_000);
    let posts = [post(2, "a", &long), post(1, "b", "short"), post(0, "c", &long)];
    let sorted: Vec<Post> = sorted(&posts, 10).map(Result::unwrap).collect();
    assert_eq!(sorted, by_std(&posts));
}

#[test]
fn a_serialised_post_begins_with_its_id_and_time() {
    let packed = postcard::to_stdvec(&post(1_424_777_752_123, "567", "late")).unwrap();
    assert_eq!(key::id_and_time(&packed), Some(("567", 1_424_777_752_123)));
}

#[test]
fn a_full_disk_is_explained() {
    let message = spill_error(io::ErrorKind::StorageFull.into()).to_string();
    let dir = std::env::temp_dir();
    assert!(message.contains(&format!("{}", dir.display())) && message.contains("TMPDIR"), "{message}");
}
