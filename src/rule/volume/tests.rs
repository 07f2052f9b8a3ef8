//! Tests of the detector: false-alarm interval, detection delay, and robustness against any input.

use proptest::prelude::*;

use super::*;

const START: i64 = 1_424_986_973;
const STEP: i64 = 300;

/// Numbers in `[0, 1)` that look random.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// An overdispersed count with this mean: a gamma mixture of size 2.
    fn count(&mut self, mean: f64) -> f64 {
        let rate = mean * -(self.next().max(1e-12) * self.next().max(1e-12)).ln() / 2.0;
        let (limit, mut product, mut count) = ((-rate.min(500.0)).exp(), self.next(), 0.0);
        while product > limit {
            product *= self.next();
            count += 1.0;
        }
        count
    }
}

fn normal(time: i64) -> f64 {
    let hour = time.rem_euclid(DAY) as f64 / HOUR as f64;
    20.0 * (1.0 + 0.8 * (std::f64::consts::TAU * (hour - 9.0) / 24.0).sin())
}

fn series(days: i64, seed: u64) -> Vec<(i64, f64)> {
    let mut noise = Noise(seed);
    let times = (0..days * DAY / STEP).map(|row| START + row * STEP);
    times.map(|time| (time, noise.count(normal(time)))).collect()
}

fn scores(rows: &[(i64, f64)]) -> Vec<Score> {
    let mut detector = VolumeDetector::new(DetectorSettings::default());
    rows.iter().map(|(time, value)| detector.step(*time, *value).unwrap_or_default()).collect()
}

fn alarms(rows: &[(i64, f64)]) -> Vec<i64> {
    rows.iter().zip(scores(rows)).filter(|(_, score)| score.is_alarm()).map(|(row, _)| row.0).collect()
}

#[test]
fn false_alarms_are_as_rare_as_accepted() {
    let days = 70;
    let found: usize = (0..6).map(|seed| alarms(&series(days, seed)).len()).sum();
    // One in ten days would be 42.
    assert!(found <= 42, "{found} alarms in {} days", 6 * days);
    assert!(found > 0, "a detector that never fires is none");
}

#[test]
fn an_hour_of_many_times_the_normal_is_one_alarm_within_minutes() {
    let mut rows = series(30, 3);
    let start = START + 20 * DAY + 6 * HOUR;
    for row in rows.iter_mut().filter(|row| (start..start + HOUR).contains(&row.0)) {
        row.1 += 150.0;
    }
    let found: Vec<i64> = alarms(&rows).into_iter().filter(|time| (start..start + DAY).contains(time)).collect();
    assert!(matches!(found[..], [alarm] if alarm < start + 15 * MINUTE), "{found:?} from {start}");
}

#[test]
fn the_upper_value_is_where_alarms_begin() {
    let rows = series(12, 4);
    let mut detector = VolumeDetector::new(DetectorSettings::default());
    for (time, value) in rows {
        detector.step(time, value).unwrap();
    }
    detector.quiet_until = None;
    let time = START + 12 * DAY;
    let upper = detector.clone().step(time, 1.0).unwrap().upper.unwrap();
    assert!(detector.clone().step(time, upper * 1.001).unwrap().is_alarm());
    assert!(!detector.clone().step(time, upper * 0.999).unwrap().is_alarm());
}

#[test]
fn what_is_frozen_learns_nothing() {
    let mut detector = VolumeDetector::new(DetectorSettings::default());
    for (time, value) in series(5, 5) {
        detector.step(time, value).unwrap();
    }
    detector.step_frozen(START + 5 * DAY, 5_000.0).unwrap();
    let before = detector.clone();
    for row in 1..288 {
        detector.step_frozen(START + 5 * DAY + row * STEP, 5_000.0).unwrap();
    }
    assert_eq!(detector.seasonal, before.seasonal);
    let time = START + 6 * DAY;
    let (frozen, fresh) = (detector.alarm.threshold(10.0), before.alarm.threshold(10.0));
    assert_eq!(frozen, fresh);
    assert!(detector.step(time, 5_000.0).unwrap().expected.unwrap() < 100.0);
}

