//! [`ConfigProblem`]: one error in a configuration, with its location; [`ConfigError`]: all of them.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;

/// Where a value was set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// In the built-in defaults.
    BuiltIn,
    /// Lines and columns count from 1, columns in characters.
    File { path: Arc<Path>, line: usize, column: usize },
    /// By the environment variable with this name.
    Environment(String),
    /// By a flag, such as `--set web.listen`.
    Flag(String),
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuiltIn => f.write_str("built-in defaults"),
            Self::File { path, line, .. } => write!(f, "{}:{line}", path.display()),
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::Flag(flag) => write!(f, "{flag}"),
        }
    }
}

/// One error: the location, the key, and a message that says what is wrong and how to fix it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigProblem {
    pub location: Location,
    /// Such as `window.bucket` or `source[0].page`; empty if the error belongs to no key.
    pub key: String,
    pub message: String,
}

impl ConfigProblem {
    pub(super) fn new(location: &Location, key: impl Into<String>, message: impl Into<String>) -> Self {
        Self { location: location.clone(), key: key.into(), message: message.into() }
    }
}

/// `FILE:LINE: key: message`.
impl fmt::Display for ConfigProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { location, key, message } = self;
        if key.is_empty() || message.starts_with(key.as_str()) {
            write!(f, "{location}: {message}")
        } else {
            write!(f, "{location}: {key}: {message}")
        }
    }
}

/// The JSON form, for `vigie check-config --json`.
impl Serialize for ConfigProblem {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Line<'a> {
            location: String,
            file: Option<&'a Path>,
            line: Option<usize>,
            column: Option<usize>,
            key: &'a str,
            message: &'a str,
        }
        let (file, line, column) = match &self.location {
            Location::File { path, line, column } => (Some(&**path), Some(*line), Some(*column)),
            _ => (None, None, None),
        };
        let location = self.location.to_string();
        Line { location, file, line, column, key: &self.key, message: &self.message }.serialize(serializer)
    }
}

/// Why a configuration was rejected. The process ends with exit code 78, `EX_CONFIG`.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("cannot read the configuration {path}: {cause}; set another file with --config FILE")]
    Read { path: PathBuf, cause: std::io::Error },
    #[error("the configuration has {}:\n{}", count(problems.len()), lines(problems))]
    Invalid { problems: Vec<ConfigProblem> },
}

fn count(problems: usize) -> String {
    if problems == 1 { "1 error".into() } else { format!("{problems} errors") }
}

fn lines(problems: &[ConfigProblem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}
