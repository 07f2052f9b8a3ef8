//! The merged tree into a [`Config`]: the sections at once, topics, sources and receivers one by one, so that a fault in one hides
//! none in another.

use std::path::Path;
use std::sync::LazyLock;

use serde::de::DeserializeOwned;

use super::fault::{Fault, Place};
use super::node::{Node, Value, put};
use super::reading::{probe, read};
use super::words::wanted;
use super::{Config, DEFAULTS, joined};
use crate::notify::{Inhibit, ReceiverConfig, Route};
use crate::post::Topic;
use crate::rule::{AlertingRule, Condition, Rules};
use crate::source::SourceConfig;

/// Sections that are lists of tables.
const LISTS: [&str; 5] = ["topic", "source", "receiver", "route", "inhibit"];

/// Keys that hold a path, relative to the file they stand in; `*` is each table of a list.
const PATHS: [&[&str]; 15] = [
    &["rules"],
    &["classify", "model"],
    &["daemon", "state"],
    &["x", "token_file"],
    &["source", "*", "path"],
    &["source", "*", "token_file"],
    &["notify", "templates"],
    &["receiver", "*", "url_file"],
    &["receiver", "*", "token_file"],
    &["receiver", "*", "key_file"],
    &["receiver", "*", "secret_file"],
    &["receiver", "*", "password_file"],
    &["receiver", "*", "ca_file"],
    &["receiver", "*", "directory"],
    &["receiver", "*", "program"],
];

/// The least of each type of source.
const SOURCES: [(&str, &str); 3] = [
    ("twitter", "type = 'twitter'\nname = 'x'\nmode = 'search'"),
    ("file", "type = 'file'\nname = 'x'\npath = '/var/spool/vigie/posts.jsonl'\nlayout = 'jsonl'"),
    ("http", "type = 'http'\nname = 'x'"),
];

/// The least of each type of receiver.
pub(super) const RECEIVERS: [(&str, &str); 8] = [
    (
        "email",
        "type = 'email'\nname = 'x'\nserver = 'smtp.example.com'\nfrom = 'vigie@example.com'\nto = ['crisis@example.com']",
    ),
    ("teams", "type = 'teams'\nname = 'x'"),
    ("slack", "type = 'slack'\nname = 'x'"),
    ("webhook", "type = 'webhook'\nname = 'x'"),
    ("alertmanager", "type = 'alertmanager'\nname = 'x'\nurl = 'http://127.0.0.1:9093'"),
    ("pagerduty", "type = 'pagerduty'\nname = 'x'"),
    ("command", "type = 'command'\nname = 'x'\nprogram = '/bin/sh'"),
    ("log", "type = 'log'\nname = 'x'"),
];

const ROUTE: &str = "receivers = ['log']";
const INHIBIT: &str = "source = ['severity=critical']\ntarget = ['severity=warning']";

const TOPIC: &str = "name = 'Air Paradis'\nkeywords = ['Air Paradis']\nhandles = ['AirParadis']";

const EVENTS: &str = "kind = 'pipeline_error'\ncount = 3\nwithin = '5m'";

/// The least of each type of condition; for those that compare with a number or with the topic's own past, both, told apart
/// by whether `above` is a table.
const CONDITIONS: [(&str, &str, &str); 8] = [
    ("negative_rate", "window = '1h', above = 0.8", "window = '1h', above = { baseline = '24h', margin = 0.1 }"),
    ("negative_volume", "window = '1h', above = 50", "window = '1h', above = { baseline = '24h', times = 3.0 }"),
    ("rising", "", ""),
    ("no_data", "", ""),
    ("volume", "", ""),
    ("events", EVENTS, EVENTS),
    ("and", "all = []", "all = []"),
    ("or", "any = []", "any = []"),
];

/// The same of a condition whose `above` has other keys under `baseline = "seasonal"`.
const SEASONAL: (&str, &str) = ("negative_volume", "window = '1h', above = { baseline = 'seasonal' }");

/// The defaults without the lists: what every section is tried in.
static SECTIONS: LazyLock<toml::Table> = LazyLock::new(|| {
    let mut table = sample(DEFAULTS);
    for list in LISTS {
        table.insert(list.into(), toml::Value::Array(Vec::new()));
    }
    table
});