#[test]
fn any_interval_and_unit_will_do() {
    for (step, days) in [(60, 6), (900, 25), (HOUR, 60), (6 * HOUR, 200), (DAY, 400)] {
        for unit in [0.001, 1.0, 1e6] {
            let mut noise = Noise(7);
            let mut rows: Vec<(i64, f64)> = (0..days * DAY / step)
                .map(|row| START + row * step)
                .map(|time| (time, unit * noise.count(normal(time) * step as f64 / 300.0 / 10.0)))
                .collect();
            let (time, _) = rows.pop().unwrap();
            let mut detector = VolumeDetector::new(DetectorSettings::default());
            let found = rows.iter().filter(|(time, value)| detector.step(*time, *value).unwrap().is_alarm()).count();
            assert!(found as f64 <= days as f64 / 5.0, "{step} s: {found} alarms");
            detector.quiet_until = None;
            assert!(detector.step(time, unit * 1e5).unwrap().is_alarm(), "{step} s, unit {unit}");
        }
    }
}

#[test]
fn a_row_that_cannot_be_judged_says_why() {
    let mut detector = VolumeDetector::new(DetectorSettings::default());
    detector.step(START, 1.0).unwrap();
    assert_eq!(detector.step(START + 300, f64::NAN), Err(ScoreError::NotANumber));
    assert_eq!(detector.step(START + 300, f64::INFINITY), Err(ScoreError::NotANumber));
    assert_eq!(detector.step(START + 300, -1.0), Err(ScoreError::Negative));
    assert_eq!(detector.step(START, 1.0), Err(ScoreError::NotAfter));
    assert!(detector.step(START + 300, 1.0).is_ok());
}

#[test]
fn one_row_from_the_far_future_does_not_end_the_series() {
    let mut rows = series(12, 8);
    rows[2_000].0 += 10_000 * DAY;
    let time = rows.last().unwrap().0;
    rows.last_mut().unwrap().1 = 100_000.0;
    assert_eq!(alarms(&rows).last(), Some(&time));
}

#[test]
fn it_goes_on_from_disk_as_if_nothing_had_been() {
    let rows = series(6, 9);
    let mut detector = VolumeDetector::new(DetectorSettings::default());
    for (i, (time, value)) in rows.iter().enumerate() {
        if i % 500 == 0 {
            let bytes = postcard::to_stdvec(&detector).unwrap();
            assert!(bytes.len() < 2_500, "{} bytes", bytes.len());
            let read: VolumeDetector = postcard::from_bytes(&bytes).unwrap();
            assert_eq!(read, detector);
            detector = read;
        }
        detector.step(*time, *value).unwrap();
    }
}

proptest! {
    #[test]
    fn nothing_panics_and_scores_stay_scores(
        rows in prop::collection::vec((any::<i64>(), any::<f64>(), prop::bool::ANY), 0..200),
        step in 1_i64..100_000,
        interval in prop::option::of(1_i64..1_000_000),
    ) {
        let mut detector = VolumeDetector::new(DetectorSettings { interval, ..DetectorSettings::default() });
        for (i, (wild, value, is_wild)) in rows.into_iter().enumerate() {
            let time = if is_wild { wild } else { START + i as i64 * step };
            if let Ok(score) = detector.step(time, value.abs()) {
                prop_assert!((0.0..=1.0).contains(&score.value));
                prop_assert!(score.upper.is_none_or(|upper| upper >= 0.0 && upper.is_finite()));
            }
        }
    }

    #[test]
    fn the_future_changes_no_score(cut in 1_usize..1_900, seed in 0_u64..20) {
        let rows = series(7, seed);
        prop_assert_eq!(&scores(&rows[..cut])[..], &scores(&rows)[..cut]);
    }
}
