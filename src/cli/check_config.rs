//! `vigie check-config`: every fault of a configuration at once, or what it would run. Resolves nothing on the network
//! and reads no secret.

use std::fmt;
use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::{ConfigFlags, words};
use crate::config::{Config, ConfigError, Loaded, Purpose};

/// Check a configuration and its rules: print every fault with its file and line, or else what `vigie run` would do
///
/// Nothing is asked of the network and no secret is read. Ends with code 78 when there are faults.
#[derive(Debug, Args)]
pub(super) struct CheckConfigArgs {
    #[command(flatten)]
    config: ConfigFlags,
    /// Alerting rules, instead of the configuration's
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    /// Also print which receivers an alert with these labels is told to now, such as severity=critical,topic=X
    #[arg(long, value_name = "LABELS")]
    route: Option<String>,
    /// Print one JSON object instead of text
    #[arg(long)]
    json: bool,
}

/// The faults have been printed.
#[derive(Debug, thiserror::Error)]
#[error("{0} {noun} in the configuration", noun = if *.0 == 1 { "fault" } else { "faults" })]
pub(super) struct Faulty(usize);

pub(super) fn run(args: &CheckConfigArgs) -> anyhow::Result<()> {
    let origin = args.config.origin(args.rules.as_deref(), Purpose::Daemon);
    let file = origin.file().map(|path| path.display().to_string());
    match origin.load() {
        Ok(loaded) => {
            if args.json {
                println!("{}", json!({ "sound": true, "file": file, "faults": [], "would_run": would_run(&loaded) }));
            } else {
                let file = file.unwrap_or_else(|| "what vigie carries (there is no file)".into());
                let set: Vec<String> = origin.overrides.iter().map(|over| over.place().to_string()).collect();
                print!("{}", Sound { file, loaded: &loaded, set });
            }
            if let Some(labels) = &args.route {
                println!("{}", words::route(&loaded.config, labels, jiff::Timestamp::now())?);
            }
            Ok(())
        }
        Err(ConfigError::Faults { faults }) => {
            if args.json {
                println!("{}", json!({ "sound": false, "file": file, "faults": faults }));
            } else {
                faults.iter().for_each(|fault| println!("{fault}"));
            }
            Err(Faulty(faults.len()).into())
        }
        Err(error) => Err(error.into()),
    }
}

/// What would run, for a program.
fn would_run(loaded: &Loaded) -> serde_json::Value {
    let Loaded { config, rules } = loaded;
    let sources: Vec<_> = config
        .sources
        .iter()
        .map(|source| json!({ "name": source.name(), "reads": words::reads(source, config) }))
        .collect();
    json!({
        "topics": config.topics.iter().map(|topic| &topic.name).collect::<Vec<_>>(),
        "sources": sources,
        "cost": words::cost(config),
        "rules": rules.rules.iter().map(|rule| &rule.name).collect::<Vec<_>>(),
        "receivers": words::receivers(config),
        "model": config.classify.model,
        "state": config.daemon.state,
        "listen": config.web.listen,
    })
}

/// What would run, for people.
struct Sound<'a> {
    file: String,
    loaded: &'a Loaded,
    /// What stands over the file.
    set: Vec<String>,
}

impl fmt::Display for Sound<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Loaded { config, rules } = self.loaded;
        let mut rows = |name: &str, lines: &[String]| {
            for (i, line) in lines.iter().enumerate() {
                writeln!(f, "{:<11}{line}", if i == 0 { name } else { "" })?;
            }
            Ok(())
        };
        rows("sound", &[format!("the configuration of {}", self.file)])?;
        rows("over it", &self.set)?;
        rows("topics", &config.topics.iter().map(words::topic).collect::<Vec<_>>())?;
        rows("sources", &sources(config))?;
        rows("cost", &words::cost(config))?;
        let named = |rule: &crate::rule::AlertingRule| format!("{}, for {:#}", rule.name, rule.hold);
        rows("rules", &or_none(rules.rules.iter().map(named).collect(), "none: nothing would alert"))?;
        rows("receivers", &words::receivers(config))?;
        rows("model", &[config.classify.model.display().to_string()])?;
        rows("state", &[config.daemon.state.display().to_string()])?;
        rows("web", &[format!("http://{}", config.web.listen)])
    }
}

fn sources(config: &Config) -> Vec<String> {
    let line = |source: &crate::source::SourceConfig| format!("{}: {}", source.name(), words::reads(source, config));
    or_none(config.sources.iter().map(line).collect(), "none: nothing would be read")
}

fn or_none(lines: Vec<String>, none: &str) -> Vec<String> {
    if lines.is_empty() { vec![none.into()] } else { lines }
}
