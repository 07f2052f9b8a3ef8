//! Validation beyond types: values that are not valid, alone or in combination. Each problem gets the line of its key.

use std::collections::HashSet;
use std::path::Path;

use jiff::SignedDuration;

use super::assemble::{Assembled, ListEntry};
use super::node::Node;
use super::problem::{ConfigProblem, Location};
use super::serde_message::suggestion;
use super::{Config, Purpose, RetrainConfig, WebConfig};
use crate::dump::Columns;
use crate::logging;
use crate::post::{Topic, TopicError};
use crate::rule::AlertingRule;
use crate::source::{SourceConfig, twitter};
use crate::window;

/// Maximum drain time: service managers kill a process that takes longer to stop.
const MAX_DRAIN: SignedDuration = SignedDuration::from_mins(10);

/// Every problem of `assembled` and of its `rules` that deserialization (`read`) has not already found.
pub(super) fn problems(
    assembled: &Assembled<'_>,
    rules: &[ListEntry<'_, AlertingRule>],
    purpose: Purpose,
    read: &[ConfigProblem],
) -> Vec<ConfigProblem> {
    let mut problems = sections(assembled, purpose);
    problems.extend(topics(assembled));
    problems.extend(sources(assembled, read.iter().any(|problem| problem.key.starts_with("topic"))));
    problems.extend(receivers(assembled));
    problems.extend(super::routing_checks::problems(assembled));
    problems.extend(check_rules(&assembled.config, rules));
    if let Some(known) = known_topics(&assembled.config, purpose) {
        problems.extend(unknown_topics(assembled, rules, &known));
    }
    problems
}

fn sections(assembled: &Assembled<'_>, purpose: Purpose) -> Vec<ConfigProblem> {
    let Assembled { config, tree, .. } = assembled;
    let mut messages = config.window.validate();
    messages.extend(config.dump.check().err().map(|error| format!("dump.{error}")));
    messages.extend(logging::filter_problem(&config.log.level).map(|problem| format!("log.level: {problem}")));
    let Config { daemon, retention, x, classify, .. } = config;
    if daemon.drain.is_negative() || daemon.drain > MAX_DRAIN {
        messages.push(format!("daemon.drain: {:#} is not valid; expected 0s to {MAX_DRAIN:#}", daemon.drain));
    }
    for (key, days) in [("posts_days", retention.posts_days), ("history_days", retention.history_days)] {
        if days == 0 {
            messages.push(format!("retention.{key}: 0 is not valid; expected at least 1 day"));
        }
    }
    messages.extend(retrain(&config.retrain));
    messages.extend(tls(&config.web));
    messages.extend(x.validate());
    messages.extend(config.telemetry.validate());
    if purpose == Purpose::Daemon && !classify.model.is_dir() {
        let path = classify.model.display();
        messages.push(format!(
            "classify.model: directory {path} not found; set classify.model or --model DIR to a directory with a model"
        ));
    }
    messages.into_iter().map(|message| locate(tree, "", &message)).collect()
}

/// HTTPS needs an address, a certificate and a key: each alone would be silently unused.
fn tls(web: &WebConfig) -> Option<String> {
    let WebConfig { listen, tls_listen, tls_certificate_file, tls_key_file, .. } = web;
    let keys = [
        ("tls_listen", tls_listen.is_some()),
        ("tls_certificate_file", tls_certificate_file.is_some()),
        ("tls_key_file", tls_key_file.is_some()),
    ];
    let set = keys.into_iter().find(|(_, is_set)| *is_set);
    let missing = keys.into_iter().find(|(_, is_set)| !is_set);
    match (set, missing) {
        (Some((set, _)), Some((missing, _))) => {
            Some(format!("web.{set}: HTTPS also needs web.{missing}; set it, or none of the three"))
        }
        // Port 0 is any free one.
        (Some(_), None) if *tls_listen == Some(*listen) && listen.port() != 0 => {
            Some(format!("web.tls_listen: {listen} is web.listen too; HTTPS needs another port"))
        }
        _ => None,
    }
}

fn retrain(retrain: &RetrainConfig) -> Vec<String> {
    let RetrainConfig { base, held_out, weight, every, .. } = retrain;
    let mut messages = Vec::new();
    if !(weight.is_finite() && *weight > 0.0) {
        messages.push(format!("retrain.weight: {weight} is not valid; expected a number above 0"));
    }
    // The cost of a retraining is a minute of a core.
    if every.is_negative() || (!every.is_zero() && *every < SignedDuration::from_hours(1)) {
        messages.push(format!("retrain.every: {every:#} is not valid; expected 0s (never) or at least 1h"));
    }
    for (key, files) in [("base", base), ("held_out", held_out)] {
        let missing = files.iter().find(|file| !file.exists());
        messages.extend(missing.map(|file| format!("retrain.{key}: {} not found", file.display())));
    }
    messages
}

fn topics(assembled: &Assembled<'_>) -> Vec<ConfigProblem> {
    let mut problems = Vec::new();
    let mut names = HashSet::new();
    for topic in &assembled.topics {
        for error in topic.value.validate() {
            let key = match error {
                TopicError::Unnamed | TopicError::Duplicate(_) | TopicError::MatchesNothing(_) => "name",
                TopicError::Keyword(..) => "keywords",
                TopicError::Handle(..) => "handles",
                TopicError::Language(..) => "languages",
                TopicError::TimeZone(..) => "time_zone",
            };
            problems.push(at(topic.node, &topic.name, key, error.to_string()));
        }
        let name = topic.value.name.trim();
        if !name.is_empty() && !names.insert(name.to_owned()) {
            problems.push(at(topic.node, &topic.name, "name", TopicError::Duplicate(name.into()).to_string()));
        }
    }
    problems
}

/// With `unread`, some topics could not be read: a query made from topics is then not reported as missing.
fn sources(assembled: &Assembled<'_>, unread: bool) -> Vec<ConfigProblem> {
    let some_topic = [Topic { name: "x".into(), keywords: vec!["x".into()], ..Topic::default() }];
    let topics = if unread { &some_topic } else { assembled.config.topics.as_slice() };
    let mut problems = Vec::new();
    let (mut names, mut http, mut stream) = (HashSet::new(), false, false);
    for source in &assembled.sources {
        problems.extend(source.value.validate(topics).iter().map(|message| locate(source.node, &source.name, message)));
        let name = source.value.name();
        if name.trim().is_empty() {
            problems.push(at(source.node, &source.name, "name", "it is empty; expected e.g. \"x-search\"".into()));
        } else if source.is_named && !names.insert(name) {
            let message =
                format!("duplicate source name {name:?}; the read position is stored by name: use unique names");
            problems.push(at(source.node, &source.name, "name", message));
        }
        if let SourceConfig::Http(_) = &source.value {
            if http {
                let message = "duplicate source of type \"http\"; only one is allowed, for all senders";
                problems.push(at(source.node, &source.name, "type", message.into()));
            }
            http = true;
        }
        if let SourceConfig::Twitter(twitter::Config { mode: twitter::Mode::Stream, .. }) = &source.value {
            if stream {
                let message =
                    "duplicate source with mode = \"stream\"; X allows one stream per app: combine their queries";
                problems.push(at(source.node, &source.name, "mode", message.into()));
            }
            stream = true;
        }
    }
    problems
}

fn receivers(assembled: &Assembled<'_>) -> Vec<ConfigProblem> {
    let mut problems = Vec::new();
    let mut names = HashSet::new();
    for receiver in &assembled.receivers {
        problems.extend(receiver.value.validate().iter().map(|message| locate(receiver.node, &receiver.name, message)));
        // Secrets are looked up by this form of the name: two receivers must not share it.
        let name = receiver.value.name.replace('_', "-").to_ascii_lowercase();
        if receiver.is_named && !names.insert(name) {
            let message = format!("duplicate receiver name {:?}; use unique names", receiver.value.name);
            problems.push(at(receiver.node, &receiver.name, "name", message));
        }
    }
    problems
}

fn check_rules(config: &Config, rules: &[ListEntry<'_, AlertingRule>]) -> Vec<ConfigProblem> {
    let mut problems = Vec::new();
    let mut names = HashSet::new();
    // An invalid bucket is reported once, not for every rule.
    let window = if config.window.validate().is_empty() { config.window.clone() } else { window::Config::default() };
    for rule in rules {
        problems
            .extend(rule.value.validate(window.bucket).iter().map(|message| locate(rule.node, &rule.name, message)));
        if rule.is_named && !names.insert(&rule.value.name) {
            let message = format!("duplicate rule name `{}`; use unique names", rule.value.name);
            problems.push(at(rule.node, &rule.name, "name", message));
        }
    }
    problems
}

/// The possible topics; `None` if a column of the input may name others.
fn known_topics(config: &Config, purpose: Purpose) -> Option<Vec<String>> {
    let names_topics = |columns: &Columns| columns.topic.is_some();
    let open = match purpose {
        Purpose::Dump => names_topics(&config.dump.columns),
        Purpose::Daemon => config
            .sources
            .iter()
            .any(|source| matches!(source, SourceConfig::File(file) if names_topics(&file.columns))),
    };
    let known = config.topics.iter().map(|topic| topic.name.trim().to_owned());
    (!open).then(|| known.chain(Some(config.unmatched_topic.clone()).filter(|name| !name.is_empty())).collect())
}

/// Rules and sources that name an unknown topic.
fn unknown_topics(
    assembled: &Assembled<'_>,
    rules: &[ListEntry<'_, AlertingRule>],
    known: &[String],
) -> Vec<ConfigProblem> {
    let mut problems = Vec::new();
    let unknown_topic = |name: &str| {
        let is_unknown = !known.iter().any(|topic| topic == name.trim());
        is_unknown.then(|| format!("unknown topic {name:?}; {}", suggestion(name, known)))
    };
    for rule in rules {
        let message = rule.value.topics.iter().filter_map(|name| unknown_topic(name));
        problems.extend(message.map(|message| at(rule.node, &rule.name, "topics", message)));
    }
    for source in &assembled.sources {
        let topic = match &source.value {
            SourceConfig::Twitter(config) => &config.topic,
            SourceConfig::File(config) => &config.topic,
            SourceConfig::Http(config) => &config.topic,
        };
        let message = topic.as_deref().and_then(unknown_topic);
        problems.extend(message.map(|message| at(source.node, &source.name, "topic", message)));
    }
    problems
}

pub(super) fn at(node: &Node, name: &str, key: &str, message: String) -> ConfigProblem {
    let location = node.find(&[key]).unwrap_or(node);
    ConfigProblem::new(&location.at, format!("{name}.{key}"), message)
}

/// A message of a stage, at the location of the first key it names.
pub(super) fn locate(node: &Node, name: &str, message: &str) -> ConfigProblem {
    let is_key = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    let words = message.split(|c: char| !is_key(c)).map(|word| word.trim_matches('.'));
    for word in words.filter(|word| !word.is_empty()) {
        let path: Vec<String> = word.split('.').map(str::to_owned).collect();
        if let Some(found) = deepest(node, &path) {
            return ConfigProblem::new(&found.at, super::deserialize::key(name, &path), message);
        }
    }
    ConfigProblem::new(&node.at, name, message)
}

/// The node at `path`; for a missing key, the table it belongs to.
fn deepest<'a>(node: &'a Node, path: &[String]) -> Option<&'a Node> {
    let parent = path.split_last().filter(|(_, parent)| !parent.is_empty()).map(|(_, parent)| parent);
    node.find(path).or_else(|| node.find(parent?))
}

/// The problem of an unreadable rule file.
pub(super) fn unreadable(tree: &Node, path: &Path, flag: bool, cause: &std::io::Error) -> ConfigProblem {
    let message = format!(
        "cannot read the rule file {}: {cause}; set `rules` to a file with [[rule]] tables, e.g. config/rules.toml",
        path.display()
    );
    let location = match tree.find(&["rules"]) {
        Some(node) if !flag => node.at.clone(),
        _ => Location::Flag("--rules".into()),
    };
    ConfigProblem::new(&location, "rules", message)
}
