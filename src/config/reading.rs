//! A [`Node`] into the type that reads it, with every fault and not only the first.
//!
//! A type says no to a table as a whole and stops at the first fault. So each given value is tried alone, in a sample of
//! the table that is known to be sound: what fails then is that value's own fault. No list of keys is kept beside the
//! types that would have to follow them.

use std::collections::HashSet;

use serde::de::DeserializeOwned;

use super::fault::{Fault, Place};
use super::node::{Node, put};
use super::words::{Refusal, wanted};

/// Whether a `T` takes `value` under `path`, everything else being as in `sample`.
pub(super) fn probe<T: DeserializeOwned>(
    sample: &toml::Table,
    path: &[String],
    value: toml::Value,
) -> Result<(), Refusal> {
    let mut table = sample.clone();
    put(&mut table, path, value);
    table.try_into::<T>().map(drop).map_err(|error| Refusal::of(error.message()))
}

/// Reads the table `node` as a `T`. `name` is what leads to it, such as `source[0]`, and `sample` a table that `T` takes;
/// what `node` lacks or has wrong is as there. None where even so it cannot be read.
pub(super) fn read<T: DeserializeOwned>(
    node: &Node,
    name: &str,
    sample: &toml::Table,
    faults: &mut Vec<Fault>,
) -> Option<T> {
    let mut good = toml::Table::new();
    let mut told = HashSet::new();
    for (path, leaf) in node.leaves() {
        let value = leaf.to_toml();
        let refused = match leaf.at {
            Place::BuiltIn => None,
            _ => probe::<T>(sample, &path, value.clone()).err(),
        };
        match refused {
            None => put(&mut good, &path, value),
            Some(refusal) => {
                // What stands in for it lets the rest be judged as if it were sound.
                if let Some(stand_in) = get(sample, &path) {
                    put(&mut good, &path, stand_in.clone());
                }
                let fault = fault_of(node, name, &path, &leaf.at, refusal);
                if told.insert(fault.key.clone()) {
                    faults.push(fault);
                }
            }
        }
    }
    complete(node, name, sample, good, faults)
}

fn fault_of(node: &Node, name: &str, path: &[String], at: &Place, refusal: Refusal) -> Fault {
    let refused_value = |what: String| Fault::new(at, key(name, path), what);
    match refusal {
        Refusal::UnknownKey { key: unknown, known } => {
            let depth = path.iter().position(|part| *part == unknown).unwrap_or(path.len().saturating_sub(1)) + 1;
            let path = path.get(..depth).unwrap_or(path);
            let place = node.find(path).map_or(at, |node| &node.at);
            Fault::new(place, key(name, path), format!("no such key; {}", wanted(&unknown, &known)))
        }
        // A table that lacks a key, tried with another of its keys alone: it is told once the table is read as a whole.
        Refusal::MissingKey(missing) => refused_value(format!("`{missing}` is missing beside it")),
        Refusal::Value(what) => refused_value(what),
    }
}

/// Reads what is good; what is missing is told, and taken from `sample`.
fn complete<T: DeserializeOwned>(
    node: &Node,
    name: &str,
    sample: &toml::Table,
    mut good: toml::Table,
    faults: &mut Vec<Fault>,
) -> Option<T> {
    loop {
        let error = match good.clone().try_into::<T>() {
            Ok(read) => return Some(read),
            Err(error) => error.to_string(),
        };
        let mut lines = error.lines();
        let refusal = Refusal::of(lines.next().unwrap_or_default());
        let inside = lines.find_map(|line| line.strip_prefix("in `")?.strip_suffix('`'));
        let mut path: Vec<String> = inside.into_iter().flat_map(|keys| keys.split('.')).map(str::to_owned).collect();
        let place = node.find(&path).unwrap_or(node).at.clone();
        let Refusal::MissingKey(missing) = refusal else {
            faults.push(fault_of(node, name, &path, &place, refusal));
            return None;
        };
        path.push(missing);
        let stand_in = get(sample, &path).filter(|_| get(&good, &path).is_none());
        // One that was given wrongly has been told.
        if node.find(&path).is_none() {
            let example = stand_in.map(|value| format!("; wanted such as {} = {value}", path.last().map_or("", |k| k)));
            faults.push(Fault::new(&place, key(name, &path), format!("missing{}", example.unwrap_or_default())));
        }
        put(&mut good, &path, stand_in?.clone());
    }
}

fn get<'a>(table: &'a toml::Table, path: &[String]) -> Option<&'a toml::Value> {
    let (first, rest) = path.split_first()?;
    rest.iter().try_fold(table.get(first)?, |value, key| value.as_table()?.get(key))
}

/// `source[0]` and `query` are `source[0].query`.
pub(super) fn key(name: &str, path: &[String]) -> String {
    let path = path.join(".");
    match (name.is_empty(), path.is_empty()) {
        (true, _) => path,
        (_, true) => name.to_owned(),
        _ => format!("{name}.{path}"),
    }
}