fn sample(text: &str) -> toml::Table {
    toml::from_str(text).expect("a constant of this program, and a test reads it")
}

/// An entry of a list, with what was given for it.
#[derive(Debug)]
pub(super) struct Item<'a, T> {
    pub(super) value: T,
    pub(super) node: &'a Node,
    /// Such as `source[0]`.
    pub(super) name: String,
    /// It has a name of its own, and not the sample's.
    pub(super) is_named: bool,
}

/// A configuration whose types are right, with where everything was given.
#[derive(Debug)]
pub(super) struct Assembled<'a> {
    pub(super) config: Config,
    pub(super) topics: Vec<Item<'a, Topic>>,
    pub(super) sources: Vec<Item<'a, SourceConfig>>,
    pub(super) receivers: Vec<Item<'a, ReceiverConfig>>,
    pub(super) routes: Vec<Item<'a, Route>>,
    pub(super) tree: &'a Node,
}

/// Whether `value` may stand under `path` in `tree`, where a list's tables are named by number.
pub(super) fn takes(tree: &Node, path: &[String], value: toml::Value) -> bool {
    match path {
        [list, number, rest @ ..] if list == "source" && !rest.is_empty() => {
            let Some(sample) = sample_of(tree, list, number, &SOURCES) else { return true };
            probe::<SourceConfig>(&sample, rest, value).is_ok()
        }
        [list, number, rest @ ..] if list == "receiver" && !rest.is_empty() => {
            let Some(sample) = sample_of(tree, list, number, &RECEIVERS) else { return true };
            probe::<ReceiverConfig>(&sample, rest, value).is_ok()
        }
        [list, _, rest @ ..] if list == "route" && !rest.is_empty() => {
            probe::<Route>(&sample(ROUTE), rest, value).is_ok()
        }
        [list, _, rest @ ..] if list == "topic" && !rest.is_empty() => {
            probe::<Topic>(&sample(TOPIC), rest, value).is_ok()
        }
        _ => probe::<Config>(&SECTIONS, path, value).is_ok(),
    }
}

/// Makes paths that are relative to their file relative to the working directory, as others are.
pub(super) fn place_paths(tree: &mut Node, directory: &Path) {
    for path in PATHS {
        place_path(tree, path, directory);
    }
}

fn place_path(node: &mut Node, path: &[&str], directory: &Path) {
    match (path.split_first(), &mut node.value) {
        (None, Value::Leaf(toml::Value::String(path))) if matches!(node.at, Place::BuiltIn | Place::File { .. }) => {
            *path = joined(directory, Path::new(path)).to_string_lossy().into_owned();
        }
        (Some((&"*", rest)), Value::Tables(items)) => {
            items.iter_mut().for_each(|item| place_path(item, rest, directory));
        }
        (Some((key, rest)), Value::Table(entries)) => {
            if let Some(below) = entries.get_mut(*key) {
                place_path(below, rest, directory);
            }
        }
        _ => {}
    }
}

