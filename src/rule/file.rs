//! [`Rules`]: the rules of a rule file. `config` reads and validates it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::AlertingRule;
use crate::window::Span;

/// The `[[rule]]` tables of one file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    #[serde(default, rename = "rule")]
    pub rules: Vec<AlertingRule>,
}

impl Rules {
    /// Every span that a rule reads, without duplicates.
    pub fn spans(&self) -> Vec<Span> {
        let spans: BTreeSet<Span> = self.rules.iter().flat_map(|rule| rule.condition.spans()).collect();
        spans.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    fn parse(text: &str) -> Result<Rules, String> {
        let rules: Rules = toml::from_str(text).map_err(|error| error.to_string())?;
        let problems: Vec<String> =
            rules.rules.iter().flat_map(|rule| rule.validate(SignedDuration::from_mins(1))).collect();
        if problems.is_empty() { Ok(rules) } else { Err(problems.join("\n")) }
    }

    #[test]
    fn a_rule_in_full_is_read() {
        let text = r#"
            [[rule]]
            name = "Rate"
            for = "10m"
            keep_firing_for = "30m"
            labels = { severity = "warning" }
            condition = { type = "negative_rate", window = "1h", above = { baseline = "24h", margin = 0.1 } }
        "#;
        let rules = parse(text).unwrap();
        assert_eq!(rules.rules[0].hold, SignedDuration::from_mins(10));
        assert_eq!(rules.spans(), [Span::last(3_600), Span::before(3_600, 86_400)]);
    }

    #[test]
    fn conditions_are_combined() {
        let text = r#"
            [[rule]]
            name = "Both"
            [rule.condition]
            type = "and"
            all = [
                { type = "negative_volume", window = "2h", above = 20 },
                { type = "or", any = [
                    { type = "negative_rate", window = "1h", above = { baseline = "seasonal", margin = 0.1, recover_margin = 0.05 } },
                    { type = "negative_rate", window = "3h", above = 0.8, recover_below = 0.7 },
                ] },
            ]
        "#;
        let rules = parse(text).unwrap();
        assert_eq!(rules.spans(), [Span::last(3_600), Span::last(7_200), Span::last(10_800)]);
        assert_eq!(rules.rules[0].condition.window(), 10_800);
        assert_eq!(toml::from_str::<Rules>(&toml::to_string(&rules).unwrap()).unwrap(), rules);
    }

    #[test]
    fn spikes_are_read_with_days_and_defaults() {
        let text = r#"
            [[rule]]
            name = "Crowd"
            condition = { type = "volume", false_alarm_every = "10d", rest = "2d", min_posts = 5 }
            [[rule]]
            name = "AngryCrowd"
            condition = { type = "negative_volume", window = "2h", above = { baseline = "seasonal", step = "10m" } }
        "#;
        let rules = parse(text).unwrap();
        assert_eq!(rules.spans(), [Span::last(300), Span::last(600), Span::last(3_600), Span::last(7_200)]);
        assert!(rules.rules.iter().all(|rule| rule.condition.has_normal()));
        assert_eq!(toml::from_str::<Rules>(&toml::to_string(&rules).unwrap()).unwrap(), rules);
    }

    #[test]
    fn every_problem_names_its_key() {
        let rate = |more: &str| format!("name = \"A\"\ncondition = {{ type = \"negative_rate\", {more} }}");
        let cases = [
            (rate("window = \"1h\", above = 1.5"), "condition.above"),
            (rate("window = \"90s\", above = 0.5"), "condition.window"),
            (rate("window = \"0s\", above = 0.5"), "condition.window"),
            (rate("window = \"1h\", above = 0.5, confidence = 1.0"), "condition.confidence"),
            (rate("window = \"1h\", above = { baseline = \"2000h\" }"), "condition.above.baseline"),
            (rate("window = \"1h\", above = { baseline = \"24h\", margin = -1.0 }"), "condition.above.margin"),
            (rate("window = \"1h\", above = { baseline = \"seasonl\" }"), "seasonal"),
            (rate("window = \"1h\", above = { baseline = \"24h\", margin = 0.1, recover_margin = 0.2 }"), "recover_margin"),
            (rate("window = \"1h\", above = 0.5, recover_below = 0.6"), "condition.recover_below"),
            (rate("window = \"1h\", above = { baseline = \"24h\" }, recover_below = 0.6"), "condition.above.recover_margin"),
            ("name = \"A\"\ncondition = { type = \"or\", any = [] }".into(), "condition.any: it is empty"),
            (
                "name = \"A\"\ncondition = { type = \"and\", all = [{ type = \"negative_volume\", window = \"90s\", above = 5 }] }".into(),
                "condition.all[0].window",
            ),
            (rate("window = \"1h\", above = 0.5") + "\nfor = \"-1m\"", "for"),
            (rate("window = \"1h\", above = 0.5") + "\nlabels = { topic = \"x\" }", "labels.topic"),
            (rate("window = \"1h\", above = 0.5") + "\nannotations = { summary = \"{{ rate\" }", "annotations.summary"),
            (rate("window = \"1h\", above = 0.5") + "\nannotations = { a = \"{{ rat }}\" }", "annotations.a"),
            (rate("window = \"1h\", above = 0.5") + "\nannotations = { b = \"{{ rate | roundd }}\" }", "roundd"),
            (rate("window = \"1h\", above = 0.5") + "\nannotations = { c = \"{{ normal | percent }}\" }", "annotations.c"),
            (rate("window = \"1h\", above = \"much\""), "a share such as 0.8"),
            (rate("window = \"1h\", above = 0.5, windw = 1"), "windw"),
            (rate("window = \"1h\", above = 0.5") + "\nfro = \"1m\"", "fro"),
            ("name = \"A\"\ncondition = { type = \"tea_leaves\" }".into(), "tea_leaves"),
            ("name = \"A\"\ncondition = { type = \"volume\", step = \"90s\" }".into(), "condition.step"),
            ("name = \"A\"\ncondition = { type = \"volume\", rest = \"a while\" }".into(), "a while"),
            ("name = \"A\"\ncondition = { type = \"volume\", rest = \"9999999999999999d\" }".into(), "9999999999999999d"),
            (
                "name = \"A\"\ncondition = { type = \"negative_volume\", window = \"1h\", above = { baseline = \"seasonal\", false_alarm_every = \"1h\" } }".into(),
                "condition.above.false_alarm_every",
            ),
            ("name = \"A b\"\ncondition = { type = \"negative_volume\", window = \"1h\", above = 5 }".into(), "name"),
            (
                "name = \"A\"\ncondition = { type = \"negative_volume\", window = \"1h\", above = { baseline = \"24h\", times = 0.5 } }".into(),
                "condition.above.times",
            ),
        ];
        for (rule, expected) in cases {
            let error = parse(&format!("[[rule]]\n{rule}")).unwrap_err();
            assert!(error.contains(expected), "{error}\n does not name {expected}");
        }
    }
}
