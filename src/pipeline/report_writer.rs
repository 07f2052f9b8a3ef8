//! [`ReportWriter`]: writes reports of the running daemon, on the thread that asks for one: a receiver's, or a request's. It reads
//! the store and what is published, and never waits for the monitor's thread.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use jiff::tz::TimeZone;
use tokio::sync::watch;

use super::incident_board::IncidentBoard;
use super::status::{SourceStatus, Status};
use crate::config::Config;
use crate::language::Language;
use crate::notify::{DueReport, ReportMessage, ReportSpan};
use crate::query::Query;
use crate::report::{PeriodReport, ReportReader, SourceFacts, render};
use crate::source::BudgetUsage;

/// See the module. Clones write the same reports.
#[derive(Clone)]
pub(super) struct ReportWriter {
    pub(super) query: Query,
    pub(super) statuses: watch::Receiver<Status>,
    pub(super) boards: watch::Receiver<Arc<IncidentBoard>>,
    /// Replaced by a reload.
    pub(super) config: Arc<Mutex<Config>>,
}

impl ReportWriter {
    /// Uses `config` from now on.
    pub(super) fn reload(&self, config: &Config) {
        *self.config.lock().unwrap_or_else(PoisonError::into_inner) = config.clone();
    }

    fn config(&self) -> Config {
        self.config.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The report that is due for `receiver`, with the numbers of now.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(super) fn message(&self, due: &DueReport, receiver: &str) -> anyhow::Result<ReportMessage> {
        let config = self.config();
        let configured = config.receivers.iter().find(|known| known.name == receiver);
        let language = configured.and_then(|receiver| receiver.language).unwrap_or(config.language);
        let report = self.read(due.span, &config)?;
        Ok(render::message(&report, due, receiver, (language, &zone(&config))))
    }

    /// The report of `span` as a page.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(super) fn page(&self, span: ReportSpan, language: Option<Language>) -> anyhow::Result<String> {
        let config = self.config();
        let report = self.read(span, &config)?;
        Ok(render::page(&report, language.unwrap_or(config.language), &zone(&config)))
    }

    fn read(&self, span: ReportSpan, config: &Config) -> anyhow::Result<PeriodReport> {
        let (status, board) = (self.statuses.borrow().clone(), self.boards.borrow().clone());
        let reader = ReportReader {
            query: &self.query,
            topics: config.topics.iter().map(|topic| topic.name.clone()).collect(),
            incidents: board.past.clone(),
            alerts: Vec::new(),
            knows_acknowledgements: true,
            budget: budget(&status.sources),
            sources: status.sources.iter().map(source_facts).collect(),
            reopen_within: config.notify.reopen_within,
            zone: zone(config),
        };
        reader.read(span, status.now).context("cannot read the store for the report")
    }
}

fn zone(config: &Config) -> TimeZone {
    TimeZone::get(&config.notify.time_zone).unwrap_or(TimeZone::UTC)
}

/// All sources of an account report what the account has spent.
fn budget(sources: &[SourceStatus]) -> Vec<BudgetUsage> {
    sources.iter().map(|source| &source.report.spent).find(|spent| !spent.is_empty()).cloned().unwrap_or_default()
}

fn source_facts(source: &SourceStatus) -> SourceFacts {
    // An error of before the last success explains nothing.
    let error = source.report.last_error.clone().filter(|_| source.report.paused_since.is_some());
    SourceFacts {
        name: source.name.clone(),
        kind: source.kind.clone(),
        posts: 0,
        state: source.report.state.clone(),
        error,
        gaps: Vec::new(),
    }
}
