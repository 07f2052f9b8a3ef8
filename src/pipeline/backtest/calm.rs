//! [`FalseAlarms`]: how often two versions of a rule fire although nothing happens, by simulation. What is usual for a topic, as the
//! daemon has learned it, gives streams without an incident; the monitor's own code judges both versions on the same ones.
//!
//! ```text
//!   Baseline of a topic --> CalmStream: posts of each hour by chance --> RuleSimulator per version --> alarms
//! ```

use std::collections::BTreeMap;

use jiff::SignedDuration;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use rand_distr::{Beta, Distribution, Gamma, Poisson};

use crate::classify::ModelInfo;
use crate::monitor::RuleSimulator;
use crate::rule::{AlertingRule, Baseline, Rules};
use crate::window;
use crate::window::Counts;

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;
/// Length of a run, after the windows have filled.
const RUN: i64 = 28 * DAY;
/// Buckets that are evaluated, of all topics and runs together: a few seconds of work. A debug build needs longer for each, so tests take
/// half.
const MAX_BUCKETS: i64 = if cfg!(test) { 400_000 } else { 800_000 };
/// Hours of a topic from which its rhythm is known.
const MIN_HOURS: u32 = 24;
/// Votes under the model in use from which its rates are known.
const MIN_POSTS: f64 = 100.0;
/// A gamma factor or a correlation below this is none.
const NEGLIGIBLE: f64 = 1e-6;

/// Alarms of both versions in the same simulated time.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct FalseAlarms {
    pub topics: usize,
    /// Of all topics.
    pub runs: usize,
    /// Simulated days of each topic, without those in which the windows filled.
    pub days: f64,
    /// Alarms of all topics.
    pub present: u64,
    pub changed: u64,
}

impl FalseAlarms {
    /// Simulates topics for which `known` is usual. None without one.
    pub(super) fn simulate(
        config: &window::Config,
        model: &ModelInfo,
        rules: [&AlertingRule; 2],
        known: Vec<Baseline>,
        is_stopped: &dyn Fn() -> bool,
    ) -> Option<Self> {
        let prepared = known.into_iter().filter_map(|mut known| {
            // What is derived is not stored.
            let until = known.until()?;
            known.prepare(until);
            // After a change of model the rates are learned from the start.
            let has_rates = known.rate_at(until).is_some_and(|rate| rate.posts >= MIN_POSTS);
            (known.learned_hours() >= MIN_HOURS && has_rates).then_some(known)
        });
        let known: Vec<Baseline> = prepared.collect();
        let topics = i64::try_from(known.len()).ok().filter(|topics| *topics > 0)?;
        let spans = rules.iter().flat_map(|rule| rule.condition.spans()).map(|span| span.far);
        let fills = spans.max().unwrap_or(0).max(DAY);
        // At least a day for each topic, however many they are.
        let seconds = (MAX_BUCKETS / topics * config.bucket.as_secs()).max(fills + DAY);
        let (runs, length) = match seconds / (fills + RUN) {
            0 => (1, (seconds - fills) / HOUR * HOUR),
            runs => (runs, RUN),
        };
        let mut found = Self { topics: known.len(), ..Self::default() };
        for (topic, baseline) in known.into_iter().enumerate() {
            let simulators = rules.map(|rule| simulator(config, model, rule, &baseline));
            for run in 0..runs {
                if is_stopped() {
                    return None;
                }
                let seed = (topic as u64) << 32 | run as u64;
                let mut stream = CalmStream::new(baseline.clone(), config.bucket, seed);
                let [present, changed] = alarms(&mut stream, simulators.clone(), (fills, length));
                (found.present, found.changed) = (found.present + present, found.changed + changed);
                found.runs += 1;
            }
        }
        found.days = (runs * length) as f64 / DAY as f64;
        Some(found)
    }

    /// `alarms` in 30 days, of all topics together: the rate, and its 95 % interval.
    pub fn per_month(&self, alarms: u64) -> (f64, [f64; 2]) {
        let months = self.days / 30.0;
        (alarms as f64 / months, crate::stats::poisson_interval(alarms).map(|bound| bound / months))
    }
}

fn simulator(config: &window::Config, model: &ModelInfo, rule: &AlertingRule, known: &Baseline) -> RuleSimulator {
    // The simulator's topic has another name, and nobody reads its messages.
    let rule = AlertingRule { topics: Vec::new(), annotations: BTreeMap::new(), ..rule.clone() };
    let start = known.until().unwrap_or_default();
    RuleSimulator::new(config, Rules { rules: vec![rule] }, start)
        .with_baseline(known.clone())
        .with_model(model.clone())
}

/// How often each of the simulators begins to fire within `length` seconds, after `fills` seconds.
fn alarms(stream: &mut CalmStream, mut simulators: [RuleSimulator; 2], (fills, length): (i64, i64)) -> [u64; 2] {
    let (mut fired, mut alarms) = ([false; 2], [0; 2]);
    let begins = stream.hour + fills;
    let ends = begins + length;
    while stream.hour < ends {
        let is_counted = stream.hour >= begins;
        for counts in stream.next_hour() {
            for (place, simulator) in simulators.iter_mut().enumerate() {
                simulator.feed(*counts);
                let fires = simulator.firing().any(|fires| fires);
                alarms[place] += u64::from(is_counted && fires && !fired[place]);
                fired[place] = fires;
            }
        }
    }
    alarms
}

/// Posts as usual, hour by hour: their number is Poisson with a gamma factor, and the share of negative ones beta, both as far
/// from the mean as the topic's hours have been.
struct CalmStream {
    known: Baseline,
    /// Start of the next hour, in Unix seconds.
    hour: i64,
    buckets: Vec<Counts>,
    rng: ChaCha8Rng,
}

