//! Deserializes a [`Node`] into a type and finds every error, not only the first one.
//!
//! Serde rejects a table as a whole and stops at the first error. So each value is tried alone, in a valid sample of
//! the table: an error is then the error of that value. No separate list of keys has to be kept in step with the types.

use std::collections::HashSet;

use serde::de::DeserializeOwned;

use super::node::{Node, insert_at};
use super::problem::{ConfigProblem, Location};
use super::serde_message::{ValueError, suggestion};

/// Whether `T` accepts `value` at `path`, with everything else as in `sample`.
pub(super) fn probe<T: DeserializeOwned>(
    sample: &toml::Table,
    path: &[String],
    value: toml::Value,
) -> Result<(), ValueError> {
    let mut table = sample.clone();
    insert_at(&mut table, path, value);
    table.try_into::<T>().map(drop).map_err(|error| ValueError::of(error.message()))
}

/// Deserializes the table `node` into `T`. `name` is the path of the table, such as `source[0]`; `sample` is a valid
/// table. It replaces missing and invalid values, so that the rest can still be validated. `None` if even that fails.
pub(super) fn read<T: DeserializeOwned>(
    node: &Node,
    name: &str,
    sample: &toml::Table,
    problems: &mut Vec<ConfigProblem>,
) -> Option<T> {
    let mut good = toml::Table::new();
    let mut messages = HashSet::new();
    for (path, leaf) in node.leaves() {
        let value = leaf.to_toml();
        let rejected = match leaf.at {
            Location::BuiltIn => None,
            _ => probe::<T>(sample, &path, value.clone()).err(),
        };
        match rejected {
            None => insert_at(&mut good, &path, value),
            Some(error) => {
                // Replace the invalid value, so that the rest can still be validated.
                if let Some(replacement) = get(sample, &path) {
                    insert_at(&mut good, &path, replacement.clone());
                }
                let problem = to_problem(node, name, &path, &leaf.at, error);
                if messages.insert(problem.key.clone()) {
                    problems.push(problem);
                }
            }
        }
    }
    complete(node, name, sample, good, problems)
}

fn to_problem(node: &Node, name: &str, path: &[String], at: &Location, error: ValueError) -> ConfigProblem {
    let invalid_value = |message: String| ConfigProblem::new(at, key(name, path), message);
    match error {
        ValueError::UnknownKey { key: unknown, known } => {
            let depth = path.iter().position(|part| *part == unknown).unwrap_or(path.len().saturating_sub(1)) + 1;
            let path = path.get(..depth).unwrap_or(path);
            let location = node.find(path).map_or(at, |node| &node.at);
            ConfigProblem::new(location, key(name, path), format!("no such key; {}", suggestion(&unknown, &known)))
        }
        // A table that lacks a key, tried with another of its keys alone: reported when the table is read as a whole.
        ValueError::MissingKey(missing) => invalid_value(format!("`{missing}` is missing in the same table")),
        ValueError::Value(message) => invalid_value(message),
    }
}

/// Deserializes the valid values. Missing ones are reported and taken from `sample`.
fn complete<T: DeserializeOwned>(
    node: &Node,
    name: &str,
    sample: &toml::Table,
    mut good: toml::Table,
    problems: &mut Vec<ConfigProblem>,
) -> Option<T> {
    loop {
        let error = match good.clone().try_into::<T>() {
            Ok(read) => return Some(read),
            Err(error) => error.to_string(),
        };
        let mut lines = error.lines();
        let error = ValueError::of(lines.next().unwrap_or_default());
        let inside = lines.find_map(|line| line.strip_prefix("in `")?.strip_suffix('`'));
        let mut path: Vec<String> = inside.into_iter().flat_map(|keys| keys.split('.')).map(str::to_owned).collect();
        let location = node.find(&path).unwrap_or(node).at.clone();
        let ValueError::MissingKey(missing) = error else {
            problems.push(to_problem(node, name, &path, &location, error));
            return None;
        };
        path.push(missing);
        let replacement = get(sample, &path).filter(|_| get(&good, &path).is_none());
        // An invalid value has been reported already.
        if node.find(&path).is_none() {
            let example = replacement
                .map(|value| format!("; expected e.g. {} = {}", path.last().map_or("", |k| k), toml_text(value)));
            problems.push(ConfigProblem::new(
                &location,
                key(name, &path),
                format!("missing{}", example.unwrap_or_default()),
            ));
        }
        insert_at(&mut good, &path, replacement?.clone());
    }
}

/// The value as TOML. The toml crate could also write it, but its writer needs another crate.
fn toml_text(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => format!("{text:?}"),
        toml::Value::Integer(number) => number.to_string(),
        toml::Value::Float(number) => format!("{number:?}"),
        toml::Value::Boolean(flag) => flag.to_string(),
        toml::Value::Datetime(time) => time.to_string(),
        toml::Value::Array(items) => format!("[{}]", items.iter().map(toml_text).collect::<Vec<_>>().join(", ")),
        toml::Value::Table(entries) => {
            let entries: Vec<String> =
                entries.iter().map(|(key, value)| format!("{key} = {}", toml_text(value))).collect();
            format!("{{ {} }}", entries.join(", "))
        }
    }
}

fn get<'a>(table: &'a toml::Table, path: &[String]) -> Option<&'a toml::Value> {
    let (first, rest) = path.split_first()?;
    rest.iter().try_fold(table.get(first)?, |value, key| value.as_table()?.get(key))
}

/// Joins `source[0]` and `query` to `source[0].query`.
pub(super) fn key(name: &str, path: &[String]) -> String {
    let path = path.join(".");
    match (name.is_empty(), path.is_empty()) {
        (true, _) => path,
        (_, true) => name.to_owned(),
        _ => format!("{name}.{path}"),
    }
}
