//! [`Field`]: one value of a rule in the backtest form: where it stands in the rule's TOML tree, and how what was typed is read.

use serde::Serialize;
use toml::Value;

use crate::duration;

/// What may be typed into a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    Duration,
    /// A duration or the word `seasonal`.
    Past,
    Number,
    Count,
    /// Numbers with commas between them.
    Numbers,
    Severity,
}

/// One value.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Field {
    /// The key in the rule.
    pub(super) name: String,
    pub(super) label: &'static str,
    pub(super) kind: Kind,
    /// As the rule in use has it.
    pub(super) present: String,
    pub(super) value: String,
    /// The key may be left out.
    pub(super) optional: bool,
    pub(super) error: Option<String>,
    /// Keys and indexes that lead to the value.
    #[serde(skip)]
    pub(super) path: Vec<Step>,
}

/// A step from a value to one within.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Key(&'static str),
    Item(usize),
}

impl Field {
    /// The value for the rule; none where the key is left out.
    pub(super) fn parse(&self) -> Result<Option<Value>, ()> {
        let text = self.value.as_str();
        if text.is_empty() && self.optional {
            return Ok(None);
        }
        let number = |text: &str| {
            // In French a comma; more digits than any threshold has are an error of typing.
            let number: f64 = text.replace(',', ".").parse().map_err(drop)?;
            if number.is_finite() && (0.0..1e12).contains(&number) { Ok(number) } else { Err(()) }
        };
        let length = |text: &str| match duration::parse(text) {
            Some(length) if !length.is_negative() => Ok(Value::String(text.to_owned())),
            _ => Err(()),
        };
        Ok(Some(match self.kind {
            Kind::Duration => length(text)?,
            Kind::Past if text == "seasonal" => Value::String(text.to_owned()),
            Kind::Past => length(text)?,
            Kind::Number => Value::Float(number(text)?),
            Kind::Count => Value::Integer(text.parse::<u32>().map_err(drop)?.into()),
            Kind::Numbers => {
                let parts = text.split([',', ';', ' ']).filter(|part| !part.is_empty());
                let numbers: Vec<Value> =
                    parts.map(|part| Ok(Value::Float(number(part)?))).collect::<Result<_, ()>>()?;
                if numbers.is_empty() { Err(()) } else { Ok(Value::Array(numbers)) }?
            }
            Kind::Severity => {
                let is_word = text.chars().count() <= 40 && text.chars().all(|c| c.is_alphanumeric() || c == '_');
                if is_word && !text.is_empty() { Ok(Value::String(text.to_owned())) } else { Err(()) }?
            }
        }))
    }
}

pub(super) fn find<'a>(tree: &'a Value, path: &[Step]) -> Option<&'a Value> {
    path.iter().try_fold(tree, |value, step| match step {
        Step::Key(key) => value.get(*key),
        Step::Item(item) => value.get(*item),
    })
}

pub(super) fn find_text<'a>(tree: &'a Value, keys: &[&str]) -> Option<&'a str> {
    keys.iter().try_fold(tree, |value, key| value.get(*key)).and_then(Value::as_str)
}

/// Sets the value at `path`, or removes it. A missing table on the way is made.
pub(super) fn set(tree: &mut Value, path: &[Step], value: Option<Value>) {
    let Some((last, way)) = path.split_last() else { return };
    let mut at = tree;
    for step in way {
        let next = match (step, at) {
            (Step::Key(key), Value::Table(table)) => {
                Some(table.entry((*key).to_owned()).or_insert_with(|| Value::Table(toml::Table::new())))
            }
            (Step::Item(item), Value::Array(items)) => items.get_mut(*item),
            _ => None,
        };
        let Some(next) = next else { return };
        at = next;
    }
    if let (Step::Key(key), Value::Table(table)) = (last, at) {
        match value {
            Some(value) => drop(table.insert((*key).to_owned(), value)),
            None => drop(table.remove(*key)),
        }
    }
}

/// The path as errors of the configuration name it.
pub(super) fn name_of(path: &[Step]) -> String {
    let mut name = String::new();
    for step in path {
        match step {
            Step::Key(key) if name.is_empty() => name.push_str(key),
            Step::Key(key) => name.extend([".", *key]),
            Step::Item(item) => name.push_str(&format!("[{item}]")),
        }
    }
    name
}
