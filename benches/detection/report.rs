//! The tables, in Markdown.

use statrs::distribution::{ChiSquared, ContinuousCDF};
use vigie::lab::simulate::{Crowd, Shape};
use vigie::rule::Rules;

use crate::calibrate::Set;
use crate::rules::names;
use crate::setting::Kind;
use crate::trials::{FalseAlarms, Trial};

/// All that was measured at one volume.
pub(crate) struct Volume {
    pub(crate) volume: f64,
    pub(crate) thresholds: Vec<Set>,
    pub(crate) false_alarms: FalseAlarms,
    pub(crate) found: Vec<Trial>,
}

pub(crate) fn print(rules: &Rules, volumes: &[Volume]) {
    let names = names(rules);
    println!("False alarms in 30 days, with the 95 % interval; every baseline has one.\n");
    println!("| posts/h | {} |\n|---{}|", names.join(" | "), "|---".repeat(names.len()));
    for volume in volumes {
        let cells: Vec<String> =
            volume.false_alarms.alarms.iter().map(|alarms| rate(*alarms, volume.false_alarms.months)).collect();
        println!("| {} | {} |", volume.volume, cells.join(" | "));
    }
    for crowd in [Crowd::Added, Crowd::Replaced] {
        for is_slow in [false, true] {
            let crowd_name = if crowd == Crowd::Added { "a crowd added" } else { "posts replaced" };
            println!("\n### {}, {crowd_name}\n", if is_slow { "Slow (3 h)" } else { "Sudden" });
            println!(
                "Minutes until found: median, 90 % of incidents, share found within 6 h; then each rule's median.\n"
            );
            println!(
                "| posts/h | lift | any rule | best baseline | median over best baseline's | {} |",
                names[1..].join(" | ")
            );
            println!("|---|---|---|---|---{}|", "|---".repeat(names.len() - 1));
            for volume in volumes {
                for (kind, of) in Kind::all().iter().enumerate() {
                    if of.crowd == crowd && matches!(of.shape, Shape::Slow { .. }) == is_slow {
                        println!("{}", line(volume, kind, of.points));
                    }
                }
            }
        }
    }
    targets(volumes);
}

fn line(volume: &Volume, kind: usize, points: u32) -> String {
    let trials: Vec<&Trial> = volume.found.iter().filter(|trial| trial.kind == kind).collect();
    let of_rule = |rule: usize| Delays::of(trials.iter().map(|trial| trial.rules[rule]));
    let any = of_rule(0);
    let baseline = |i: usize| (i, Delays::of(trials.iter().map(|trial| trial.baselines[i])));
    let best =
        (0..volume.thresholds.len()).map(baseline).min_by(|(_, a), (_, b)| a.rank().total_cmp(&b.rank())).unwrap();
    let set = &volume.thresholds[best.0].baseline;
    let ratio = if best.1.median().is_infinite() && any.median().is_finite() {
        "found by this alone".to_owned()
    } else if any.median().is_infinite() {
        "-".to_owned()
    } else {
        format!("{:.2}", any.median() / best.1.median())
    };
    let rules: Vec<String> = (1..trials[0].rules.len()).map(|rule| minutes(of_rule(rule).median())).collect();
    format!(
        "| {} | {points} | {any} | {} ({}, {}) | {ratio} | {} |",
        volume.volume,
        best.1,
        set.family,
        set.setting,
        rules.join(" | ")
    )
}

/// What the issue asks for, in figures.
fn targets(volumes: &[Volume]) {
    let Some(volume) = volumes.iter().find(|volume| volume.volume == 100.0) else { return };
    println!("\nLift of 20 points at 100 posts/h, found within 45 minutes by any rule:\n");
    println!(
        "| incident | all starts | starts when 100 posts/h or more are usual | median, all | slowest, all |\n|---|---|---|---|---|"
    );
    for (kind, of) in Kind::all().iter().enumerate().filter(|(_, of)| of.points == 20) {
        let trials = || volume.found.iter().filter(|trial| trial.kind == kind);
        let within = |trials: Vec<f64>| {
            let found = trials.iter().filter(|delay| **delay <= 45.0).count();
            format!("{:.1} % of {}", found as f64 / trials.len().max(1) as f64 * 100.0, trials.len())
        };
        let all: Vec<f64> = trials().filter_map(|trial| trial.rules[0]).collect();
        let busy = trials().filter(|trial| trial.usual >= 100.0).filter_map(|trial| trial.rules[0]).collect();
        let delays = Delays::of(all.iter().map(|delay| Some(*delay)));
        let slowest = minutes(all.iter().copied().fold(0.0, f64::max));
        println!(
            "| {:?}, {:?} | {} | {} | {} | {slowest} |",
            of.shape,
            of.crowd,
            within(all),
            within(busy),
            minutes(delays.median())
        );
    }
}

/// Sorted minutes; infinite where it was not found.
struct Delays(Vec<f64>);

impl Delays {
    fn of(delays: impl Iterator<Item = Option<f64>>) -> Self {
        let mut delays: Vec<f64> = delays.flatten().collect();
        delays.sort_by(f64::total_cmp);
        Self(delays)
    }

    fn quantile(&self, share: f64) -> f64 {
        let at = (share * self.0.len() as f64).ceil() as usize;
        self.0.get(at.max(1) - 1).copied().unwrap_or(f64::INFINITY)
    }

    fn median(&self) -> f64 {
        self.quantile(0.5)
    }

    fn found(&self) -> f64 {
        self.0.iter().filter(|delay| delay.is_finite()).count() as f64 / self.0.len().max(1) as f64
    }

    /// The lower the better; where the median is infinite, by what was found.
    fn rank(&self) -> f64 {
        let median = self.median();
        if median.is_finite() { median } else { 1e6 - 1e3 * self.found() }
    }
}

impl std::fmt::Display for Delays {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (median, late) = (minutes(self.median()), minutes(self.quantile(0.9)));
        write!(f, "{median}, {late}, {:.0} %", self.found() * 100.0)
    }
}

fn minutes(delay: f64) -> String {
    if delay.is_finite() { format!("{delay:.0}") } else { "-".to_owned() }
}

/// Garwood 1936: the exact interval of a Poisson mean.
fn rate(alarms: u64, months: f64) -> String {
    let quantile = |degrees: u64, p: f64| ChiSquared::new(degrees as f64).unwrap().inverse_cdf(p) / 2.0 / months;
    let low = if alarms == 0 { 0.0 } else { quantile(2 * alarms, 0.025) };
    let high = quantile(2 * alarms + 2, 0.975);
    format!("{:.2} ({low:.2} to {high:.2})", alarms as f64 / months)
}
