//! [`Spike`]: a topic's posts, all or the negative ones, before the [`VolumeDetector`]. What `volume` and a seasonal
//! `negative_volume` have in common: rows for the detector, and from its alarms, which are moments, a condition that holds
//! for as long as the crowd stays.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::volume::{Score, Settings, VolumeDetector};
use super::{Evaluation, Evidence, Measured, Normal, Reasons, bound};
use crate::window::{Counts, Span};

const DAY: i64 = 86_400;
/// Confidence of the bound that is shown.
const SHOWN: f64 = 0.95;
/// The condition ceases to hold once the evidence is below this share of what made an alarm.
const RECOVERED: f64 = 0.5;
/// A topic that was not evaluated for longer than this was not watched, and not silent.
const LONGEST_SILENCE: i64 = DAY;

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spike {
    /// The condition's `type`.
    pub(super) condition: &'static str,
    pub(super) is_of_negative: bool,
    /// Seconds: the stretch shown to people, and that of a row.
    pub(super) window: i64,
    pub(super) step: i64,
    pub(super) false_alarm_every: SignedDuration,
    pub(super) rest: SignedDuration,
    /// With fewer in the window no alarm is raised.
    pub(super) min_posts: u64,
}

/// The detector, and what it said last.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SpikeMemory {
    detector: Option<VolumeDetector>,
    /// It was fed with negative posts, which another model may see otherwise.
    pub(super) is_of_negative: bool,
    /// End of the last row, in Unix seconds.
    fed: Option<i64>,
    latest: Score,
    holds: bool,
    learnt: u64,
}

impl Spike {
    pub(super) fn spans(&self) -> [Span; 2] {
        [Span::last(self.window), Span::last(self.step)]
    }

    fn count(&self, counts: Counts) -> u64 {
        if self.is_of_negative { counts.negative } else { counts.posts() }
    }

    pub(super) fn evaluate(&self, evidence: &Evidence<'_>, memory: &mut SpikeMemory) -> Evaluation {
        let counts = evidence.topic.sum(Span::last(self.window));
        let row = evidence.topic.sum(Span::last(self.step));
        self.follow(evidence.now(), self.count(row), self.count(counts), evidence.frozen, memory);
        self.tell(counts, evidence, memory)
    }

    /// Feeds the detector where a row is over: `value` posts in it, `shown` in the window.
    fn follow(&self, now: i64, value: u64, shown: u64, frozen: bool, memory: &mut SpikeMemory) {
        if memory.is_of_negative != self.is_of_negative {
            *memory = SpikeMemory { is_of_negative: self.is_of_negative, ..SpikeMemory::default() };
        }
        let since = memory.fed.map(|fed| now - fed);
        if since.is_some_and(|since| (0..self.step).contains(&since)) {
            return;
        }
        let settings = self.settings();
        let detector = memory.detector.get_or_insert_with(|| VolumeDetector::new(settings));
        detector.adopt(settings);
        let mut feed = |time: i64, value: u64| {
            let value = value as f64;
            // What cannot be judged is a clock that was set back, which passes.
            if frozen { detector.step_frozen(time, value) } else { detector.step(time, value) }.ok()
        };
        // A quiet topic is not evaluated: nobody wrote in between.
        if let (Some(fed), Some(..=LONGEST_SILENCE)) = (memory.fed, since) {
            let mut time = fed + self.step;
            while time + self.step <= now {
                feed(time, 0);
                time += self.step;
            }
        }
        memory.fed = Some(now);
        let Some(score) = feed(now, value) else { return };
        if !frozen {
            memory.learnt = memory.learnt.saturating_add(value);
        }
        memory.latest = score;
        memory.holds = if memory.holds {
            score.threshold.is_some_and(|threshold| score.evidence > threshold * RECOVERED)
        } else if score.is_alarm() && shown < self.min_posts.max(1) {
            detector.take_back();
            false
        } else {
            score.is_alarm()
        };
    }

    fn settings(&self) -> Settings {
        let false_alarm_every = self.false_alarm_every.as_secs_f64() / DAY as f64;
        Settings { false_alarm_every, rest: self.rest.as_secs(), interval: Some(self.step) }
    }

    fn tell(&self, counts: Counts, evidence: &Evidence<'_>, memory: &SpikeMemory) -> Evaluation {
        let posts = self.count(counts);
        let Score { value: score, evidence: strength, threshold, floor, expected, upper } = memory.latest;
        let rows = self.window as f64 / self.step as f64;
        let mut measured = Measured::new(counts, bound::count(posts, SHOWN), evidence.error);
        measured.normal = expected.map(|expected| Normal { value: expected * rows, posts: memory.learnt });
        let alarm_from = threshold.map(f64::exp);
        // About: the detector looks at shorter stretches too.
        measured.threshold =
            measured.normal.zip(alarm_from).map(|(normal, times)| (normal.value + floor) * times - floor);
        let mut numbers = vec![("score", score), ("times_normal", strength.exp())];
        numbers.extend(alarm_from.map(|times| ("alarm_from_times_normal", times)));
        numbers.push((if self.is_of_negative { "negative" } else { "posts" }, posts as f64));
        numbers.extend(measured.normal.map(|normal| ("normal", normal.value)));
        numbers.extend(upper.map(|upper| ("alarm_from_posts_in_step", upper)));
        numbers.push(("false_alarm_every_days", self.settings().false_alarm_every));
        numbers.push(("window_minutes", self.window as f64 / 60.0));
        let reasons = Reasons { condition: self.condition, holds: memory.holds, numbers, parts: Vec::new() };
        Evaluation { holds: memory.holds, measured, is_rate: false, reasons }
    }

    /// Each fault, naming its key under `at`.
    pub(super) fn faults(&self, at: &str, bucket: SignedDuration) -> Vec<String> {
        let mut faults = Vec::new();
        let step = SignedDuration::from_secs(self.step);
        let longest = SignedDuration::from_hours(6).min(SignedDuration::from_secs(self.window));
        if step < bucket || step > longest || self.step % bucket.as_secs().max(1) != 0 {
            faults.push(format!(
                "{at}.step: {step:#} is not a multiple of window.bucket ({bucket:#}) between it and {longest:#}, the \
                 condition's window or 6h"
            ));
        }
        if self.false_alarm_every < SignedDuration::from_hours(48) {
            let found = self.false_alarm_every;
            faults.push(format!("{at}.false_alarm_every: {found:#} is less than 2d; wanted such as \"30d\""));
        }
        if self.rest.is_negative() || self.rest > SignedDuration::from_hours(28 * 24) {
            faults.push(format!("{at}.rest: {:#} is not between 0 and 28d", self.rest));
        }
        faults
    }
}

#[cfg(test)]
mod tests;
