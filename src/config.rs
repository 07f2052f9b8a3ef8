//! The configuration: the stages' own `Config`s put together, read from a TOML file, the environment and flags, and
//! checked. Stages never see it; `cli` and `pipeline` hand each its part.
//!
//! ```text
//! defaults < file < VIGIE__SECTION__KEY < --set ==> Node tree ==> each value tried alone ==> Config ==> checks ==> Loaded
//!                                            (every value with its line)   \-- Fault --\------------------\--> ConfigError
//! ```

mod assemble;
mod checks;
mod document;
mod fault;
mod node;
mod overrides;
mod reading;
mod receiving;
mod words;

#[cfg(test)]
mod tests;

pub use fault::{ConfigError, Fault, Place};
pub use overrides::Override;

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
use crate::notify::{Inhibit, ReceiverConfig, Route, Routing};
use crate::post::Topic;
use crate::rule::Rules;
use crate::source::SourceConfig;
use crate::source::twitter::AccountConfig;
use crate::{classify, window};
use assemble::{assemble, place_paths, rules_of, takes};
use document::Document;
use node::Node;

/// Where a configuration is looked for when none is named, in this order.
const PLACES: [&str; 2] = ["config/vigie.toml", "/etc/vigie/vigie.toml"];

const DEFAULTS: &str = include_str!("../config/vigie.toml");
const DEFAULT_RULES: &str = include_str!("../config/rules.toml");

/// Everything that can be configured. `config/vigie.toml` describes each key.
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
    pub window: window::Config,
    pub daemon: Daemon,
    pub web: Web,
    pub retention: Retention,
    pub log: logging::Config,
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
}

impl Config {
    /// Who is told of what, and when.
    pub fn routing(&self) -> Routing {
        let (receivers, routes) = (self.receivers.clone(), self.routes.clone());
        Routing::new(self.notify.clone(), receivers, routes, self.inhibits.clone())
    }
}

/// `[daemon]`: where `vigie run` keeps its state, and how it stops.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Daemon {
    /// Directory of the state; systemd's `$STATE_DIRECTORY` goes before it.
    pub state: PathBuf,
    /// How long posts on their way may take to be committed after SIGTERM.
    pub drain: SignedDuration,
}

/// `[web]`: the console, the local API, probes and metrics.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Web {
    pub listen: SocketAddr,
}

/// A configuration that was read and checked, with its rules.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// Paths in it are relative to the working directory, or absolute.
    pub config: Config,
    pub rules: Rules,
}

/// What a configuration is read for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Purpose {
    /// Reading a dump, whose columns may name topics, perhaps without a model.
    #[default]
    Dump,
    /// `vigie run`.
    Daemon,
}

/// Where a configuration comes from.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// Without it the first that is there of `config/vigie.toml` and `/etc/vigie/vigie.toml`, or else the defaults that
    /// vigie carries.
    pub path: Option<PathBuf>,
    /// Rule file instead of the configuration's.
    pub rules: Option<PathBuf>,
    /// The later go before the earlier, and all of them before the file.
    pub overrides: Vec<Override>,
    pub purpose: Purpose,
}

impl Origin {
    /// The file that is read; none for the defaults that vigie carries.
    pub fn file(&self) -> Option<&Path> {
        self.path.as_deref().or_else(|| PLACES.iter().map(Path::new).find(|path| path.exists()))
    }

    /// Reads and checks everything.
    ///
    /// # Errors
    /// When the named file cannot be read, or with every fault there is.
    pub fn load(&self) -> Result<Loaded, ConfigError> {
        let Some(path) = self.file() else { return self.check(Path::new(PLACES[0]), None) };
        let bytes = std::fs::read(path).map_err(|cause| ConfigError::Read { path: path.into(), cause })?;
        self.check(path, Some(&bytes))
    }