/// Reads `tree`; none where not even the sections can be read.
pub(super) fn assemble<'a>(tree: &'a Node, faults: &mut Vec<Fault>) -> Option<Assembled<'a>> {
    let mut sections = tree.clone();
    if let Some(entries) = sections.entries_mut() {
        for list in LISTS {
            entries
                .insert(list.into(), Node { at: Place::BuiltIn, value: Value::Leaf(toml::Value::Array(Vec::new())) });
        }
    }
    let config: Option<Config> = read(&sections, "", &SECTIONS, faults);
    let topics = list(tree, "topic", faults, |_, _| Some(sample(TOPIC)));
    let sources = list(tree, "source", faults, |node, fault| typed_sample(node, "source", &SOURCES, fault));
    let receivers = list(tree, "receiver", faults, |node, fault| typed_sample(node, "receiver", &RECEIVERS, fault));
    let routes = list(tree, "route", faults, |_, _| Some(sample(ROUTE)));
    let inhibits: Vec<Item<'_, Inhibit>> = list(tree, "inhibit", faults, |_, _| Some(sample(INHIBIT)));
    let mut config = config?;
    config.topics = topics.iter().map(|item: &Item<'_, Topic>| item.value.clone()).collect();
    config.sources = sources.iter().map(|item: &Item<'_, SourceConfig>| item.value.clone()).collect();
    config.receivers = receivers.iter().map(|item: &Item<'_, ReceiverConfig>| item.value.clone()).collect();
    config.routes = routes.iter().map(|item: &Item<'_, Route>| item.value.clone()).collect();
    config.inhibits = inhibits.iter().map(|item| item.value.clone()).collect();
    Some(Assembled { config, topics, sources, receivers, routes, tree })
}

/// Reads the rules of a rule file.
pub(super) fn rules<'a>(tree: &'a Node, faults: &mut Vec<Fault>) -> Vec<Item<'a, AlertingRule>> {
    for (key, node) in tree.entries().into_iter().flatten().filter(|(key, _)| *key != "rule") {
        faults.push(Fault::new(&node.at, key, format!("no such key; {}", wanted(key, &["rule".into()]))));
    }
    list(tree, "rule", faults, rule_sample)
}

pub(super) fn rules_of(items: &[Item<'_, AlertingRule>]) -> Rules {
    Rules { rules: items.iter().map(|item| item.value.clone()).collect() }
}

type Tell<'a> = &'a mut dyn FnMut(&Place, &str, String);

fn rule_sample(node: &Node, fault: Tell<'_>) -> Option<toml::Table> {
    let condition = condition_sample(node.find(&["condition"]).unwrap_or(node), "condition", fault)?;
    let mut rule = sample("name = 'A'");
    rule.insert("condition".into(), toml::Value::Table(condition));
    Some(rule)
}

/// A sound condition of the type that `node` names; `at` leads to it. None where it, or one of those it combines, has a
/// fault, which is told: a combined condition is read as a whole, and its faults would all be at one line.
fn condition_sample(node: &Node, at: &str, fault: Tell<'_>) -> Option<toml::Table> {
    let known: Vec<String> = CONDITIONS.iter().map(|(kind, ..)| (*kind).to_owned()).collect();
    let Some(kind) = node.find(&["type"]).and_then(Node::text) else {
        let place = node.find(&["type"]).unwrap_or(node);
        fault(&place.at, &format!("{at}.type"), format!("missing; wanted one of {}", known.join(", ")));
        return None;
    };
    let Some((kind, number, past)) = CONDITIONS.iter().find(|(known, ..)| *known == kind) else {
        let place = node.find(&["type"]).unwrap_or(node);
        fault(&place.at, &format!("{at}.type"), format!("`{kind}` is no condition; {}", wanted(kind, &known)));
        return None;
    };
    let mut are_sound = true;
    for key in ["all", "any"] {
        let Some(Value::Tables(parts)) = node.find(&[key]).map(|node| &node.value) else { continue };
        for (number, part) in parts.iter().enumerate() {
            are_sound &= is_sound(part, &format!("{at}.{key}[{number}]"), fault);
        }
    }
    let is_seasonal = node.find(&["above", "baseline"]).and_then(Node::text) == Some("seasonal");
    let rest = match node.find(&["above"]).and_then(Node::entries) {
        None => number,
        Some(_) if is_seasonal && *kind == SEASONAL.0 => &SEASONAL.1,
        Some(_) => past,
    };
    are_sound.then(|| sample(&format!("type = '{kind}'\n{}", rest.replacen(", ", "\n", 1))))
}

/// Whether a condition within another can be read; its faults are told.
fn is_sound(node: &Node, at: &str, fault: Tell<'_>) -> bool {
    let Some(sample) = condition_sample(node, at, fault) else { return false };
    let mut faults = Vec::new();
    let is_read = read::<Condition>(node, at, &sample, &mut faults).is_some();
    for found in &faults {
        fault(&found.place, &found.key, found.what.clone());
    }
    is_read && faults.is_empty()
}

/// The sample of the type that the table `node` names; tells where it names none that there is.
fn typed_sample(node: &Node, what: &str, samples: &[(&str, &str)], fault: Tell<'_>) -> Option<toml::Table> {
    let Some(kind) = kind(node) else {
        let known: Vec<String> = samples.iter().map(|(kind, _)| format!("\"{kind}\"")).collect();
        let (last, first) = known.split_last()?;
        fault(&node.at, "type", format!("missing; wanted type = {} or {last}", first.join(", ")));
        return None;
    };
    let found = find_sample(&kind, samples);
    if found.is_none() {
        let known: Vec<String> = samples.iter().map(|(kind, _)| (*kind).to_owned()).collect();
        let place = node.find(&["type"]).unwrap_or(node);
        fault(&place.at, "type", format!("`{kind}` is no type of {what}; {}", wanted(&kind, &known)));
    }
    found
}

/// The sample of the type of a list's table; none where that is not known.
fn sample_of(tree: &Node, list: &str, number: &str, samples: &[(&str, &str)]) -> Option<toml::Table> {
    let Value::Tables(items) = &tree.find(&[list])?.value else { return None };
    find_sample(&kind(items.get(number.parse::<usize>().ok()?)?)?, samples)
}

fn find_sample(kind: &str, samples: &[(&str, &str)]) -> Option<toml::Table> {
    samples.iter().find(|(known, _)| *known == kind).map(|(_, text)| sample(text))
}

fn kind(node: &Node) -> Option<String> {
    node.find(&["type"])?.text().map(str::to_owned)
}

fn list<'a, T: DeserializeOwned>(
    tree: &'a Node,
    list: &str,
    faults: &mut Vec<Fault>,
    mut sample_for: impl FnMut(&Node, Tell<'_>) -> Option<toml::Table>,
) -> Vec<Item<'a, T>> {
    let Some(node) = tree.find(&[list]) else { return Vec::new() };
    let items = match &node.value {
        Value::Tables(items) => items,
        Value::Leaf(toml::Value::Array(items)) if items.is_empty() => return Vec::new(),
        _ => {
            faults.push(Fault::new(&node.at, list, format!("found something else, wanted [[{list}]] tables")));
            return Vec::new();
        }
    };
    let mut found = Vec::new();
    for (number, node) in items.iter().enumerate() {
        let name = format!("{list}[{number}]");
        let sample =
            sample_for(node, &mut |place, key, what| faults.push(Fault::new(place, format!("{name}.{key}"), what)));
        let Some(mut sample) = sample else { continue };
        // Routes have no name.
        if sample.contains_key("name") {
            put(&mut sample, &["name".into()], format!("{list}_{number}_without_a_name").into());
        }
        let is_named = node.find(&["name"]).is_some_and(|name| name.text().is_some());
        if let Some(value) = read(node, &name, &sample, faults) {
            found.push(Item { value, node, name, is_named });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Another type of source or condition is to be added to the samples too.
    #[test]
    fn the_samples_are_all_types_and_are_sound() {
        for (_, text) in SOURCES {
            sample(text).try_into::<SourceConfig>().unwrap();
        }
        for (_, text) in RECEIVERS {
            sample(text).try_into::<ReceiverConfig>().unwrap();
        }
        sample(ROUTE).try_into::<Route>().unwrap();
        sample(INHIBIT).try_into::<Inhibit>().unwrap();
        sample(TOPIC).try_into::<Topic>().unwrap();
        SECTIONS.clone().try_into::<Config>().unwrap();
        for (kind, number, past) in CONDITIONS {
            for rest in [number, past, SEASONAL.1].into_iter().take(if kind == SEASONAL.0 { 3 } else { 2 }) {
                let text = format!("name = 'A'\n[condition]\ntype = '{kind}'\n{}", rest.replacen(", ", "\n", 1));
                sample(&text).try_into::<AlertingRule>().unwrap();
            }
        }
        let all = |message: &str| message.split('`').skip(3).step_by(2).map(str::to_owned).collect::<Vec<_>>();
        let error = sample("type = ''").try_into::<SourceConfig>().unwrap_err();
        assert_eq!(all(error.message()), SOURCES.map(|(kind, _)| kind));
        for (_, text) in RECEIVERS {
            let config: ReceiverConfig = sample(text).try_into().unwrap();
            assert_eq!(config.faults(), Vec::<String>::new(), "{text}");
        }
        let error = sample("name = 'x'\ntype = ''").try_into::<ReceiverConfig>().unwrap_err();
        assert_eq!(all(error.message()), RECEIVERS.map(|(kind, _)| kind));
        let error = sample("name = 'A'\ncondition.type = ''").try_into::<AlertingRule>().unwrap_err();
        assert_eq!(all(error.message()), CONDITIONS.map(|(kind, ..)| kind));
    }
}
