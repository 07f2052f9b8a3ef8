//! Detection delay and false alarms: the rules and common detectors on streams simulated from the airline dump.
//!
//!     cargo bench --bench detection                     the whole benchmark, about ten minutes on two cores
//!     cargo bench --bench detection -- --quick          fewer streams, two volumes
//!     cargo bench --bench detection -- --false-alarms   only the false alarms of the rules
//!     cargo bench --bench detection -- --people         only streams of people who write as often as those of the dump
//!     cargo bench --bench detection -- --rules FILE     other rules than config/rules.toml
//!
//! Every detector gets counts per minute. The rules run with the code of the monitor, configured by their file. For each
//! volume, each baseline detector gets the threshold at which it has exactly one false alarm in 30 days on separate streams;
//! for each kind of incident the best of its settings counts: the comparison favours the baselines. The oracle detector
//! knows the true rate of every hour and the incident. It has the same false-alarm rate, and shows what is possible.
//!
//! A delay cell shows: median minutes, minutes until 90% were detected, share detected within six hours.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a benchmark prints its results and stops on errors")]

mod alarm;
mod baselines;
mod calibrate;
mod detector;
mod report;
mod rules;
mod setting;
mod stream;
mod trials;

use std::time::Instant;

use setting::{Scale, Setting, World};

fn main() {
    let scale = Scale::from_args(std::env::args().skip(1));
    let rules = scale.rules();
    let world = World::of_airline_dump();
    world.describe();
    for stream in world.streams().into_iter().filter(|stream| stream.people || !scale.only_people) {
        let started = Instant::now();
        println!("\n## Streams {}\n", stream.name);
        if scale.only_false_alarms {
            let settings =
                scale.volumes.iter().map(|volume| Setting { world: &world, stream, volume: *volume, scale: &scale });
            let counted: Vec<_> =
                settings.map(|setting| (setting.volume, trials::false_alarms(&setting, &rules))).collect();
            report::print_false_alarms(&rules, counted.iter().map(|(volume, counted)| (*volume, counted)));
            println!("\n({:.0} s)", started.elapsed().as_secs_f64());
            continue;
        }
        let mut volumes = Vec::new();
        for volume in &scale.volumes {
            let setting = Setting { world: &world, stream, volume: *volume, scale: &scale };
            let thresholds = calibrate::thresholds(&setting);
            let false_alarms = trials::false_alarms(&setting, &rules);
            let found = trials::incidents(&setting, &rules, &thresholds);
            volumes.push(report::Volume { volume: *volume, thresholds, false_alarms, found });
        }
        report::print(&rules, &volumes);
        println!("\n({:.0} s)", started.elapsed().as_secs_f64());
    }
}