    /// As [`Origin::load`], of the bytes that the file `path` holds; none for the defaults.
    fn check(&self, path: &Path, bytes: Option<&[u8]>) -> Result<Loaded, ConfigError> {
        let mut tree = Node::from_toml(&Place::BuiltIn, defaults());
        let mut faults = Vec::new();
        if let Some(bytes) = bytes {
            let document = document::parse(path, bytes);
            faults.extend(document.faults);
            tree.overlay(document.tree);
        }
        let mut unsyntactic = !faults.is_empty();
        for value in &self.overrides {
            faults.extend(value.apply(&mut tree, takes));
        }
        place_paths(&mut tree, path.parent().unwrap_or(Path::new("")));

        let assembled = assemble(&tree, &mut faults);
        let file = self.rule_file(&tree, bytes.is_none(), &mut faults);
        let file = file.unwrap_or_else(|| Document { tree: Node::table(Place::BuiltIn), faults: Vec::new() });
        unsyntactic |= !file.faults.is_empty();
        faults.extend(file.faults);
        let rules = assemble::rules(&file.tree, &mut faults);
        if let Some(assembled) = &assembled {
            faults.extend(checks::faults(assembled, &rules, self.purpose, &faults));
        }
        let rules = rules_of(&rules);
        match assembled {
            Some(assembled) if faults.is_empty() => Ok(Loaded { config: assembled.config, rules }),
            _ => Err(ConfigError::Faults { faults: in_order(faults, unsyntactic) }),
        }
    }

    fn rule_file(&self, tree: &Node, no_file: bool, faults: &mut Vec<Fault>) -> Option<Document> {
        let built_in = || Some(document::parse(Path::new("config/rules.toml"), DEFAULT_RULES.as_bytes()));
        let named = tree.find(&["rules"]).filter(|node| !no_file || node.at != Place::BuiltIn);
        let path = self.rules.as_deref().or_else(|| named?.text().map(Path::new));
        let Some(path) = path else { return built_in() };
        let named = self.rules.is_some() || named.is_some_and(|node| node.at != Place::BuiltIn);
        match std::fs::read(path) {
            Ok(bytes) => Some(document::parse(path, &bytes)),
            // A file of differences need not have rules beside it.
            Err(cause) if !named && cause.kind() == std::io::ErrorKind::NotFound => built_in(),
            Err(cause) => {
                faults.push(checks::unreadable(tree, path, self.rules.is_some(), &cause));
                None
            }
        }
    }
}

impl Loaded {
    /// [`Origin::load`] of a file and a rule file alone, for reading dumps.
    ///
    /// # Errors
    /// As [`Origin::load`].
    pub fn find(path: Option<&Path>, rules: Option<&Path>) -> Result<Self, ConfigError> {
        Origin { path: path.map(Into::into), rules: rules.map(Into::into), ..Origin::default() }.load()
    }
}

fn defaults() -> toml::Value {
    toml::Value::Table(toml::from_str(DEFAULTS).expect("a constant of this program, and a test reads it"))
}

/// By file and line, each once. Where a text is not TOML, what could be made of it lacks keys that were given, and only
/// lines that were understood are judged.
fn in_order(mut faults: Vec<Fault>, unsyntactic: bool) -> Vec<Fault> {
    let is_syntax = |fault: &Fault| fault.key.is_empty();
    if unsyntactic {
        let broken: HashSet<String> = faults.iter().filter(|f| is_syntax(f)).map(|f| f.place.to_string()).collect();
        let judged = |f: &Fault| !broken.contains(&f.place.to_string()) && !f.what.starts_with("missing");
        faults.retain(|fault| is_syntax(fault) || judged(fault));
    }
    let rank = |fault: &Fault| match &fault.place {
        Place::BuiltIn => (3, None, 0),
        Place::File { path, line, .. } => (0, Some(path.clone()), *line),
        Place::Environment(_) => (1, None, 0),
        Place::Flag(_) => (2, None, 0),
    };
    faults.sort_by_key(rank);
    let mut seen = HashSet::new();
    faults.retain(|fault| seen.insert(fault.to_string()));
    faults
}

/// `path` seen from `directory`, without the detours of `..`: an error is to name the place as a person would.
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
