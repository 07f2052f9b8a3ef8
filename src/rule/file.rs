//! [`Rules`]: reading and checking a rule file.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::AlertingRule;
use crate::window::Span;

/// The rules of one file, `[[rule]]` after `[[rule]]`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    #[serde(default, rename = "rule")]
    pub rules: Vec<AlertingRule>,
}

/// Why a rule file was not taken.
#[derive(Debug, thiserror::Error)]
pub enum RuleFileError {
    #[error("the rule file {path} cannot be read: {cause}")]
    Read { path: PathBuf, cause: std::io::Error },
    #[error("the rule file {path} is not as it should be:\n{reason}")]
    Parse { path: PathBuf, reason: String },
    #[error("the rule file {path} has faults:\n  {}", faults.join("\n  "))]
    Faults { path: PathBuf, faults: Vec<String> },
}

impl Rules {
    /// Reads the file `path`; `bucket` is the width of a window bucket.
    ///
    /// # Errors
    /// When the file cannot be read, is not TOML of this shape, or holds rules that make no sense: all faults at once.
    pub fn read(path: &Path, bucket: SignedDuration) -> Result<Self, RuleFileError> {
        let text = std::fs::read_to_string(path).map_err(|cause| RuleFileError::Read { path: path.into(), cause })?;
        Self::parse(path, &text, bucket)
    }

    /// As [`Rules::read`], of a text that came from `path`.
    ///
    /// # Errors
    /// As [`Rules::read`].
    pub fn parse(path: &Path, text: &str, bucket: SignedDuration) -> Result<Self, RuleFileError> {
        let rules: Self = toml::from_str(text)
            .map_err(|error| RuleFileError::Parse { path: path.into(), reason: error.to_string() })?;
        let faults = rules.faults(bucket);
        if faults.is_empty() { Ok(rules) } else { Err(RuleFileError::Faults { path: path.into(), faults }) }
    }

    fn faults(&self, bucket: SignedDuration) -> Vec<String> {
        let mut faults: Vec<String> = self.rules.iter().flat_map(|rule| rule.faults(bucket)).collect();
        let mut names = BTreeSet::new();
        for rule in self.rules.iter().filter(|rule| !names.insert(&rule.name)) {
            faults.push(format!("rule `{}`: two rules have this name", rule.name));
        }
        faults
    }

    /// Every span that some rule reads, once.
    pub fn spans(&self) -> Vec<Span> {
        let spans: BTreeSet<Span> = self.rules.iter().flat_map(|rule| rule.condition.spans()).collect();
        spans.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Rules, RuleFileError> {
        Rules::parse(Path::new("rules.toml"), text, SignedDuration::from_mins(1))
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
    fn every_fault_is_named() {
        let rate = |more: &str| format!("name = \"A\"\ncondition = {{ type = \"negative_rate\", {more} }}");
        let cases = [
            (rate("window = \"1h\", above = 1.5"), "condition.above"),
            (rate("window = \"90s\", above = 0.5"), "condition.window"),
            (rate("window = \"0s\", above = 0.5"), "condition.window"),
            (rate("window = \"1h\", above = 0.5, confidence = 1.0"), "condition.confidence"),
            (rate("window = \"1h\", above = { baseline = \"2000h\" }"), "condition.above.baseline"),
            (rate("window = \"1h\", above = { baseline = \"24h\", margin = -1.0 }"), "condition.above.margin"),
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
            ("name = \"A b\"\ncondition = { type = \"negative_volume\", window = \"1h\", above = 5 }".into(), "name"),
            (
                "name = \"A\"\ncondition = { type = \"negative_volume\", window = \"1h\", above = { baseline = \"24h\", times = 0.5 } }".into(),
                "condition.above.times",
            ),
        ];
        for (rule, wanted) in cases {
            let error = parse(&format!("[[rule]]\n{rule}")).unwrap_err().to_string();
            assert!(error.contains(wanted), "{error}\n does not name {wanted}");
        }
    }

    #[test]
    fn two_rules_of_one_name_are_a_fault() {
        let rule = "[[rule]]\nname = \"A\"\ncondition = { type = \"negative_volume\", window = \"1h\", above = 5 }\n";
        assert!(parse(&rule.repeat(2)).unwrap_err().to_string().contains("two rules"));
    }
}
