//! [`Fault`]: one thing that is wrong with a configuration, and where; [`ConfigError`]: all of them.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;

/// Where a value was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In the defaults that vigie carries.
    BuiltIn,
    /// Lines and columns count from 1, columns in characters.
    File { path: Arc<Path>, line: usize, column: usize },
    /// By an environment variable of this name.
    Environment(String),
    /// By a flag, written such as `--set web.listen`.
    Flag(String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuiltIn => f.write_str("built-in defaults"),
            Self::File { path, line, .. } => write!(f, "{}:{line}", path.display()),
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::Flag(flag) => write!(f, "{flag}"),
        }
    }
}

/// One fault: where, which key, what is wrong and the way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub place: Place,
    /// Such as `window.bucket` or `source[0].page`; empty where no key can be told.
    pub key: String,
    pub what: String,
}

impl Fault {
    pub(super) fn new(place: &Place, key: impl Into<String>, what: impl Into<String>) -> Self {
        Self { place: place.clone(), key: key.into(), what: what.into() }
    }
}

/// `FILE:LINE: key: what`.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, key, what } = self;
        if key.is_empty() || what.starts_with(key.as_str()) {
            write!(f, "{place}: {what}")
        } else {
            write!(f, "{place}: {key}: {what}")
        }
    }
}

/// For `vigie check-config --json`.
impl Serialize for Fault {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Line<'a> {
            place: String,
            file: Option<&'a Path>,
            line: Option<usize>,
            column: Option<usize>,
            key: &'a str,
            message: &'a str,
        }
        let (file, line, column) = match &self.place {
            Place::File { path, line, column } => (Some(&**path), Some(*line), Some(*column)),
            _ => (None, None, None),
        };
        let place = self.place.to_string();
        Line { place, file, line, column, key: &self.key, message: &self.what }.serialize(serializer)
    }
}

/// Why a configuration was not taken; ends the process with code 78, `EX_CONFIG`.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("the configuration {path} cannot be read: {cause}; name one that is there with --config FILE")]
    Read { path: PathBuf, cause: std::io::Error },
    #[error("the configuration has {}:\n{}", count(faults.len()), lines(faults))]
    Faults { faults: Vec<Fault> },
}

fn count(faults: usize) -> String {
    if faults == 1 { "1 fault".into() } else { format!("{faults} faults") }
}

fn lines(faults: &[Fault]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}
