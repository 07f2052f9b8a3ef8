//! What X may answer instead of posts: how long it is left alone, what the source says of itself, and that it goes on.

use std::time::Duration;

use jiff::SignedDuration;
use vigie::secret::{Form, Secret, Wanted};
use vigie::source::SourceState;

use crate::fake_x::{Endpoint, FakeX, Fault};
use crate::harness::Bench;

/// Meets one fault on the first poll: the state then, and the seconds until the next try.
async fn meets(fault: Fault) -> (SourceState, i64) {
    let bench = Bench::new("").await;
    bench.fake.say("paradis");
    // Until X has answered once, a refusal may be about the names of fields.
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
async fn a_rate_limit_is_kept_for_as_long_as_x_says() {
    let (reset, after, unsaid) = tokio::join!(
        meets(Fault::RateLimited { reset_in: 100 }),
        meets(Fault::retry_after(7)),
        meets(Fault::too_many_requests()),
    );
    for ((state, waited), least, most) in [(reset, 82, 210), (after, 7, 15), (unsaid, 42, 95)] {
        assert!(waits(&state) && (least..=most).contains(&waited), "{state:?} {waited}");
    }
}

#[tokio::test]
async fn what_passes_by_itself_is_tried_again_soon() {
    let faults = [Fault::server_error(), Fault::unavailable(), Fault::html(502), Fault::MalformedJson, Fault::Cut];
    let met = futures_util::future::join_all(faults.map(meets)).await;
    for (state, waited) in met {
        assert!(waits(&state) && waited <= 13, "{state:?} {waited}");
    }
}

#[tokio::test]
async fn what_people_must_mend_is_said_and_tried_seldom() {
    let (token, rights, request, cap) = tokio::join!(
        meets(Fault::unauthorized()),
        meets(Fault::forbidden()),
        meets(Fault::bad_request()),
        meets(Fault::usage_capped()),
    );
    assert!(blocked_with(&token.0, "VIGIE_X_TOKEN") && token.1 > 200, "{token:?}");
    assert!(blocked_with(&rights.0, "developer console") && rights.1 > 200, "{rights:?}");
    assert!(blocked_with(&request.0, "query") && request.1 > 200, "{request:?}");
    assert!(blocked_with(&cap.0, "Monthly product cap") && cap.1 > 4_000, "{cap:?}");
}

#[tokio::test]
async fn an_answer_that_does_not_come_is_given_up() {
    let mut bench = Bench::new("").await;
    bench.account.timeout = SignedDuration::from_millis(300);
    bench.fake.fault(Endpoint::Search, Fault::Hang);
    let wanted = bench.fake.say("paradis");
    let mut source = bench.start(None);
    let report = source.until_held().await;
    assert!(report.last_error.unwrap().contains("x.timeout"));
    bench.clock.skip(2);
    source.take(1).await;
    assert_eq!(source.ids, [wanted]);
}

/// As X says it; the fake's identifiers are all of the present, so that it would not.
#[tokio::test]
async fn a_place_to_go_on_from_that_x_does_not_know_is_given_up() {
    let bench = Bench::new("").await;
    bench.fake.say("paradis");
    let mut source = bench.start(None);
    source.take(1).await;
    let body = r#"{"errors":[{"parameters":{"since_id":["1"]},"message":"'since_id' must be a tweet id created after"}],
        "title":"Invalid Request","detail":"One or more parameters","type":"https://api.x.com/2/problems/invalid-request"}"#;
    bench.fake.fault(Endpoint::Search, Fault::Answer { status: 400, headers: vec![], body: body.into() });
    let wanted = bench.fake.index(bench.fake.draft("paradis"));
    bench.next_poll().await;
    while !source.ids.contains(&wanted) {
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
async fn the_token_goes_to_no_other_host() {
    let bench = Bench::new("").await;
    let other = FakeX::start(bench.clock.read()).await;
    bench.fake.fault_always(Endpoint::Search, Some(Fault::Redirect(format!("{}/2/tweets/search/recent", other.url()))));
    let source = bench.start(None);
    let report = source.until_held().await;
    assert!(matches!(report.state, SourceState::Blocked { .. }), "{report:?}");
    assert_eq!(other.requests().len(), 0);
}

#[tokio::test]
async fn a_wrong_token_is_refused_without_being_shown() {
    let bench = Bench::new("").await;
    let wanted = Wanted {
        what: "token".into(),
        variable: "T".into(),
        credential: "t".into(),
        key: "t".into(),
        file: None,
        form: Form::Token,
    };
    let token = Secret::find(&wanted, |name| (name == "T").then(|| "wrong-and-secret".to_owned())).unwrap();
    let source = bench.start_with(token, None);
    let report = source.until_held().await;
    assert!(!format!("{report:?}").contains("wrong-and-secret"));
    assert!(bench.series("vigie_source_requests_total{endpoint=\"search\",outcome=\"unauthorised\"").ends_with(" 1"));
}

#[tokio::test]
async fn a_host_that_is_not_there_is_tried_again() {
    let mut bench = Bench::new("").await;
    bench.account.base_url = "http://127.0.0.1:1".into();
    let source = bench.start(None);
    let report = source.until_held().await;
    assert!(waits(&report.state) && report.last_error.unwrap().contains("cannot be reached"));
}
