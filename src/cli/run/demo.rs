//! `vigie run --demo`: the daemon on a dump that is replayed at the pace of the clock.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::clock::Clock;
use crate::config::Loaded;
use crate::dump::Input;
use crate::metrics::Metrics;
use crate::pipeline::assembly::{Labels, receivers};
use crate::pipeline::{Daemon, Feeder, Feeding, steady};
use crate::source::Paced;

/// Where the dump of the demonstration is looked for, in this order.
const PLACES: [&str; 2] = ["tests/data/airline.csv", "/usr/share/vigie/airline.csv"];

pub(super) fn speed(text: &str) -> Result<f64, String> {
    let speed: f64 = text.parse().map_err(|_| "wanted a number such as 60".to_owned())?;
    if speed.is_finite() && speed > 0.0 && speed <= 1e6 {
        Ok(speed)
    } else {
        Err("wanted more than 0 and at most 1000000".into())
    }
}

/// A daemon with one source: `dump`, or else the one that comes with vigie.
pub(super) fn daemon(
    loaded: Loaded,
    labels: Labels,
    dump: Option<&Path>,
    speed: f64,
    state: PathBuf,
    clock: Clock,
    metrics: Metrics,
) -> anyhow::Result<Daemon> {
    let shipped = || PLACES.iter().map(Path::new).find(|path| path.exists());
    let dump = dump.or_else(shipped).with_context(|| {
        format!("the dump of the demonstration is in none of {}: name one, --demo DUMP", PLACES.join(", "))
    })?;
    let input = Input::parse(dump);
    let options = loaded.config.dump.clone();
    let started = clock();
    let paced = move |_| Ok(Box::new(Paced::read(&input, &options, speed, started)?) as _);
    let sources = vec![Feeding { name: "demo".into(), kind: "demo".into(), by: Feeder::Task(Box::new(paced)) }];
    let receivers = receivers(&loaded, &clock)?;
    let make_classifier = labels.classifier();
    Ok(Daemon { loaded, state, make_classifier, sources, receivers, clock, steady: steady(), metrics })
}
