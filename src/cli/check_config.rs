//! `vigie check-config`: every error of a configuration at once, or what `vigie run` would do with it. Opens no
//! connection and reads no secret.

use std::fmt;
use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::{ConfigFlags, config_text};
use crate::config::{Config, ConfigError, LoadedConfig, Purpose};

/// Validate a configuration and its rules: print every error with file and line, or what `vigie run` would do
///
/// Opens no network connection and reads no secret. Ends with exit code 78 if there are errors.
#[derive(Debug, Args)]
pub(super) struct CheckConfigArgs {
    #[command(flatten)]
    config: ConfigFlags,
    /// Rule file; overrides `rules` of the configuration
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    /// Also print the receivers that would be notified now of an alert with these labels, e.g.
    /// severity=critical,topic=X
    #[arg(long, value_name = "LABELS")]
    route: Option<String>,
    /// Print one JSON object instead of text
    #[arg(long)]
    json: bool,
}

/// The errors have been printed.
#[derive(Debug, thiserror::Error)]
#[error("{0} {noun} in the configuration", noun = if *.0 == 1 { "error" } else { "errors" })]
pub(super) struct InvalidConfig(usize);

pub(super) fn run(args: &CheckConfigArgs) -> anyhow::Result<()> {
    let loader = args.config.loader(args.rules.as_deref(), Purpose::Daemon);
    let file = loader.file().map(|path| path.display().to_string());
    match loader.load() {
        Ok(loaded) => {
            if args.json {
                println!("{}", json!({ "valid": true, "file": file, "errors": [], "would_run": would_run(&loaded) }));
            } else {
                let file = file.unwrap_or_else(|| "built-in defaults (no file found)".into());
                let set: Vec<String> = loader.overrides.iter().map(|over| over.location().to_string()).collect();
                print!("{}", Summary { file, loaded: &loaded, set });
            }
            if let Some(labels) = &args.route {
                println!("{}", config_text::describe_route(&loaded.config, labels, jiff::Timestamp::now())?);
            }
            Ok(())
        }
        Err(ConfigError::Invalid { problems }) => {
            if args.json {
                println!("{}", json!({ "valid": false, "file": file, "errors": problems }));
            } else {
                problems.iter().for_each(|problem| println!("{problem}"));
            }
            Err(InvalidConfig(problems.len()).into())
        }
        Err(error) => Err(error.into()),
    }
}

/// What would run, as JSON.
fn would_run(loaded: &LoadedConfig) -> serde_json::Value {
    let LoadedConfig { config, rules } = loaded;
    let sources: Vec<_> = config
        .sources
        .iter()
        .map(|source| json!({ "name": source.name(), "reads": config_text::describe_source(source, config) }))
        .collect();
    json!({
        "topics": config.topics.iter().map(|topic| &topic.name).collect::<Vec<_>>(),
        "sources": sources,
        "cost": config_text::describe_cost(config),
        "rules": rules.rules.iter().map(|rule| &rule.name).collect::<Vec<_>>(),
        "receivers": config_text::describe_receivers(config),
        "model": config.classify.model,
        "state": config.daemon.state,
        "listen": config.web.listen,
        "tls_listen": config.web.tls_listen,
        "telemetry": config_text::describe_telemetry(config),
    })
}

/// What would run, as text.
struct Summary<'a> {
    file: String,
    loaded: &'a LoadedConfig,
    /// Overrides of the file.
    set: Vec<String>,
}

impl fmt::Display for Summary<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LoadedConfig { config, rules } = self.loaded;
        let mut rows = |name: &str, lines: &[String]| {
            for (i, line) in lines.iter().enumerate() {
                writeln!(f, "{:<11}{line}", if i == 0 { name } else { "" })?;
            }
            Ok(())
        };
        rows("valid", std::slice::from_ref(&self.file))?;
        rows("overrides", &self.set)?;
        rows("topics", &config.topics.iter().map(config_text::describe_topic).collect::<Vec<_>>())?;
        rows("sources", &sources(config))?;
        rows("cost", &config_text::describe_cost(config))?;
        let named = |rule: &crate::rule::AlertingRule| format!("{}, for {:#}", rule.name, rule.hold);
        rows("rules", &or_none(rules.rules.iter().map(named).collect(), "none: no alert would ever fire"))?;
        rows("receivers", &config_text::describe_receivers(config))?;
        rows("model", &[config.classify.model.display().to_string()])?;
        rows("state", &[config.daemon.state.display().to_string()])?;
        let https = config.web.tls_listen.map(|listen| format!("https://{listen}"));
        rows("web", &[Some(format!("http://{}", config.web.listen)), https].into_iter().flatten().collect::<Vec<_>>())?;
        rows("telemetry", &[config_text::describe_telemetry(config)])
    }
}

fn sources(config: &Config) -> Vec<String> {
    let line = |source: &crate::source::SourceConfig| {
        format!("{}: {}", source.name(), config_text::describe_source(source, config))
    };
    or_none(config.sources.iter().map(line).collect(), "none: no posts would be read")
}

fn or_none(lines: Vec<String>, none: &str) -> Vec<String> {
    if lines.is_empty() { vec![none.into()] } else { lines }
}
