//! Properties of simulated streams: they have the requested parameters, within chance.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::classify::Label;

/// Two weeks of 40 posts an hour by day and 10 by night, 60% of them negative.
fn rhythm() -> Rhythm {
    let hours = (0..14 * 24).map(|hour| (hour * HOUR, if hour % 24 < 12 { [6, 3, 1] } else { [24, 12, 4] }));
    Rhythm::measure(&hours.collect()).unwrap()
}

fn arrivals(seed: u64) -> ArrivalProcess {
    ArrivalProcess::new(Arc::new(rhythm()), 0, seed)
}

fn sum(minutes: impl Iterator<Item = MinuteCounts>) -> Tally {
    minutes.fold(Tally::default(), |mut sum, minute| {
        (0..3).for_each(|label| sum[label] += minute.tally[label]);
        sum
    })
}

fn share(tally: Tally) -> f64 {
    tally[0] as f64 / tally.iter().sum::<u64>() as f64
}

#[test]
fn a_rhythm_is_that_of_the_dump() {
    let rhythm = rhythm();
    assert!((rhythm.posts_per_hour - 25.0).abs() < 0.1, "{}", rhythm.posts_per_hour);
    assert!((rhythm.volume(15 * HOUR) / rhythm.volume(3 * HOUR) - 4.0).abs() < 1e-9);
    assert!((rhythm.negative - 0.6).abs() < 1e-9);
    assert_eq!(rhythm.swing, Swing::default(), "steadier than chance");
    assert_eq!(Rhythm::measure(&BTreeMap::new()), None);
}

#[test]
fn a_dump_of_one_hour_has_a_rhythm() {
    let rhythm = Rhythm::measure(&BTreeMap::from([(7 * HOUR, [3, 0, 1])])).unwrap();
    assert_eq!((rhythm.posts_per_hour, rhythm.volume(0), rhythm.volume(7 * HOUR)), (4.0, 1.0, 1.0));
}

/// Measuring a long stream yields the parameters that it was drawn with.
#[test]
fn swings_are_recovered() {
    let swing = Swing { day: 0.04, hour: 0.09, share: 0.02 };
    let process = arrivals(1).with_volume(400.0).with_swing(swing);
    let mut hours = BTreeMap::<i64, Tally>::new();
    for minute in process.take(200 * 24 * 60) {
        let hour = hours.entry(minute.start - minute.start.rem_euclid(HOUR)).or_default();
        (0..3).for_each(|label| hour[label] += minute.tally[label]);
    }
    let found = Rhythm::measure(&hours).unwrap().swing;
    assert!((found.day / swing.day - 1.0).abs() < 0.35, "{found:?}");
    assert!((found.hour / swing.hour - 1.0).abs() < 0.15, "{found:?}");
    assert!((found.share / swing.share - 1.0).abs() < 0.15, "{found:?}");
}

#[test]
fn a_slow_incident_grows_and_both_end() {
    let usual = [0.6, 0.3, 0.1];
    let slow = SimulatedIncident {
        begins: 100,
        length: 200,
        rate_increase: 0.2,
        shape: IncidentShape::Slow { ramp: 100 },
        kind: IncidentKind::Replaced,
    };
    let at = |time| slow.apply(usual, time)[0];
    assert_eq!((at(99), at(100), at(300)), (0.6, 0.6, 0.6));
    assert!((at(150) - 0.7).abs() < 1e-9 && (at(200) - 0.8).abs() < 1e-9 && (at(299) - 0.8).abs() < 1e-9);
    let sudden = SimulatedIncident { shape: IncidentShape::Sudden, ..slow };
    assert!((sudden.apply(usual, 100)[0] - 0.8).abs() < 1e-9);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_same_seed_draws_the_same_and_posts_are_as_counted(seed in any::<u64>(), volume in 1.0_f64..500.0) {
        let end = 6 * HOUR;
        let incident = SimulatedIncident { begins: HOUR, length: 2 * HOUR, rate_increase: 0.3, shape: IncidentShape::Sudden, kind: IncidentKind::Added };
        let process = arrivals(seed).with_volume(volume).with_incident(incident);
        let mut texts = TextSampler::default();
        for label in Label::ALL {
            (0..20).for_each(|i| texts.add(label, format!("{} {i}", label.as_str())));
        }
        let draw = || SimulatedPosts::new(process.clone(), end, texts.clone(), seed).collect::<Vec<_>>();
        let posts = draw();
        prop_assert_eq!(&posts, &draw());

        let counted = process.clone().take_while(|minute| minute.start < end);
        for minute in counted {
            let of_minute = posts.iter().filter(|post| {
                (minute.start..minute.start + MINUTE).contains(&post.created_at.as_second())
            });
            let mut tally = Tally::default();
            for post in of_minute {
                tally[post.label as usize] += 1;
                prop_assert_eq!(post.in_incident, incident.contains(minute.start));
                prop_assert!(post.text.starts_with(post.label.as_str()));
            }
            prop_assert_eq!(tally, minute.tally);
        }
        prop_assert!(posts.is_sorted_by_key(|post| post.created_at));
        let ids: HashSet<&str> = posts.iter().map(|post| post.id.as_str()).collect();
        prop_assert_eq!(ids.len(), posts.len());
    }

    #[test]
    fn the_rate_increase_is_as_requested(seed in any::<u64>(), points in 3_u8..35, added in any::<bool>()) {
        let rate_increase = f64::from(points) / 100.0;
        let kind = if added { IncidentKind::Added } else { IncidentKind::Replaced };
        let incident = SimulatedIncident { begins: 0, length: 48 * HOUR, rate_increase, shape: IncidentShape::Sudden, kind };
        let (usual, raised) = (arrivals(seed).with_volume(1_000.0), arrivals(seed).with_volume(1_000.0).with_incident(incident));
        let (usual, raised) = (sum(usual.take(48 * 60)), sum(raised.take(48 * 60)));
        // Six standard errors of about 48,000 posts.
        prop_assert!((share(raised) - 0.6 - rate_increase).abs() < 6.0 * (0.25_f64 / 48_000.0).sqrt(), "{}", share(raised));
        let grown = raised.iter().sum::<u64>() as f64 / usual.iter().sum::<u64>() as f64;
        let expected = if added { 0.4 / (0.4 - rate_increase) } else { 1.0 };
        prop_assert!((grown / expected - 1.0).abs() < 0.04, "{grown} instead of {expected}");
    }

    #[test]
    fn texts_repeat_only_after_all_were_used(texts in 1_usize..30, seed in any::<u64>()) {
        use rand_chacha::rand_core::SeedableRng;
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
        let mut sampler = TextSampler::default();
        (0..texts).for_each(|i| sampler.add(Label::Neutral, i.to_string()));
        for _ in 0..3 {
            let round: HashSet<String> = (0..texts).map(|_| sampler.sample(Label::Neutral, &mut rng)).collect();
            prop_assert_eq!(round.len(), texts);
        }
    }
}
