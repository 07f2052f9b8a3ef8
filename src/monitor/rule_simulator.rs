//! [`RuleSimulator`]: one topic under the rules, fed with counts bucket by bucket, without posts and without a store. It runs
//! the monitor's own code; the benchmark of detection runs years of streams through it.

use jiff::Timestamp;

use super::topic_state::TopicState;
use crate::classify::ModelInfo;
use crate::rule::{EventLog, Rules};
use crate::window;
use crate::window::Counts;

const TOPIC: &str = "simulated";
const HOUR: i64 = 3_600;

/// A topic that exists in memory only. Clone it to continue twice from one moment.
#[derive(Debug, Clone)]
pub struct RuleSimulator {
    rules: Rules,
    state: TopicState,
    /// Start of the open bucket, in Unix seconds.
    edge: i64,
    width: i64,
}

impl RuleSimulator {
    /// Starts at `start` (Unix seconds) with nothing counted.
    pub fn new(config: &window::Config, rules: Rules, start: i64) -> Self {
        let width = config.bucket.as_secs();
        let edge = start - start.rem_euclid(width);
        Self { state: TopicState::unstored(config, &rules, TOPIC, edge), rules, edge, width }
    }

    /// Counts the posts of the open bucket, closes it and evaluates every rule.
    pub fn feed(&mut self, counts: Counts) {
        self.state.window.count_all(self.edge, counts);
        self.state.window.advance();
        self.edge += self.width;
        let now = Timestamp::from_second(self.edge).unwrap_or(Timestamp::MAX);
        self.state.evaluate(TOPIC, &self.rules, &ModelInfo::default(), &EventLog::default(), now);
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
