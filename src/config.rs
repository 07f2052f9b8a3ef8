//! The configuration: the `Config`s of all stages together, read from a TOML file, the environment and flags, and
//! validated. Stages never see it; `cli` and `pipeline` pass each stage its part.
//!
//! ```text
//! defaults < file < VIGIE__SECTION__KEY < --set ==> Node tree ==> deserialize ==> Config ==> checks ==> LoadedConfig
//!                                     (each value with its line)   \-- ConfigProblem --\---> ConfigError
//! ```

mod assemble;
mod checks;
mod deserialize;
mod document;
mod node;
mod overrides;
mod problem;
mod routing_checks;
mod serde_message;
mod shipped_model;
mod trusted_proxy;

#[cfg(test)]
mod tests;

pub use overrides::Override;
pub use problem::{ConfigError, ConfigProblem, Location};
pub use trusted_proxy::TrustedProxy;

use std::collections::HashSet;
use std::net::SocketAddr;
use std::path::{Component, Path, PathBuf};

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::dump::ReadOptions;
use crate::language::Language;
use crate::logging;
use crate::monitor::Retention;
use crate::notify;
use crate::notify::{Inhibit, ReceiverConfig, ReportConfig, Route, Routing};
use crate::post::Topic;
use crate::rule::Rules;
use crate::source::SourceConfig;
use crate::source::twitter::AccountConfig;
use crate::{classify, telemetry, window};
use assemble::{accepts, assemble, resolve_paths, rules_of};
use document::Document;
use node::Node;

/// Where the configuration is searched if no file is named, in this order.
const DEFAULT_PATHS: [&str; 2] = ["config/vigie.toml", "/etc/vigie/vigie.toml"];

const DEFAULTS: &str = include_str!("../config/vigie.toml");
const DEFAULT_RULES: &str = include_str!("../config/rules.toml");

/// The complete configuration. `config/vigie.toml` documents each key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub language: Language,
    pub rules: PathBuf,
    pub unmatched_topic: String,
    #[serde(rename = "topic")]
    pub topics: Vec<Topic>,
    pub dump: ReadOptions,
    pub classify: classify::Config,
    pub retrain: RetrainConfig,
    pub window: window::Config,
    pub daemon: DaemonConfig,
    pub web: WebConfig,
    pub retention: Retention,
    pub log: logging::Config,
    pub telemetry: telemetry::Config,
    pub x: AccountConfig,
    #[serde(rename = "source")]
    pub sources: Vec<SourceConfig>,
    pub notify: notify::Config,
    #[serde(rename = "receiver")]
    pub receivers: Vec<ReceiverConfig>,
    #[serde(rename = "route")]
    pub routes: Vec<Route>,
    #[serde(rename = "inhibit")]
    pub inhibits: Vec<Inhibit>,
    #[serde(rename = "report")]
    pub reports: Vec<ReportConfig>,
}

impl Config {
    /// The routing of alerts to receivers, without reports.
    pub fn routing(&self) -> Routing {
        let (receivers, routes) = (self.receivers.clone(), self.routes.clone());
        Routing::new(self.notify.clone(), receivers, routes, self.inhibits.clone())
    }
}

/// `[retrain]`: how challengers are made of what people corrected.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetrainConfig {
    /// Labelled dumps that hold the head in its place.
    pub base: Vec<PathBuf>,
    /// Labelled dumps to judge champion and challenger on.
    pub held_out: Vec<PathBuf>,
    /// Whether corrections of posts from X are used.
    pub with_x: bool,
    /// A correction counts as this many posts of the base data; above 0.
    pub weight: f64,
    /// Interval of retrainings; 0: never by itself.
    #[serde(with = "crate::duration")]
    pub every: SignedDuration,
    /// New corrections without which the schedule does nothing.
    pub min_corrections: usize,
    /// Whether a challenger that is better beyond its interval is promoted without a person.
    pub auto_promote: bool,
}

/// `[daemon]`: state directory and shutdown of `vigie run`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DaemonConfig {
    /// State directory; systemd's `$STATE_DIRECTORY` overrides it.
    pub state: PathBuf,
    /// Maximum time after SIGTERM for committing posts that are in flight.
    #[serde(with = "crate::duration")]
    pub drain: SignedDuration,
}

/// `[web]`: the console, the local API, probes and metrics.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebConfig {
    pub listen: SocketAddr,
    /// A second address, for HTTPS.
    pub tls_listen: Option<SocketAddr>,
    /// Its certificate with those that lead to the authority, as PEM.
    pub tls_certificate_file: Option<PathBuf>,
    /// The private key, as PEM.
    pub tls_key_file: Option<PathBuf>,
    /// Proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` count. With one, people sign in on loopback too.
    pub trusted_proxies: Vec<TrustedProxy>,
}

/// A validated configuration with its rules.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadedConfig {
    /// Its paths are absolute or relative to the working directory.
    pub config: Config,
    pub rules: Rules,
}

/// What the configuration is used for; it decides which checks apply.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Purpose {
    /// Reading a dump: columns may name topics, and a model is not always needed.
    #[default]
    Dump,
    /// `vigie run`.
    Daemon,
}

/// Loads a configuration from a file, the environment and flags.
#[derive(Debug, Clone, Default)]
pub struct ConfigLoader {
    /// The file. If `None`, the first existing one of `config/vigie.toml` and `/etc/vigie/vigie.toml`, or the built-in
    /// defaults.
    pub path: Option<PathBuf>,
    /// Rule file; overrides `rules` of the configuration.
    pub rules: Option<PathBuf>,
    /// Later ones override earlier ones; all of them override the file.
    pub overrides: Vec<Override>,
    pub purpose: Purpose,
}

