//! `vigie run --demo`: the daemon with a dump that is replayed in real time.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::clock::Clock;
use crate::config::LoadedConfig;
use crate::dump::Input;
use crate::metrics::Metrics;
use crate::pipeline::assembly::{LabelSource, receivers};
use crate::pipeline::{Daemon, SourceInput, SourceSpec, monotonic};
use crate::source::DemoSource;

/// Where the demo dump is searched, in this order.
const DUMP_PATHS: [&str; 2] = ["tests/data/airline.csv", "/usr/share/vigie/airline.csv"];

pub(super) fn speed(text: &str) -> Result<f64, String> {
    let speed: f64 = text.parse().map_err(|_| "expected a number, e.g. 60".to_owned())?;
    if speed.is_finite() && speed > 0.0 && speed <= 1e6 {
        Ok(speed)
    } else {
        Err("expected more than 0, at most 1000000".into())
    }
}

/// A daemon with one source: `dump`, or the sample dump of vigie.
pub(super) fn daemon(
    loaded: LoadedConfig,
    labels: LabelSource,
    dump: Option<&Path>,
    speed: f64,
    state: PathBuf,
    clock: Clock,
    metrics: Metrics,
) -> anyhow::Result<Daemon> {
    let shipped = || DUMP_PATHS.iter().map(Path::new).find(|path| path.exists());
    let dump = dump
        .or_else(shipped)
        .with_context(|| format!("demo dump not found in {}: set one with --demo DUMP", DUMP_PATHS.join(", ")))?;
    let input = Input::parse(dump);
    let options = loaded.config.dump.clone();
    let started = clock();
    let demo = move |_| Ok(Box::new(DemoSource::read(&input, &options, speed, started)?) as _);
    let sources = vec![SourceSpec { name: "demo".into(), kind: "demo".into(), by: SourceInput::Task(Box::new(demo)) }];
    let receivers = receivers(&loaded, &clock)?;
    let make_classifier = labels.classifier();
    Ok(Daemon { loaded, state, make_classifier, sources, receivers, clock, monotonic: monotonic(), metrics })
}
