//! [`RuleSimulator`]: one topic under the rules, fed with counts bucket by bucket, without posts and without a store. It runs
//! the monitor's own code; the benchmark of detection runs years of streams through it, and a backtest on stored posts weeks.

use jiff::Timestamp;

use super::topic_state::TopicState;
use crate::classify::{Label, ModelInfo};
use crate::rule::{Baseline, EventLog, Rules};
use crate::window;
use crate::window::Counts;

const TOPIC: &str = "simulated";
const HOUR: i64 = 3_600;

/// A topic that exists in memory only. Clone it to continue twice from one moment.
#[derive(Debug, Clone)]
pub struct RuleSimulator {
    rules: Rules,
    state: TopicState,
    model: ModelInfo,
    /// Start of the open bucket, in Unix seconds.
    edge: i64,
    width: i64,
}

impl RuleSimulator {
    /// Starts at `start` (Unix seconds) with nothing counted.
    pub fn new(config: &window::Config, rules: Rules, start: i64) -> Self {
        let width = config.bucket.as_secs();
        let edge = start - start.rem_euclid(width);
        let state = TopicState::unstored(config, &rules, TOPIC, edge);
        Self { state, rules, model: ModelInfo::default(), edge, width }
    }

    /// Starts with what is usual for a topic, instead of nothing. Start it where `baseline` ends.
    #[must_use]
    pub fn with_baseline(mut self, baseline: Baseline) -> Self {
        self.state.set_baseline(baseline);
        self
    }

    /// The posts are read by `model`, whose error rates fixed thresholds take into account.
    #[must_use]
    pub fn with_model(mut self, model: ModelInfo) -> Self {
        self.model = model;
        self
    }

    /// Learns the rhythm in this time zone, an IANA name.
    #[must_use]
    pub fn in_zone(mut self, zone: &str) -> Self {
        self.state.set_zone(zone);
        self
    }

    /// Counts the posts of the open bucket, closes it and evaluates every rule.
    pub fn feed(&mut self, counts: Counts) {
        self.state.window.count_all(self.edge, counts);
        self.close_bucket();
    }

    /// As [`RuleSimulator::feed`], for posts whose authors (numbers above 0) are known: those of one person count less.
    pub fn feed_people(&mut self, posts: &[(u64, Label)]) {
        for (author, label) in posts {
            self.state.window.count_author(self.edge, *author, *label);
        }
        self.close_bucket();
    }

    fn close_bucket(&mut self) {
        self.state.window.advance();
        self.edge += self.width;
        let now = Timestamp::from_second(self.edge).unwrap_or(Timestamp::MAX);
        self.state.evaluate(TOPIC, &self.rules, &self.model, &EventLog::default(), now);
        if self.edge % HOUR == 0 {
            self.state.window.discard();
        }
    }

