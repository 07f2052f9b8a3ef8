//! Tests of `rising`: false-alarm interval, detection delay and recovery.

use super::cusum::Ratio;
use super::ratios::RECOVERY_SHARE;
use super::threshold::{StepStatistics, information};
use super::*;

/// Splitmix64 (Steele et al. 2014): the same numbers everywhere.
struct Chance(u64);

impl Chance {
    fn share(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Knuth's, for small means.
    fn poisson(&mut self, mean: f64) -> u64 {
        let (least, mut product, mut count) = ((-mean).exp(), self.share(), 0);
        while product > least {
            product *= self.share();
            count += 1;
        }
        count
    }
}

fn thresholds(of: RisingQuantity, sizes: &[f64], hours: f64, posts: f64) -> CusumThresholds {
    let mut thresholds = CusumThresholds::default();
    thresholds.update(&ThresholdParams { of, sizes, hours, width: 60, rate: 0.63, posts, spread: 0.0 });
    thresholds
}

/// Mean hours until a false alarm, simulated minute by minute at `posts` per hour, over `runs` runs.
fn mean_hours(posts: f64, values: &[f64], runs: u64, ratios: impl Fn(u64, u64) -> Vec<f64>) -> f64 {
    let mut chance = Chance(7);
    let mut minutes = 0_u64;
    for _ in 0..runs {
        let mut cusums = Cusums::default();
        loop {
            minutes += 1;
            let (k, others) = (chance.poisson(posts / 60.0 * 0.63), chance.poisson(posts / 60.0 * 0.37));
            let ratios = same(&ratios(k, others));
            if cusums.step(&Step { ratios: &ratios, thresholds: values, may_begin: true, late: &[] }, 0, 60).0 {
                break;
            }
        }
    }
    minutes as f64 / 60.0 / runs as f64
}

/// Ratios whose test of recovery is against the whole shift.
fn same(ratios: &[f64]) -> Vec<Ratio> {
    ratios.iter().map(|ratio| Ratio { shift: *ratio, recovery: *ratio, charge: 0.0 }).collect()
}

fn rate_ratio(k: u64, others: u64, lift: f64) -> f64 {
    let p1 = lifted(0.63, lift);
    k as f64 * (p1 / 0.63).ln() + others as f64 * ((1.0 - p1) / 0.37).ln()
}

/// The mean of 400 runs is within 5 % of the truth two times in three.
#[test]
fn one_sum_has_the_accepted_false_alarm_interval() {
    for (posts, lift, expected) in [
        (20.0, 0.2, 100.0),
        (100.0, 0.05, 100.0),
        (100.0, 0.2, 50.0),
        (600.0, 0.1, 20.0),
        (2_000.0, 0.2, 10.0),
        (2_000.0, 0.3, 10.0),
    ] {
        let values = thresholds(RisingQuantity::NegativeRate, &[lift], expected, posts).values;
        let found = mean_hours(posts, &values, 400, |k, others| vec![rate_ratio(k, others, lift)]);
        assert!((0.75..1.4).contains(&(found / expected)), "{found} h at {posts} posts/h, lift {lift}, h {values:?}");
    }
    for (posts, times, expected) in [(20.0, 3.0, 100.0), (100.0, 1.5, 100.0), (100.0, 6.0, 50.0), (2_000.0, 2.0, 10.0)]
    {
        let values = thresholds(RisingQuantity::NegativeVolume, &[times], expected, posts).values;
        let mean = posts * 0.63 / 60.0;
        let found = mean_hours(posts, &values, 400, |k, _| vec![k as f64 * f64::ln(times) - mean * (times - 1.0)]);
        // Few posts, each of great weight: rarer than accepted, because the sums move in large steps.
        let most = if times > 3.0 { 2.2 } else { 1.6 };
        assert!((0.7..most).contains(&(found / expected)), "{found} h at {posts} posts/h, {times} times, h {values:?}");
    }
}

#[test]
fn several_sums_together_have_the_accepted_false_alarm_interval() {
    let lifts = default_lift();
    for (posts, expected) in [(100.0, 100.0), (600.0, 40.0)] {
        let values = thresholds(RisingQuantity::NegativeRate, &lifts, expected, posts).values;
        let ratios = |k, others| lifts.iter().map(|lift| rate_ratio(k, others, *lift)).collect();
        let found = mean_hours(posts, &values, 400, ratios);
        assert!((0.8..1.4).contains(&(found / expected)), "{found} h instead of {expected} at {posts} posts/h");
    }
}

/// A shift from .63 to .83 needs about 92 posts at one false alarm in 72,000.
#[test]
fn thresholds_match_the_theory() {
    let step = StepStatistics::of_rate(100.0, 36, 0.63, 0.83);
    let threshold = step.threshold(720.0);
    let posts = threshold / information(0.63, 0.83);
    assert!((80.0..95.0).contains(&posts), "{posts} posts at h = {threshold}");
    let rarer = step.threshold(7_200.0);
    assert!((rarer - threshold - 10.0_f64.ln()).abs() < 1e-9, "ten times as rare is ln 10 higher");
}

#[test]
fn posts_that_hang_together_weigh_less_and_small_lifts_the_least() {
    let mut thresholds = CusumThresholds::default();
    let params = ThresholdParams {
        of: RisingQuantity::NegativeRate,
        sizes: &[0.05, 0.3],
        hours: 720.0,
        width: 60,
        rate: 0.63,
        posts: 2_000.0,
        spread: 0.008,
    };
    thresholds.update(&params);
    let weights: Vec<f64> = thresholds.weights(2_000.0, 0.008).collect();
    assert!(weights[0] < 0.07 && weights[1] > 0.1, "{weights:?}");
    assert!(thresholds.weights(2_000.0, 0.0).all(|weight| weight == 1.0));
    let before = thresholds.clone();
    thresholds.update(&ThresholdParams { posts: 2_100.0, ..params });
    assert_eq!(thresholds, before, "a little more changes nothing");
    thresholds.update(&ThresholdParams { posts: 4_000.0, ..params });
    assert_ne!(thresholds, before);
}

#[test]
fn a_sum_that_never_was_zero_rises_since_its_first_step() {
    let step = Step { ratios: &same(&[1.0]), thresholds: &[5.0], may_begin: true, late: &[] };
    let (_, lead) = Cusums::default().step(&step, 60, 60);
    assert_eq!(lead.unwrap().since, 60);
}

#[test]
fn raised_it_stays_until_posts_are_clearly_back() {
    let (lifts, values) = ([0.2], [5.0]);
    let mut cusums = Cusums::default();
    let mut minute = 0;
    let mut step = |k, others| {
        minute += 1;
        let ratios = [Ratio {
            shift: rate_ratio(k, others, lifts[0]),
            recovery: rate_ratio(k, others, lifts[0] * RECOVERY_SHARE),
            charge: 0.0,
        }];
        cusums.step(&Step { ratios: &ratios, thresholds: &values, may_begin: true, late: &[] }, minute, 1)
    };
    assert!((0..60).all(|_| !step(2, 1).0), "calm");
    let raised = (0..60).position(|_| step(3, 0).0).unwrap();
    assert!((4..12).contains(&raised), "{raised}");
    assert!((0..30).all(|_| step(5, 1).0));
    let (_, lead) = step(5, 1);
    assert_eq!(lead.unwrap().since, 60, "it began when the sum left zero");
    let back = (0..200).position(|_| !step(2, 1).0).unwrap();
    assert!((10..80).contains(&back), "{back} minutes of calm");
    assert!((0..60).all(|_| !step(2, 1).0), "the head start is lost in calm");
}

/// Posts half-way between calm and the shift do not end the shift.
#[test]
fn a_shift_that_is_half_over_continues() {
    let mut cusums = Cusums::default();
    let mut step = |k, others, may_begin| {
        let ratios = [Ratio { shift: rate_ratio(k, others, 0.3), recovery: rate_ratio(k, others, 0.2), charge: 0.0 }];
        cusums.step(&Step { ratios: &ratios, thresholds: &[5.0], may_begin, late: &[] }, 0, 60).0
    };
    assert!((0..60).all(|_| !step(20, 1, false)), "without enough people nothing begins");
    assert!(step(20, 1, true), "and with them at once");
    // 0.77, where 0.63 is calm and 0.93 the shift.
    assert!((0..200).all(|_| step(10, 3, true)));
}

#[test]
fn what_flares_up_again_is_found_sooner() {
    let found = |head_start: bool| {
        let mut cusums = Cusums::default();
        let mut step = |k, others| {
            let ratios = same(&[rate_ratio(k, others, 0.2)]);
            cusums.step(&Step { ratios: &ratios, thresholds: &[8.0], may_begin: true, late: &[] }, 0, 60).0
        };
        if head_start {
            assert!((0..60).any(|_| step(3, 0)) && (0..200).any(|_| !step(2, 1)), "a shift comes and goes");
        }
        (1..200).find(|_| step(3, 0)).unwrap()
    };
    assert!(found(true) * 3 <= found(false) * 2, "{} of {} steps", found(true), found(false));
}
