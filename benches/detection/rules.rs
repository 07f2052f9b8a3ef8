//! The rules as detectors, with the code of the monitor.

use vigie::monitor::RuleSimulator;
use vigie::rule::{AlertingRule, Condition, Rules};
use vigie::window::{Config, Counts};

use crate::stream::Minute;

/// All rules of a file on one topic.
#[derive(Clone)]
pub(crate) struct RuleSet {
    simulator: RuleSimulator,
    /// Which rules are about posts, not about silence, and more than information.
    is_about_posts: Vec<bool>,
    /// Whether each rule fires; the first entry: whether any rule about posts fires.
    pub(crate) firing: Vec<bool>,
}

impl RuleSet {
    pub(crate) fn new(rules: &Rules, start: i64) -> Self {
        let firing = vec![false; rules.rules.len() + 1];
        let is_info = |rule: &AlertingRule| rule.labels.get("severity").is_some_and(|severity| severity == "info");
        let is_about_posts =
            rules.rules.iter().map(|rule| !matches!(rule.condition, Condition::NoData(_)) && !is_info(rule)).collect();
        Self { simulator: RuleSimulator::new(&Config::default(), rules.clone(), start), is_about_posts, firing }
    }

    pub(crate) fn push(&mut self, minute: &Minute) {
        let [negative, neutral, positive] = minute.counts.tally;
        match &minute.people {
            Some(people) => self.simulator.feed_people(people),
            None => self.simulator.feed(Counts { negative, neutral, positive, ..Counts::default() }),
        }
        for (slot, fires) in self.firing[1..].iter_mut().zip(self.simulator.firing()) {
            *slot = fires;
        }
        self.firing[0] = self.firing[1..].iter().zip(&self.is_about_posts).any(|(fires, counts)| *fires && *counts);
    }
}

/// The names of the rules in tables.
pub(crate) fn names(rules: &Rules) -> Vec<String> {
    let each = rules.rules.iter().map(|rule| rule.name.clone());
    std::iter::once("any rule".to_owned()).chain(each).collect()
}
