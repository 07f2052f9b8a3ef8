//! [`SpikeCondition`]: runs the [`VolumeDetector`] on the posts of a topic, all or only the negative ones. Shared by
//! `volume` and the seasonal `negative_volume`. It makes rows for the detector, and turns its alarms, which are points
//! in time, into a condition that holds for as long as the volume stays high.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::volume::{DetectorSettings, Score, VolumeDetector};
use super::{ConditionResult, Evidence, Measurement, NormalLevel, Reasons};
use crate::stats;
use crate::window::{Counts, Span, TopicWindow};

const DAY: i64 = 86_400;
/// Confidence level of the bound shown in alerts.
const SHOWN_CONFIDENCE: f64 = 0.95;
/// The condition ends when the evidence falls below this share of the alarm threshold.
const RECOVERY_SHARE: f64 = 0.5;
/// A topic not evaluated for longer than this was not watched; a shorter gap counts as silence.
const MAX_GAP: i64 = DAY;

/// Settings of the condition.
#[derive(Debug, Clone, Copy)]
pub(super) struct SpikeCondition {
    /// The condition's `type`.
    pub(super) condition: &'static str,
    pub(super) is_of_negative: bool,
    /// Lengths in seconds of the period shown in alerts, and of a row.
    pub(super) window: i64,
    pub(super) step: i64,
    pub(super) false_alarm_every: SignedDuration,
    pub(super) rest: SignedDuration,
    /// With fewer posts in the window the condition does not begin to hold.
    pub(super) min_posts: u64,
}

/// The detector, and its last result.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SpikeMemory {
    detector: Option<VolumeDetector>,
    /// Its rows count negative posts, so they depend on the model.
    pub(super) is_of_negative: bool,
    /// End of the last row, in Unix seconds.
    fed_until: Option<i64>,
    latest: Score,
    holds: bool,
    learned: u64,
}

impl SpikeMemory {
    /// Without the detector, which changes only with a row, and so with `fed_until`.
    pub(super) fn stamp(&self) -> Self {
        let Self { is_of_negative, fed_until, latest, holds, learned, .. } = *self;
        Self { detector: None, is_of_negative, fed_until, latest, holds, learned }
    }

    /// Moves what was learned by this many hours: the topic has another time zone.
    pub(super) fn move_hours(&mut self, hours: usize) {
        self.detector.iter_mut().for_each(|detector| detector.move_hours(hours));
    }
}

/// When a row ends (Unix seconds), and how it is judged.
#[derive(Debug, Clone, Copy)]
struct Moment {
    now: i64,
    /// Local time less UTC, in seconds.
    utc_offset: i64,
    frozen: bool,
}

impl Moment {
    fn of(evidence: &Evidence<'_>, now: i64) -> Self {
        Self { now, utc_offset: evidence.baseline.utc_offset(now), frozen: evidence.frozen }
    }
}

impl SpikeCondition {
    pub(super) fn spans(&self) -> [Span; 2] {
        [Span::last(self.window), Span::last(self.step)]
    }

    /// The votes that the detector counts: a crowd is people, not posts.
    fn count(&self, counts: Counts) -> f64 {
        if self.is_of_negative { counts.negative_votes() } else { counts.votes() }
    }

    pub(super) fn evaluate(&self, evidence: &Evidence<'_>, memory: &mut SpikeMemory) -> ConditionResult {
        let counts = evidence.topic.sum(Span::last(self.window));
        let row = evidence.topic.sum(Span::last(self.step));
        let row = self.count(row).round() as u64;
        self.feed(Moment::of(evidence, evidence.now()), row, self.count(counts).round() as u64, memory);
        self.report(counts, evidence, memory)
    }

    /// Until when (Unix seconds), if no post is counted, an evaluation changes nothing that [`SpikeCondition::catch_up`] does not
    /// make up for: until the row ends that holds the last post, for ever where it holds none.
    pub(super) fn sleeps_until(&self, memory: &SpikeMemory, topic: &TopicWindow) -> Option<i64> {
        let row_end = memory.fed_until? + self.step;
        let is_empty = topic.sum(Span::last(self.step)) == Counts::default();
        Some(if is_empty { i64::MAX } else { row_end })
    }

    /// Passes the empty rows that ended by `until` to the detector: a topic that sleeps had no posts in them.
    pub(super) fn catch_up(&self, evidence: &Evidence<'_>, memory: &mut SpikeMemory, until: i64) {
        let row_end = |memory: &SpikeMemory| memory.fed_until.map(|fed_until| fed_until + self.step);
        if memory.fed_until.is_none_or(|fed_until| until - fed_until > MAX_GAP) {
            return;
        }
        while let Some(end) = row_end(memory).filter(|end| *end <= until) {
            self.feed(Moment::of(evidence, end), 0, 0, memory);
        }
    }

