//! [`Matcher`]: a condition on one label, as Alertmanager writes it: `severity="critical"`, `topic=~"Air.*"`.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use regex::Regex;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Labels of an alert, or of a group of them.
pub type Labels = BTreeMap<String, String>;

/// A label that equals, or does not equal, a value or a pattern. A missing label counts as empty.
#[derive(Debug, Clone)]
pub struct Matcher {
    name: String,
    positive: bool,
    value: String,
    /// The whole value must match; none for a comparison with `value`.
    pattern: Option<Regex>,
}

/// Why a text is not a matcher.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MatcherError {
    #[error(
        "{0:?} is not a matcher; expected a label, then =, !=, =~ or !~, then a value, such as severity=\"critical\""
    )]
    Form(String),
    #[error("{text:?}: the pattern is not a regular expression: {reason}")]
    Pattern { text: String, reason: String },
}

impl Matcher {
    /// A matcher for exactly this value; none if `name` is not a valid label name.
    pub fn equals(name: &str, value: &str) -> Option<Self> {
        let value = value.replace('\\', "\\\\").replace('"', "\\\"");
        format!("{name}=\"{value}\"").parse().ok()
    }

    /// The label that it is about.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn matches(&self, labels: &Labels) -> bool {
        let value = labels.get(&self.name).map_or("", String::as_str);
        let is_match = self.pattern.as_ref().map_or_else(|| value == self.value, |pattern| pattern.is_match(value));
        is_match == self.positive
    }

    /// Whether all of `matchers` match.
    pub fn all(matchers: &[Self], labels: &Labels) -> bool {
        matchers.iter().all(|matcher| matcher.matches(labels))
    }
}

impl FromStr for Matcher {
    type Err = MatcherError;

    fn from_str(text: &str) -> Result<Self, MatcherError> {
        let form = || MatcherError::Form(text.to_owned());
        let at = text.find(['=', '!']).ok_or_else(form)?;
        let (name, rest) = text.split_at_checked(at).ok_or_else(form)?;
        let operators = [("=~", true, true), ("!~", false, true), ("!=", false, false), ("=", true, false)];
        let found = operators
            .iter()
            .find_map(|(sign, positive, pattern)| Some((rest.strip_prefix(sign)?, *positive, *pattern)));
        let (value, positive, is_pattern) = found.ok_or_else(form)?;
        let name = name.trim();
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if name.is_empty() || !name.chars().all(word) {
            return Err(form());
        }
        let value = unquoted(value.trim()).ok_or_else(form)?;
        let pattern = match is_pattern {
            true => Some(Regex::new(&format!("^(?:{value})$")).map_err(|error| {
                let reason = error.to_string();
                let reason = reason.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
                MatcherError::Pattern { text: text.to_owned(), reason }
            })?),
            false => None,
        };
        Ok(Self { name: name.to_owned(), positive, value, pattern })
    }
}

/// `value` without its quotes; none for an unclosed quote.
fn unquoted(value: &str) -> Option<String> {
    let Some(rest) = value.strip_prefix('"') else { return (!value.contains('"')).then(|| value.to_owned()) };
    let inside = rest.strip_suffix('"')?;
    let (mut plain, mut characters) = (String::new(), inside.chars());
    while let Some(c) = characters.next() {
        match c {
            '"' => return None,
            '\\' => match characters.next()? {
                quoted @ ('"' | '\\') => plain.push(quoted),
                other => plain.extend(['\\', other]),
            },
            other => plain.push(other),
        }
    }
    Some(plain)
}

impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match (self.positive, self.pattern.is_some()) {
            (true, false) => "=",
            (false, false) => "!=",
            (true, true) => "=~",
            (false, true) => "!~",
        };
        let value = self.value.replace('\\', "\\\\").replace('"', "\\\"");
        write!(f, "{}{sign}\"{value}\"", self.name)
    }
}

impl PartialEq for Matcher {
    fn eq(&self, other: &Self) -> bool {
        let parts =
            |matcher: &Self| (matcher.name.clone(), matcher.positive, matcher.pattern.is_some(), matcher.value.clone());
        parts(self) == parts(other)
    }
}

impl Serialize for Matcher {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Matcher {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> Labels {
        pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
    }

    #[test]
    fn each_sign_means_what_it_means_in_alertmanager() {
        let alert = labels(&[("severity", "critical"), ("topic", "Air Paradis")]);
        for (matcher, matches) in [
            ("severity=critical", true),
            ("severity = \"critical\"", true),
            ("severity!=critical", false),
            ("topic=~Air.*", true),
            ("topic=~Air", false), // the whole value
            ("topic!~\"Air|Sea\"", true),
            ("team=", true), // missing is empty
            ("team!=", false),
            ("team!~.+", true),
        ] {
            assert_eq!(matcher.parse::<Matcher>().unwrap().matches(&alert), matches, "{matcher}");
        }
    }

    #[test]
    fn a_text_that_is_not_a_matcher_is_rejected() {
        for wrong in ["", "severity", "=x", "a b=c", "a==\"", "a=\"b", "a!b", "a=b\"c\""] {
            assert!(matches!(wrong.parse::<Matcher>(), Err(MatcherError::Form(_))), "{wrong}");
        }
        let error = "topic=~(a".parse::<Matcher>().unwrap_err().to_string();
        assert!(error.contains("unclosed group"), "{error}");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(name in "[a-z_]{1,8}", value in "\\PC{0,12}", sign in "=|!=") {
            let value = value.replace('\\', "\\\\").replace('"', "\\\"");
            let matcher: Matcher = format!("{name}{sign}\"{value}\"").parse().unwrap();
            prop_assert_eq!(matcher.to_string().parse::<Matcher>().unwrap(), matcher);
        }
    }
}