    /// Whether the alert of each rule fires, in the order of the rules.
    pub fn firing(&self) -> impl Iterator<Item = bool> {
        self.state.rule_states.iter().map(|rule_state| rule_state.alert.is_some())
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use jiff::tz::TimeZone;

    use super::*;
    use crate::rule::{AlertingRule, Condition};

    /// A crowd that is not angry, and then one that is: each is one rule's.
    #[test]
    fn spikes_of_posts_and_of_negative_posts_are_distinguished() {
        let rules = r#"
            [[rule]]
            name = "Crowd"
            condition = { type = "volume", rest = "12h" }
            [[rule]]
            name = "AngryCrowd"
            condition = { type = "negative_volume", window = "1h", above = { baseline = "seasonal" }, min_posts = 10 }
        "#;
        let mut simulator = RuleSimulator::new(&window::Config::default(), toml::from_str(rules).unwrap(), 0);
        let mut feed = |minutes: u64, more: Counts| {
            let mut fired = vec![false, false];
            for minute in 0..minutes {
                let (neutral, positive) = (3 + minute % 4 + more.neutral, u64::from(minute % 7 == 0) + more.positive);
                let negative = u64::from(minute % 3 == 0) + more.negative;
                simulator.feed(Counts { negative, neutral, positive, ..Counts::default() });
                fired.iter_mut().zip(simulator.firing()).for_each(|(fired, firing)| *fired |= firing);
            }
            fired
        };
        let day = 24 * 60;
        assert_eq!(feed(8 * day, Counts::default()), [false, false]);
        assert_eq!(feed(30, Counts { positive: 60, ..Counts::default() }), [true, false]);
        feed(12 * 60, Counts::default());
        assert_eq!(feed(day, Counts::default()), [false, false], "both have ceased");
        assert_eq!(feed(30, Counts { negative: 60, ..Counts::default() }), [true, true]);
    }

    /// Mostly angry posts that come in batches, as from a source that is polled or was away: the posts of 20 minutes at once are no
    /// rise, and a real one is found all the same.
    #[test]
    fn posts_that_come_late_are_judged_by_when_they_were_written() {
        const BATCH: u64 = 20;
        let rules = r#"
            [[rule]]
            name = "Rising"
            condition = { type = "rising", of = "negative_volume" }
        "#;
        let mut simulator = RuleSimulator::new(&window::Config::default(), toml::from_str(rules).unwrap(), 0);
        let mut minute = 0_u64;
        let mut feed = |minutes: u64, times: u64, batch: u64| {
            let mut fired = None;
            let mut held = Vec::new();
            for step in 0..minutes {
                minute += 1;
                let (negative, neutral) =
                    (times * u64::from(minute * minute % 7 < 3), u64::from(minute.is_multiple_of(9)));
                held.push((simulator.edge, Counts { negative, neutral, ..Counts::default() }));
                let arrives = (step + 1).is_multiple_of(batch);
                let arrived = if arrives { std::mem::take(&mut held) } else { Vec::new() };
                arrived.iter().for_each(|(time, counts)| simulator.state.window.count_all(*time, *counts));
                simulator.feed(Counts::default());
                fired = fired.or(simulator.firing().any(|firing| firing).then_some(step));
            }
            fired
        };
        let day = 24 * 60;
        assert_eq!(feed(8 * day, 1, 1), None, "each post at once");
        assert_eq!(feed(30 * day, 1, BATCH), None, "in batches");
        let late = feed(2 * 60, 5, BATCH).unwrap();
        assert!(late <= 3 * BATCH, "a real rise is found within three batches: {late} min");
    }

    /// A brand whose customers sleep from 0 to 5 h and grumble at 8 and 9 h, in their time zone.
    struct Brand {
        zone: TimeZone,
        /// Posts per hour at night.
        night: f64,
        seed: u64,
    }

    impl Brand {
        fn share(&mut self) -> f64 {
            self.seed = self.seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = self.seed;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
        }

        /// The posts of the minute that starts at `time`.
        fn minute(&mut self, time: Timestamp) -> Counts {
            let hour = time.to_zoned_datetime(self.zone.clone()).hour();
            let per_hour = match hour {
                0..5 => self.night,
                5 | 23 => 10.0,
                6 | 22 => 40.0,
                _ => 180.0,
            };
            let negative = if matches!(hour, 8 | 9) { 0.55 } else { 0.35 };
            let (least, mut product, mut counts) = ((-per_hour / 60.0_f64).exp(), self.share(), Counts::default());
            while product > least {
                if self.share() < negative {
                    counts.negative += 1;
                } else {
                    counts.neutral += 1;
                }
                product *= self.share();
            }
            counts
        }
    }

    /// Numbers of the days on which each of the shipped rules fired, in ten weeks over a change of clocks.
    fn days_of_alarms(brand: &str, night: f64, learned_in: &str) -> Vec<Vec<i64>> {
        const RULES: &str = r#"
            [[rule]]
            name = "NegativeRising"
            keep_firing_for = "1h"
            condition = { type = "or", any = [
                { type = "rising", of = "negative_rate", false_alarm_every = "60d" },
                { type = "rising", of = "negative_volume", false_alarm_every = "40d" },
            ] }
            [[rule]]
            name = "NoPosts"
            keep_firing_for = "10m"
            condition = { type = "no_data", at_least = "4h", false_alarm_every = "90d" }
            [[rule]]
            name = "ManyPosts"
            keep_firing_for = "1h"
            condition = { type = "volume", window = "3h", false_alarm_every = "7d", min_posts = 25 }
        "#;
        let mut brand = Brand { zone: TimeZone::get(brand).unwrap(), night, seed: 7 };
        let start: Timestamp = "2026-09-14T00:00:00Z".parse().unwrap();
        let config = window::Config::default();
        let rules = toml::from_str(RULES).unwrap();
        let mut simulator = RuleSimulator::new(&config, rules, start.as_second()).in_zone(learned_in);
        let (mut days, mut fired) = (vec![Vec::new(); 3], [false; 3]);
        for minute in 0..70 * 24 * 60_i64 {
            simulator.feed(brand.minute(start + SignedDuration::from_mins(minute)));
            for (rule, firing) in simulator.firing().enumerate() {
                if firing && !fired[rule] {
                    days[rule].push(minute / (24 * 60));
                }
                fired[rule] = firing;
            }
        }
        days
    }

    /// Clocks change on day 41 in Europe, on day 48 in New York.
    #[test]
    fn silent_nights_and_a_change_of_clocks_are_usual() {
        for (zone, night) in [("Europe/Paris", 0.02), ("Europe/London", 1.0), ("America/New_York", 20.0)] {
            let days = days_of_alarms(zone, night, zone);
            assert!(days[0].len() <= 2, "{zone}, {night} posts an hour at night: NegativeRising on days {:?}", days[0]);
            assert!(days[1].len() <= 1, "{zone}, {night} posts an hour at night: NoPosts on days {:?}", days[1]);
            assert!(days[2].len() <= 3, "{zone}, {night} posts an hour at night: ManyPosts on days {:?}", days[2]);
        }
    }

    /// Where the time zone of a topic is not set, what moves by an hour is learned again within days.
    #[test]
    fn a_rhythm_that_moves_is_learned_again() {
        let days = days_of_alarms("Europe/Paris", 0.1, "UTC");
        let after = |rule: usize| days[rule].iter().filter(|day| **day >= 41).count();
        assert!(after(0) <= 7 && days[0].iter().all(|day| *day < 41 + 4), "NegativeRising on days {:?}", days[0]);
        assert!(days[1].len() <= 1, "NoPosts on days {:?}", days[1]);
    }

    #[test]
    fn it_fires_when_the_monitor_would() {
        let rule = r#"
            [[rule]]
            name = "Many"
            for = "2m"
            condition = { type = "negative_volume", window = "5m", above = 10, min_posts = 1 }
        "#;
        let rules: Rules = toml::from_str(rule).unwrap();
        assert!(matches!(rules.rules.as_slice(), [AlertingRule { condition: Condition::NegativeVolume(_), .. }]));
        let config = window::Config { bucket: SignedDuration::from_mins(1), ..window::Config::default() };
        let mut simulator = RuleSimulator::new(&config, rules, 0);
        let mut feed = |negative: u64| {
            simulator.feed(Counts { negative, ..Counts::default() });
            simulator.firing().next().unwrap()
        };
        let fires: Vec<bool> = [0, 50, 50, 50, 0, 0, 0, 0, 0].into_iter().map(&mut feed).collect();
        assert_eq!(fires, [false, false, false, true, true, true, true, true, false]);
    }
}
