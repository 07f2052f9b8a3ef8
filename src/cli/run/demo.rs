//! `vigie run --demo`: the daemon with a dump, by a clock that runs faster than the real one, from just before the dump's storm.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use crate::alert::Alert;
use crate::classify::PrecisionChoice;
use crate::clock::Clock;
use crate::config::LoadedConfig;
use crate::dump::Inputs;
use crate::metrics::Metrics;
use crate::pipeline::assembly::{LabelSource, receivers};
use crate::pipeline::backtest::Backtest;
use crate::pipeline::replay::Replay;
use crate::pipeline::{Daemon, SourceInput, SourceSpec};
use crate::source::{DEMO_BACKLOG, DemoClock, DemoSource};
use crate::telemetry::Telemetry;

/// Where the demo dump is searched, in this order.
const DUMP_PATHS: [&str; 2] = ["tests/data/airline.csv", "/usr/share/vigie/airline.csv"];
/// The demo starts this long before the first alert.
pub(super) const BEFORE_ALERT: SignedDuration = SignedDuration::from_mins(60);

pub(super) fn speed(text: &str) -> Result<f64, String> {
    let speed: f64 = text.parse().map_err(|_| "expected a number, e.g. 60".to_owned())?;
    if speed.is_finite() && speed > 0.0 && speed <= 1e6 {
        Ok(speed)
    } else {
        Err("expected more than 0, at most 1000000".into())
    }
}

/// A daemon with one source: `dump`, or the sample dump of vigie. Its clock reaches the real time of the start when the past of
/// the dump is read, and then runs `speed` times faster. The token is cancelled when all posts are sent.
pub(super) fn daemon(
    loaded: LoadedConfig,
    labels: LabelSource,
    dump: Option<&Path>,
    speed: f64,
    state: PathBuf,
    metrics: Metrics,
) -> anyhow::Result<(Daemon, CancellationToken)> {
    let shipped = || DUMP_PATHS.iter().map(Path::new).find(|path| path.exists());
    let dump = dump
        .or_else(shipped)
        .with_context(|| format!("demo dump not found in {}: set one with --demo DUMP", DUMP_PATHS.join(", ")))?;
    let input = Inputs::expand(&[dump])?;
    let start = first_alert(&loaded, &input).and_then(|alert| alert.checked_sub(BEFORE_ALERT).ok());
    let options = loaded.config.dump.clone();
    let started = Timestamp::now();
    let begins = started - DEMO_BACKLOG;
    let demo_clock = DemoClock::at(begins);
    let clock: Clock = {
        let clock = demo_clock.clone();
        Arc::new(move || clock.now())
    };
    let monotonic = {
        let clock = demo_clock.clone();
        Arc::new(move || clock.since(begins))
    };
    let clock_of_source = (demo_clock, speed);
    let all_sent = CancellationToken::new();
    let token = all_sent.clone();
    let demo = move |_| {
        let source = DemoSource::read(&input, &options, clock_of_source.clone(), started, start)?;
        Ok(Box::new(source.with_end(token.clone())) as _)
    };
    let sources = vec![SourceSpec { name: "demo".into(), kind: "demo".into(), by: SourceInput::Task(Box::new(demo)) }];
    let receivers = receivers(&loaded, &clock)?;
    let make_classifier = labels.classifier(loaded.config.classify.cache, loaded.config.classify.precision);
    let telemetry = Telemetry::default();
    let daemon = Daemon { loaded, state, make_classifier, sources, receivers, clock, monotonic, metrics, telemetry };
    Ok((daemon, all_sent))
}

/// When the first alert about posts fires in the dump, by its own labels: that takes a moment, where a model would take minutes.
/// None for a dump without labels or alerts, and for standard input.
fn first_alert(loaded: &LoadedConfig, input: &Inputs) -> Option<Timestamp> {
    // Standard input can be read only once.
    if input.has_stdin() {
        return None;
    }
    let rejects = std::env::temp_dir().join(format!("vigie-demo-{}.rejects.csv", std::process::id()));
    let replay = Replay {
        loaded: loaded.clone(),
        input: input.clone(),
        given_labels: true,
        topic_required: false,
        state: None,
        rejects: rejects.clone(),
    };
    let mut make = LabelSource::Given.classifier(0, PrecisionChoice::default());
    let backtest = Backtest { replay, variants: vec![loaded.rules.clone()], block: None };
    let outcome = make().and_then(|labels| backtest.run(labels, &mut |_| ())).ok();
    // The demo itself reports what could not be read.
    let _ = std::fs::remove_file(rejects);
    let fired = outcome?.fired.into_iter().flatten();
    let is_incident = |alert: &Alert| {
        !alert.topic.is_empty() && alert.latest.posts > 0 && alert.labels.get("severity").is_none_or(|it| it != "info")
    };
    fired.filter(is_incident).map(|alert| alert.fired_at).min()
}
