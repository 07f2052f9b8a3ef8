//! Builds a daemon from its configuration: the one place that chooses among the kinds of sources and receivers.

use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{Daemon, MakeClassifier, MakeSource, ReceiverHandle, SourceInput, SourceSpec, monotonic};
use crate::classify;
use crate::classify::{
    CachedClassifier, Classifier as _, DatasetLabelClassifier, EncoderClassifier, PrecisionChoice, RetrainedModels,
};
use crate::clock::Clock;
use crate::config::{Config, LoadedConfig};
use crate::metrics::Metrics;
use crate::notify;
use crate::notify::render::{Style, Templates};
use crate::notify::{Notification, NotifyError, ReceiverConfig};
use crate::post::Topic;
use crate::source::twitter::Account;
use crate::source::{Context, SharedResources, Source, SourceConfig, http, twitter};
use crate::telemetry::Telemetry;

/// Where the labels of posts come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LabelSource {
    /// The model in this directory reads them.
    Model(PathBuf),
    /// The configured model reads them, or the one that was retrained from it and promoted.
    InUse(RetrainedModels),
    /// The sources provide them: to measure everything except the model.
    Given,
}

impl LabelSource {
    /// Returns a factory of classifiers; those that are models run in `precision` and remember the predictions of `cache`
    /// texts.
    pub fn classifier(self, cache: usize, precision: PrecisionChoice) -> MakeClassifier {
        Box::new(move || {
            let directory = match &self {
                Self::Model(directory) => directory.clone(),
                Self::InUse(models) => find_in_use(models)?,
                Self::Given => return Ok(Box::new(DatasetLabelClassifier)),
            };
            let model = EncoderClassifier::load(&directory, precision)?;
            tracing::info!(
                model = model.model(),
                precision = %model.precision(),
                instructions = classify::instructions(),
                "the model is loaded"
            );
            Ok(CachedClassifier::around(Box::new(model), cache))
        })
    }
}

/// The directory of the model in use, logged unless it is the configured one.
fn find_in_use(models: &RetrainedModels) -> anyhow::Result<PathBuf> {
    let used = models.in_use()?;
    if let Some(unused) = &used.unused {
        tracing::warn!(
            model = unused,
            "a retrained model is not used: it descends from another model than classify.model; retrain again to use the corrections"
        );
    }
    if used.promotion.is_some() {
        tracing::info!(model = %used.dir.display(), "the model in use was retrained");
    }
    Ok(used.dir)
}

/// The daemon that `loaded` describes, with its state in `state`.
///
/// # Errors
/// When a secret is missing, or a source cannot be built.
pub fn daemon(
    loaded: LoadedConfig,
    labels: LabelSource,
    state: PathBuf,
    clock: Clock,
    metrics: Metrics,
) -> anyhow::Result<Daemon> {
    let sources = sources(&loaded, &clock)?;
    let receivers = receivers(&loaded, &clock)?;
    let make_classifier = labels.classifier(loaded.config.classify.cache, loaded.config.classify.precision);
    let (monotonic, telemetry) = (monotonic(), Telemetry::default());
    Ok(Daemon { loaded, state, make_classifier, sources, receivers, clock, monotonic, metrics, telemetry })
}

/// All configured receivers.
///
/// # Errors
/// When a secret is missing, or a file that a receiver needs cannot be read.
pub fn receivers(loaded: &LoadedConfig, clock: &Clock) -> anyhow::Result<Vec<ReceiverHandle>> {
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
        Ok(ReceiverHandle { name: receiver.name.clone(), notifier: receiver.integration.build(&context)? })
    };
    config.routing().receivers.iter().map(build).collect()
}

/// Sends `notification` to `receiver`. The inner result is what the receiver answered: why it was delivered in part only, if so, or
/// its error.
///
/// # Errors
/// When the receiver cannot be built.
pub fn send_once(
    config: &Config,
    receiver: &ReceiverConfig,
    notification: &Notification,
) -> anyhow::Result<Result<Option<String>, NotifyError>> {
    let templates = Arc::new(templates(config)?);
    let environment = |name: &str| std::env::var(name).ok();
    let mut notifier = receiver.build(config.language, templates, Arc::new(Timestamp::now), &environment)?;
    Ok(notifier.notify(notification).map(|()| notifier.partial_failure()))
}

/// The message templates, with the time zone and the override directory of `[notify]`.
///
/// # Errors
/// When templates cannot be used; the error lists every problem.
pub fn templates(config: &Config) -> anyhow::Result<Templates> {
    let style = Style { zone: TimeZone::get(&config.notify.time_zone).unwrap_or(TimeZone::UTC) };
    let Some(directory) = &config.notify.templates else { return Ok(Templates::embedded(style)) };
    Templates::with_overrides(style, directory).map_err(|faults| {
        let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
        anyhow::anyhow!("cannot use the templates in notify.templates:\n{}", lines.join("\n"))
    })
}

fn sources(loaded: &LoadedConfig, clock: &Clock) -> anyhow::Result<Vec<SourceSpec>> {
    let config = &loaded.config;
    let shared = shared_resources(config, clock)?;
    let parts = config.sources.iter().flat_map(|source| source.split(&config.topics));
    parts.map(|source| feeding(&source, &shared, &config.topics, clock)).collect()
}

/// What several sources use together. The account on X needs a token: it is built only where a source uses it.
fn shared_resources(config: &Config, clock: &Clock) -> anyhow::Result<SharedResources> {
    let shared = SharedResources::default();
    Ok(match config.sources.iter().any(|source| matches!(source, SourceConfig::Twitter(_))) {
        true => shared.with(Account::new(&config.x, twitter::load_token(&config.x)?, clock.clone())?),
        false => shared,
    })
}

fn feeding(
    source: &SourceConfig,
    shared: &SharedResources,
    topics: &[Topic],
    clock: &Clock,
) -> anyhow::Result<SourceSpec> {
    let (name, kind) = (source.name().to_owned(), source.kind().to_owned());
    let by = match source {
        SourceConfig::Http(config) => {
            SourceInput::Http { token: http::load_token(config)?, topic: config.topic.clone() }
        }
        SourceConfig::Twitter(_) | SourceConfig::File(_) => {
            SourceInput::Task(make(source.clone(), shared.clone(), topics.to_vec(), clock.clone()))
        }
    };
    Ok(SourceSpec { name, kind, by })
}

fn make(source: SourceConfig, shared: SharedResources, topics: Vec<Topic>, clock: Clock) -> MakeSource {
    Box::new(move |cursor| {
        let context = Context { shared: &shared, topics: &topics, clock: clock.clone(), cursor };
        let built: Option<Box<dyn Source>> = source.build(&context)?;
        built.ok_or_else(|| anyhow::anyhow!("source {:?} is fed by the web server", source.name()))
    })
}
