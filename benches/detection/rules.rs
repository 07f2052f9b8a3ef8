//! The rules as detectors: by the monitor's own code.

use vigie::monitor::RuleSimulator;
use vigie::rule::{Condition, Rules};
use vigie::simulate::Tally;
use vigie::window::{Config, Counts};

/// All rules of a file on one topic.
#[derive(Clone)]
pub(crate) struct RuleSet {
    simulator: RuleSimulator,
    /// Which rules speak of what is written, and not of silence.
    speaks: Vec<bool>,
    /// Whether each fires; the first entry: whether any does that speaks of what is written.
    pub(crate) firing: Vec<bool>,
}

impl RuleSet {
    pub(crate) fn new(rules: &Rules, start: i64) -> Self {
        let firing = vec![false; rules.rules.len() + 1];
        let speaks = rules.rules.iter().map(|rule| !matches!(rule.condition, Condition::NoData(_))).collect();
        Self { simulator: RuleSimulator::new(&Config::default(), rules.clone(), start), speaks, firing }
    }

    pub(crate) fn push(&mut self, [negative, neutral, positive]: Tally) {
        self.simulator.feed(Counts { negative, neutral, positive, ..Counts::default() });
        for (slot, fires) in self.firing[1..].iter_mut().zip(self.simulator.firing()) {
            *slot = fires;
        }
        self.firing[0] = self.firing[1..].iter().zip(&self.speaks).any(|(fires, speaks)| *fires && *speaks);
    }
}

/// What a table calls them.
pub(crate) fn names(rules: &Rules) -> Vec<String> {
    let each = rules.rules.iter().map(|rule| rule.name.clone());
    std::iter::once("any rule".to_owned()).chain(each).collect()
}
