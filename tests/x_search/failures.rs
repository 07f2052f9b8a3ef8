//! Failures of X: how long the source pauses, which state it reports, and that it continues afterwards.

use std::time::Duration;

use jiff::SignedDuration;
use vigie::secret::{Secret, SecretKind, SecretSpec};
use vigie::source::SourceState;

use crate::fake_x::{Endpoint, FakeX, Fault};
use crate::harness::Bench;

/// Injects one fault. Returns the state of the source and the seconds until its next request.
async fn inject(fault: Fault) -> (SourceState, i64) {
    let bench = Bench::new("").await;
    bench.fake.say("paradis");
    // Before the first response, an error may be due to the names of fields.
    let mut source = bench.start(None);
    source.take(1).await;
    bench.fake.fault(Endpoint::Search, fault);
    bench.next_poll().await;
    let report = source.until_held().await;
    assert!(report.last_error.is_some_and(|error| !error.contains('\n') && !error.contains("fake-token")));
    let held = bench.clock.now();
    let asked = bench.fake.requests().len();
    let new = bench.fake.say("paradis, behind the failure");
    let mut waited = 0;
    for step in [1_i64, 1, 2, 3, 5, 10, 20, 40, 120, 400, 1_200, 2_400, 50_000] {
        tokio::time::sleep(Duration::from_millis(250)).await;
        if bench.fake.requests().len() > asked {
            break;
        }
        bench.clock.skip(step);
        waited = bench.clock.now().duration_since(held).as_secs();
    }
    while !source.ids.contains(&new) {
        source.next().await;
    }
    source.until(|report| report.state == SourceState::Working).await;
    (report.state, waited)
}

fn waits(state: &SourceState) -> bool {
    matches!(state, SourceState::Waiting { .. })
}

fn blocked_with(state: &SourceState, words: &str) -> bool {
    matches!(state, SourceState::Blocked { why } if why.contains(words))
}

#[tokio::test]
async fn a_rate_limit_lasts_as_long_as_x_says() {
    let (reset, after, unspecified) = tokio::join!(
        inject(Fault::RateLimited { reset_in: 100 }),
        inject(Fault::retry_after(7)),
        inject(Fault::too_many_requests()),
    );
    for ((state, waited), min, max) in [(reset, 82, 210), (after, 7, 15), (unspecified, 42, 95)] {
        assert!(waits(&state) && (min..=max).contains(&waited), "{state:?} {waited}");
    }
}

#[tokio::test]
async fn transient_failures_are_retried_soon() {
    let faults = [Fault::server_error(), Fault::unavailable(), Fault::html(502), Fault::MalformedJson, Fault::Cut];
    let results = futures_util::future::join_all(faults.map(inject)).await;
    for (state, waited) in results {
        assert!(waits(&state) && waited <= 13, "{state:?} {waited}");
    }
}

#[tokio::test]
async fn permanent_failures_name_the_remedy_and_are_retried_rarely() {
    let (token, rights, request, cap) = tokio::join!(
        inject(Fault::unauthorized()),
        inject(Fault::forbidden()),
        inject(Fault::bad_request()),
        inject(Fault::usage_capped()),
    );
    assert!(blocked_with(&token.0, "VIGIE_X_TOKEN") && token.1 > 200, "{token:?}");
    assert!(blocked_with(&rights.0, "developer console") && rights.1 > 200, "{rights:?}");
    assert!(blocked_with(&request.0, "query") && request.1 > 200, "{request:?}");
    assert!(blocked_with(&cap.0, "Monthly product cap") && cap.1 > 4_000, "{cap:?}");
}

#[tokio::test]
async fn a_missing_response_times_out() {
    let mut bench = Bench::new("").await;
    bench.account.timeout = SignedDuration::from_millis(300);
    bench.fake.fault(Endpoint::Search, Fault::Hang);
    let expected = bench.fake.say("paradis");
    let mut source = bench.start(None);
    let report = source.until_held().await;
    assert!(report.last_error.unwrap().contains("x.timeout"));
    bench.clock.skip(2);
    source.take(1).await;
    assert_eq!(source.ids, [expected]);
}

/// X rejects old IDs like this; the fake does not, as all its IDs are recent.
#[tokio::test]
async fn a_cursor_that_x_rejects_is_dropped() {
    let bench = Bench::new("").await;
    bench.fake.say("paradis");
    let mut source = bench.start(None);
    source.take(1).await;
    let body = r#"{"errors":[{"parameters":{"since_id":["1"]},"message":"'since_id' must be a tweet id created after"}],
        "title":"Invalid Request","detail":"One or more parameters","type":"https://api.x.com/2/problems/invalid-request"}"#;
    bench.fake.fault(Endpoint::Search, Fault::Answer { status: 400, headers: vec![], body: body.into() });
    let expected = bench.fake.index(bench.fake.draft("paradis"));
    bench.next_poll().await;
    while !source.ids.contains(&expected) {
        source.next().await;
    }
    let report = source.until(|report| report.state == SourceState::Working).await;
    let requests = bench.fake.requests_to(Endpoint::Search);
    assert!(report.last_error.is_some_and(|error| error.contains("lost")), "{requests:#?}");
    let refused = &bench.fake.requests_to(Endpoint::Search)[1];
    let next = &bench.fake.requests_to(Endpoint::Search)[2];
    assert!(refused.param("since_id").is_some() && next.param("start_time").is_some(), "{next:?}");
}

#[tokio::test]
async fn the_token_is_sent_to_no_other_host() {
    let bench = Bench::new("").await;
    let other = FakeX::start(bench.clock.read()).await;
    bench.fake.fault_always(Endpoint::Search, Some(Fault::Redirect(format!("{}/2/tweets/search/recent", other.url()))));
    let source = bench.start(None);
    let report = source.until_held().await;
    assert!(matches!(report.state, SourceState::Blocked { .. }), "{report:?}");
    assert_eq!(other.requests().len(), 0);
}

#[tokio::test]
async fn a_wrong_token_is_rejected_without_being_shown() {
    let bench = Bench::new("").await;
    let spec = SecretSpec {
        what: "token".into(),
        variable: "T".into(),
        credential: "t".into(),
        key: "t".into(),
        file: None,
        kind: SecretKind::Token,
    };
    let token = Secret::load(&spec, |name| (name == "T").then(|| "wrong-and-secret".to_owned())).unwrap();
    let source = bench.start_with(token, None);
    let report = source.until_held().await;
    assert!(!format!("{report:?}").contains("wrong-and-secret"));
    assert!(bench.series("vigie_source_requests_total{endpoint=\"search\",outcome=\"unauthorised\"").ends_with(" 1"));
}

#[tokio::test]
async fn an_unreachable_host_is_retried() {
    let mut bench = Bench::new("").await;
    bench.account.base_url = "http://127.0.0.1:1".into();
    let source = bench.start(None);
    let report = source.until_held().await;
    assert!(waits(&report.state) && report.last_error.unwrap().contains("cannot be reached"));
}
