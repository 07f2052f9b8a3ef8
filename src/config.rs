//! The configuration: the stages' own `Config`s put together, read from a TOML file and checked. Stages never see it;
//! `cli` and `pipeline` hand each its part.

use std::net::SocketAddr;
use std::path::{Component, Path, PathBuf};

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::logging;
use crate::monitor::Retention;
use crate::notify::Language;
use crate::rule::{RuleFileError, Rules};
use crate::source::twitter::AccountConfig;
use crate::source::{ReadOptions, SourceConfig, Topic};
use crate::{classify, window};

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

/// Why a configuration was not taken.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("the configuration {path} cannot be read: {cause}")]
    Read { path: PathBuf, cause: std::io::Error },
    #[error("the configuration {path} is not as it should be:\n{reason}")]
    Parse { path: PathBuf, reason: String },
    #[error("the configuration {path} has faults:\n  {}", faults.join("\n  "))]
    Faults { path: PathBuf, faults: Vec<String> },
    #[error(transparent)]
    Rules(#[from] RuleFileError),
}

impl Loaded {
    /// Reads the file at `path`, or else the first that is there of `config/vigie.toml` and `/etc/vigie/vigie.toml`, or
    /// else the defaults that vigie carries. `rules` replaces the configuration's rule file.
    ///
    /// # Errors
    /// When a file is missing, unreadable, or not a configuration: every fault that can be told at once.
    pub fn find(path: Option<&Path>, rules: Option<&Path>) -> Result<Self, ConfigError> {
        let there = || PLACES.iter().map(Path::new).find(|path| path.exists());
        let Some(path) = path.or_else(there) else { return Self::built_in(rules) };
        let text = std::fs::read_to_string(path).map_err(|cause| ConfigError::Read { path: path.into(), cause })?;
        let config = Config::parse(path, &text)?;
        let rules = Rules::read(rules.unwrap_or(&config.rules), config.window.bucket)?;
        Ok(Self { config, rules })
    }

    fn built_in(rules: Option<&Path>) -> Result<Self, ConfigError> {
        let config = Config::parse(Path::new(PLACES[0]), DEFAULTS)?;
        let bucket = config.window.bucket;
        let rules = match rules {
            Some(path) => Rules::read(path, bucket)?,
            None => Rules::parse(&config.rules, DEFAULT_RULES, bucket)?,
        };
        Ok(Self { config, rules })
    }
}

impl Config {
    /// The configuration in `text`, which came from `path`; what it leaves out is as in the defaults.
    ///
    /// # Errors
    /// When `text` is not TOML, has an unknown key, or values that make no sense.
    pub fn parse(path: &Path, text: &str) -> Result<Self, ConfigError> {
        let wrong = |reason: String| ConfigError::Parse { path: path.into(), reason };
        let given: toml::Table = toml::from_str(text).map_err(|error| wrong(error.to_string()))?;
        // Read as it stands first, so that a fault is shown with its line; what is missing shows only once merged.
        toml::from_str::<Partial>(text).map_err(|error| wrong(error.to_string()))?;
        let mut table: toml::Table = toml::from_str(DEFAULTS).map_err(|error| wrong(error.to_string()))?;
        merge(&mut table, given);
        let config: Self = table.try_into().map_err(|error: toml::de::Error| wrong(error.to_string()))?;
        let faults = config.faults();
        if !faults.is_empty() {
            return Err(ConfigError::Faults { path: path.into(), faults });
        }
        Ok(config.relative_to(path.parent().unwrap_or(Path::new(""))))
    }

    fn faults(&self) -> Vec<String> {
        let mut faults = self.window.faults();
        faults.extend(self.dump.check().err().map(|error| format!("dump: {error}")));
        for (i, topic) in self.topics.iter().enumerate() {
            faults.extend(topic.check().err().map(|error| format!("topic {}: {error}", i + 1)));
        }
        faults.extend(self.x.faults());
        for source in &self.sources {
            faults.extend(source.faults(&self.topics));
        }
        faults
    }

    fn relative_to(mut self, directory: &Path) -> Self {
        self.rules = joined(directory, &self.rules);
        self.classify.model = joined(directory, &self.classify.model);
        self.daemon.state = joined(directory, &self.daemon.state);
        self
    }
}

