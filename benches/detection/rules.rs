//! The rules as detectors: by the monitor's own code.

use vigie::lab::simulate::Tally;
use vigie::monitor::Rehearsal;
use vigie::rule::Rules;
use vigie::window::{Config, Counts};

/// All rules of a file on one topic.
#[derive(Clone)]
pub(crate) struct RuleSet {
    rehearsal: Rehearsal,
    /// Whether each fires; the first entry: whether any does.
    pub(crate) firing: Vec<bool>,
}

impl RuleSet {
    pub(crate) fn new(rules: &Rules, start: i64) -> Self {
        let firing = vec![false; rules.rules.len() + 1];
        Self { rehearsal: Rehearsal::new(&Config::default(), rules.clone(), start), firing }
    }

    pub(crate) fn push(&mut self, [negative, neutral, positive]: Tally) {
        self.rehearsal.feed(Counts { negative, neutral, positive });
        for (slot, fires) in self.firing[1..].iter_mut().zip(self.rehearsal.firing()) {
            *slot = fires;
        }
        self.firing[0] = self.firing[1..].contains(&true);
    }
}

/// What a table calls them.
pub(crate) fn names(rules: &Rules) -> Vec<String> {
    let each = rules.rules.iter().map(|rule| rule.name.clone());
    std::iter::once("any rule".to_owned()).chain(each).collect()
}
