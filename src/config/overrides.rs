//! Overrides of the file: environment variables `VIGIE__SECTION__KEY`, and flags `--set section.key=value`. Flags
//! override the environment.

use std::ffi::OsString;

use super::node::{Node, Value};
use super::problem::{ConfigProblem, Location};
use super::serde_message::suggestion;

const PREFIX: &str = "VIGIE__";

/// One value from outside the file. Tables of a list are addressed by number, from 0, or by name:
/// `source.x-search.page`. In names, `_` stands for any character that is not a letter or digit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    location: Location,
    /// The path as given; its parts are joined by dots.
    path: Vec<String>,
    value: Option<String>,
}

impl Override {
    /// Overrides from all variables that begin with `VIGIE__`, sorted by name.
    pub fn from_environment(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Vec<Self> {
        let text =
            |(name, value): (OsString, OsString)| (name.into_string().ok(), value.to_string_lossy().into_owned());
        let mut found: Vec<Self> = variables
            .into_iter()
            .map(text)
            .filter_map(|(name, value)| {
                let name = name?;
                let path = name.strip_prefix(PREFIX)?.split("__").map(str::to_lowercase).collect();
                Some(Self { path, value: Some(value), location: Location::Environment(name) })
            })
            .collect();
        found.sort_by_key(|a| a.location.to_string());
        found
    }

    /// The override of a `--set` argument, `section.key=value`.
    pub fn set(argument: &str) -> Self {
        let (key, value) = match argument.split_once('=') {
            Some((key, value)) => (key.trim(), Some(value.trim().to_owned())),
            None => (argument.trim(), None),
        };
        let path = key.split('.').map(str::to_owned).collect();
        Self { location: Location::Flag(format!("--set {key}")), path, value }
    }

    /// The override of a flag that sets one key.
    pub fn flag(flag: &str, key: &str, value: String) -> Self {
        let path = key.split('.').map(str::to_owned).collect();
        Self { location: Location::Flag(flag.to_owned()), path, value: Some(value) }
    }

    pub fn location(&self) -> &Location {
        &self.location
    }

    /// Applies the override to `tree`. `accepts` says whether a value is valid at a path.
    pub(super) fn apply(
        &self,
        tree: &mut Node,
        accepts: impl Fn(&Node, &[String], toml::Value) -> bool,
    ) -> Option<ConfigProblem> {
        let key = self.path.join(".");
        let problem = |message: String| Some(ConfigProblem::new(&self.location, key.clone(), message));
        let Some(given) = &self.value else {
            return problem("no value; expected e.g. web.listen=127.0.0.1:9469".into());
        };
        let path = match resolve(tree, &self.path) {
            Ok(path) => path,
            Err(message) => return problem(message),
        };
        let value = if accepts(tree, &path, toml::Value::String(given.clone())) {
            toml::Value::String(given.clone())
        } else {
            // Where no string is valid, the value is TOML: a number, a list. If it is neither, deserialization reports
            // it.
            as_toml(given).unwrap_or_else(|| toml::Value::String(given.clone()))
        };
        let node = Node::from_toml(&self.location, value);
        overlay_at(tree, &path, node);
        None
    }
}

fn as_toml(given: &str) -> Option<toml::Value> {
    let mut table: toml::Table = toml::from_str(&format!("value = {given}")).ok()?;
    (table.len() == 1).then(|| table.remove("value")).flatten()
}

/// The path with the names of list tables replaced by their numbers.
fn resolve(tree: &Node, given: &[String]) -> Result<Vec<String>, String> {
    let mut node = Some(tree);
    let mut path = Vec::new();
    for part in given {
        if part.is_empty() {
            return Err("a part of the key is empty; expected e.g. section.key".into());
        }
        let step = match node.map(|node| &node.value) {
            Some(Value::Tables(items)) => item(items, part)?.to_string(),
            Some(Value::Table(entries)) => {
                // Environment variables cannot spell keys with dashes or capitals, such as the names of labels.
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
            format!("no entry with number {number}; numbers start at 0; entries: {}", names.join(", "))
        });
    }
    let mut found = names.iter().enumerate().filter(|(_, name)| same(name, part)).map(|(i, _)| i);
    match (found.next(), found.next()) {
        (Some(number), None) => Ok(number),
        (Some(_), Some(_)) => Err(format!("`{part}` is the name of several entries; use the number, from 0")),
        (None, _) => {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            Err(format!("no entry is named `{part}`; {}", suggestion(part, &names)))
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

fn overlay_at(tree: &mut Node, path: &[String], over: Node) {
    let Some((first, rest)) = path.split_first() else { return tree.overlay(over) };
    match &mut tree.value {
        Value::Tables(items) => {
            if let Some(item) = first.parse::<usize>().ok().and_then(|number| items.get_mut(number)) {
                overlay_at(item, rest, over);
            }
        }
        Value::Table(entries) => {
            let at = over.at.clone();
            overlay_at(entries.entry(first.clone()).or_insert_with(|| Node::table(at)), rest, over);
        }
        Value::Leaf(_) => {
            *tree = Node::table(over.at.clone());
            overlay_at(tree, path, over);
        }
    }
}
