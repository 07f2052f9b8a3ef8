//! Builds a [`Config`] from the merged tree: sections at once, topics, sources and receivers one by one, so that an
//! error in one does not hide errors in another.

use std::path::Path;
use std::sync::LazyLock;

use serde::de::DeserializeOwned;

use super::deserialize::{probe, read};
use super::node::{Node, Value, insert_at};
use super::problem::{ConfigProblem, Location};
use super::serde_message::suggestion;
use super::{Config, DEFAULTS, joined};
use crate::notify::{Inhibit, ReceiverConfig, ReportConfig, Route};
use crate::post::Topic;
use crate::rule::{AlertingRule, Condition, Rules};
use crate::source::SourceConfig;

/// Sections that are lists of tables.
const LISTS: [&str; 6] = ["topic", "source", "receiver", "route", "inhibit", "report"];

/// Keys whose value is a path relative to the file, or a list of paths; `*` stands for each table of a list.
const PATHS: [&[&str]; 21] = [
    &["rules"],
    &["classify", "model"],
    &["retrain", "base"],
    &["retrain", "held_out"],
    &["daemon", "state"],
    &["web", "tls_certificate_file"],
    &["web", "tls_key_file"],
    &["x", "token_file"],
    &["telemetry", "headers_file"],
    &["telemetry", "ca_file"],
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

/// A minimal valid table for each source type.
const SOURCES: [(&str, &str); 3] = [
    ("twitter", "type = 'twitter'\nname = 'x'\nmode = 'search'"),
    ("file", "type = 'file'\nname = 'x'\npath = '/var/spool/vigie/posts.jsonl'\nlayout = 'jsonl'"),
    ("http", "type = 'http'\nname = 'x'"),
];

/// A minimal valid table for each receiver type.
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
const REPORT: &str = "name = 'x'\nevery = 'week'\nreceivers = ['log']";
const INHIBIT: &str = "source = ['severity=critical']\ntarget = ['severity=warning']";

const TOPIC: &str = "name = 'Air Paradis'\nkeywords = ['Air Paradis']\nhandles = ['AirParadis']";

const EVENTS: &str = "kind = 'pipeline_error'\ncount = 3\nwithin = '5m'";

/// Minimal valid keys for each condition type: with a fixed threshold, and with a baseline (`above` is a table).
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

/// The same for a condition whose `above` has other keys with `baseline = "seasonal"`.
const SEASONAL: (&str, &str) = ("negative_volume", "window = '1h', above = { baseline = 'seasonal' }");

/// The defaults without lists: the sample in which values of sections are tried.
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

/// An entry of a list, with its node.
#[derive(Debug)]
pub(super) struct ListEntry<'a, T> {
    pub(super) value: T,
    pub(super) node: &'a Node,
    /// Such as `source[0]`.
    pub(super) name: String,
    /// Its name was given, not taken from the sample.
    pub(super) is_named: bool,
}

/// A deserialized configuration, with the nodes of its parts.
#[derive(Debug)]
pub(super) struct Assembled<'a> {
    pub(super) config: Config,
    pub(super) topics: Vec<ListEntry<'a, Topic>>,
    pub(super) sources: Vec<ListEntry<'a, SourceConfig>>,
    pub(super) receivers: Vec<ListEntry<'a, ReceiverConfig>>,
    pub(super) routes: Vec<ListEntry<'a, Route>>,
    pub(super) reports: Vec<ListEntry<'a, ReportConfig>>,
    pub(super) tree: &'a Node,
}

/// Whether `value` is valid at `path` in `tree`; tables of a list are addressed by number.
pub(super) fn accepts(tree: &Node, path: &[String], value: toml::Value) -> bool {
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
        [list, _, rest @ ..] if list == "report" && !rest.is_empty() => {
            probe::<ReportConfig>(&sample(REPORT), rest, value).is_ok()
        }
        _ => probe::<Config>(&SECTIONS, path, value).is_ok(),
    }
}

/// Resolves paths relative to their file, so that all paths are relative to the working directory.
pub(super) fn resolve_paths(tree: &mut Node, directory: &Path) {
    for path in PATHS {
        resolve_path(tree, path, directory);
    }
}