impl CalmStream {
    fn new(known: Baseline, bucket: SignedDuration, seed: u64) -> Self {
        // The configuration has checked that buckets divide an hour.
        let buckets = usize::try_from(HOUR / bucket.as_secs().clamp(1, HOUR)).unwrap_or(1);
        let hour = known.until().unwrap_or_default();
        Self { known, hour, buckets: vec![Counts::default(); buckets], rng: ChaCha8Rng::seed_from_u64(seed) }
    }

    /// The counts of each bucket of the next hour.
    fn next_hour(&mut self) -> &[Counts] {
        self.buckets.fill(Counts::default());
        self.known.prepare(self.hour);
        let (volume, rate) = (self.known.volume_at(self.hour), self.known.rate_at(self.hour));
        self.hour += HOUR;
        let (Some(volume), Some(rate)) = (volume, rate) else { return &self.buckets };
        let mean = volume.posts * factor(volume.spread, &mut self.rng);
        let share = share(rate.rate, rate.spread, &mut self.rng);
        for _ in 0..poisson(mean, &mut self.rng) {
            let bucket = (uniform(&mut self.rng) * self.buckets.len() as f64) as usize;
            let is_negative = uniform(&mut self.rng) < share;
            if let Some(counts) = self.buckets.get_mut(bucket) {
                *(if is_negative { &mut counts.negative } else { &mut counts.neutral }) += 1;
            }
        }
        &self.buckets
    }
}

/// A gamma factor of mean 1.
fn factor(variance: f64, rng: &mut ChaCha8Rng) -> f64 {
    if variance < NEGLIGIBLE {
        return 1.0;
    }
    Gamma::new(1.0 / variance, variance).map_or(1.0, |gamma| gamma.sample(rng))
}

/// The share of an hour whose posts are correlated.
fn share(mean: f64, correlation: f64, rng: &mut ChaCha8Rng) -> f64 {
    if correlation < NEGLIGIBLE {
        return mean;
    }
    let size = (1.0 - correlation) / correlation;
    Beta::new(mean * size, (1.0 - mean) * size).map_or(mean, |beta| beta.sample(rng))
}

fn poisson(mean: f64, rng: &mut ChaCha8Rng) -> u64 {
    Poisson::new(mean).map_or(0, |poisson| poisson.sample(rng) as u64)
}

/// In `[0, 1)`.
fn uniform(rng: &mut ChaCha8Rng) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(more: &str) -> AlertingRule {
        let text = format!("[[rule]]\nname = \"A\"\n{more}");
        toml::from_str::<Rules>(&text).unwrap().rules.remove(0)
    }

    /// Four weeks of 40 posts an hour, 16 of them negative.
    fn known() -> Baseline {
        let mut known = Baseline::default();
        let hour = Counts { negative: 16, neutral: 24, ..Counts::default() };
        known.learn(0, |start| (start < 28 * DAY).then_some(hour));
        known
    }

    fn simulate(present: &AlertingRule, changed: &AlertingRule) -> FalseAlarms {
        let (config, model) = (window::Config::default(), ModelInfo::default());
        FalseAlarms::simulate(&config, &model, [present, changed], vec![known()], &|| false).unwrap()
    }

    #[test]
    fn a_calm_stream_is_as_usual() {
        let mut stream = CalmStream::new(known(), SignedDuration::from_mins(1), 3);
        let (mut all, hours) = (Counts::default(), 28 * 24_u64);
        (0..hours).for_each(|_| stream.next_hour().iter().for_each(|counts| all += *counts));
        let an_hour = all.posts() as f64 / hours as f64;
        assert!((an_hour - 40.0).abs() < 2.0, "{an_hour} posts an hour");
        assert!((all.negative_rate().unwrap() - 0.4).abs() < 0.02, "{all:?}");
    }

    #[test]
    fn a_laxer_threshold_fires_more_often_on_the_same_streams() {
        let high = rule("condition = { type = \"negative_rate\", window = \"1h\", above = 0.5, confidence = 0.9 }");
        let low = rule("condition = { type = \"negative_rate\", window = \"1h\", above = 0.4, confidence = 0.9 }");
        let found = simulate(&high, &low);
        assert!(found.changed > found.present, "{found:?}");
        assert_eq!(simulate(&low, &low).present, found.changed, "the same rule on the same streams");
        let (rate, [lower, upper]) = found.per_month(found.changed);
        assert!(lower < rate && rate < upper && (found.days - 28.0 * found.runs as f64).abs() < 1e-9, "{found:?}");
    }

    /// The threshold of `rising` follows from the interval that it accepts: the simulation must find about that.
    #[test]
    fn the_accepted_interval_is_found_again() {
        let often = rule("condition = { type = \"rising\", false_alarm_every = \"3d\" }");
        let seldom = rule("condition = { type = \"rising\", false_alarm_every = \"300d\" }");
        let found = simulate(&often, &seldom);
        let (rate, _) = found.per_month(found.present);
        assert!((1.0..20.0).contains(&rate) && found.changed < found.present / 4, "{found:?}: {rate} in 30 days");
    }

    #[test]
    fn nothing_is_said_of_a_topic_that_is_not_known() {
        let rule = rule("condition = { type = \"rising\" }");
        let (config, model) = (window::Config::default(), ModelInfo::default());
        // Its volume is known, and its rate under another model is not.
        let mut reread = known();
        reread.set_model("first", 0);
        reread.set_model("second", 28 * DAY);
        for known in [Baseline::default(), reread] {
            let found = FalseAlarms::simulate(&config, &model, [&rule, &rule], vec![known], &|| false);
            assert_eq!(found, None);
        }
    }
}
