//! Long pauses, minute by minute: what `/-/ready` and the log say while X refuses for half an hour.

use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};
use tracing::field::{Field, Visit};
use tracing::subscriber::DefaultGuard;
use tracing::{Event, Level, Metadata, Subscriber, span};
use vigie::source::SourceState;

use super::{Act, Endpoint, Fault, Run, START};

/// The lines that an operator would see: level, message and fields of each event of vigie.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    /// Collects the events of this thread, on which the source and the fake run, until the guard is dropped.
    fn capture() -> (Self, DefaultGuard) {
        let log = Self::default();
        let guard = tracing::subscriber::set_default(log.clone());
        (log, guard)
    }

    /// Removes and returns the lines so far.
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("vigie") && *metadata.level() <= Level::INFO
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(event.metadata().level().to_string());
        event.record(&mut line);
        self.0.lock().unwrap().push(line.0);
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.0.push_str(&format!(" {}={value:?}", field.name()));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.push_str(&format!(" {}={value}", field.name()));
    }
}

/// One minute of a timeline.
struct Minute {
    /// What `/-/ready` says; none: ready.
    fault: Option<String>,
    log: Vec<String>,
}

impl Run {
    /// Lets this many minutes pass, and looks at the end of each.
    async fn minutes(&mut self, log: &Log, minutes: usize) -> Vec<Minute> {
        let start: Timestamp = START.parse().unwrap();
        let mut timeline = Vec::new();
        for _ in 0..minutes {
            self.seconds(60).await;
            let report = self.stream.as_ref().unwrap().health.report();
            timeline.push(Minute { fault: report.fault("x", start, self.fake.now()), log: log.take() });
        }
        timeline
    }

    /// A working source: a search that is polled each half minute, or an open stream.
    async fn working(mode: &'static str) -> Self {
        let mut run = Self::new().await;
        run.mode = mode;
        if mode == "search" {
            run.more = "interval_min = \"30s\"\ninterval_max = \"30s\"".into();
        }
        run.start();
        run.seconds(90).await;
        assert_eq!(run.state(), SourceState::Working);
        run
    }

    /// From now on X refuses every request of the source like this; `None`: no longer.
    fn refuse(&self, fault: Option<&Fault>) {
        for endpoint in [Endpoint::Search, Endpoint::Stream] {
            self.fake.fault_always(endpoint, fault.cloned());
        }
        if fault.is_some() {
            self.fake.act(&Act::Cut);
        }
    }
}

/// The first minute (from 0) that is not ready, and whether all later ones are not ready either.
fn unready_from(timeline: &[Minute]) -> (Option<usize>, bool) {
    let first = timeline.iter().position(|minute| minute.fault.is_some());
    (first, first.is_some_and(|first| timeline[first..].iter().all(|minute| minute.fault.is_some())))
}

fn lines(timeline: &[Minute]) -> usize {
    timeline.iter().map(|minute| minute.log.len()).sum()
}

#[tokio::test(start_paused = true)]
async fn half_an_hour_with_a_rejected_token() {
    for mode in ["search", "stream"] {
        let (log, _guard) = Log::capture();
        let mut run = Run::working(mode).await;
        log.take();
        run.refuse(Some(&Fault::unauthorized()));
        let mut timeline = run.minutes(&log, 15).await;
        // A failing server in between is not a new token.
        run.refuse(Some(&Fault::unavailable()));
        timeline.extend(run.minutes(&log, 15).await);
        assert_eq!(unready_from(&timeline), (Some(0), true), "{mode}: at once, and throughout");
        for minute in &timeline {
            let fault = minute.fault.as_ref().unwrap();
            assert!(fault.contains("VIGIE_X_TOKEN") && fault.contains("401"), "{mode}: {fault}");
        }
        let first = timeline[0].log.iter().find(|line| line.contains("source paused")).unwrap();
        assert!(first.starts_with("WARN") && first.contains("VIGIE_X_TOKEN"), "{first}");
        assert!(lines(&timeline) <= 40, "{mode}: {} lines in half an hour", lines(&timeline));

        run.refuse(None);
        let after = run.minutes(&log, 7).await;
        assert!(after.last().unwrap().fault.is_none(), "{mode}: {:?}", after.last().unwrap().fault);
        let again = after.iter().flat_map(|minute| &minute.log).filter(|line| line.contains("source reads again"));
        let again: Vec<_> = again.collect();
        assert!(again.len() == 1 && again[0].contains("paused=3"), "{mode}: {again:?}");
        run.kill();
    }
}

