//! Search and mentions against the fake X API: whatever X returns, no post is lost or charged without need.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test's helpers: a panic there is the failure it should be")]

#[path = "x_search/budget.rs"]
mod budget;
#[path = "x_search/failures.rs"]
mod failures;
mod fake_x;
#[path = "x_search/harness.rs"]
mod harness;

use fake_x::{Endpoint, Fault, Names, Visible};
use harness::{Bench, sorted};
use jiff::SignedDuration;
use serde_json::json;
use vigie::post::ReferenceKind;
use vigie::source::SourceState;

const SECOND: SignedDuration = SignedDuration::from_secs(1);

#[tokio::test]
async fn posts_published_while_pages_are_read_are_found_by_the_next_poll() {
    let bench = Bench::new("overlap = \"0s\"").await;
    let mut expected = bench.fake.backlog(250, SECOND, "paradis");
    expected.push(bench.fake.index_after_pages(1, bench.fake.draft("paradis, meanwhile")));
    let mut source = bench.start(None);
    source.take(250).await;
    let first = bench.fake.requests_to(Endpoint::Search);
    assert_eq!(first.len(), 3);
    assert!(first.iter().all(|request| request.param("start_time") == Some("2026-11-23T11:00:00Z")), "the backfill");
    assert!(first.iter().all(|request| request.authorised && request.param("query") == Some("paradis -is:retweet")));
    assert!(first[0].user_agent.as_ref().unwrap().starts_with("vigie/"));
    bench.next_poll().await;
    source.take(251).await;
    let next = &bench.fake.requests_to(Endpoint::Search)[3];
    assert_eq!(next.param("since_id"), Some(expected[249].to_string().as_str()), "the newest of the first page");
    assert_eq!(sorted(source.ids.clone()), sorted(expected));
    assert_eq!(bench.fake.billed(), 251, "nothing was read twice");
}

#[tokio::test]
async fn a_post_that_is_indexed_late_is_found() {
    let bench = Bench::new("").await;
    let late = bench.fake.draft("paradis, late");
    let at = bench.clock.now() + SECOND * 40;
    let late = bench.fake.index(late.visible(Visible::At(at)));
    bench.fake.backlog(3, SECOND, "paradis");
    let mut source = bench.start(None);
    source.take(3).await;
    bench.next_poll().await;
    bench.fake.say("paradis, newer");
    source.take(4).await;
    assert!(!source.ids.contains(&late));
    bench.next_poll().await;
    while !source.ids.contains(&late) {
        source.next().await;
    }
    let since = |at: usize| bench.fake.requests_to(Endpoint::Search)[at].param("since_id").map(str::to_owned);
    assert!(since(2).unwrap().parse::<u64>().unwrap() < late, "a minute had passed: the overlap was read again");
}

#[tokio::test]
async fn a_backlog_of_ten_thousand_is_sent_in_bounded_batches_oldest_slices_first() {
    let bench = Bench::new("backfill = \"6h\"\noverlap = \"0s\"").await;
    let expected = bench.fake.backlog(10_000, SECOND * 2, "paradis");
    let mut source = bench.start(None);
    source.take(10_000).await;
    assert!(source.largest <= 100);
    assert_eq!(bench.fake.billed(), 10_000);
    // No post arrives after one that is more than an hour newer: later ones would be too late to count.
    let mut newest = 0;
    for id in &source.ids {
        newest = newest.max(*id);
        let behind = fake_x::snowflake_time(newest).duration_since(fake_x::snowflake_time(*id));
        assert!(behind <= SignedDuration::from_mins(61), "{behind:#}");
    }
    assert_eq!(sorted(source.ids.clone()), expected);
    assert!(bench.fake.requests_to(Endpoint::Search).len() < 130);
}

/// The source is killed after each batch and restarted from the last committed cursor.
#[tokio::test]
async fn a_kill_between_pages_loses_nothing_and_charges_nothing_twice() {
    let bench = Bench::new("page = 10\noverlap = \"0s\"").await;
    let mut expected = bench.fake.backlog(95, SECOND, "paradis");
    let (mut got, mut cursor) = (Vec::new(), None);
    for round in 0..10 {
        let mut source = bench.start(cursor.take());
        source.next().await;
        if round == 4 {
            expected.push(bench.fake.say("paradis, new"));
        }
        let (ids, last) = source.stop().await;
        got.extend(ids);
        cursor = last;
    }
    let mut source = bench.start(cursor);
    source.until(|report| matches!(report.state, SourceState::Working)).await;
    bench.next_poll().await;
    while sorted([got.clone(), source.ids.clone()].concat()).len() < expected.len() {
        source.next().await;
    }
    got.extend(&source.ids);
    assert_eq!(got.len(), expected.len(), "each post was committed once");
    assert_eq!(sorted(got), sorted(expected));
}

#[tokio::test]
async fn a_rate_limit_between_pages_loses_nothing() {
    let bench = Bench::new("page = 10\noverlap = \"0s\"").await;
    let expected = bench.fake.backlog(40, SECOND, "paradis");
    bench.fake.limit(Endpoint::Search, 2, bench.clock.now() + SECOND * 600);
    let mut source = bench.start(None);
    source.take(20).await;
    let report = source.until_held().await;
    assert!(matches!(report.state, SourceState::Waiting { .. }), "{report:?}");
    assert_eq!(bench.fake.requests_to(Endpoint::Search).len(), 2, "no request was rejected");
    assert!(bench.series("vigie_source_rate_limit_remaining{endpoint=\"search\",source=\"x\"}").ends_with(" 0"));
    bench.clock.skip(601);
    source.take(40).await;
    assert_eq!(sorted(source.ids.clone()), expected);
    assert_eq!(bench.fake.billed(), 40);
}