    /// Passes the row to the detector if it is complete: `value` votes in the row, `shown` in the window.
    fn feed(&self, moment: Moment, value: u64, shown: u64, memory: &mut SpikeMemory) {
        let Moment { now, utc_offset, frozen } = moment;
        if memory.is_of_negative != self.is_of_negative {
            *memory = SpikeMemory { is_of_negative: self.is_of_negative, ..SpikeMemory::default() };
        }
        let since = memory.fed_until.map(|fed_until| now - fed_until);
        if since.is_some_and(|since| (0..self.step).contains(&since)) {
            // The row is not complete.
            return;
        }
        let settings = self.settings();
        let detector = memory.detector.get_or_insert_with(|| VolumeDetector::new(settings));
        detector.set_settings(settings);
        detector.set_utc_offset(utc_offset);
        let mut feed = |time: i64, value: u64| {
            let scored = match value {
                _ if frozen => detector.step_frozen(time, value as f64),
                0 => detector.step_empty(time),
                _ => detector.step(time, value as f64),
            };
            // A row is rejected only when the clock was set back; the next rows are accepted again.
            scored.ok()
        };
        // A quiet topic is not evaluated: the rows in between had no posts.
        if let (Some(fed_until), Some(..=MAX_GAP)) = (memory.fed_until, since) {
            let mut time = fed_until + self.step;
            while time + self.step <= now {
                feed(time, 0);
                time += self.step;
            }
        }
        memory.fed_until = Some(now);
        let Some(score) = feed(now, value) else { return };
        // During an incident the detector learns nothing.
        if !frozen {
            memory.learned = memory.learned.saturating_add(value);
        }
        memory.latest = score;
        memory.holds = if memory.holds {
            // Hysteresis: a volume around the threshold must not make the alert flap.
            score.threshold.is_some_and(|threshold| score.evidence > threshold * RECOVERY_SHARE)
        } else if score.is_alarm() && shown < self.min_posts.max(1) {
            // A multiple of almost nothing is not a crowd.
            detector.cancel_alarm();
            false
        } else {
            score.is_alarm()
        };
    }

    fn settings(&self) -> DetectorSettings {
        let false_alarm_every = self.false_alarm_every.as_secs_f64() / DAY as f64;
        DetectorSettings { false_alarm_every, rest: self.rest.as_secs(), interval: Some(self.step) }
    }

    fn report(&self, counts: Counts, evidence: &Evidence<'_>, memory: &SpikeMemory) -> ConditionResult {
        let posts = if self.is_of_negative { counts.negative } else { counts.posts() };
        let (per_vote, per_negative_vote) = evidence.baseline.posts_per_vote();
        let posts_per_vote = if self.is_of_negative { per_negative_vote } else { per_vote };
        let Score { value: score, evidence: strength, threshold, floor, expected, upper } = memory.latest;
        let rows = self.window as f64 / self.step as f64;
        let mut measured =
            Measurement::new(counts, stats::poisson_lower(self.count(counts), SHOWN_CONFIDENCE), evidence.error);
        measured.normal =
            expected.map(|expected| NormalLevel { value: expected * rows * posts_per_vote, posts: memory.learned });
        let alarm_from = threshold.map(f64::exp);
        // Approximate: the detector also looks at shorter periods.
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
        ConditionResult { holds: memory.holds, measured, is_rate: false, reasons }
    }

    /// Every problem with its key; `at` is the key of the condition.
    pub(super) fn validate(&self, at: &str, bucket: SignedDuration) -> Vec<String> {
        let mut problems = Vec::new();
        let step = SignedDuration::from_secs(self.step);
        let longest = SignedDuration::from_hours(6).min(SignedDuration::from_secs(self.window));
        if step < bucket || step > longest || self.step % bucket.as_secs().max(1) != 0 {
            problems.push(format!(
                "{at}.step: {step:#} is not valid; expected a multiple of window.bucket ({bucket:#}), from {bucket:#} to \
                 {longest:#} (the condition's window, at most 6h)"
            ));
        }
        if self.false_alarm_every < SignedDuration::from_hours(48) {
            let found = self.false_alarm_every;
            problems.push(format!("{at}.false_alarm_every: {found:#} is not valid; expected 2d or more, e.g. \"30d\""));
        }
        if self.rest.is_negative() || self.rest > SignedDuration::from_hours(28 * 24) {
            problems.push(format!("{at}.rest: {:#} is not valid; expected 0s to 28d, e.g. \"24h\"", self.rest));
        }
        problems
    }
}

#[cfg(test)]
mod tests;