impl ConfigLoader {
    /// The file to read; `None` for the built-in defaults.
    pub fn file(&self) -> Option<&Path> {
        self.path.as_deref().or_else(|| DEFAULT_PATHS.iter().map(Path::new).find(|path| path.exists()))
    }

    /// Reads and validates everything.
    ///
    /// # Errors
    /// When the named file cannot be read, or with every problem found.
    pub fn load(&self) -> Result<LoadedConfig, ConfigError> {
        let shipped = shipped_model::find();
        let Some(path) = self.file() else { return self.check(Path::new(DEFAULT_PATHS[0]), None, shipped.as_deref()) };
        let bytes = std::fs::read(path).map_err(|cause| ConfigError::Read { path: path.into(), cause })?;
        self.check(path, Some(&bytes), shipped.as_deref())
    }

    /// As [`ConfigLoader::load`], of the bytes that the file `path` holds; none for the defaults. `shipped`: the model that is
    /// used where the configuration names none.
    fn check(&self, path: &Path, bytes: Option<&[u8]>, shipped: Option<&Path>) -> Result<LoadedConfig, ConfigError> {
        let mut tree = Node::from_toml(&Location::BuiltIn, defaults());
        let mut problems = Vec::new();
        if let Some(bytes) = bytes {
            let document = document::parse(path, bytes);
            problems.extend(document.problems);
            tree.overlay(document.tree);
        }
        let mut has_syntax_errors = !problems.is_empty();
        for value in &self.overrides {
            problems.extend(value.apply(&mut tree, accepts));
        }
        resolve_paths(&mut tree, path.parent().unwrap_or(Path::new("")));
        shipped.into_iter().for_each(|shipped| shipped_model::use_by_default(&mut tree, shipped));

        let assembled = assemble(&tree, &mut problems);
        let file = self.rule_file(&tree, bytes.is_none(), &mut problems);
        let file = file.unwrap_or_else(|| Document { tree: Node::table(Location::BuiltIn), problems: Vec::new() });
        has_syntax_errors |= !file.problems.is_empty();
        problems.extend(file.problems);
        let rules = assemble::rules(&file.tree, &mut problems);
        if let Some(assembled) = &assembled {
            problems.extend(checks::problems(assembled, &rules, self.purpose, &problems));
        }
        let rules = rules_of(&rules);
        match assembled {
            Some(assembled) if problems.is_empty() => Ok(LoadedConfig { config: assembled.config, rules }),
            _ => Err(ConfigError::Invalid { problems: in_order(problems, has_syntax_errors) }),
        }
    }

    fn rule_file(&self, tree: &Node, no_file: bool, problems: &mut Vec<ConfigProblem>) -> Option<Document> {
        let built_in = || Some(document::parse(Path::new("config/rules.toml"), DEFAULT_RULES.as_bytes()));
        let named = tree.find(&["rules"]).filter(|node| !no_file || node.at != Location::BuiltIn);
        let path = self.rules.as_deref().or_else(|| named?.text().map(Path::new));
        let Some(path) = path else { return built_in() };
        let named = self.rules.is_some() || named.is_some_and(|node| node.at != Location::BuiltIn);
        match std::fs::read(path) {
            Ok(bytes) => Some(document::parse(path, &bytes)),
            // A configuration that does not set `rules` needs no rule file.
            Err(cause) if !named && cause.kind() == std::io::ErrorKind::NotFound => built_in(),
            Err(cause) => {
                problems.push(checks::unreadable(tree, path, self.rules.is_some(), &cause));
                None
            }
        }
    }
}

impl LoadedConfig {
    /// [`ConfigLoader::load`] of a file and a rule file alone, for reading dumps.
    ///
    /// # Errors
    /// As [`ConfigLoader::load`].
    pub fn find(path: Option<&Path>, rules: Option<&Path>) -> Result<Self, ConfigError> {
        ConfigLoader { path: path.map(Into::into), rules: rules.map(Into::into), ..ConfigLoader::default() }.load()
    }
}

fn defaults() -> toml::Value {
    toml::Value::Table(toml::from_str(DEFAULTS).expect("a constant of this program, and a test reads it"))
}

/// Sorts problems by file and line, without duplicates. After a syntax error some keys are missing from the tree, so
/// problems about missing keys, and on the lines with syntax errors, are dropped.
fn in_order(mut problems: Vec<ConfigProblem>, has_syntax_errors: bool) -> Vec<ConfigProblem> {
    let is_syntax = |problem: &ConfigProblem| problem.key.is_empty();
    if has_syntax_errors {
        let broken: HashSet<String> =
            problems.iter().filter(|f| is_syntax(f)).map(|f| f.location.to_string()).collect();
        let judged = |f: &ConfigProblem| !broken.contains(&f.location.to_string()) && !f.message.starts_with("missing");
        problems.retain(|problem| is_syntax(problem) || judged(problem));
    }
    let rank = |problem: &ConfigProblem| match &problem.location {
        Location::BuiltIn => (3, None, 0),
        Location::File { path, line, .. } => (0, Some(path.clone()), *line),
        Location::Environment(_) => (1, None, 0),
        Location::Flag(_) => (2, None, 0),
    };
    problems.sort_by_key(rank);
    let mut seen = HashSet::new();
    problems.retain(|problem| seen.insert(problem.to_string()));
    problems
}

/// `path` relative to `directory`, with `..` resolved, as it appears in messages.
fn joined(directory: &Path, path: &Path) -> PathBuf {
    let mut joined = PathBuf::new();
    for component in directory.join(path).components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir if matches!(joined.components().next_back(), Some(Component::Normal(_))) => {
                joined.pop();
            }
            other => joined.push(other),
        }
    }
    joined
}
