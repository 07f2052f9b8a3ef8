//! The runs: rules on calm streams, and all detectors on streams that branch into incidents.

use rayon::prelude::*;
use vigie::rule::Rules;

use crate::alarm::Alarm;
use crate::calibrate::Set;
use crate::detector::Detector;
use crate::rules::RuleSet;
use crate::setting::{DAY, INCIDENT, Kind, Setting};
use crate::stream::{Minute, Stream};

/// Warm-up in days: as long as any rule looks back.
const WARM: i64 = 28;
/// Seconds between two branches: not a whole number of hours, so that incidents begin at every hour of the day.
const APART: i64 = 7 * 3_600 + 13 * 60;

/// Number of alarms of each rule (first: of any rule), and the months in which they were counted.
#[derive(Debug, Clone)]
pub(crate) struct FalseAlarms {
    pub(crate) alarms: Vec<u64>,
    pub(crate) months: f64,
}

pub(crate) fn false_alarms(setting: &Setting<'_>, rules: &Rules) -> FalseAlarms {
    let (streams, months) = setting.scale.calm;
    let count = |seed| {
        let arrivals = setting.arrivals(2_000_000 + seed);
        let mut set = RuleSet::new(rules, arrivals.now());
        let mut alarms = vec![Alarm::kept(0.5); rules.rules.len() + 1];
        let mut counts = vec![0_u64; alarms.len()];
        let begins = arrivals.now() + WARM * DAY;
        let end = begins + i64::try_from(months).unwrap() * 30 * DAY;
        for minute in arrivals.take_while(|minute| minute.counts.start < end) {
            set.push(&minute);
            for (i, fires) in set.firing.iter().enumerate() {
                let begun = alarms[i].begins(f64::from(u8::from(*fires)));
                counts[i] += u64::from(begun && minute.counts.start >= begins);
            }
        }
        counts
    };
    let zero = || vec![0; rules.rules.len() + 1];
    let add = |a: Vec<u64>, b: Vec<u64>| a.iter().zip(&b).map(|(a, b)| a + b).collect();
    let alarms = (0..streams).into_par_iter().map(count).reduce(zero, add);
    FalseAlarms { alarms, months: (streams * months) as f64 }
}

/// Detection of one incident: minutes until the alarm of each rule (first: of any rule) and each baseline. Infinite without
/// an alarm; `None` if there was already an alarm before.
#[derive(Debug, Clone, Default)]
pub(crate) struct Trial {
    /// Index into [`Kind::all`].
    pub(crate) kind: usize,
    /// Normal number of posts per hour at its start.
    pub(crate) usual: f64,
    pub(crate) rules: Vec<Option<f64>>,
    pub(crate) baselines: Vec<Option<f64>>,
}

/// All detectors of a stream.
struct Watch {
    rules: RuleSet,
    kept: Vec<Alarm>,
    baselines: Vec<(Box<dyn Detector>, Alarm)>,
}

impl Clone for Watch {
    fn clone(&self) -> Self {
        let baselines = self.baselines.iter().map(|(detector, alarm)| (detector.clone_box(), *alarm)).collect();
        Self { rules: self.rules.clone(), kept: self.kept.clone(), baselines }
    }
}

impl Watch {
    /// Calls `begun` with the index of each alarm that begins, rules first.
    fn push(&mut self, minute: &Minute, mut begun: impl FnMut(usize)) {
        self.rules.push(minute);
        let rules = self.kept.len();
        for (i, (alarm, fires)) in self.kept.iter_mut().zip(&self.rules.firing).enumerate() {
            if alarm.begins(f64::from(u8::from(*fires))) {
                begun(i);
            }
        }
        for (i, (detector, alarm)) in self.baselines.iter_mut().enumerate() {
            if alarm.begins(detector.push(&minute.counts)) {
                begun(rules + i);
            }
        }
    }

    fn is_on(&self) -> Vec<bool> {
        let baselines = self.baselines.iter().map(|(_, alarm)| alarm.is_on());
        self.kept.iter().map(Alarm::is_on).chain(baselines).collect()
    }
}

pub(crate) fn incidents(setting: &Setting<'_>, rules: &Rules, thresholds: &[Set]) -> Vec<Trial> {
    let (streams, _) = setting.scale.troubled;
    (0..streams).into_par_iter().flat_map_iter(|seed| stream(setting, rules, thresholds, seed)).collect()
}

fn stream(setting: &Setting<'_>, rules: &Rules, thresholds: &[Set], seed: u64) -> Vec<Trial> {
    let mut arrivals = setting.arrivals(3_000_000 + seed);
    let start = arrivals.now();
    let mut watch = Watch {
        rules: RuleSet::new(rules, start),
        kept: vec![Alarm::kept(0.5); rules.rules.len() + 1],
        baselines: thresholds.iter().map(|set| (set.baseline.detector(), Alarm::above(set.threshold))).collect(),
    };
    let (_, forks) = setting.scale.troubled;
    let mut trials = Vec::new();
    for fork in 0..forks {
        let until = start + WARM * DAY + i64::try_from(fork).unwrap() * APART;
        while arrivals.now() < until {
            let minute = arrivals.next().unwrap();
            watch.push(&minute, |_| ());
        }
        for (kind, incident) in Kind::all().into_iter().enumerate() {
            let chance = ((seed * 1_000 + fork) * 100 + kind as u64) + 4_000_000;
            let branch = arrivals.clone().reseeded(chance).with_incident(incident.incident(arrivals.now()));
            trials.push(trial(setting, branch, watch.clone(), kind, rules.rules.len() + 1));
        }
    }
    trials
}

fn trial(setting: &Setting<'_>, mut arrivals: Stream, mut watch: Watch, kind: usize, rules: usize) -> Trial {
    let begins = arrivals.now();
    let usual = setting.volume * setting.world.rhythm.volume(begins);
    let was_on = watch.is_on();
    let mut found: Vec<f64> = vec![f64::INFINITY; was_on.len()];
    let mut left = was_on.iter().filter(|on| !**on).count();
    while arrivals.now() < begins + INCIDENT && left > 0 {
        let minute = arrivals.next().unwrap();
        watch.push(&minute, |i| {
            if found[i].is_infinite() && !was_on[i] {
                found[i] = (minute.counts.start + 60 - begins) as f64 / 60.0;
                left -= 1;
            }
        });
    }
    let mut found: Vec<Option<f64>> = found.into_iter().zip(was_on).map(|(at, on)| (!on).then_some(at)).collect();
    let baselines = found.split_off(rules);
    Trial { kind, usual, rules: found, baselines }
}
