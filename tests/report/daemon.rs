//! The daemon sends a report at its time, under a clock of the test's own.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use vigie::clock::Clock;
use vigie::config::LoadedConfig;
use vigie::language::Language;
use vigie::metrics::Metrics;
use vigie::notify::ReportSpan;
use vigie::pipeline::assembly::{self, LabelSource};
use vigie::pipeline::{Daemon, RunningDaemon, SourceInput, SourceSpec};
use vigie::post::Post;
use vigie::source::{Source, SourceBatch, SourceFailure, SourceSender};

/// Monday morning in Paris, half an hour after the time of the report.
const START: &str = "2026-11-23T07:30:00Z";

const CONFIG: &str = "language = \"fr\"\n[notify]\ntime_zone = \"Europe/Paris\"\nreceivers = [\"log\"]\n\
    [window]\ncascade = \"0s\"\n[[topic]]\nname = \"Air Paradis\"\nkeywords = [\"Air Paradis\"]\n\
    [[receiver]]\nname = \"log\"\ntype = \"log\"\n\
    [[receiver]]\nname = \"mail\"\ntype = \"email\"\ntransport = \"directory\"\ndirectory = \"mails\"\n\
    from = \"vigie@example.com\"\nto = [\"desk@example.com\"]\n\
    [[report]]\nname = \"daily\"\nevery = \"day\"\nat = \"08:00\"\nreceivers = [\"mail\"]\n";

/// Sends the posts that it receives from the test.
struct ChannelSource(mpsc::UnboundedReceiver<Post>);

impl Source for ChannelSource {
    fn run<'a>(
        &'a mut self,
        out: &'a SourceSender,
        stop: CancellationToken,
    ) -> BoxFuture<'a, Result<(), SourceFailure>> {
        async move {
            loop {
                tokio::select! {
                    Some(post) = self.0.recv() => out.send(SourceBatch { posts: vec![post], ..SourceBatch::default() }).await?,
                    () = stop.cancelled() => return Ok(()),
                }
            }
        }
        .boxed()
    }
}

/// Seconds since [`START`], on both clocks.
#[derive(Clone, Default)]
struct TestClock(Arc<AtomicI64>);

impl TestClock {
    fn now(&self) -> Timestamp {
        let start: Timestamp = START.parse().unwrap();
        Timestamp::from_second(start.as_second() + self.0.load(Ordering::SeqCst)).unwrap()
    }

    fn pass(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

fn start(dir: &Path, clock: &TestClock) -> (RunningDaemon, mpsc::UnboundedSender<Post>) {
    std::fs::write(dir.join("vigie.toml"), CONFIG).unwrap();
    let loaded = LoadedConfig::find(Some(&dir.join("vigie.toml")), None).unwrap();
    let (posts, fed) = mpsc::unbounded_channel();
    let mut fed = Some(fed);
    let make = Box::new(move |_| Ok(Box::new(ChannelSource(fed.take().unwrap())) as _));
    let (wall, monotonic) = (clock.clone(), clock.clone());
    let wall: Clock = Arc::new(move || wall.now());
    let daemon = Daemon {
        receivers: assembly::receivers(&loaded, &wall).unwrap(),
        loaded,
        state: dir.join("state"),
        make_classifier: LabelSource::Given.classifier(0, Default::default()),
        sources: vec![SourceSpec { name: "test".into(), kind: "test".into(), by: SourceInput::Task(make) }],
        clock: wall,
        monotonic: Arc::new(move || Duration::from_secs(monotonic.0.load(Ordering::SeqCst).unsigned_abs())),
        metrics: Metrics::new(),
        telemetry: vigie::telemetry::Telemetry::default(),
    };
    (daemon.start().unwrap(), posts)
}

fn mails(dir: &Path) -> Vec<String> {
    let files = std::fs::read_dir(dir.join("mails")).into_iter().flatten();
    let mut mails: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    mails.retain(|path| path.extension().is_some_and(|extension| extension == "eml"));
    mails.sort();
    mails.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect()
}

/// Quoted-printable, as far as the tests look.
fn decoded(mail: &str) -> String {
    let mail = mail.replace("=\r\n", "");
    let mut bytes = Vec::new();
    let mut rest = mail.as_bytes();
    while let [first, after @ ..] = rest {
        let code = after.get(..2).and_then(|code| u8::from_str_radix(std::str::from_utf8(code).ok()?, 16).ok());
        let (byte, used) = match (first, code) {
            (b'=', Some(byte)) => (byte, 3),
            _ => (*first, 1),
        };
        bytes.push(byte);
        rest = &rest[used..];
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Looks again and again until `look` finds something.
async fn wait<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(started.elapsed() < Duration::from_secs(60), "no {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_is_mailed_at_its_time_once_also_across_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::default();
    let (running, posts) = start(dir.path(), &clock);
    // Every fifty minutes a post, of which every third is negative; the report of Tuesday is about Monday.
    for number in 0..12 {
        let label = if number % 3 == 0 { "negative" } else { "neutral" };
        let post = Post {
            id: number.to_string(),
            created_at: clock.now(),
            author: Some(format!("traveller{number}")),
            text: format!("Air Paradis: day {number} of my journey, number {}", number * 7919),
            label: Some(label.into()),
            ..Post::default()
        };
        posts.send(post).unwrap();
        wait("post", || running.handle.status().topics.first().filter(|topic| topic.total == number + 1).map(drop))
            .await;
        clock.pass(3_000);
    }
    assert!(mails(dir.path()).is_empty(), "a new report begins with its next time");
    clock.pass(15 * 3_600);
    let mail = wait("report", || mails(dir.path()).pop()).await;
    let text = decoded(&mail);
    assert!(text.contains("Rapport quotidien") && text.contains("lundi 23\u{a0}novembre"), "{text}");
    assert!(text.contains("4 messages négatifs sur 12, soit 33\u{202f}%"), "{text}");
    assert!(mail.contains("<chart-1@vigie>") && mail.contains("Auto-Submitted: auto-generated"));
    // The same numbers on the page, and the store's.
    let since = "2026-11-22T23:00:00Z".parse().unwrap();
    let span = ReportSpan { since, until: "2026-11-23T23:00:00Z".parse().unwrap() };
    let page = running.handle.report(span, Some(Language::English)).unwrap();
    assert!(page.contains("4 of 12 posts were negative: 33%"), "{page}");
    running.stop(Duration::from_secs(30)).await.unwrap();

    let (running, _posts) = start(dir.path(), &clock);
    clock.pass(3_600);
    let now = clock.now();
    wait("a status of after the restart", || (running.handle.status().now >= now).then_some(())).await;
    clock.pass(2);
    let now = clock.now();
    wait("another one", || (running.handle.status().now >= now).then_some(())).await;
    assert_eq!(mails(dir.path()).len(), 1, "it was sent before");
    clock.pass(23 * 3_600);
    wait("the next report", || (mails(dir.path()).len() == 2).then_some(())).await;
    running.stop(Duration::from_secs(30)).await.unwrap();
}