fn resolve_path(node: &mut Node, path: &[&str], directory: &Path) {
    match (path.split_first(), &mut node.value) {
        (None, Value::Leaf(toml::Value::String(path)))
            if matches!(node.at, Location::BuiltIn | Location::File { .. }) =>
        {
            *path = joined(directory, Path::new(path)).to_string_lossy().into_owned();
        }
        (None, Value::Leaf(toml::Value::Array(paths)))
            if matches!(node.at, Location::BuiltIn | Location::File { .. }) =>
        {
            for path in paths {
                if let toml::Value::String(path) = path {
                    *path = joined(directory, Path::new(path)).to_string_lossy().into_owned();
                }
            }
        }
        (Some((&"*", rest)), Value::Tables(items)) => {
            items.iter_mut().for_each(|item| resolve_path(item, rest, directory));
        }
        (Some((key, rest)), Value::Table(entries)) => {
            if let Some(below) = entries.get_mut(*key) {
                resolve_path(below, rest, directory);
            }
        }
        _ => {}
    }
}

/// Deserializes `tree`; `None` if not even the sections can be read.
pub(super) fn assemble<'a>(tree: &'a Node, problems: &mut Vec<ConfigProblem>) -> Option<Assembled<'a>> {
    let mut sections = tree.clone();
    if let Some(entries) = sections.entries_mut() {
        for list in LISTS {
            entries.insert(
                list.into(),
                Node { at: Location::BuiltIn, value: Value::Leaf(toml::Value::Array(Vec::new())) },
            );
        }
    }
    let config: Option<Config> = read(&sections, "", &SECTIONS, problems);
    let topics = list(tree, "topic", problems, |_, _| Some(sample(TOPIC)));
    let sources = list(tree, "source", problems, |node, problem| typed_sample(node, "source", &SOURCES, problem));
    let receivers =
        list(tree, "receiver", problems, |node, problem| typed_sample(node, "receiver", &RECEIVERS, problem));
    let routes = list(tree, "route", problems, |_, _| Some(sample(ROUTE)));
    let inhibits: Vec<ListEntry<'_, Inhibit>> = list(tree, "inhibit", problems, |_, _| Some(sample(INHIBIT)));
    let reports: Vec<ListEntry<'_, ReportConfig>> = list(tree, "report", problems, |_, _| Some(sample(REPORT)));
    let mut config = config?;
    config.topics = topics.iter().map(|item: &ListEntry<'_, Topic>| item.value.clone()).collect();
    config.sources = sources.iter().map(|item: &ListEntry<'_, SourceConfig>| item.value.clone()).collect();
    config.receivers = receivers.iter().map(|item: &ListEntry<'_, ReceiverConfig>| item.value.clone()).collect();
    config.routes = routes.iter().map(|item: &ListEntry<'_, Route>| item.value.clone()).collect();
    config.inhibits = inhibits.iter().map(|item| item.value.clone()).collect();
    config.reports = reports.iter().map(|item| item.value.clone()).collect();
    Some(Assembled { config, topics, sources, receivers, routes, reports, tree })
}

/// Deserializes the rules of a rule file.
pub(super) fn rules<'a>(tree: &'a Node, problems: &mut Vec<ConfigProblem>) -> Vec<ListEntry<'a, AlertingRule>> {
    for (key, node) in tree.entries().into_iter().flatten().filter(|(key, _)| *key != "rule") {
        problems.push(ConfigProblem::new(&node.at, key, format!("no such key; {}", suggestion(key, &["rule".into()]))));
    }
    list(tree, "rule", problems, rule_sample)
}

pub(super) fn rules_of(items: &[ListEntry<'_, AlertingRule>]) -> Rules {
    Rules { rules: items.iter().map(|item| item.value.clone()).collect() }
}

type Report<'a> = &'a mut dyn FnMut(&Location, &str, String);

fn rule_sample(node: &Node, problem: Report<'_>) -> Option<toml::Table> {
    let condition = condition_sample(node.find(&["condition"]).unwrap_or(node), "condition", problem)?;
    let mut rule = sample("name = 'A'");
    rule.insert("condition".into(), toml::Value::Table(condition));
    Some(rule)
}

/// A valid sample of the condition type that `node` names; `at` is its path. `None` if the condition, or one that it
/// combines, has an error. The errors of combined conditions are reported here, each with its own line.
fn condition_sample(node: &Node, at: &str, problem: Report<'_>) -> Option<toml::Table> {
    let known: Vec<String> = CONDITIONS.iter().map(|(kind, ..)| (*kind).to_owned()).collect();
    let Some(kind) = node.find(&["type"]).and_then(Node::text) else {
        let location = node.find(&["type"]).unwrap_or(node);
        problem(&location.at, &format!("{at}.type"), format!("missing; expected one of: {}", known.join(", ")));
        return None;
    };
    let Some((kind, number, past)) = CONDITIONS.iter().find(|(known, ..)| *known == kind) else {
        let location = node.find(&["type"]).unwrap_or(node);
        problem(
            &location.at,
            &format!("{at}.type"),
            format!("unknown condition type `{kind}`; {}", suggestion(kind, &known)),
        );
        return None;
    };
    let mut are_sound = true;
    for key in ["all", "any"] {
        let Some(Value::Tables(parts)) = node.find(&[key]).map(|node| &node.value) else { continue };
        for (number, part) in parts.iter().enumerate() {
            are_sound &= is_sound(part, &format!("{at}.{key}[{number}]"), problem);
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

/// Whether a condition within another one is valid; reports its problems.
fn is_sound(node: &Node, at: &str, problem: Report<'_>) -> bool {
    let Some(sample) = condition_sample(node, at, problem) else { return false };
    let mut problems = Vec::new();
    let is_read = read::<Condition>(node, at, &sample, &mut problems).is_some();
    for found in &problems {
        problem(&found.location, &found.key, found.message.clone());
    }
    is_read && problems.is_empty()
}

/// The sample of the type that the table `node` names; reports a missing or unknown type.
fn typed_sample(node: &Node, list: &str, samples: &[(&str, &str)], problem: Report<'_>) -> Option<toml::Table> {
    let Some(kind) = kind(node) else {
        let known: Vec<String> = samples.iter().map(|(kind, _)| format!("\"{kind}\"")).collect();
        let (last, first) = known.split_last()?;
        problem(&node.at, "type", format!("missing; expected type = {} or {last}", first.join(", ")));
        return None;
    };
    let found = find_sample(&kind, samples);
    if found.is_none() {
        let known: Vec<String> = samples.iter().map(|(kind, _)| (*kind).to_owned()).collect();
        let location = node.find(&["type"]).unwrap_or(node);
        problem(&location.at, "type", format!("unknown {list} type `{kind}`; {}", suggestion(&kind, &known)));
    }
    found
}

/// The sample for the type of a table in a list; `None` if the type is unknown.
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
    problems: &mut Vec<ConfigProblem>,
    mut sample_for: impl FnMut(&Node, Report<'_>) -> Option<toml::Table>,
) -> Vec<ListEntry<'a, T>> {
    let Some(node) = tree.find(&[list]) else { return Vec::new() };
    let items = match &node.value {
        Value::Tables(items) => items,
        Value::Leaf(toml::Value::Array(items)) if items.is_empty() => return Vec::new(),
        _ => {
            problems.push(ConfigProblem::new(&node.at, list, format!("invalid type, expected [[{list}]] tables")));
            return Vec::new();
        }
    };
    let mut found = Vec::new();
    for (number, node) in items.iter().enumerate() {
        let name = format!("{list}[{number}]");
        let sample = sample_for(node, &mut |location, key, message| {
            problems.push(ConfigProblem::new(location, format!("{name}.{key}"), message));
        });
        let Some(mut sample) = sample else { continue };
        // Routes have no name.
        if sample.contains_key("name") {
            insert_at(&mut sample, &["name".into()], format!("{list}_{number}_without_a_name").into());
        }
        let is_named = node.find(&["name"]).is_some_and(|name| name.text().is_some());
        if let Some(value) = read(node, &name, &sample, problems) {
            found.push(ListEntry { value, node, name, is_named });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A new type of source, receiver or condition needs a sample.
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
        sample(REPORT).try_into::<ReportConfig>().unwrap();
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
            assert_eq!(config.validate(), Vec::<String>::new(), "{text}");
        }
        let error = sample("name = 'x'\ntype = ''").try_into::<ReceiverConfig>().unwrap_err();
        assert_eq!(all(error.message()), RECEIVERS.map(|(kind, _)| kind));
        let error = sample("name = 'A'\ncondition.type = ''").try_into::<AlertingRule>().unwrap_err();
        assert_eq!(all(error.message()), CONDITIONS.map(|(kind, ..)| kind));
    }
}