#[tokio::test]
async fn unreadable_posts_and_errors_do_not_affect_other_posts() {
    let bench = Bench::new("topic = \"Desk\"").await;
    bench.fake.fault(Endpoint::Search, Fault::PartialErrors);
    bench.fake.index(bench.fake.draft("paradis, lost").without_text());
    bench.fake.index(bench.fake.draft("paradis, wrong").with_wrong_type());
    let new = bench.fake.index(bench.fake.draft("paradis, new").with_new_enum_value());
    let edited = bench.fake.index(bench.fake.draft("paradis, edited").edit_of(&[7]));
    let mut source = bench.start(None);
    let batch = source.next().await;
    assert_eq!(sorted(source.ids.clone()), sorted(vec![new, edited]));
    assert_eq!((batch.rejected.len(), batch.compliance.len()), (2, 1));
    assert!(batch.posts.iter().all(|post| post.topic.as_deref() == Some("Desk")));
    assert!(bench.series("vigie_source_rejected_total{reason=\"empty_text\",source=\"x\"}").ends_with(" 2"));
    assert!(bench.series("vigie_source_requests_total{endpoint=\"search\",outcome=\"partial\"").ends_with(" 1"));
}

#[tokio::test]
async fn posts_are_complete_under_the_names_of_guides_and_specification() {
    for names in [Names::Any, Names::Tweet, Names::Post] {
        let bench = Bench::new("").await;
        bench.fake.set(|settings| settings.names = names);
        let long = format!("paradis {}", "é".repeat(400));
        bench.fake.index(bench.fake.draft(&long).by(12, "alice").refers("quoted", 5));
        let mut source = bench.start(None);
        let batch = source.next().await;
        let post = &batch.posts[0];
        assert_eq!((post.text.as_str(), post.author.as_deref()), (long.as_str(), Some("alice")), "{names:?}");
        assert_eq!(post.details.references[0].kind, ReferenceKind::Quoted);
        assert!(
            post.details.followers.is_some()
                && post.details.metrics.is_some()
                && post.lang.is_some()
                && post.details.conversation_id.is_some()
        );
        assert!(bench.fake.requests().len() <= 3, "{names:?}");
    }
}

#[tokio::test]
async fn endless_pages_are_bounded() {
    let bench = Bench::new("page = 10\noverlap = \"0s\"").await;
    bench.fake.set(|settings| settings.endless_pages = true);
    let expected = bench.fake.backlog(25, SECOND, "paradis");
    let mut source = bench.start(None);
    source.take(25).await;
    bench.next_poll().await;
    let new = bench.fake.say("paradis, new");
    source.take(26).await;
    assert_eq!(sorted(source.ids.clone()), [expected, vec![new]].concat());
    assert!(bench.fake.requests().len() < 20, "{}", bench.fake.requests().len());
}

#[tokio::test]
async fn a_cursor_older_than_the_index_resumes_at_the_oldest_post() {
    let bench = Bench::new("overlap = \"0s\"").await;
    bench.fake.say("paradis, old");
    let mut source = bench.start(None);
    source.take(1).await;
    let (_, cursor) = source.stop().await;
    bench.clock.skip(9 * 24 * 3600);
    let new = bench.fake.say("paradis, new");
    let mut source = bench.start(cursor);
    source.take(1).await;
    assert_eq!(source.ids, [new]);
    assert!(bench.fake.requests().len() < 20, "slices grow while they are empty");
}

#[tokio::test]
async fn a_restart_before_the_first_post_starts_where_the_first_one_did() {
    let bench = Bench::new("").await;
    let mut source = bench.start(None);
    let empty = source.next().await;
    assert!(empty.received() == 0 && empty.cursor.is_some());
    let (_, cursor) = source.stop().await;
    bench.clock.skip(7200);
    let expected = bench.fake.index(bench.fake.draft_at(bench.clock.now() - SECOND * 7000, "paradis"));
    bench.clock.skip(1);
    let mut source = bench.start(cursor);
    source.take(1).await;
    assert_eq!(source.ids, [expected]);
}

#[tokio::test]
async fn mentions_are_read_from_the_timeline_at_their_price() {
    let bench = Bench::new("mode = \"mentions\"\nuser_id = \"77\"\npage = 10").await;
    for _ in 0..15 {
        bench.fake.index(bench.fake.draft("hello").mentioning(77));
    }
    bench.fake.index(bench.fake.draft("hello").mentioning(78));
    let mut source = bench.start(None);
    source.take(15).await;
    let requests = bench.fake.requests_to(Endpoint::Mentions);
    assert_eq!(requests[0].path, "/2/users/77/mentions");
    assert!(requests[1].param("pagination_token").is_some());
    let report = source.until(|report| report.spent.first().is_some_and(|spent| spent.posts == 15)).await;
    assert!((report.spent[0].dollars - 0.015).abs() < 1e-9, "{report:?}");
    assert!(report.what.starts_with("mentions of the account 77"), "{report:?}");
    assert_eq!(json!(report.state), json!({"is": "working"}));
}
