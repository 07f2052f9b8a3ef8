//! Logging: events to standard error, as text or as JSON lines, with levels per module. No event holds the text or the
//! author of a post.

use std::io::IsTerminal;

use serde::{Deserialize, Serialize};
use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::{MakeWriter, SubscriberBuilder};

/// Words for a level, as `tracing` has them.
const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// What sled logs as errors it also returns, and is told once; tiny-skia warns of each blank it draws. Goes before a filter, which may say otherwise.
const QUIET: &str = "sled=off,tiny_skia=error";

/// How log lines are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    #[default]
    Text,
    Json,
}

/// `[log]`: what the daemon logs, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    pub format: Format,
    /// As `RUST_LOG`, which goes before it: `info`, or `info,vigie::source=debug`.
    pub level: String,
}

impl Default for Config {
    fn default() -> Self {
        Self { format: Format::Text, level: "info".into() }
    }
}

/// `RUST_LOG` says nothing that can be followed.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("environment RUST_LOG: {0}")]
pub struct FilterError(String);

/// Starts logging for a command that speaks to its user; `default` is the filter without `RUST_LOG`, such as `warn`.
pub fn start(default: &str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(format!("{QUIET},{default}")));
    // A second start is a test's, and changes nothing.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .try_init();
}

/// Starts logging for the daemon, instead of [`start`]. `format`, of a flag, goes before the configuration's, and
/// `rust_log`, the variable, before its level.
///
/// # Errors
/// When `rust_log` is no filter; the configuration's was checked when it was read.
pub fn start_daemon(config: &Config, format: Option<Format>, rust_log: Option<&str>) -> Result<(), FilterError> {
    let level = match rust_log.filter(|filter| !filter.trim().is_empty()) {
        Some(filter) => fault(filter).map_or(Ok(filter), |fault| Err(FilterError(fault)))?,
        None => &config.level,
    };
    let ansi = std::io::stderr().is_terminal();
    let subscriber = subscriber(format.unwrap_or(config.format), level, ansi, std::io::stderr);
    // A second start is a test's, and changes nothing.
    let _ = tracing::subscriber::set_global_default(subscriber);
    Ok(())
}

fn subscriber<W>(format: Format, level: &str, ansi: bool, writer: W) -> Box<dyn Subscriber + Send + Sync>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let filter = EnvFilter::new(format!("{QUIET},{level}"));
    let lines = SubscriberBuilder::default().with_env_filter(filter).with_writer(writer);
    match format {
        Format::Text => Box::new(lines.with_ansi(ansi).finish()),
        // Fields beside `timestamp`, `level` and `target`, where a log store can filter by them.
        Format::Json => {
            Box::new(lines.json().flatten_event(true).with_current_span(false).with_span_list(false).finish())
        }
    }
}

/// What is wrong with a filter such as `info,vigie::source=debug`, if anything. `tracing` itself would take a misspelt
/// level for the name of a module and log all of it.
pub fn fault(filter: &str) -> Option<String> {
    let directives = filter.split(',').map(str::trim);
    for directive in directives {
        let (module, level) = directive.rsplit_once('=').unwrap_or(("-", directive));
        let known = LEVELS.contains(&level.to_ascii_lowercase().as_str());
        if module.is_empty() || !known {
            let levels = LEVELS.join(", ");
            return Some(format!(
                "{directive:?} is no filter; wanted a level ({levels}) or such as vigie::source=debug"
            ));
        }
    }
    EnvFilter::builder().parse(filter).err().map(|error| format!("{error}; wanted such as info,vigie::source=debug"))
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(format: Format, level: &str, events: impl FnOnce()) -> String {
        let kept = Kept::default();
        let writer = kept.clone();
        tracing::subscriber::with_default(subscriber(format, level, false, move || writer.clone()), events);
        let bytes = kept.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn json_lines_can_be_filtered_by_field() {
        let text =
            logged(Format::Json, "info", || tracing::warn!(target: "vigie::source", source = "x", lag = 3, "late"));
        let line: serde_json::Value = serde_json::from_str(text.trim_end()).unwrap();
        assert_eq!((&line["level"], &line["target"]), (&"WARN".into(), &"vigie::source".into()));
        assert_eq!((&line["source"], &line["lag"], &line["message"]), (&"x".into(), &3.into(), &"late".into()));
        assert!(line["timestamp"].as_str().unwrap().parse::<jiff::Timestamp>().is_ok());
    }

    #[test]
    fn each_module_has_its_level() {
        let text = logged(Format::Text, "warn,vigie::source=debug", || {
            tracing::debug!(target: "vigie::source", "shown");
            tracing::info!(target: "vigie::web", "hidden");
            tracing::error!(target: "sled", "told elsewhere");
        });
        assert!(text.contains("shown") && !text.contains("hidden") && !text.contains("told"), "{text}");
    }

    #[test]
    fn a_misspelt_filter_is_a_fault() {
        for good in ["info", "off", "WARN", "info,vigie::source=debug,sled=warn"] {
            assert_eq!(fault(good), None, "{good}");
        }
        for bad in ["", "inof", "info,", "vigie=loud", "info,vigie", "=debug", "info;debug"] {
            assert!(fault(bad).is_some_and(|fault| fault.contains("wanted")), "{bad}");
        }
        let error = start_daemon(&Config::default(), None, Some("inof")).unwrap_err().to_string();
        assert!(error.contains("RUST_LOG") && error.contains("inof"), "{error}");
    }
}
