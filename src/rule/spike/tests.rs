//! Tests of spikes: alarms of the detector become a condition that lasts.

use super::*;

const STEP: i64 = 300;
/// A Monday.
const START: i64 = 1_772_409_600;

fn spike() -> SpikeCondition {
    SpikeCondition {
        condition: "volume",
        is_of_negative: false,
        window: 3_600,
        step: STEP,
        false_alarm_every: SignedDuration::from_hours(30 * 24),
        rest: SignedDuration::from_hours(24),
        min_posts: 20,
    }
}

/// Posts of the `row`-th step: a daily rhythm and something like chance.
fn calm(row: i64) -> u64 {
    let hour = row / 12 % 24;
    let mean = if (7..23).contains(&hour) { 12 } else { 3 };
    mean + (row.wrapping_mul(2_654_435_761) >> 7).rem_euclid(mean as i64) as u64
}

struct Play {
    spike: SpikeCondition,
    memory: SpikeMemory,
    row: i64,
    shown: Vec<u64>,
}

impl Play {
    fn new(spike: SpikeCondition) -> Self {
        Self { spike, memory: SpikeMemory::default(), row: 0, shown: Vec::new() }
    }

    fn feed(&mut self, posts: u64, frozen: bool) -> bool {
        self.row += 1;
        self.shown.push(posts);
        let shown = self.shown.iter().rev().take(12).sum();
        let now = START + self.row * STEP;
        self.spike.feed(now, posts, shown, frozen, &mut self.memory);
        self.memory.holds
    }

    fn calm(&mut self, days: i64) {
        for _ in 0..days * 288 {
            let row = self.row;
            assert!(!self.feed(calm(row), false), "row {row}");
        }
    }
}

#[test]
fn it_holds_from_the_alarm_until_the_crowd_has_gone() {
    let mut play = Play::new(spike());
    play.calm(9);
    let mut held = Vec::new();
    for minute in 0..36 {
        let more = if minute < 24 { 150 } else { 0 };
        let (row, frozen) = (play.row, held.last() == Some(&true));
        held.push(play.feed(calm(row) + more, frozen));
    }
    let began = held.iter().position(|held| *held).unwrap();
    let over = held.iter().rposition(|held| *held).unwrap();
    assert!(began <= 2, "after {began} steps");
    assert!((23..35).contains(&over), "until step {over}: {held:?}");
    assert!(held[began..=over].iter().all(|held| *held), "without a break: {held:?}");
}

#[test]
fn it_rests_after_an_incident() {
    let mut play = Play::new(spike());
    play.calm(9);
    let incident = |play: &mut Play| {
        let held: Vec<bool> =
            (0..48).map(|row| play.feed(calm(play.row) + if row < 6 { 150 } else { 0 }, false)).collect();
        held.into_iter().any(|held| held)
    };
    assert!(incident(&mut play));
    assert!(!incident(&mut play), "within the rest");
    play.calm(1);
    assert!(incident(&mut play), "after it");
}

#[test]
fn the_shown_threshold_is_above_normal() {
    let mut play = Play::new(SpikeCondition { min_posts: 1, ..spike() });
    for _ in 0..3 * 288 {
        play.feed(0, false);
    }
    let Score { threshold, floor, .. } = play.memory.latest;
    assert!(floor * (threshold.unwrap().exp() - 1.0) > 0.2, "even for a topic without posts: {:?}", play.memory.latest);
    assert!(play.feed(30, false));
}

#[test]
fn what_is_normal_stays_as_it_was_while_the_alert_fires() {
    let mut play = Play::new(spike());
    play.calm(9);
    let mut other = Play { memory: play.memory.clone(), shown: play.shown.clone(), ..play };
    let (mut frozen, mut learning) = (true, true);
    for _ in 0..3 * 288 {
        frozen = other.feed(calm(other.row) + 150, true);
    }
    assert!(frozen, "three days of an incident are still one");
    let mut play = Play::new(spike());
    play.calm(9);
    for _ in 0..30 * 288 {
        learning = play.feed(calm(play.row) + 150, false);
    }
    assert!(!learning, "what stays for a month is the new normal");
}

#[test]
fn a_few_posts_are_no_crowd() {
    let mut play = Play::new(SpikeCondition { min_posts: 5_000, ..spike() });
    play.calm(9);
    for _ in 0..6 {
        assert!(!play.feed(150, false));
    }
    assert!(play.feed(6_000, false), "the alarms not taken began no rest");
}

#[test]
fn a_silence_was_silent() {
    let mut play = Play::new(spike());
    for _ in 0..2 * 288 {
        play.feed(30, false);
    }
    let expected = |play: &Play| play.memory.latest.expected.unwrap();
    let before = expected(&play);
    play.row += 12 * 10;
    play.feed(30, false);
    assert!(expected(&play) < before - 1.0, "ten hours without posts were learned");
}

#[test]
fn a_restart_changes_nothing_and_a_clock_set_back_passes() {
    let mut play = Play::new(spike());
    play.calm(4);
    let bytes = postcard::to_stdvec(&play.memory).unwrap();
    assert!(bytes.len() < 3_000, "{} bytes", bytes.len());
    assert_eq!(postcard::from_bytes::<SpikeMemory>(&bytes).unwrap(), play.memory);
    play.row -= 288;
    play.calm(2);
    assert!((0..3).any(|_| play.feed(400, false)));
}

#[test]
fn between_two_rows_nothing_changes() {
    let mut play = Play::new(spike());
    play.calm(3);
    let before = play.memory.clone();
    let now = START + play.row * STEP;
    for minute in 1..5 {
        play.spike.feed(now + minute * 60, 10_000, 10_000, false, &mut play.memory);
    }
    assert_eq!(play.memory, before);
}

#[test]
fn every_problem_names_its_key() {
    let bucket = SignedDuration::from_mins(1);
    assert!(spike().validate("condition", bucket).is_empty());
    let cases = [
        (SpikeCondition { step: 90, ..spike() }, "condition.step: 1m 30s"),
        (SpikeCondition { step: 7_200, ..spike() }, "condition.step: 2h"),
        (
            SpikeCondition { false_alarm_every: SignedDuration::from_hours(1), ..spike() },
            "condition.false_alarm_every: 1h",
        ),
        (SpikeCondition { rest: SignedDuration::from_hours(-1), ..spike() }, "condition.rest"),
    ];
    for (spike, expected) in cases {
        let problems = spike.validate("condition", bucket);
        assert!(matches!(&problems[..], [problem] if problem.contains(expected)), "{problems:?}: {expected}");
    }
}
