//! A source on X that runs against the fake, with a clock that the test sets forward.
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
use vigie::secret::{Form, Secret, Wanted};
use vigie::source::twitter::{Account, AccountConfig, Budget};
use vigie::source::{Arrived, Context, Cursor, Delivery, Outlet, Report, SourceConfig, SourceFailure, SourceState};

use crate::fake_x::FakeX;

/// How long the real clock may go on until something that is expected has happened.
const PATIENCE: Duration = Duration::from_secs(20);

/// Goes on as the real clock does, and is set forward.
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

/// What is needed to start a source again and again.
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

    /// Starts the source from a cursor, in front of a channel of one delivery.
    pub fn start(&self, cursor: Option<Cursor>) -> Running {
        let wanted = Wanted {
            what: "token".into(),
            variable: "T".into(),
            credential: "t".into(),
            key: "t".into(),
            file: None,
            form: Form::Token,
        };
        let token = Secret::find(&wanted, |name| (name == "T").then(|| self.fake.token())).unwrap();
        self.start_with(token, cursor)
    }

    pub fn start_with(&self, token: Secret, cursor: Option<Cursor>) -> Running {
        let account = Account::new(&self.account, token, self.clock.read()).unwrap();
        let topic = Topic { name: "Air Paradis".into(), keywords: vec!["paradis".into()], ..Topic::default() };
        let context = Context { x: Some(&account), topics: &[topic], clock: self.clock.read(), cursor: cursor.clone() };
        let mut source = self.config.build(&context).unwrap().unwrap();
        let (sender, deliveries) = mpsc::channel(1);
        let outlet = Outlet::new("x", sender, self.clock.read(), self.metrics.source("x"));
        let (stop, own) = (CancellationToken::new(), outlet.clone());
        let stopped = stop.clone();
        let task = tokio::spawn(async move { source.run(&own, stopped).await });
        Running { deliveries, outlet, stop, task, cursor, ids: Vec::new(), largest: 0 }
    }

    /// Sets the clock to the next poll, once this one has come to its end.
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

/// A running source, and what it has delivered.
pub struct Running {
    deliveries: mpsc::Receiver<Arrived>,
    pub outlet: Outlet,
    stop: CancellationToken,
    task: JoinHandle<Result<(), SourceFailure>>,
    /// As last delivered.
    pub cursor: Option<Cursor>,
    /// Posts in the order of their coming.
    pub ids: Vec<u64>,
    /// Posts and rejects in the largest delivery.
    pub largest: usize,
}

impl Running {
    /// The next delivery.
    pub async fn next(&mut self) -> Delivery {
        let arrived = tokio::time::timeout(PATIENCE, self.deliveries.recv()).await;
        let arrived = arrived.unwrap_or_else(|_| panic!("no delivery; {:?}", self.report()));
        let delivery = arrived.expect("the source goes on").delivery;
        self.cursor = delivery.cursor.clone().or(self.cursor.take());
        self.ids.extend(delivery.posts.iter().map(|post| post.id.parse::<u64>().unwrap()));
        self.largest = self.largest.max(delivery.received());
        delivery
    }

    /// Takes deliveries until so many posts have come in all.
    pub async fn take(&mut self, posts: usize) {
        while self.ids.len() < posts {
            self.next().await;
        }
    }

    /// Waits until the source says so of itself.
    pub async fn until(&self, wanted: impl Fn(&Report) -> bool) -> Report {
        let begun = Instant::now();
        loop {
            let report = self.report();
            if wanted(&report) {
                return report;
            }
            assert!(begun.elapsed() < PATIENCE, "{report:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub async fn until_held(&self) -> Report {
        self.until(|report| matches!(report.state, SourceState::Waiting { .. } | SourceState::Blocked { .. })).await
    }

    pub fn report(&self) -> Report {
        self.outlet.health.report()
    }

    /// Ends it as a crash would: what was not taken is gone.
    pub async fn stop(self) -> (Vec<u64>, Option<Cursor>) {
        self.stop.cancel();
        drop(self.deliveries);
        tokio::time::timeout(PATIENCE, self.task).await.expect("it stops").unwrap().ok();
        (self.ids, self.cursor)
    }
}

/// The same, in order and once each.
pub fn sorted(mut ids: Vec<u64>) -> Vec<u64> {
    ids.sort_unstable();
    ids.dedup();
    ids
}
