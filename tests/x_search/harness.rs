//! A source on X that runs against the fake, with a clock that the test moves forward.
#![allow(unreachable_pub, reason = "a module of a test, which exports nothing")]

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use vigie::clock::Clock;
use vigie::metrics::Metrics;
use vigie::post::Topic;
use vigie::secret::{Secret, SecretKind, SecretSpec};
use vigie::source::twitter::{Account, AccountConfig, Budget};
use vigie::source::{
    Context, Cursor, Envelope, HealthReport, SharedResources, SourceBatch, SourceConfig, SourceFailure, SourceSender,
    SourceState,
};

use crate::fake_x::FakeX;

/// Real time within which an expected event must happen.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Runs at real speed and can be moved forward.
#[derive(Clone)]
pub struct TestClock {
    start: Timestamp,
    begun: Instant,
    ahead: Arc<AtomicI64>,
}

impl TestClock {
    pub fn new() -> Self {
        let start = "2026-11-23T12:00:00Z".parse().unwrap();
        Self { start, begun: Instant::now(), ahead: Arc::default() }
    }

    pub fn now(&self) -> Timestamp {
        let passed = SignedDuration::try_from(self.begun.elapsed()).unwrap();
        self.start + passed + SignedDuration::from_millis(self.ahead.load(Ordering::SeqCst))
    }

    pub fn skip(&self, seconds: i64) {
        self.ahead.fetch_add(seconds * 1_000, Ordering::SeqCst);
    }

    pub fn read(&self) -> Clock {
        let clock = self.clone();
        Arc::new(move || clock.now())
    }
}

/// Everything that is needed to start a source repeatedly.
pub struct Bench {
    pub clock: TestClock,
    pub fake: FakeX,
    pub config: SourceConfig,
    pub account: AccountConfig,
    pub metrics: Metrics,
}

impl Bench {
    pub async fn new(config: &str) -> Self {
        let clock = TestClock::new();
        let fake = FakeX::start(clock.read()).await;
        let base =
            "name = \"x\"\ntype = \"twitter\"\nmode = \"search\"\ninterval_min = \"30s\"\ninterval_max = \"30s\"\n";
        let mut table: toml::Table = toml::from_str(base).unwrap();
        table.extend(toml::from_str::<toml::Table>(config).unwrap());
        let budget = Budget { dollars_per_day: None, dollars_per_month: None, ..Budget::default() };
        let account = AccountConfig { base_url: fake.url(), budget, ..AccountConfig::default() };
        Self { clock, fake, config: table.try_into().unwrap(), account, metrics: Metrics::new() }
    }

    /// Starts the source from a cursor, with a channel of one batch.
    pub fn start(&self, cursor: Option<Cursor>) -> RunningSource {
        let spec = SecretSpec {
            what: "token".into(),
            variable: "T".into(),
            credential: "t".into(),
            key: "t".into(),
            file: None,
            kind: SecretKind::Token,
        };
        let token = Secret::load(&spec, |name| (name == "T").then(|| self.fake.token())).unwrap();
        self.start_with(token, cursor)
    }

    pub fn start_with(&self, token: Secret, cursor: Option<Cursor>) -> RunningSource {
        let account = Account::new(&self.account, token, self.clock.read()).unwrap();
        let topic = Topic { name: "Air Paradis".into(), keywords: vec!["paradis".into()], ..Topic::default() };
        let context = Context {
            shared: &SharedResources::default().with(account),
            topics: &[topic],
            clock: self.clock.read(),
            cursor: cursor.clone(),
        };
        let mut source = self.config.build(&context).unwrap().unwrap();
        let (sender, batches) = mpsc::channel(1);
        let out = SourceSender::new("x", sender, self.clock.read(), self.metrics.source("x"));
        let (stop, own) = (CancellationToken::new(), out.clone());
        let stopped = stop.clone();
        let task = tokio::spawn(async move { source.run(&own, stopped).await });
        RunningSource { batches, out, stop, task, cursor, ids: Vec::new(), largest: 0 }
    }

    /// Moves the clock to the next poll, once the current one is done.
    pub async fn next_poll(&self) {
        let mut asked = 0;
        while asked != self.fake.requests().len() {
            asked = self.fake.requests().len();
            tokio::time::sleep(Duration::from_millis(150)).await;
        }
        self.clock.skip(31);
    }

    pub fn series(&self, start: &str) -> String {
        let text = self.metrics.render().unwrap();
        text.lines().find(|line| line.starts_with(start)).unwrap_or_default().to_owned()
    }
}

/// A running source with its output.
pub struct RunningSource {
    batches: mpsc::Receiver<Envelope>,
    pub out: SourceSender,
    stop: CancellationToken,
    task: JoinHandle<Result<(), SourceFailure>>,
    /// The last cursor.
    pub cursor: Option<Cursor>,
    /// IDs of the posts in the order of arrival.
    pub ids: Vec<u64>,
    /// Records in the largest batch.
    pub largest: usize,
}

impl RunningSource {
    /// Receives the next batch.
    pub async fn next(&mut self) -> SourceBatch {
        let envelope = tokio::time::timeout(TIMEOUT, self.batches.recv()).await;
        let envelope = envelope.unwrap_or_else(|_| panic!("no batch; {:?}", self.report()));
        let batch = envelope.expect("the source runs").batch;
        self.cursor = batch.cursor.clone().or(self.cursor.take());
        self.ids.extend(batch.posts.iter().map(|post| post.id.parse::<u64>().unwrap()));
        self.largest = self.largest.max(batch.received());
        batch
    }

    /// Receives batches until there are `posts` posts in total.
    pub async fn take(&mut self, posts: usize) {
        while self.ids.len() < posts {
            self.next().await;
        }
    }

    /// Waits for a report that meets the condition.
    pub async fn until(&self, expected: impl Fn(&HealthReport) -> bool) -> HealthReport {
        let begun = Instant::now();
        loop {
            let report = self.report();
            if expected(&report) {
                return report;
            }
            assert!(begun.elapsed() < TIMEOUT, "{report:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub async fn until_held(&self) -> HealthReport {
        self.until(|report| matches!(report.state, SourceState::Waiting { .. } | SourceState::Blocked { .. })).await
    }

    pub fn report(&self) -> HealthReport {
        self.out.health.report()
    }

    /// Ends the source like a crash: batches in the channel are lost.
    pub async fn stop(self) -> (Vec<u64>, Option<Cursor>) {
        self.stop.cancel();
        drop(self.batches);
        tokio::time::timeout(TIMEOUT, self.task).await.expect("it stops").unwrap().ok();
        (self.ids, self.cursor)
    }
}

/// The IDs in order, without duplicates.
pub fn sorted(mut ids: Vec<u64>) -> Vec<u64> {
    ids.sort_unstable();
    ids.dedup();
    ids
}
