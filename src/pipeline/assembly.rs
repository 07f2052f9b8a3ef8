//! What a daemon is made of, from its configuration: the one place where kinds of sources and receivers are chosen.

use std::path::PathBuf;

use super::{Daemon, Feeder, Feeding, MakeClassifier, MakeSource, Receiving, steady};
use crate::classify::{Classifier, ColumnClassifier, DistilBertClassifier};
use crate::config::Loaded;
use crate::metrics::Metrics;
use crate::notify::Log;
use crate::source::twitter::{self, Account};
use crate::source::{Clock, Context, Form, Secret, Source, SourceConfig, Topic, Wanted};

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
    let make_classifier = labels.classifier();
    Ok(Daemon { loaded, state, make_classifier, sources, receivers: receivers(), clock, steady: steady(), metrics })
}

/// Who is told of alerts.
pub fn receivers() -> Vec<Receiving> {
    vec![("log".to_owned(), Box::new(Log))]
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
