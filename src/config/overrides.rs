//! What stands over the file: `VIGIE__SECTION__KEY` of the environment, and over that `--set section.key=value`.

use std::ffi::OsString;

use super::fault::{Fault, Place};
use super::node::{Node, Value};
use super::words::wanted;

const PREFIX: &str = "VIGIE__";

/// One value from outside the file. Array tables are named by number from 0 or by name: `source.x-search.page`, where
/// anything but a letter or digit of the name may be written `_`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    place: Place,
    /// As given; joined by dots.
    path: Vec<String>,
    value: Option<String>,
}

impl Override {
    /// Of all variables that begin with `VIGIE__`, by name.
    pub fn from_environment(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Vec<Self> {
        let text =
            |(name, value): (OsString, OsString)| (name.into_string().ok(), value.to_string_lossy().into_owned());
        let mut found: Vec<Self> = variables
            .into_iter()
            .map(text)
            .filter_map(|(name, value)| {
                let name = name?;
                let path = name.strip_prefix(PREFIX)?.split("__").map(str::to_lowercase).collect();
                Some(Self { path, value: Some(value), place: Place::Environment(name) })
            })
            .collect();
        found.sort_by_key(|a| a.place.to_string());
        found
    }

    /// Of `--set`'s argument, `section.key=value`.
    pub fn set(argument: &str) -> Self {
        let (key, value) = match argument.split_once('=') {
            Some((key, value)) => (key.trim(), Some(value.trim().to_owned())),
            None => (argument.trim(), None),
        };
        let path = key.split('.').map(str::to_owned).collect();
        Self { place: Place::Flag(format!("--set {key}")), path, value }
    }

    /// Of a flag that stands for one key.
    pub fn flag(flag: &str, key: &str, value: String) -> Self {
        let path = key.split('.').map(str::to_owned).collect();
        Self { place: Place::Flag(flag.to_owned()), path, value: Some(value) }
    }

    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Lays it over `tree`. `takes` tells whether a value may stand under a path there.
    pub(super) fn apply(
        &self,
        tree: &mut Node,
        takes: impl Fn(&Node, &[String], toml::Value) -> bool,
    ) -> Option<Fault> {
        let key = self.path.join(".");
        let fault = |what: String| Some(Fault::new(&self.place, key.clone(), what));
        let Some(given) = &self.value else {
            return fault("no value; wanted such as web.listen=127.0.0.1:9469".into());
        };
        let path = match resolve(tree, &self.path) {
            Ok(path) => path,
            Err(what) => return fault(what),
        };
        let value = if takes(tree, &path, toml::Value::String(given.clone())) {
            toml::Value::String(given.clone())
        } else {
            // What no string may be is TOML: a number, a list; and what is neither is left for the type to name.
            as_toml(given).unwrap_or_else(|| toml::Value::String(given.clone()))
        };
        let node = Node::from_toml(&self.place, value);
        lay(tree, &path, node);
        None
    }
}

fn as_toml(given: &str) -> Option<toml::Value> {
    let mut table: toml::Table = toml::from_str(&format!("value = {given}")).ok()?;
    (table.len() == 1).then(|| table.remove("value")).flatten()
}

/// The path with names of array tables replaced by their numbers.
fn resolve(tree: &Node, given: &[String]) -> Result<Vec<String>, String> {
    let mut node = Some(tree);
    let mut path = Vec::new();
    for part in given {
        if part.is_empty() {
            return Err("a part of the key is empty; wanted such as section.key".into());
        }
        let step = match node.map(|node| &node.value) {
            Some(Value::Tables(items)) => item(items, part)?.to_string(),
            Some(Value::Table(entries)) => {
                // Only file keys with capitals or dashes would need this; names of labels are such.
                entries.keys().find(|key| same(key, part)).unwrap_or(part).clone()
            }
            _ => part.clone(),
        };
        node = node.and_then(|node| descend(node, &step));
        path.push(step);
    }
    Ok(path)
}

fn item(items: &[Node], part: &str) -> Result<usize, String> {
    let names: Vec<&str> = items.iter().map(|item| item.find(&["name"]).and_then(Node::text).unwrap_or("")).collect();
    if let Ok(number) = part.parse::<usize>() {
        return (number < items.len()).then_some(number).ok_or_else(|| {
            format!(
                "there is no number {number}; they count from 0, and there are {}: {}",
                items.len(),
                names.join(", ")
            )
        });
    }
    let mut found = names.iter().enumerate().filter(|(_, name)| same(name, part)).map(|(i, _)| i);
    match (found.next(), found.next()) {
        (Some(number), None) => Ok(number),
        (Some(_), Some(_)) => Err(format!("`{part}` names more than one; write its number, from 0")),
        (None, _) => {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            Err(format!("nothing is named `{part}`; {}", wanted(part, &names)))
        }
    }
}

fn same(name: &str, part: &str) -> bool {
    let fold = |text: &str| -> String {
        text.chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).flat_map(char::to_lowercase).collect()
    };
    name == part || fold(name) == fold(part)
}

fn descend<'a>(node: &'a Node, step: &str) -> Option<&'a Node> {
    match &node.value {
        Value::Table(entries) => entries.get(step),
        Value::Tables(items) => items.get(step.parse::<usize>().ok()?),
        Value::Leaf(_) => None,
    }
}

fn lay(tree: &mut Node, path: &[String], over: Node) {
    let Some((first, rest)) = path.split_first() else { return tree.overlay(over) };
    match &mut tree.value {
        Value::Tables(items) => {
            if let Some(item) = first.parse::<usize>().ok().and_then(|number| items.get_mut(number)) {
                lay(item, rest, over);
            }
        }
        Value::Table(entries) => {
            let at = over.at.clone();
            lay(entries.entry(first.clone()).or_insert_with(|| Node::table(at)), rest, over);
        }
        Value::Leaf(_) => {
            *tree = Node::table(over.at.clone());
            lay(tree, path, over);
        }
    }
}
