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
        self.spike.feed(Moment { now, utc_offset: 0, frozen }, posts, shown, &mut self.memory);
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
        let moment = Moment { now: now + minute * 60, utc_offset: 0, frozen: false };
        play.spike.feed(moment, 10_000, 10_000, &mut play.memory);
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

/// Clocks change in Paris on 25 October 2026 at 01:00 UTC; the rhythm keeps its hours.
#[test]
fn the_rhythm_follows_the_clocks_of_the_topic() {
    let hours = |offset: i64| {
        // Three weeks of summer time; posts from 8 to 20 h, local time.
        let mut play = Play::new(spike());
        let row = |time: i64| if (8..20).contains(&((time + 7_200).div_euclid(3_600) % 24)) { 30 } else { 0 };
        for _ in 0..21 * 288 {
            play.row += 1;
            let now = START + play.row * STEP;
            play.spike.feed(Moment { now, utc_offset: 7_200, frozen: false }, row(now), 300, &mut play.memory);
        }
        // 07:00 UTC on a day of winter time: 08:00 in Paris, when people begin to write.
        let time = START + (play.row + 1) * STEP;
        let time = time - time.rem_euclid(86_400) + 86_400 + 7 * 3_600;
        play.spike.feed(Moment { now: time, utc_offset: offset, frozen: false }, 30, 300, &mut play.memory);
        play.memory.latest.expected.unwrap()
    };
    assert!(hours(3_600) > 20.0, "8 h in Paris: {}", hours(3_600));
    assert!(hours(0) < 10.0, "what it was by UTC: {}", hours(0));
}

#[test]
fn another_time_zone_moves_what_is_learned() {
    let mut play = Play::new(spike());
    for _ in 0..14 * 288 {
        let posts = if (START + (play.row + 1) * STEP).div_euclid(3_600) % 24 == 12 { 60 } else { 2 };
        play.feed(posts, false);
    }
    let expected = |memory: &SpikeMemory, utc_offset: i64| {
        let noon = START + 20 * 86_400 + 12 * 3_600;
        let mut memory = memory.clone();
        spike().feed(Moment { now: noon, utc_offset, frozen: false }, 60, 700, &mut memory);
        memory.latest.expected.unwrap()
    };
    let before = expected(&play.memory, 0);
    play.memory.move_hours(2);
    assert!((expected(&play.memory, 7_200) - before).abs() < 1e-6, "the same hour of the same days");
    assert!(expected(&play.memory, 0) < before / 2.0);
}
