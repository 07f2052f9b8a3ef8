//! How early and how often for nothing: the rules, and the detectors that others use, on streams drawn from the airline dump.
//!
//!     cargo bench --bench detection                     all of it, about ten minutes on two cores
//!     cargo bench --bench detection -- --quick          a look: fewer streams, two volumes
//!     cargo bench --bench detection -- --rules FILE     other rules than config/rules.toml
//!
//! Every detector sees counts minute by minute. The rules run by the monitor's own code, with what their file says. Each
//! baseline gets, for each volume, the threshold that gives it exactly one false alarm in 30 days on streams of its own, and
//! for each kind of incident the best of its settings: the comparison leans to the baselines. The clairvoyant detector
//! knows what is usual at every hour and which incident will come; it has the same threshold, and shows what is possible.
//!
//! A delay cell reads: median minutes, minutes until 90 % were found, share found within six hours.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench prints its figures, and stops where it cannot go on"
)]

mod alarm;
mod baselines;
mod calibrate;
mod detector;
mod report;
mod rules;
mod setting;
mod trials;

use std::time::Instant;

use setting::{Scale, Setting, World};

fn main() {
    let scale = Scale::from_args(std::env::args().skip(1));
    let rules = scale.rules();
    let world = World::of_airline_dump();
    world.describe();
    for (name, swing) in world.swings() {
        let started = Instant::now();
        println!("\n## Streams {name}\n");
        let mut volumes = Vec::new();
        for volume in &scale.volumes {
            let setting = Setting { world: &world, swing, volume: *volume, scale: &scale };
            let thresholds = calibrate::thresholds(&setting);
            let false_alarms = trials::false_alarms(&setting, &rules);
            let found = trials::incidents(&setting, &rules, &thresholds);
            volumes.push(report::Volume { volume: *volume, thresholds, false_alarms, found });
        }
        report::print(&rules, &volumes);
        println!("\n({:.0} s)", started.elapsed().as_secs_f64());
    }
}
