//! What no type can tell: values that make no sense, alone or with others, each with the line it was given at.

use std::collections::HashSet;
use std::path::Path;

use jiff::SignedDuration;

use super::assemble::{Assembled, Item};
use super::fault::{Fault, Place};
use super::node::Node;
use super::words::wanted;
use super::{Config, Purpose};
use crate::dump::Columns;
use crate::logging;
use crate::post::{Topic, TopicError};
use crate::rule::AlertingRule;
use crate::source::{SourceConfig, twitter};
use crate::window;

/// Longest that stopping may take: a service manager kills what takes longer.
const LONGEST_DRAIN: SignedDuration = SignedDuration::from_mins(10);

/// Every fault of `assembled` and of its `rules` that was not found already when they were `read`.
pub(super) fn faults(
    assembled: &Assembled<'_>,
    rules: &[Item<'_, AlertingRule>],
    purpose: Purpose,
    read: &[Fault],
) -> Vec<Fault> {
    let mut faults = sections(assembled, purpose);
    faults.extend(topics(assembled));
    faults.extend(sources(assembled, read.iter().any(|fault| fault.key.starts_with("topic"))));
    faults.extend(receivers(assembled));
    faults.extend(super::receiving::faults(assembled));
    faults.extend(rule_faults(&assembled.config, rules));
    if let Some(known) = known_topics(&assembled.config, purpose) {
        faults.extend(strangers(assembled, rules, &known));
    }
    faults
}

fn sections(assembled: &Assembled<'_>, purpose: Purpose) -> Vec<Fault> {
    let Assembled { config, tree, .. } = assembled;
    let mut told = config.window.faults();
    told.extend(config.dump.check().err().map(|error| format!("dump.{error}")));
    told.extend(logging::fault(&config.log.level).map(|fault| format!("log.level: {fault}")));
    let Config { daemon, retention, x, classify, .. } = config;
    if daemon.drain.is_negative() || daemon.drain > LONGEST_DRAIN {
        told.push(format!("daemon.drain is {:#}: wanted from 0s to {LONGEST_DRAIN:#}", daemon.drain));
    }
    for (key, days) in [("posts_days", retention.posts_days), ("history_days", retention.history_days)] {
        if days == 0 {
            told.push(format!("retention.{key} is 0: wanted at least 1 day"));
        }
    }
    told.extend(x.faults());
    if purpose == Purpose::Daemon && !classify.model.is_dir() {
        let path = classify.model.display();
        told.push(format!(
            "classify.model: there is no directory {path}; wanted one with a model: set classify.model, or give --model DIR"
        ));
    }
    told.into_iter().map(|what| locate(tree, "", &what)).collect()
}

fn topics(assembled: &Assembled<'_>) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut names = HashSet::new();
    for topic in &assembled.topics {
        for error in topic.value.faults() {
            let key = match error {
                TopicError::Unnamed | TopicError::Twice(_) | TopicError::MatchesNothing(_) => "name",
                TopicError::Keyword(..) => "keywords",
                TopicError::Handle(..) => "handles",
                TopicError::Language(..) => "languages",
            };
            faults.push(at(topic.node, &topic.name, key, error.to_string()));
        }
        let name = topic.value.name.trim();
        if !name.is_empty() && !names.insert(name.to_owned()) {
            faults.push(at(topic.node, &topic.name, "name", TopicError::Twice(name.into()).to_string()));
        }
    }
    faults
}

/// `unread`: there are topics that could not be read, and no query is faulty for want of them.
fn sources(assembled: &Assembled<'_>, unread: bool) -> Vec<Fault> {
    let some_topic = [Topic { name: "x".into(), keywords: vec!["x".into()], ..Topic::default() }];
    let topics = if unread { &some_topic } else { assembled.config.topics.as_slice() };
    let mut faults = Vec::new();
    let (mut names, mut http, mut stream) = (HashSet::new(), false, false);
    for source in &assembled.sources {
        faults.extend(source.value.faults(topics).iter().map(|what| locate(source.node, &source.name, what)));
        let name = source.value.name();
        if name.trim().is_empty() {
            faults.push(at(source.node, &source.name, "name", "it is empty; wanted such as \"x-search\"".into()));
        } else if source.is_named && !names.insert(name) {
            let what =
                format!("two sources are named {name:?}; a name keys how far its source was read: give each its own");
            faults.push(at(source.node, &source.name, "name", what));
        }
        if let SourceConfig::Http(_) = &source.value {
            if http {
                let what = "there is another source of type \"http\"; one is enough for all senders";
                faults.push(at(source.node, &source.name, "type", what.into()));
            }
            http = true;
        }
        if let SourceConfig::Twitter(twitter::Config { mode: twitter::Mode::Stream, .. }) = &source.value {
            if stream {
                let what =
                    "there is another source with mode = \"stream\", and X gives an app one stream: join their queries";
                faults.push(at(source.node, &source.name, "mode", what.into()));
            }
            stream = true;
        }
    }
    faults
}

fn receivers(assembled: &Assembled<'_>) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut names = HashSet::new();
    for receiver in &assembled.receivers {
        faults.extend(receiver.value.faults().iter().map(|what| locate(receiver.node, &receiver.name, what)));
        // As their secrets are named: two that differ in nothing else would share them.
        let name = receiver.value.name.replace('_', "-").to_ascii_lowercase();
        if receiver.is_named && !names.insert(name) {
            let what = format!("two receivers are named {:?}; give each its own name", receiver.value.name);
            faults.push(at(receiver.node, &receiver.name, "name", what));
        }
    }
    faults
}

fn rule_faults(config: &Config, rules: &[Item<'_, AlertingRule>]) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut names = HashSet::new();
    // A bucket that cannot be makes no rule wrong.
    let window = if config.window.faults().is_empty() { config.window.clone() } else { window::Config::default() };
    for rule in rules {
        faults.extend(rule.value.faults(window.bucket).iter().map(|what| locate(rule.node, &rule.name, what)));
        if rule.is_named && !names.insert(&rule.value.name) {
            let what = format!("two rules are named `{}`; give each its own name", rule.value.name);
            faults.push(at(rule.node, &rule.name, "name", what));
        }
    }
    faults
}

/// The topics there can be; none where a column of what is read may name others.
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

/// Rules and sources that name a topic there cannot be.
fn strangers(assembled: &Assembled<'_>, rules: &[Item<'_, AlertingRule>], known: &[String]) -> Vec<Fault> {
    let mut faults = Vec::new();
    let stranger = |name: &str| {
        let strange = !known.iter().any(|topic| topic == name.trim());
        strange.then(|| format!("there is no topic {name:?}; {}", wanted(name, known)))
    };
    for rule in rules {
        let what = rule.value.topics.iter().filter_map(|name| stranger(name));
        faults.extend(what.map(|what| at(rule.node, &rule.name, "topics", what)));
    }
    for source in &assembled.sources {
        let topic = match &source.value {
            SourceConfig::Twitter(config) => &config.topic,
            SourceConfig::File(config) => &config.topic,
            SourceConfig::Http(config) => &config.topic,
        };
        let what = topic.as_deref().and_then(stranger);
        faults.extend(what.map(|what| at(source.node, &source.name, "topic", what)));
    }
    faults
}

pub(super) fn at(node: &Node, name: &str, key: &str, what: String) -> Fault {
    let place = node.find(&[key]).unwrap_or(node);
    Fault::new(&place.at, format!("{name}.{key}"), what)
}

/// A stage's own sentence, at the line of the first key it names.
pub(super) fn locate(node: &Node, name: &str, what: &str) -> Fault {
    let is_key = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    let words = what.split(|c: char| !is_key(c)).map(|word| word.trim_matches('.'));
    for word in words.filter(|word| !word.is_empty()) {
        let path: Vec<String> = word.split('.').map(str::to_owned).collect();
        if let Some(found) = deepest(node, &path) {
            return Fault::new(&found.at, super::reading::key(name, &path), what);
        }
    }
    Fault::new(&node.at, name, what)
}

/// What stands under `path`, or, for a key that was left out, under the table it belongs to.
fn deepest<'a>(node: &'a Node, path: &[String]) -> Option<&'a Node> {
    let parent = path.split_last().filter(|(_, parent)| !parent.is_empty()).map(|(_, parent)| parent);
    node.find(path).or_else(|| node.find(parent?))
}

/// The fault of a rule file that cannot be read.
pub(super) fn unreadable(tree: &Node, path: &Path, flag: bool, cause: &std::io::Error) -> Fault {
    let what = format!(
        "the rule file {} cannot be read: {cause}; set `rules` to a file of [[rule]] tables, such as config/rules.toml",
        path.display()
    );
    let place = match tree.find(&["rules"]) {
        Some(node) if !flag => node.at.clone(),
        _ => Place::Flag("--rules".into()),
    };
    Fault::new(&place, "rules", what)
}
