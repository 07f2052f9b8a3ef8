//! The filtered stream against the fake X API: whatever happens to the connection, no post is lost.
//!
//! Tests run in paused tokio time: hours pass in milliseconds, and every delay has its exact length.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test's helpers: a panic there is the failure it should be")]

mod fake_x;
#[path = "x_stream/pauses.rs"]
mod pauses;

use std::collections::BTreeSet;
use std::time::Duration;

use fake_x::{Act, Endpoint, FakeX, Fault, Names, Visible, tokio_clock};
use jiff::SignedDuration;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use vigie::clock::Clock;
use vigie::metrics::Metrics;
use vigie::post::{ComplianceEvent, Post, RejectedRecord};
use vigie::secret::{Secret, SecretKind, SecretSpec};
use vigie::source::twitter::{Account, AccountConfig};
use vigie::source::{Context, Cursor, Envelope, Health, SharedResources, SourceConfig, SourceSender, SourceState};

const START: &str = "2026-11-20T12:00:00Z";
const RULE: &str = "paradis";

/// A stream that runs against a fake.
struct Run {
    fake: FakeX,
    clock: Clock,
    account: AccountConfig,
    /// `stream` or `search`.
    mode: &'static str,
    /// More keys of the `[[source]]`.
    more: String,
    stream: Option<RunningSource>,
    /// All batches of all runs.
    received: Vec<Envelope>,
    cursor: Option<Cursor>,
}