#[tokio::test(start_paused = true)]
async fn a_rate_limit_of_fifteen_minutes_is_not_ready_from_its_first_minute() {
    for mode in ["search", "stream"] {
        let (log, _guard) = Log::capture();
        let mut run = Run::working(mode).await;
        log.take();
        let reset = run.fake.now() + SignedDuration::from_mins(15);
        run.refuse(Some(&Fault::RateLimited { reset_in: 900 }));
        let timeline = run.minutes(&log, 14).await;
        assert_eq!(unready_from(&timeline), (Some(0), true), "{mode}: the end of the wait is known");
        let fault = timeline[0].fault.as_ref().unwrap();
        let until = reset.strftime("waits until %FT%H:%M").to_string();
        assert!(fault.contains(&until) && fault.contains("rate limit"), "{mode}: {fault}");
        let lines: Vec<&String> = timeline.iter().flat_map(|minute| &minute.log).collect();
        assert!(lines.len() <= 3, "{mode}: one line for the whole wait, not {lines:#?}");
        run.refuse(None);
        let missed = run.fake.say("paradis, during the wait");
        let after = run.minutes(&log, 4).await;
        assert!(after.last().unwrap().fault.is_none());
        assert!(run.ids().contains(&missed), "{mode}");
        run.kill();
    }
}

#[tokio::test(start_paused = true)]
async fn a_failing_server_is_not_ready_once_the_silence_is_too_long() {
    for mode in ["search", "stream"] {
        let (log, _guard) = Log::capture();
        let mut run = Run::working(mode).await;
        log.take();
        run.refuse(Some(&Fault::server_error()));
        let timeline = run.minutes(&log, 30).await;
        let (first, stays) = unready_from(&timeline);
        assert!(stays && (1..=5).contains(&first.unwrap()), "{mode}: {first:?}");
        let fault = timeline.last().unwrap().fault.as_ref().unwrap();
        assert!(fault.contains("HTTP 500"), "{mode}: it names the cause: {fault}");
        let lines: Vec<&String> = timeline.iter().flat_map(|minute| &minute.log).collect();
        assert!((6..=40).contains(&lines.len()), "{mode}: {lines:#?}");
        run.kill();
    }
}

/// Rules that somebody else deletes are added again, and do not count as something that an operator must do.
#[tokio::test(start_paused = true)]
async fn missing_rules_never_block_the_stream() {
    let (log, _guard) = Log::capture();
    let mut run = Run::working("stream").await;
    log.take();
    (0..3).for_each(|_| run.fake.fault(Endpoint::Stream, Fault::conflict()));
    run.fake.act(&Act::Cut);
    for _ in 0..20 {
        run.seconds(1).await;
        assert!(!matches!(run.state(), SourceState::Blocked { .. }), "{:?}", log.take());
    }
    assert_eq!(run.state(), SourceState::Working);
}

/// Short waits are part of the work: no minute is unready.
#[tokio::test(start_paused = true)]
async fn a_stream_that_is_lost_every_minute_stays_ready() {
    let (log, _guard) = Log::capture();
    let mut run = Run::working("stream").await;
    log.take();
    let mut expected = Vec::new();
    // Our own pace of connections is kept by the real clock: it allows 20 at once.
    for _ in 0..15 {
        run.fake.act(&Act::Cut);
        expected.push(run.fake.say("paradis, between two connections"));
        let minute = run.minutes(&log, 1).await;
        assert_eq!(minute[0].fault, None, "{:#?}", minute[0].log);
        assert!(minute[0].log.len() <= 3, "{:?}", minute[0].log);
    }
    run.check(&expected);
}
