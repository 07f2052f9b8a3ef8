//! Tests of the votes of authors: what each post counts, who is counted, and what is stored.

use proptest::prelude::*;

use super::*;

const MINUTE: i64 = 60;

fn post(author: &str) -> Post {
    Post { author: (!author.is_empty()).then(|| author.to_owned()), ..Post::default() }
}

/// Adds a negative post; returns the thousandths of a vote that it counts.
fn complain(authors: &mut Authors, author: &str, time: i64) -> u64 {
    VOTE - authors.add(time, time, &post(author), Label::Negative, true).discount
}

fn save(authors: &mut Authors, store: &Store) {
    let mut batch = Batch::default();
    authors.save(&mut batch, "t").unwrap();
    store.commit(batch).unwrap();
}

fn records(store: &Store) -> usize {
    store.scan::<(u64, Vec<AuthorVote>)>(&Key::new(Table::Author).text("t")).count()
}

#[test]
fn the_first_post_counts_and_each_further_one_less() {
    let mut authors = Authors::default();
    let angry: Vec<u64> = (0..5).map(|minute| complain(&mut authors, "ann", minute * MINUTE)).collect();
    assert_eq!(angry, [1_000, 538, 337, 230, 167]);
    assert_eq!(complain(&mut authors, "@Ann ", 400), 127, "the same person");
    assert_eq!(complain(&mut authors, "bob", 500), 1_000);
    let unknown = [501, 502].map(|time| complain(&mut authors, "", time));
    assert_eq!(unknown, [1_000, 1_000], "each by somebody else");
    assert!((1..10_000).map(vote).sum::<u64>() < 3_334, "one person never has more than 3.3 votes");
    assert_eq!(complain(&mut authors, "ann", 400 + HORIZON), 1_000, "a day later it is news again");
}

#[test]
fn people_are_counted_and_not_posts() {
    let mut authors = Authors::default();
    for minute in 0..8 {
        complain(&mut authors, "ann", minute * MINUTE);
    }
    authors.add(480, 480, &post("bob"), Label::Positive, true);
    authors.add(500, 500, &post("cid"), Label::Negative, true);
    assert_eq!(authors.negative_authors(0), Some(2));
    assert_eq!(authors.negative_authors(421), Some(1), "ann's last post was at 420");
    let voice = authors.add(501, 501, &post("bob"), Label::Negative, true);
    assert!(voice.is_first_negative && voice.discount > 0, "a second post, but the first complaint");
    authors.add(510, 510, &post(""), Label::Negative, true);
    assert_eq!(authors.negative_authors(0), None, "a number that leaves somebody out is not given");
    assert_eq!(authors.negative_authors(511), Some(0));
}

#[test]
fn memory_is_bounded_and_a_number_of_people_that_is_not_known_is_not_given() {
    let mut authors = Authors::default();
    for number in 0..MAX_POSTS as i64 + 10 {
        authors.add(number, number, &post(&number.to_string()), Label::Negative, true);
    }
    assert_eq!((authors.votes.len(), authors.known.len()), (MAX_POSTS, MAX_POSTS));
    assert_eq!(authors.negative_authors(0), None);
    assert_eq!(authors.negative_authors(100), Some(MAX_POSTS as u64 - 90));
}

#[test]
fn a_forgotten_author_is_gone_from_memory_and_store() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let mut authors = Authors::default();
    for (time, author) in (0..).zip(["ann", "bob", "ann"]) {
        complain(&mut authors, author, time);
    }
    save(&mut authors, &store);
    complain(&mut authors, "cid", 3);
    let mut batch = Batch::default();
    authors.forget(&mut batch, "t", &[name_hash("ANN")]).unwrap();
    store.commit(batch).unwrap();
    let stored = Authors::load(&store, "t").unwrap().votes;
    let expected = [(0, UNKNOWN, true), (1, name_hash("bob"), true), (2, UNKNOWN, true)];
    assert_eq!(Vec::from(stored), expected, "cid's post is not committed yet");
    save(&mut authors, &store);
    let mut loaded = Authors::load(&store, "t").unwrap();
    assert_eq!((loaded.votes.len(), loaded.negative_authors(3)), (4, Some(1)));
    assert_eq!(complain(&mut loaded, "ann", 9), 1_000);
}

/// What is stored of a topic is a few records, whatever the number of commits, and goes when it expires.
#[test]
fn commits_do_not_make_records() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let mut authors = Authors::default();
    for number in 0..1_000 {
        complain(&mut authors, &format!("user{}", number % 300), number * MINUTE);
        save(&mut authors, &store);
        assert!(records(&store) <= 5);
    }
    // What is stored is what is remembered, to the post.
    authors.expire(700 * MINUTE + HORIZON);
    save(&mut authors, &store);
    let stored = Authors::load(&store, "t").unwrap();
    assert_eq!((stored.votes.len(), stored.votes == authors.votes), (299, true));
    authors.expire(1_000 * MINUTE + HORIZON);
    save(&mut authors, &store);
    assert_eq!((authors.votes.len(), records(&store)), (0, 0));
    complain(&mut authors, "ann", 3_000 * MINUTE);
    save(&mut authors, &store);
    assert_eq!(Authors::load(&store, "t").unwrap().votes, authors.votes);
}

proptest! {
    /// Whatever happens, a restart changes nothing, and the numbers of posts equal a recount.
    #[test]
    fn any_sequence_survives_a_restart(
        steps in proptest::collection::vec((0_i64..8_000, 0_u8..4, any::<bool>(), 0_u8..4), 1..600),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let (mut authors, mut time) = (Authors::default(), 0);
        for (later, who, negative, then) in steps {
            time += later / 16;
            let label = if negative { Label::Negative } else { Label::Neutral };
            authors.add(time, time, &post(&who.to_string()), label, true);
            match then {
                0 => {
                    save(&mut authors, &store);
                    let loaded = Authors::load(&store, "t").unwrap();
                    let kept: Vec<_> = loaded.votes.iter().filter(|(at, ..)| at + HORIZON > time).collect();
                    prop_assert_eq!(kept, authors.votes.iter().collect::<Vec<_>>());
                    prop_assert_eq!(loaded.next(), authors.next());
                    authors = loaded;
                }
                1 => {
                    let mut batch = Batch::default();
                    authors.forget(&mut batch, "t", &[name_hash("3")]).unwrap();
                    store.commit(batch).unwrap();
                }
                _ => {}
            }
            let known = authors.votes.iter().filter(|(_, author, _)| *author != UNKNOWN).count();
            prop_assert_eq!(authors.known.values().map(|posts| posts.all as usize).sum::<usize>(), known);
        }
    }
}
