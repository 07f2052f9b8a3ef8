//! [`Sweep`]: the same rules with other values of one key, to see what the key trades.

use std::collections::BTreeSet;
use std::str::FromStr;

use jiff::SignedDuration;
use toml::Value;

use crate::rule::{AlertingRule, Rules};

/// A flag that does not name a setting of a rule.
const NO_SETTINGS: [&str; 4] = ["name", "labels", "annotations", "topics"];

/// `KEY=VALUE,VALUE,...` of a rule file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sweep {
    /// Such as `confidence`, `above.margin`, or with the rule's name before it where one rule alone is meant.
    pub key: String,
    pub values: Vec<String>,
}

/// Why nothing can be swept. Each message is one line.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SweepError {
    #[error("expected KEY=VALUE,VALUE,... e.g. confidence=0.9,0.95,0.99")]
    Form,
    #[error("--sweep: no rule has the key `{key}`; they have {}", known.join(", "))]
    Unknown { key: String, known: Vec<String> },
    #[error("--sweep: {key} cannot be {value}: {what}")]
    Value { key: String, value: String, what: String },
}

impl FromStr for Sweep {
    type Err = SweepError;

    fn from_str(flag: &str) -> Result<Self, SweepError> {
        let (key, values) = flag.split_once('=').ok_or(SweepError::Form)?;
        let values: Vec<String> = values.split(',').map(|value| value.trim().to_owned()).collect();
        let key = key.trim().to_owned();
        if key.is_empty() || values.iter().any(String::is_empty) {
            Err(SweepError::Form)
        } else {
            Ok(Self { key, values })
        }
    }
}

impl Sweep {
    /// `rules` with each of the values in turn. A key of several rules is changed in all of them. `bucket` is the width of a
    /// window bucket.
    ///
    /// # Errors
    /// When no rule has the key, or some rule would not be sound with one of the values.
    pub fn variants(&self, rules: &Rules, bucket: SignedDuration) -> Result<Vec<Rules>, SweepError> {
        self.values.iter().map(|value| self.variant(rules, value, bucket)).collect()
    }

    fn variant(&self, rules: &Rules, value: &str, bucket: SignedDuration) -> Result<Rules, SweepError> {
        let faulty = |what: String| SweepError::Value { key: self.key.clone(), value: value.into(), what };
        let (mut found, mut known, mut changed) = (false, BTreeSet::new(), Vec::new());
        for rule in &rules.rules {
            let path: Vec<&str> = self.key.split('.').collect();
            let (own, path) = match path.split_first() {
                Some((name, rest)) if *name == rule.name && !rest.is_empty() => (true, rest),
                _ => (!rules.rules.iter().any(|rule| path.first() == Some(&rule.name.as_str())), path.as_slice()),
            };
            let mut tree = Value::try_from(rule).map_err(|error| faulty(error.to_string()))?;
            let mut hits = 0;
            walk(&mut tree, &mut Vec::new(), &mut known, &mut |at, slot| {
                if own && at.len() >= path.len() && at[at.len() - path.len()..].iter().zip(path).all(|(a, b)| a == b) {
                    *slot = parse(value);
                    hits += 1;
                }
            });
            if hits == 0 {
                changed.push(rule.clone());
                continue;
            }
            found = true;
            let variant: AlertingRule =
                tree.try_into().map_err(|error: toml::de::Error| faulty(error.message().to_owned()))?;
            if let Some(fault) = variant.validate(bucket).into_iter().next() {
                return Err(faulty(fault));
            }
            changed.push(variant);
        }
        if !found {
            return Err(SweepError::Unknown { key: self.key.clone(), known: known.into_iter().collect() });
        }
        Ok(Rules { rules: changed })
    }
}

/// As TOML has it, or else a string: `0.95`, `3h`.
fn parse(value: &str) -> Value {
    let table: Option<toml::Table> = toml::from_str(&format!("value = {value}")).ok();
    table.and_then(|mut table| table.remove("value")).unwrap_or_else(|| Value::String(value.to_owned()))
}

/// Lists every value that is not a table, with the keys that lead to it.
fn walk(
    tree: &mut Value,
    at: &mut Vec<String>,
    known: &mut BTreeSet<String>,
    visit: &mut impl FnMut(&[String], &mut Value),
) {
    match tree {
        Value::Table(table) => {
            for (key, below) in table.iter_mut().filter(|(key, _)| !NO_SETTINGS.contains(&key.as_str())) {
                at.push(key.to_owned());
                walk(below, at, known, visit);
                at.pop();
            }
        }
        Value::Array(items) if items.iter().all(Value::is_table) && !items.is_empty() => {
            items.iter_mut().for_each(|item| walk(item, at, known, visit));
        }
        value => {
            if at.last().is_some_and(|key| key != "type") {
                known.insert(at.join("."));
                visit(at, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> Rules {
        toml::from_str(
            r#"
            [[rule]]
            name = "Rate"
            for = "10m"
            condition = { type = "negative_rate", window = "1h", above = { baseline = "24h", margin = 0.1 } }
            [[rule]]
            name = "Volume"
            condition = { type = "negative_volume", window = "1h", above = 50 }
            "#,
        )
        .unwrap()
    }

    fn variants(flag: &str) -> Result<Vec<Rules>, String> {
        let sweep: Sweep = flag.parse().map_err(|error: SweepError| error.to_string())?;
        sweep.variants(&rules(), SignedDuration::from_mins(1)).map_err(|error| error.to_string())
    }

    #[test]
    fn a_key_is_changed_wherever_it_stands() {
        let with = |text: &str| -> Rules { toml::from_str(text).unwrap() };
        let found = variants("confidence=0.9,0.95").unwrap();
        assert_eq!(found.len(), 2);
        let text = toml::to_string(&found[0]).unwrap();
        assert_eq!(text.matches("confidence = 0.9\n").count(), 2, "{text}");
        assert_eq!(with(&text), found[0]);
        for (flag, expected, times) in [
            ("window=2h", "window = \"PT2H\"", 2),
            ("Rate.window=2h", "window = \"PT2H\"", 1),
            ("margin=0.2", "margin = 0.2", 1),
            ("condition.above.margin=0.2", "margin = 0.2", 1),
            ("for=0s", "\nfor = \"PT0S\"", 2),
            ("Volume.above=80", "above = 80.0", 1),
        ] {
            let text = toml::to_string(&variants(flag).unwrap()[0]).unwrap();
            assert_eq!(text.matches(expected).count(), times, "{flag}: {text}");
        }
    }

    #[test]
    fn faults_are_named() {
        for (flag, expected) in [
            ("confidence", "expected KEY=VALUE"),
            ("confidence=", "expected KEY=VALUE"),
            ("confidance=0.9", "no rule has the key `confidance`; they have condition.above"),
            ("Rate.nothing=1", "no rule has the key `Rate.nothing`"),
            ("confidence=2", "confidence cannot be 2: rule `Rate`: condition.confidence"),
            ("window=much", "window cannot be much"),
            ("type=negative_rate", "no rule has the key `type`"),
        ] {
            let error = variants(flag).unwrap_err();
            assert!(error.contains(expected) && error.lines().count() == 1, "{flag}: {error}");
        }
    }
}
