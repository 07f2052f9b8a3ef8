//! Prints the results as Markdown tables.

use statrs::distribution::{ChiSquared, ContinuousCDF};
use vigie::rule::Rules;
use vigie::simulate::{IncidentKind, IncidentShape};

use crate::baselines::Baseline;
use crate::calibrate::Set;
use crate::rules::names;
use crate::setting::Kind;
use crate::trials::{FalseAlarms, Trial};

/// Time limit of a detector in minutes.
const LATEST: f64 = 360.0;

/// The results at one volume.
pub(crate) struct Volume {
    pub(crate) volume: f64,
    pub(crate) thresholds: Vec<Set>,
    pub(crate) false_alarms: FalseAlarms,
    pub(crate) found: Vec<Trial>,
}

/// The table of false alarms, by volume.
pub(crate) fn print_false_alarms<'a>(rules: &Rules, volumes: impl Iterator<Item = (f64, &'a FalseAlarms)>) {
    let names = names(rules);
    println!("False alarms in 30 days, with the 95 % interval; every baseline has one.\n");
    println!("| posts/h | {} |\n|---{}|", names.join(" | "), "|---".repeat(names.len()));
    for (volume, false_alarms) in volumes {
        let cells: Vec<String> = false_alarms.alarms.iter().map(|alarms| rate(*alarms, false_alarms.months)).collect();
        println!("| {volume} | {} |", cells.join(" | "));
    }
}

pub(crate) fn print(rules: &Rules, volumes: &[Volume]) {
    let names = names(rules);
    print_false_alarms(rules, volumes.iter().map(|volume| (volume.volume, &volume.false_alarms)));
    for posts in [IncidentKind::Added, IncidentKind::Replaced] {
        for is_slow in [false, true] {
            let posts_name = if posts == IncidentKind::Added { "posts added" } else { "posts replaced" };
            println!("\n### {}, {posts_name}\n", if is_slow { "Slow (3 h)" } else { "Sudden" });
            println!(
                "| posts/h | points | any rule | best baseline | median relative to best baseline | oracle, median | {} |",
                names[1..].join(" | ")
            );
            println!("|---|---|---|---|---|---{}|", "|---".repeat(names.len() - 1));
            for volume in volumes {
                for (kind, of) in Kind::all().iter().enumerate() {
                    if of.posts == posts && matches!(of.shape, IncidentShape::Slow { .. }) == is_slow {
                        println!("{}", line(volume, kind, of.points));
                    }
                }
            }
        }
    }
    summary(volumes);
    targets(volumes);
}

/// One kind of incident at one volume.
struct Cell {
    any: Delays,
    rules: Vec<Delays>,
    /// The best setting of all baselines, and its name.
    best: Delays,
    best_name: String,
    oracle: Delays,
}

impl Cell {
    fn new(volume: &Volume, kind: usize) -> Self {
        let trials: Vec<&Trial> = volume.found.iter().filter(|trial| trial.kind == kind).collect();
        let of_rule = |rule: usize| Delays::of(trials.iter().map(|trial| trial.rules[rule]));
        let best = |is_oracle: bool| {
            let own = |i: &usize| volume.thresholds[*i].baseline.is_oracle == is_oracle;
            let delays = |i: usize| (i, Delays::of(trials.iter().map(|trial| trial.baselines[i])));
            let all = (0..volume.thresholds.len()).filter(own).map(delays);
            all.min_by(|(_, a), (_, b)| a.rank().total_cmp(&b.rank())).unwrap()
        };
        let ((i, best), (_, oracle)) = (best(false), best(true));
        let Baseline { family, setting, .. } = &volume.thresholds[i].baseline;
        let rules = (1..trials[0].rules.len()).map(of_rule).collect();
        Self { any: of_rule(0), rules, best, best_name: format!("{family}, {setting}"), oracle }
    }

    /// Ratio of medians. An incident not detected within six hours counts as six hours; `None` if neither detected it.
    fn ratio(&self, delays: &Delays) -> Option<f64> {
        let (own, best) = (delays.median(), self.best.median());
        (own.is_finite() || best.is_finite()).then(|| own.min(LATEST) / best.min(LATEST))
    }
}

fn line(volume: &Volume, kind: usize, points: u32) -> String {
    let cell = Cell::new(volume, kind);
    let ratio = cell.ratio(&cell.any).map_or("-".to_owned(), |ratio| format!("{ratio:.2}"));
    let rules: Vec<String> = cell.rules.iter().map(|delays| minutes(delays.median())).collect();
    format!(
        "| {} | {points} | {} | {} ({}) | {ratio} | {} | {} |",
        volume.volume,
        cell.any,
        cell.best,
        cell.best_name,
        minutes(cell.oracle.median()),
        rules.join(" | ")
    )
}

/// Medians relative to those of the best baselines, over all increases.
fn summary(volumes: &[Volume]) {
    println!(
        "\n### Median over the best baseline's: geometric mean over increases and volumes; kinds of incident at half or less\n"
    );
    println!("| incident | any rule | at half or less | oracle | at half or less |\n|---|---|---|---|---|");
    for posts in [IncidentKind::Added, IncidentKind::Replaced] {
        for is_slow in [false, true] {
            let of = |kind: &Kind| kind.posts == posts && matches!(kind.shape, IncidentShape::Slow { .. }) == is_slow;
            let kinds: Vec<usize> =
                Kind::all().iter().enumerate().filter(|(_, kind)| of(kind)).map(|(i, _)| i).collect();
            let cells: Vec<Cell> =
                volumes.iter().flat_map(|volume| kinds.iter().map(move |kind| Cell::new(volume, *kind))).collect();
            let columns = |delays: fn(&Cell) -> &Delays| {
                let ratios: Vec<f64> = cells.iter().filter_map(|cell| cell.ratio(delays(cell))).collect();
                let mean = (ratios.iter().map(|ratio| ratio.ln()).sum::<f64>() / ratios.len().max(1) as f64).exp();
                let half = ratios.iter().filter(|ratio| **ratio <= 0.5).count();
                format!("{mean:.2} | {half} of {}", ratios.len())
            };
            let posts = if posts == IncidentKind::Added { "posts added" } else { "posts replaced" };
            let shape = if is_slow { "slow" } else { "sudden" };
            println!("| {shape}, {posts} | {} | {} |", columns(|cell| &cell.any), columns(|cell| &cell.oracle));
        }
    }
}

/// The figures of the acceptance criteria.
fn targets(volumes: &[Volume]) {
    let Some(volume) = volumes.iter().find(|volume| volume.volume == 100.0) else { return };
    println!("\nIncrease of 20 points at 100 posts/h, found within 45 minutes by any rule:\n");
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
            of.posts,
            within(all),
            within(busy),
            minutes(delays.median())
        );
    }
}

/// Sorted delays in minutes; infinite if not detected.
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

    /// Sort key, lower is better; with an infinite median, by the share detected.
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
