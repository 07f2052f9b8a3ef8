//! [`Node`]: the configuration as a tree in which each value knows where it was set. The form before deserialization.

use std::collections::BTreeMap;

use super::problem::Location;

/// A value and its location; for an entry of a table, the location of its key.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    pub(super) at: Location,
    pub(super) value: Value,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    /// Anything but a table; also lists of plain values.
    Leaf(toml::Value),
    Table(BTreeMap<String, Node>),
    /// One or more `[[name]]` tables.
    Tables(Vec<Node>),
}

impl Node {
    pub(super) fn table(at: Location) -> Self {
        Self { at, value: Value::Table(BTreeMap::new()) }
    }

    /// The tree of `value`, all at one location.
    pub(super) fn from_toml(at: &Location, value: toml::Value) -> Self {
        let of = |value| Self::from_toml(at, value);
        let value = match value {
            toml::Value::Table(entries) => {
                Value::Table(entries.into_iter().map(|(key, value)| (key, of(value))).collect())
            }
            toml::Value::Array(items) if !items.is_empty() && items.iter().all(toml::Value::is_table) => {
                Value::Tables(items.into_iter().map(of).collect())
            }
            other => Value::Leaf(other),
        };
        Self { at: at.clone(), value }
    }

    pub(super) fn to_toml(&self) -> toml::Value {
        match &self.value {
            Value::Leaf(value) => value.clone(),
            Value::Table(entries) => {
                toml::Value::Table(entries.iter().map(|(key, node)| (key.clone(), node.to_toml())).collect())
            }
            Value::Tables(items) => toml::Value::Array(items.iter().map(Self::to_toml).collect()),
        }
    }

    pub(super) fn entries(&self) -> Option<&BTreeMap<String, Self>> {
        match &self.value {
            Value::Table(entries) => Some(entries),
            _ => None,
        }
    }

    pub(super) fn entries_mut(&mut self) -> Option<&mut BTreeMap<String, Self>> {
        match &mut self.value {
            Value::Table(entries) => Some(entries),
            _ => None,
        }
    }

    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Leaf(value) => value.as_str(),
            _ => None,
        }
    }

    /// The node at `path`.
    pub(super) fn find<S: AsRef<str>>(&self, path: &[S]) -> Option<&Self> {
        path.iter().try_fold(self, |node, key| node.entries()?.get(key.as_ref()))
    }

    /// Merges `over` into this node: tables are merged, anything else is replaced.
    pub(super) fn overlay(&mut self, over: Self) {
        match (&mut self.value, over.value) {
            (Value::Table(base), Value::Table(over_entries)) => {
                self.at = over.at;
                for (key, node) in over_entries {
                    match base.get_mut(&key) {
                        Some(below) => below.overlay(node),
                        None => {
                            base.insert(key, node);
                        }
                    }
                }
            }
            (_, value) => *self = Self { at: over.at, value },
        }
    }

    /// Every value that is not a table, with its path. An empty table counts as a value.
    pub(super) fn leaves(&self) -> Vec<(Vec<String>, &Self)> {
        let mut found = Vec::new();
        self.collect(&mut Vec::new(), &mut found);
        found
    }

    fn collect<'a>(&'a self, path: &mut Vec<String>, found: &mut Vec<(Vec<String>, &'a Self)>) {
        match self.entries() {
            Some(entries) if !entries.is_empty() || path.is_empty() => {
                for (key, node) in entries {
                    path.push(key.clone());
                    node.collect(path, found);
                    path.pop();
                }
            }
            _ => found.push((path.clone(), self)),
        }
    }
}

/// Inserts `value` into `table` at `path`; values on the way that are not tables are replaced.
pub(super) fn insert_at(table: &mut toml::Table, path: &[String], value: toml::Value) {
    let Some((first, rest)) = path.split_first() else { return };
    if rest.is_empty() {
        table.insert(first.clone(), value);
        return;
    }
    let below = table.entry(first.clone()).or_insert_with(|| toml::Value::Table(toml::Table::new()));
    if !below.is_table() {
        *below = toml::Value::Table(toml::Table::new());
    }
    if let toml::Value::Table(below) = below {
        insert_at(below, rest, value);
    }
}
