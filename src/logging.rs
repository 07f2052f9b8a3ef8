//! Logging to standard error, as text or JSON lines, with levels per module. No event contains the text or author of a
//! post. Telemetry adds its own layer, with its own levels.

use std::io::IsTerminal;

use serde::{Deserialize, Serialize};
use tracing::Subscriber;
use tracing_subscriber::filter::{ParseError, Targets};
use tracing_subscriber::fmt::{self, MakeWriter};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{Layer, Registry};

/// Names of the levels in `tracing`.
const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// Target of the spans that telemetry sends as traces. They have the level `trace`, so that the log does not show them, and hold
/// no personal data.
pub const SPANS: &str = "vigie::span";

/// A layer that gets events and spans beside the log.
pub type ExtraLayer = Box<dyn Layer<Registry> + Send + Sync>;

/// Format of log lines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    #[default]
    Text,
    Json,
}

/// `[log]`: level and format of the daemon's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    pub format: LogFormat,
    /// A filter such as `info` or `info,vigie::source=debug`; `RUST_LOG` takes precedence.
    pub level: String,
}

impl Default for Config {
    fn default() -> Self {
        Self { format: LogFormat::Text, level: "info".into() }
    }
}

/// `RUST_LOG` is not a valid filter.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("environment RUST_LOG: {0}")]
pub struct LogFilterError(String);

/// Starts logging for an interactive command. `default`: the filter without `RUST_LOG`, e.g. `warn`.
pub fn start(default: &str) {
    // An invalid RUST_LOG is ignored here; only the daemon refuses to start with one.
    let rust_log = std::env::var("RUST_LOG").ok().filter(|filter| filter_problem(filter).is_none());
    let level = rust_log.as_deref().unwrap_or(default);
    let subscriber = subscriber(LogFormat::Text, level, (std::io::stderr().is_terminal(), std::io::stderr), None);
    // Fails only in tests, which start logging several times.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

/// Starts logging for the daemon, instead of [`start`]. `format`, from the command line, overrides the configured format;
/// `rust_log`, from the environment, overrides the configured level. `extra`: telemetry, where it is on.
///
/// # Errors
/// When `rust_log` is not a valid filter; the configured one was validated when it was read.
pub fn start_daemon(
    config: &Config,
    format: Option<LogFormat>,
    rust_log: Option<&str>,
    extra: Option<ExtraLayer>,
) -> Result<(), LogFilterError> {
    let level = match rust_log.filter(|filter| !filter.trim().is_empty()) {
        Some(filter) => filter_problem(filter).map_or(Ok(filter), |problem| Err(LogFilterError(problem)))?,
        None => &config.level,
    };
    let ansi = std::io::stderr().is_terminal();
    let subscriber = subscriber(format.unwrap_or(config.format), level, (ansi, std::io::stderr), extra);
    // Fails only in tests, which start logging several times.
    let _ = tracing::subscriber::set_global_default(subscriber);
    Ok(())
}

fn subscriber<W>(
    format: LogFormat,
    level: &str,
    (ansi, writer): (bool, W),
    extra: Option<ExtraLayer>,
) -> Box<dyn Subscriber + Send + Sync>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let lines = fmt::layer().with_writer(writer);
    let lines = match format {
        LogFormat::Text => lines.with_ansi(ansi).boxed(),
        // Puts fields next to `timestamp`, `level` and `target`, so that a log store can filter by them.
        LogFormat::Json => lines.json().flatten_event(true).with_current_span(false).with_span_list(false).boxed(),
    };
    // The filter is valid: every caller validates it first.
    let lines = lines.with_filter(targets(level).unwrap_or_default());
    Box::new(tracing_subscriber::registry().with(extra).with(lines))
}

fn targets(filter: &str) -> Result<Targets, ParseError> {
    filter.split(',').map(str::trim).collect::<Vec<_>>().join(",").parse()
}

/// The problem of a filter such as `info,vigie::source=debug`, if it has one. `tracing` would accept a misspelt level as the
/// name of a module and log everything in it.
pub fn filter_problem(filter: &str) -> Option<String> {
    let directives = filter.split(',').map(str::trim);
    for directive in directives {
        let (module, level) = directive.rsplit_once('=').unwrap_or(("-", directive));
        let known = LEVELS.contains(&level.to_ascii_lowercase().as_str());
        if module.is_empty() || !known {
            let levels = LEVELS.join(", ");
            return Some(format!(
                "{directive:?} is not a log filter; expected a level ({levels}) or e.g. vigie::source=debug"
            ));
        }
    }
    targets(filter).err().map(|error| format!("{error}; expected e.g. info,vigie::source=debug"))
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Buffer(Arc<Mutex<Vec<u8>>>);

    impl Write for Buffer {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(format: LogFormat, level: &str, events: impl FnOnce()) -> String {
        let buffer = Buffer::default();
        let writer = buffer.clone();
        tracing::subscriber::with_default(subscriber(format, level, (false, move || writer.clone()), None), events);
        let bytes = buffer.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn json_lines_can_be_filtered_by_field() {
        let text =
            logged(LogFormat::Json, "info", || tracing::warn!(target: "vigie::source", source = "x", lag = 3, "late"));
        let line: serde_json::Value = serde_json::from_str(text.trim_end()).unwrap();
        assert_eq!((&line["level"], &line["target"]), (&"WARN".into(), &"vigie::source".into()));
        assert_eq!((&line["source"], &line["lag"], &line["message"]), (&"x".into(), &3.into(), &"late".into()));
        assert!(line["timestamp"].as_str().unwrap().parse::<jiff::Timestamp>().is_ok());
    }

    #[test]
    fn each_module_has_its_level() {
        let text = logged(LogFormat::Text, "warn,vigie::source=debug", || {
            tracing::debug!(target: "vigie::source", "shown");
            tracing::info!(target: "vigie::web", "hidden");
            tracing::warn!(target: "vigie::web", "a warning");
        });
        assert!(text.contains("shown") && text.contains("a warning") && !text.contains("hidden"), "{text}");
    }

    #[test]
    fn a_misspelt_filter_is_a_problem() {
        for good in ["info", "off", "WARN", "info,vigie::source=debug,sled=warn"] {
            assert_eq!(filter_problem(good), None, "{good}");
        }
        for bad in ["", "inof", "info,", "vigie=loud", "info,vigie", "=debug", "info;debug"] {
            assert!(filter_problem(bad).is_some_and(|problem| problem.contains("expected")), "{bad}");
        }
        let error = start_daemon(&Config::default(), None, Some("inof"), None).unwrap_err().to_string();
        assert!(error.contains("RUST_LOG") && error.contains("inof"), "{error}");
    }
}
