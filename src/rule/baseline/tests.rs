//! Tests of the baseline: it converges to the simulated values, knows the spread of hours, decays, and excludes
//! incidents.

use super::*;
use crate::window::Counts;

const DAY: i64 = 24 * HOUR;

/// Splitmix64 (Steele et al. 2014).
fn share(seed: &mut u64) -> f64 {
    *seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *seed;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}

/// The true share: higher by night.
fn true_share(time: i64) -> f64 {
    if (8..20).contains(&(time % DAY / HOUR)) { 0.6 } else { 0.7 }
}

/// Hours of `posts` by day and half as many by night, whose share strays by `deviation` up or down from hour to hour.
fn hours(days: i64, posts: u64, deviation: f64) -> impl Fn(i64) -> Option<Counts> {
    move |start| {
        let mut seed = start as u64;
        let posts = if (8..20).contains(&(start % DAY / HOUR)) { posts } else { posts / 2 };
        let p = true_share(start) + if share(&mut seed) < 0.5 { deviation } else { -deviation };
        let negative = (0..posts).filter(|_| share(&mut seed) < p).count() as u64;
        (start < days * DAY).then(|| Counts { negative, neutral: posts - negative, ..Counts::default() })
    }
}

fn learned(days: i64, posts: u64, deviation: f64) -> Baseline {
    let mut baseline = Baseline::default();
    baseline.set_model("a", 0);
    baseline.learn(0, hours(days, posts, deviation));
    baseline
}

#[test]
fn it_converges_to_the_true_share_of_each_hour() {
    let mut last = 1.0;
    for (days, expected) in [(2, 0.06), (14, 0.03), (56, 0.02)] {
        let baseline = learned(days, 100, 0.0);
        let off =
            |hour: i64| (baseline.rate_at(days * DAY + hour * HOUR).unwrap().rate - true_share(hour * HOUR)).abs();
        let mean = (0..168).map(off).sum::<f64>() / 168.0;
        assert!(mean < expected && mean < last, "{mean} after {days} days");
        last = mean;
    }
    let volume = learned(56, 100, 0.0);
    let at = |hour: i64| volume.volume_at(hour * HOUR).unwrap().posts;
    assert!((at(12) - 100.0).abs() < 5.0 && (at(2) - 50.0).abs() < 5.0, "{} and {}", at(12), at(2));
}

/// A share that deviates by `s` up or down has the correlation `s^2 / (p q)`.
#[test]
fn it_knows_the_spread_of_hours() {
    let spread = |deviation| learned(56, 200, deviation).rate_at(0).unwrap().spread;
    let (calm, wild) = (spread(0.0), spread(0.08));
    assert!(calm < 0.002, "{calm}");
    let expected = 0.08 * 0.08 / (0.65 * 0.35);
    assert!((0.75..1.35).contains(&(wild / expected)), "{wild} instead of {expected}");
}

#[test]
fn another_model_restarts_the_rates_and_leaves_the_volumes() {
    let mut baseline = learned(14, 100, 0.0);
    assert!(!baseline.set_model("a", 14 * DAY));
    let volume = baseline.volume_at(0);
    assert!(baseline.set_model("b", 14 * DAY));
    assert_eq!((baseline.rate_at(0), baseline.rates_since()), (None, Some(14 * DAY)));
    assert_eq!(baseline.volume_at(0).map(|v| v.posts), volume.map(|v| v.posts));
    baseline.learn(0, |start| (start < 15 * DAY).then_some(Counts { negative: 10, neutral: 90, ..Counts::default() }));
    let rate = baseline.rate_at(15 * DAY).unwrap();
    assert!((rate.rate - 0.1).abs() < 0.01 && rate.posts < 2_500.0, "{rate:?}");
}

#[test]
fn hours_of_an_incident_are_not_learned() {
    let mut with = learned(14, 100, 0.0);
    (0..6).for_each(|hour| with.skip(14 * DAY + hour * HOUR + 1_800, false));
    let angry = |start: i64| (start < 14 * DAY + 6 * HOUR).then_some(Counts { negative: 900, ..Counts::default() });
    let before = with.overall().unwrap();
    with.learn(0, angry);
    let after = with.overall().unwrap();
    assert!((after.0 - before.0).abs() < 1e-3 && (after.1 - before.1).abs() < 0.1, "{before:?} {after:?}");
    assert_eq!(with.until(), Some(14 * DAY + 6 * HOUR));
}

#[test]
fn a_partly_silent_hour_is_learned() {
    let mut baseline = learned(14, 100, 0.0);
    let known = baseline.learned_posts();
    (0..2).for_each(|hour| baseline.skip(14 * DAY + hour * HOUR, true));
    let silent_at_first = |start: i64| {
        (start < 14 * DAY + 2 * HOUR)
            .then(|| Counts { neutral: if start == 14 * DAY { 0 } else { 70 }, ..Counts::default() })
    };
    baseline.learn(0, silent_at_first);
    assert!(baseline.learned_posts().abs_diff(known + 70) < 60, "{} after {known}", baseline.learned_posts());
    assert!(baseline.skipped.is_empty());
}

#[test]
fn what_is_stored_is_small_and_comes_back() {
    let baseline = Baseline { changed: false, ..learned(14, 100, 0.0) };
    let bytes = postcard::to_stdvec(&baseline).unwrap();
    assert!(bytes.len() < 3_000, "{} bytes", bytes.len());
    let mut loaded: Baseline = postcard::from_bytes(&bytes).unwrap();
    loaded.learn(0, |_| None);
    assert_eq!(loaded, baseline);
}

#[test]
fn what_was_learned_keeps_its_place_when_the_time_zone_changes() {
    let mut baseline = learned(28, 100, 0.0);
    let (before, messages) = (baseline.clone(), baseline.messages);
    // In January, when Berlin is an hour ahead.
    baseline.set_zone("Europe/Berlin");
    assert!(baseline.clear_changed());
    for hour in 0..168 {
        let time = 28 * DAY + hour * HOUR;
        // Sums in another order differ in their last digits.
        let volumes = [&baseline, &before].map(|baseline| baseline.volume_at(time).unwrap().posts);
        let rates = [&baseline, &before].map(|baseline| baseline.rate_at(time).unwrap().rate);
        assert!((volumes[0] - volumes[1]).abs() < 1e-3 && (rates[0] - rates[1]).abs() < 1e-6, "hour {hour}");
    }
    assert_eq!((baseline.messages, baseline.until), (messages, before.until), "nothing is learned twice");
    baseline.set_zone("Europe/Berlin");
    assert!(!baseline.clear_changed());
}