struct RunningSource {
    batches: mpsc::Receiver<Envelope>,
    health: Health,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Run {
    async fn new() -> Self {
        let clock: Clock = tokio_clock(START.parse().unwrap());
        let fake = FakeX::start(clock.clone()).await;
        let mut account = AccountConfig { base_url: fake.url(), ..AccountConfig::default() };
        account.budget.dollars_per_day = None;
        account.budget.dollars_per_month = None;
        let (more, received) = (String::new(), Vec::new());
        Self { fake, clock, account, mode: "stream", more, stream: None, received, cursor: None }
    }

    /// Starts a stream and waits until it is open.
    async fn open() -> Self {
        let mut run = Self::new().await;
        run.start();
        run.fake.wait_opened(1).await;
        run
    }

    /// Starts the source from the last cursor.
    fn start(&mut self) {
        let spec = SecretSpec {
            what: "token".into(),
            variable: "T".into(),
            credential: "t".into(),
            key: "t".into(),
            file: None,
            kind: SecretKind::Token,
        };
        let token = Secret::load(&spec, |name| (name == "T").then(|| self.fake.token())).unwrap();
        let account = Account::new(&self.account, token, self.clock.clone()).unwrap();
        let Self { mode, more, .. } = self;
        let config = format!("type = \"twitter\"\nname = \"x\"\nmode = \"{mode}\"\nquery = \"{RULE}\"\n{more}");
        let config: SourceConfig = toml::from_str(&config).unwrap();
        let (clock, cursor) = (self.clock.clone(), self.cursor.clone());
        let mut source = config
            .build(&Context { shared: &SharedResources::default().with(account), topics: &[], clock, cursor })
            .unwrap()
            .unwrap();
        let (sender, batches) = mpsc::channel(4);
        let out = SourceSender::new("x", sender, self.clock.clone(), Metrics::new().source("x"));
        let (health, stop) = (out.health.clone(), CancellationToken::new());
        let stopped = stop.clone();
        let task = tokio::spawn(async move { source.run(&out, stopped).await.unwrap() });
        self.stream = Some(RunningSource { batches, health, stop, task });
    }

    /// Stops the source as the daemon does; its batches count.
    async fn stop(&mut self) {
        let mut running = self.stream.take().unwrap();
        running.stop.cancel();
        while let Some(envelope) = running.batches.recv().await {
            self.take(envelope);
        }
        running.task.await.unwrap();
    }

    /// Ends the source like a power failure: batches in the channel are lost.
    fn kill(&mut self) {
        self.stream.take().unwrap().task.abort();
    }

    fn take(&mut self, envelope: Envelope) {
        self.cursor = envelope.batch.cursor.clone().or(self.cursor.take());
        self.received.push(envelope);
    }

    /// Receives batches for this time.
    async fn pass(&mut self, time: Duration) {
        let until = tokio::time::Instant::now() + time;
        loop {
            let running = self.stream.as_mut().unwrap();
            match tokio::time::timeout_at(until, running.batches.recv()).await {
                Ok(envelope) => self.take(envelope.unwrap()),
                Err(_) => return,
            }
        }
    }

    async fn seconds(&mut self, seconds: u64) {
        self.pass(Duration::from_secs(seconds)).await;
    }

    fn posts(&self) -> impl Iterator<Item = &Post> {
        self.received.iter().flat_map(|envelope| &envelope.batch.posts)
    }

    fn ids(&self) -> Vec<u64> {
        self.posts().map(|post| post.id.parse().unwrap()).collect()
    }

    fn compliance(&self) -> Vec<ComplianceEvent> {
        self.received.iter().flat_map(|envelope| envelope.batch.compliance.clone()).collect()
    }

    fn rejected(&self) -> Vec<&RejectedRecord> {
        self.received.iter().flat_map(|envelope| &envelope.batch.rejected).collect()
    }

    fn state(&self) -> SourceState {
        self.stream.as_ref().unwrap().health.report().state
    }

    /// Checks that every post was sent at least once, and no cursor ever passed an unsent one.
    fn check(&self, expected: &[u64]) {
        let mut sent = BTreeSet::new();
        for envelope in &self.received {
            sent.extend(envelope.batch.posts.iter().map(|post| post.id.parse::<u64>().unwrap()));
            if let Some(cursor) = &envelope.batch.cursor {
                let through = cursor.read::<Value>().unwrap()["through"].as_u64().unwrap();
                let passed: Vec<_> = expected.iter().filter(|id| **id <= through && !sent.contains(id)).collect();
                assert!(passed.is_empty(), "the cursor passed {passed:?}");
            }
        }
        let lost: Vec<_> = expected.iter().filter(|id| !sent.contains(id)).collect();
        assert!(lost.is_empty(), "lost: {lost:?} of {}", expected.len());
    }

    /// Milliseconds between consecutive requests to `endpoint`.
    fn pauses(&self, endpoint: Endpoint) -> Vec<i128> {
        let requests = self.fake.requests_to(endpoint);
        requests.windows(2).map(|pair| pair[1].at.duration_since(pair[0].at).as_millis()).collect()
    }
}

fn about(expected: i128) -> impl Fn(&i128) -> bool {
    move |found| (expected..expected + 250).contains(found)
}

#[tokio::test(start_paused = true)]
async fn posts_arrive_immediately_and_only_those_of_our_rule() {
    let mut run = Run::new().await;
    run.fake.add_rule("cats", Some("theirs"));
    run.more = "topic = \"Air Paradis\"".into();
    run.start();
    run.fake.wait_opened(1).await;
    let post = run.fake.say("Air Paradis is late");
    run.fake.say("cats are fine");
    run.fake.say("nobody asked for this");
    run.pass(Duration::from_millis(250)).await;
    assert_eq!(run.ids(), [post]);
    assert_eq!(run.posts().next().unwrap().topic.as_deref(), Some("Air Paradis"));
    assert!(run.posts().all(|post| post.author.as_deref().is_some_and(|author| author.starts_with("user"))));
    assert!(run.fake.requests().iter().all(|request| request.authorised));
    assert_eq!(run.state(), SourceState::Working);
}

#[tokio::test(start_paused = true)]
async fn rules_are_synchronised_and_those_of_others_untouched() {
    let mut run = Run::new().await;
    run.fake.set(|settings| settings.rules_page = 2);
    run.fake.add_rule("cats", Some("theirs"));
    run.fake.add_rule("dogs", None);
    run.fake.add_rule("an older query", Some("vigie:x"));
    run.fake.add_rule("of a source that is gone", Some("vigie:y"));
    let expected = || {
        vec![
            ("cats".to_owned(), Some("theirs".to_owned())),
            ("dogs".to_owned(), None),
            (RULE.to_owned(), Some("vigie:x".to_owned())),
        ]
    };
    run.start();
    run.fake.wait_opened(1).await;
    assert_eq!(run.fake.rules(), expected());
    run.stop().await;
    run.start();
    run.fake.wait_opened(2).await;
    assert_eq!(run.fake.rules(), expected());
    assert_eq!(run.fake.requests_to(Endpoint::RulesChange).len(), 2, "correct rules are not changed");
}

#[tokio::test(start_paused = true)]
async fn a_deleted_rule_is_added_by_the_next_connection() {
    let mut run = Run::open().await;
    run.seconds(60).await;
    run.fake.clear_rules();
    run.fake.act(&Act::Cut);
    run.fake.wait_opened(2).await;
    assert_eq!(run.fake.rules().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn missing_rules_are_added_and_the_stream_opened_immediately() {
    let mut run = Run::new().await;
    run.fake.fault(Endpoint::Stream, Fault::conflict());
    run.start();
    run.fake.wait_opened(1).await;
    assert_eq!(run.fake.requests_to(Endpoint::Rules).len(), 2);
    assert!(run.pauses(Endpoint::Stream).iter().all(about(0)));
}

#[tokio::test(start_paused = true)]
async fn too_many_connections_are_ended_once() {
    let mut run = Run::new().await;
    run.fake.stranger_connects();
    run.start();
    run.fake.wait_opened(1).await;
    assert_eq!(run.fake.requests_to(Endpoint::Connections).len(), 1);
    // Another program does the same: the source does not end its connection again.
    run.fake.act(&Act::Cut);
    run.fake.stranger_connects();
    run.seconds(30).await;
    assert_eq!((run.fake.requests_to(Endpoint::Connections).len(), run.fake.opened()), (1, 1));
    assert!(matches!(run.state(), SourceState::Waiting { .. }));
    run.fake.strangers_leave();
    run.fake.wait_opened(2).await;
    assert!(run.pauses(Endpoint::Stream).iter().any(about(60_000)), "{:?}", run.pauses(Endpoint::Stream));
}

#[tokio::test(start_paused = true)]
async fn a_quiet_stream_stays_connected() {
    let mut run = Run::open().await;
    run.seconds(3_600).await;
    assert_eq!(run.fake.opened(), 1);
    let report = run.stream.as_ref().unwrap().health.report();
    assert!(run.fake.now().duration_since(report.last_success.unwrap()).as_secs() <= 20);
    assert!(!report.is_stalled(START.parse().unwrap(), run.fake.now()));
}

#[tokio::test(start_paused = true)]
async fn a_silent_stream_is_dead_after_21_seconds_and_its_gap_filled() {
    let mut run = Run::open().await;
    let mut expected = vec![run.fake.say("paradis, heard")];
    run.seconds(30).await;
    run.fake.act(&Act::Stall);
    let before = run.fake.now();
    run.seconds(5).await;
    expected.push(run.fake.say("paradis, into the silence"));
    run.fake.wait_opened(2).await;
    let silent = run.fake.now().duration_since(before).as_millis();
    assert!((11_000..=21_100).contains(&silent), "21 s after the last keep-alive, not {silent} ms");
    run.seconds(2).await;
    run.check(&expected);
}

#[tokio::test(start_paused = true)]
async fn a_truncated_post_is_read_by_search() {
    let mut run = Run::open().await;
    let post = run.fake.draft("paradis, cut short");
    let id = run.fake.index(post.clone());
    run.fake.act(&Act::Bytes(format!("{{\"data\":{{\"id\":\"{id}\",\"text\":\"paradis, cu").into()));
    run.fake.act(&Act::Cut);
    run.fake.wait_opened(2).await;
    run.seconds(2).await;
    run.check(&[id]);
    assert_eq!(run.posts().next().unwrap().text, "paradis, cut short");
    assert_eq!(run.rejected(), Vec::<&RejectedRecord>::new());
}

#[tokio::test(start_paused = true)]
async fn every_end_of_a_connection_leads_to_a_new_one_and_a_gap_fill() {
    for end in [Act::OperationalDisconnect, Act::End, Act::Cut] {
        let mut run = Run::open().await;
        run.seconds(30).await;
        let mut expected = vec![run.fake.say("paradis, before")];
        run.fake.act(&end);
        tokio::time::sleep(Duration::from_millis(1)).await;
        expected.push(run.fake.say("paradis, in between"));
        run.fake.wait_opened(2).await;
        expected.push(run.fake.say("paradis, after"));
        run.seconds(2).await;
        run.check(&expected);
        assert!(about(30_000)(&run.pauses(Endpoint::Stream)[0]), "{end:?}: immediately");
    }
}

#[tokio::test(start_paused = true)]
async fn lost_connections_in_a_row_wait_250_ms_more_each_time() {
    let mut run = Run::new().await;
    for _ in 0..5 {
        run.fake.on_connect(vec![Act::Cut]);
    }
    run.start();
    run.fake.wait_opened(6).await;
    for (found, expected) in run.pauses(Endpoint::Stream).iter().zip([0, 250, 500, 750, 1_000]) {
        assert!(about(expected)(found), "{found} ms instead of {expected}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_response_to_a_connection_decides_the_delay() {
    let mut run = Run::new().await;
    for fault in [
        Fault::unavailable(),
        Fault::server_error(),
        Fault::RateLimited { reset_in: 77 },
        Fault::too_many_requests(),
        Fault::too_many_requests(),
        Fault::html(502),
        Fault::retry_after(33),
    ] {
        run.fake.fault(Endpoint::Stream, fault);
    }
    run.start();
    run.seconds(1).await;
    assert!(matches!(run.state(), SourceState::Waiting { .. }));
    run.fake.wait_opened(1).await;
    let pauses = run.pauses(Endpoint::Stream);
    for (found, expected) in pauses.iter().zip([5_000, 10_000, 77_000, 60_000, 120_000, 20_000, 33_000]) {
        assert!((expected..expected + 1_100).contains(found), "{found} ms instead of {expected}");
    }
    assert_eq!(pauses.len(), 7);
}

#[tokio::test(start_paused = true)]
async fn a_rejected_token_is_retried_rarely() {
    for fault in [Fault::unauthorized(), Fault::forbidden(), Fault::bad_request(), Fault::usage_capped()] {
        let mut run = Run::new().await;
        run.fake.fault_always(Endpoint::Stream, Some(fault.clone()));
        run.start();
        run.seconds(600).await;
        let SourceState::Blocked { why } = run.state() else { panic!("{:?}", run.state()) };
        assert!(!why.is_empty() && !why.contains(&run.fake.token()), "{why}");
        // Other names of the fields are tried before a 400 counts.
        assert!(run.fake.requests_to(Endpoint::Stream).len() <= 6, "{fault:?}");
        run.fake.fault_always(Endpoint::Stream, None);
        let missed = run.fake.say("paradis, while nobody listened");
        run.fake.wait_opened(1).await;
        run.seconds(2).await;
        run.check(&[missed]);
        assert_eq!(run.state(), SourceState::Working);
    }
}

#[tokio::test(start_paused = true)]
async fn duplicates_and_disorder_lose_nothing() {
    let mut run = Run::open().await;
    run.seconds(60).await;
    let start = run.fake.now();
    let mut expected = Vec::new();
    for place in 0..200_i64 {
        // Posts of the last 12 s, which is within the margin, in pseudo-random order.
        let at = start + SignedDuration::from_millis((place * 7_919) % 12_000 - 12_000);
        let post = run.fake.draft_at(at, "paradis");
        expected.push(run.fake.publish(post.clone()));
        if place % 3 == 0 {
            run.fake.send(post);
        }
        run.pass(Duration::from_millis(20)).await;
    }
    run.seconds(2).await;
    run.check(&expected);
    assert!(run.ids().len() >= 266, "the pipeline drops duplicates");
    // A kill here leaves no gap.
    run.kill();
    expected.push(run.fake.say("paradis, while dead"));
    run.start();
    run.fake.wait_opened(2).await;
    run.seconds(2).await;
    run.check(&expected);
}

#[tokio::test(start_paused = true)]
async fn a_long_gap_is_filled_page_by_page_including_late_posts() {
    let mut run = Run::open().await;
    run.seconds(60).await;
    let mut expected = vec![run.fake.say("paradis, before")];
    run.seconds(1).await;
    run.fake.fault_always(Endpoint::Stream, Some(Fault::unavailable()));
    run.fake.act(&Act::Cut);
    for _ in 0..1_050 {
        expected.push(run.fake.say("paradis, in the gap"));
        run.pass(Duration::from_millis(500)).await;
    }
    let soon = run.fake.now() + SignedDuration::from_secs(45);
    expected.push(run.fake.index(run.fake.draft("paradis, shown late").visible(Visible::At(soon))));
    for fault in [
        Fault::unavailable(),
        Fault::MalformedJson,
        Fault::Cut,
        Fault::RateLimited { reset_in: 20 },
        Fault::bad_request(),
    ] {
        run.fake.fault(Endpoint::Search, fault);
    }
    run.fake.fault_always(Endpoint::Stream, None);
    run.fake.wait_opened(2).await;
    for _ in 0..20 {
        expected.push(run.fake.say("paradis, live while the gap is filled"));
        run.seconds(1).await;
    }
    run.seconds(1_200).await;
    run.check(&expected);
    let searches = run.fake.requests_to(Endpoint::Search);
    assert!(searches.len() < 40, "{} searches", searches.len());
    assert!(run.ids().len() < expected.len() + 200, "{} posts read for {}", run.ids().len(), expected.len());
}

#[tokio::test(start_paused = true)]
async fn endless_pages_are_bounded() {
    let mut run = Run::new().await;
    run.fake.set(|settings| settings.endless_pages = true);
    let mut expected = run.fake.backlog(150, SignedDuration::from_secs(1), "paradis");
    run.start();
    run.fake.wait_opened(1).await;
    run.seconds(300).await;
    let searches = run.fake.requests_to(Endpoint::Search).len();
    assert!(searches < 60, "{searches} searches");
    expected.push(run.fake.say("paradis"));
    run.seconds(1).await;
    run.check(&expected);
    assert_eq!(run.fake.requests_to(Endpoint::Search).len(), searches);
}

#[tokio::test(start_paused = true)]
async fn a_restart_resumes_at_the_last_commit() {
    let mut run = Run::new().await;
    run.more = "backfill = \"1h\"".into();
    let mut expected = run.fake.backlog(30, SignedDuration::from_secs(60), "paradis, before the first start");
    run.start();
    run.fake.wait_opened(1).await;
    run.seconds(120).await;
    run.stop().await;
    run.check(&expected);
    for round in 2..6 {
        expected.push(run.fake.say("paradis, between two runs"));
        tokio::time::sleep(Duration::from_secs(600)).await;
        run.start();
        run.fake.wait_opened(round).await;
        expected.push(run.fake.say("paradis, running"));
        run.seconds(round).await;
        if round % 2 == 0 { run.stop().await } else { run.kill() }
    }
    run.start();
    run.fake.wait_opened(6).await;
    run.seconds(120).await;
    run.check(&expected);
}

#[tokio::test(start_paused = true)]
async fn deletions_and_edits_are_passed_on() {
    let mut run = Run::open().await;
    let post = run.fake.say("paradis, to be edited");
    let edited = run.fake.publish(run.fake.draft("paradis, edited").edit_of(&[post]));
    run.fake.delete(edited);
    run.fake.comply("delete", 11, 7);
    run.fake.comply("withheld", 12, 7);
    run.fake.comply("drop", 13, 7);
    run.fake.comply("undrop", 13, 7);
    run.fake.comply_edit(&[21, 22, 23]);
    run.fake.line(&json!({"data": {"user_delete": {"user": {"id": "7"}, "event_at": "2026-11-20T12:00:00Z"}}}));
    run.seconds(1).await;
    let gone = |id: &str| ComplianceEvent::PostGone { id: id.into() };
    let by = |id: &str, by: &str| ComplianceEvent::PostEdited { id: id.into(), by: by.into() };
    let expected = [
        by(&post.to_string(), &edited.to_string()),
        gone(&edited.to_string()),
        gone("11"),
        gone("12"),
        gone("13"),
        by("21", "23"),
        by("22", "23"),
        ComplianceEvent::AuthorGone { author_id: "7".into() },
    ];
    let compliance = run.compliance();
    // The gap-fill reads the edited post, too.
    for notice in &expected {
        assert!(compliance.contains(notice), "{notice:?} is not in {compliance:?}");
    }
    assert!(compliance.iter().all(|notice| expected.contains(notice)), "{compliance:?}");
    run.check(&[post, edited]);
}

#[tokio::test(start_paused = true)]
async fn unreadable_lines_are_rejected_alone() {
    let mut run = Run::open().await;
    run.seconds(60).await;
    run.fake.act(&Act::Line("{\"data\": nonsense".into()));
    run.fake.send(run.fake.draft("paradis").without_text());
    run.fake.send(run.fake.draft("paradis").with_wrong_type());
    let lenient = run.fake.publish(run.fake.draft("paradis").with_new_enum_value());
    run.fake.act(&Act::Line("x".repeat(3 << 20)));
    let after = run.fake.say("paradis, after all that");
    run.seconds(2).await;
    run.check(&[lenient, after]);
    let reasons: Vec<&str> = run.rejected().iter().map(|rejected| rejected.reason.as_str()).collect();
    assert_eq!(reasons, ["json", "empty_text", "empty_text", "too_long"]);
    assert_eq!(run.fake.opened(), 1);
}

#[tokio::test(start_paused = true)]
async fn both_names_of_fields_are_supported() {
    for names in [Names::Tweet, Names::Post, Names::Any] {
        let mut run = Run::new().await;
        run.fake.set(|settings| settings.names = names);
        let long = format!("paradis {}", "and so on ".repeat(50));
        let by_search = run.fake.say(&long);
        run.start();
        run.fake.wait_opened(1).await;
        let by_stream = run.fake.say(&long);
        run.seconds(2).await;
        run.check(&[by_search, by_stream]);
        assert!(run.posts().all(|post| post.text == long && post.details.metrics.is_some()), "{names:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_spent_budget_closes_the_stream_until_the_next_day() {
    let mut run = Run::new().await;
    run.account.budget.posts_per_day = Some(50);
    run.start();
    run.fake.wait_opened(1).await;
    run.seconds(90).await;
    let mut expected = Vec::new();
    for _ in 0..60 {
        expected.push(run.fake.say("paradis"));
        run.seconds(1).await;
    }
    assert!(matches!(run.state(), SourceState::Blocked { .. }), "{:?}", run.state());
    assert_eq!(run.fake.connections(), 0);
    assert!(run.ids().len() <= 51, "{}", run.ids().len());
    // A restart does not reset the budget.
    run.stop().await;
    run.start();
    run.seconds(60).await;
    assert_eq!((run.fake.opened(), run.fake.connections()), (1, 0));
    let report = run.stream.as_ref().unwrap().health.report();
    assert!(report.problems.keys().any(|name| name.starts_with("Budget")), "{report:?}");
    run.seconds(12 * 3_600).await;
    assert_eq!(run.fake.connections(), 1);
    run.check(&expected);
}

#[tokio::test(start_paused = true)]
async fn a_pipeline_that_is_full_loses_nothing() {
    let mut run = Run::open().await;
    run.seconds(90).await;
    let mut expected = Vec::new();
    for _ in 0..3_000 {
        expected.push(run.fake.say("paradis"));
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    run.seconds(120).await;
    run.check(&expected);
}

/// Faults of every kind in pseudo-random order for half an hour.
#[tokio::test(start_paused = true)]
async fn nothing_is_lost_in_a_storm() {
    for seed in [1_u64, 2, 3] {
        let mut run = Run::new().await;
        run.start();
        let mut random = seed;
        let mut next = |below: u64| {
            // Knuth's constants; any generator will do.
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (random >> 33) % below
        };
        let mut expected = Vec::new();
        for _ in 0..900 {
            for _ in 0..next(4) {
                let mut post = run.fake.draft("paradis");
                if next(10) == 0 {
                    post = post.visible(Visible::At(run.fake.now() + SignedDuration::from_secs(20)));
                }
                expected.push(run.fake.publish(post.clone()));
                if next(8) == 0 {
                    run.fake.send(post);
                }
            }
            let stream =
                [Fault::unavailable(), Fault::Slow(Duration::from_secs(40)), Fault::conflict(), Fault::html(502)];
            let search = [Fault::server_error(), Fault::Cut, Fault::MalformedJson, Fault::RateLimited { reset_in: 5 }];
            match next(120) {
                0 => run.fake.act(&Act::Cut),
                1 => run.fake.act(&Act::End),
                2 => run.fake.act(&Act::OperationalDisconnect),
                3 => run.fake.act(&Act::Stall),
                4 => {
                    run.fake.act(&Act::Bytes(b"{\"data\":".to_vec()));
                    run.fake.act(&Act::Cut);
                }
                5 => run.fake.fault(Endpoint::Stream, stream[next(4) as usize].clone()),
                6 | 7 => run.fake.fault(Endpoint::Search, search[next(4) as usize].clone()),
                8 => {
                    run.kill();
                    run.start();
                }
                9 => {
                    run.stop().await;
                    run.start();
                }
                _ => {}
            }
            run.seconds(2).await;
        }
        run.seconds(1_800).await;
        run.check(&expected);
        assert_eq!(run.fake.connections(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn an_absence_longer_than_the_index_loses_only_what_x_no_longer_serves() {
    for behind in [0, 600] {
        let mut run = Run::open().await;
        run.fake.say("paradis, long ago");
        run.seconds(120).await;
        run.stop().await;
        // Our clock may be behind that of X.
        let (start, week) = (run.clock.clone(), SignedDuration::from_hours(7 * 24));
        let shifted = |by: SignedDuration| -> Clock {
            let start = start.clone();
            std::sync::Arc::new(move || start() + by)
        };
        run.fake.set_clock(shifted(week));
        run.clock = shifted(week - SignedDuration::from_secs(behind));
        let post =
            run.fake.index(run.fake.draft_at(run.fake.now() - SignedDuration::from_hours(24), "paradis, yesterday"));
        run.start();
        run.fake.wait_opened(2).await;
        run.seconds(10).await;
        assert!(run.ids().contains(&post), "{:?}", run.fake.requests_to(Endpoint::Search).last());
    }
}
