//! What a daemon is made of, from its configuration: the one place where kinds of sources and receivers are chosen.

use std::path::PathBuf;
use std::sync::Arc;

use jiff::tz::TimeZone;

use super::{Daemon, Feeder, Feeding, MakeClassifier, MakeSource, Receiving, steady};
use crate::classify::{Classifier, ColumnClassifier, DistilBertClassifier};
use crate::clock::Clock;
use crate::config::{Config, Loaded};
use crate::metrics::Metrics;
use crate::notify;
use crate::notify::ReceiverConfig;
use crate::notify::render::{Style, Templates};
use crate::post::Topic;
use crate::secret::{Form, Secret, Wanted};
use crate::source::twitter;
use crate::source::twitter::Account;
use crate::source::{Context, Source, SourceConfig};

/// Where the labels of posts come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Labels {
    /// The model in this directory reads them.
    Model(PathBuf),
    /// The sources give them: for measuring everything but the model.
    Given,
}

impl Labels {
    /// Makes the classifier, as often as it is asked.
    pub fn classifier(self) -> MakeClassifier {
        Box::new(move || {
            Ok(match &self {
                Self::Model(directory) => Box::new(DistilBertClassifier::load(directory)?) as Box<dyn Classifier>,
                Self::Given => Box::new(ColumnClassifier),
            })
        })
    }
}

/// The daemon that `loaded` describes, with its state in `state`.
///
/// # Errors
/// When a secret is missing, or a source cannot be made.
pub fn daemon(
    loaded: Loaded,
    labels: Labels,
    state: PathBuf,
    clock: Clock,
    metrics: Metrics,
) -> anyhow::Result<Daemon> {
    let sources = sources(&loaded, &clock)?;
    let receivers = receivers(&loaded, &clock)?;
    let make_classifier = labels.classifier();
    Ok(Daemon { loaded, state, make_classifier, sources, receivers, clock, steady: steady(), metrics })
}

/// The ways to everybody who is told of alerts.
///
/// # Errors
/// When a secret is missing, or something a receiver needs cannot be read.
pub fn receivers(loaded: &Loaded, clock: &Clock) -> anyhow::Result<Vec<Receiving>> {
    let config = &loaded.config;
    let templates = Arc::new(templates(config)?);
    let build = |receiver: &ReceiverConfig| {
        let context = notify::Context {
            receiver: &receiver.name,
            language: receiver.language.unwrap_or(config.language),
            templates: templates.clone(),
            clock: clock.clone(),
            environment: &|name| std::env::var(name).ok(),
        };
        Ok((receiver.name.clone(), receiver.channel.build(&context)?))
    };
    config.routing().receivers.iter().map(build).collect()
}

/// What words are made of, in the zone and from the directory that `[notify]` names.
///
/// # Errors
/// When a template cannot be used, with every fault.
pub fn templates(config: &Config) -> anyhow::Result<Templates> {
    let style = Style { zone: TimeZone::get(&config.notify.time_zone).unwrap_or(TimeZone::UTC) };
    let Some(directory) = &config.notify.templates else { return Ok(Templates::embedded(style)) };
    Templates::with_overrides(style, directory).map_err(|faults| {
        let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
        anyhow::anyhow!("the templates of notify.templates cannot be used:\n{}", lines.join("\n"))
    })
}

fn sources(loaded: &Loaded, clock: &Clock) -> anyhow::Result<Vec<Feeding>> {
    let config = &loaded.config;
    let on_x = config.sources.iter().any(|source| matches!(source, SourceConfig::Twitter(_)));
    let account = match on_x {
        true => Some(Account::new(&config.x, twitter::token(&config.x)?, clock.clone())?),
        false => None,
    };
    config.sources.iter().map(|source| feeding(source, account.as_ref(), &config.topics, clock)).collect()
}

fn feeding(
    source: &SourceConfig,
    account: Option<&Account>,
    topics: &[Topic],
    clock: &Clock,
) -> anyhow::Result<Feeding> {
    let (name, kind) = (source.name().to_owned(), source.kind().to_owned());
    let by = match source {
        SourceConfig::Http(config) => {
            let wanted = Wanted {
                what: "token for POST /api/v1/posts".into(),
                variable: "VIGIE_HTTP_TOKEN".into(),
                credential: "http-token".into(),
                key: "source.token_file".into(),
                file: config.token_file.clone(),
                form: Form::Token,
            };
            let token = Secret::find(&wanted, |name| std::env::var(name).ok())?;
            Feeder::Http { token, topic: config.topic.clone() }
        }
        SourceConfig::Twitter(_) | SourceConfig::File(_) => {
            Feeder::Task(make(source.clone(), account.cloned(), topics.to_vec(), clock.clone()))
        }
    };
    Ok(Feeding { name, kind, by })
}

fn make(source: SourceConfig, account: Option<Account>, topics: Vec<Topic>, clock: Clock) -> MakeSource {
    Box::new(move |cursor| {
        let context = Context { x: account.as_ref(), topics: &topics, clock: clock.clone(), cursor };
        let built: Option<Box<dyn Source>> = source.build(&context)?;
        built.ok_or_else(|| anyhow::anyhow!("source {:?} is fed by the web server", source.name()))
    })
}