/// The same keys, all optional: what a file may hold.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only the shape is checked with it")]
struct Partial {
    language: Option<Language>,
    rules: Option<PathBuf>,
    unmatched_topic: Option<String>,
    topic: Option<Vec<Topic>>,
    dump: Option<ReadOptions>,
    classify: Option<classify::Config>,
    window: Option<window::Config>,
    daemon: Option<toml::Table>,
    web: Option<toml::Table>,
    retention: Option<Retention>,
    log: Option<logging::Config>,
    x: Option<AccountConfig>,
    source: Option<Vec<SourceConfig>>,
}

/// Lays `over` over `base`; tables are merged, anything else is replaced.
fn merge(base: &mut toml::Table, over: toml::Table) {
    for (key, value) in over {
        match (base.get_mut(&key), value) {
            (Some(toml::Value::Table(base)), toml::Value::Table(over)) => merge(base, over),
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config, ConfigError> {
        Config::parse(Path::new("/etc/vigie/vigie.toml"), text)
    }

    #[test]
    fn the_shipped_file_is_the_default() {
        let shipped = parse(DEFAULTS).unwrap();
        assert_eq!(parse("").unwrap(), shipped);
        assert_eq!(shipped.window, window::Config::default());
        assert_eq!(shipped.language, Language::default());
    }

    /// Every key stands in the shipped file, as a value or, where unset is the default, as a comment.
    #[test]
    fn the_shipped_file_is_complete() {
        let full = ReadOptions {
            delimiter: Some(';'),
            time_format: Some("x".into()),
            columns: crate::source::Columns::parse("id=a,created_at=a,text=a,author=a,label=a,topic=a,lang=a,reason=a")
                .unwrap(),
            ..ReadOptions::default()
        };
        let config = Config { dump: full, ..parse("").unwrap() };
        let table = toml::Table::try_from(&config).unwrap();
        let mut keys = Vec::new();
        collect(&table, &mut keys);
        for key in keys {
            let stands = |line: &str| line.trim_start_matches(['#', ' ']).starts_with(&format!("{key} ="));
            assert!(DEFAULTS.lines().any(stands), "`{key}` is not in config/vigie.toml");
        }
    }

    fn collect(table: &toml::Table, keys: &mut Vec<String>) {
        for (key, value) in table {
            match value {
                toml::Value::Table(inner) => collect(inner, keys),
                toml::Value::Array(items) if items.iter().any(toml::Value::is_table) => {
                    items.iter().filter_map(toml::Value::as_table).for_each(|item| collect(item, keys));
                }
                _ => keys.push(key.clone()),
            }
        }
    }

    #[test]
    fn a_file_of_differences_is_enough() {
        let config = parse("[dump.columns]\ntext = \"body\"\n[window]\nlateness = \"5m\"\n").unwrap();
        assert_eq!(config.dump.columns.text.as_deref(), Some("body"));
        assert_eq!(config.dump.columns.topic.as_deref(), Some("airline"), "beside what was given");
        assert_eq!(config.window.bucket, window::Config::default().bucket);
    }

    #[test]
    fn paths_are_relative_to_the_file() {
        let config = parse("").unwrap();
        assert_eq!(config.classify.model, Path::new("/etc/models/default"));
        assert_eq!(config.rules, Path::new("/etc/vigie/rules.toml"));
        let config = Config::parse(Path::new("vigie.toml"), "").unwrap();
        assert_eq!(config.classify.model, Path::new("../models/default"));
    }

    #[test]
    fn each_fault_is_named() {
        let cases = [
            ("langage = \"fr\"", "langage"),
            ("language = \"de\"", "de"),
            ("[window]\nbuket = \"1m\"", "line 2"),
            ("[window]\nbucket = \"7s\"", "window.bucket"),
            ("[window]\nlateness = \"-1m\"", "window.lateness"),
            ("[dump]\ndelimiter = \"é\"", "dump"),
            ("[[topic]]\nname = \"\"\nkeywords = [\"a\"]", "topic 1"),
            ("[classify]\nmodle = \"x\"", "modle"),
        ];
        for (text, wanted) in cases {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains(wanted) && error.contains("/etc/vigie/vigie.toml"), "{error}");
        }
    }

    #[test]
    fn the_shipped_rules_are_sound() {
        let loaded = Loaded::built_in(None).unwrap();
        assert_eq!(loaded.rules.rules.len(), 2);
    }
}
