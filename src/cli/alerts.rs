//! `vigie alerts`: incidents and silences of the running daemon, over its local API.

mod words;

use std::io::{self, Write};
use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use jiff::SignedDuration;
use reqwest::Method;

use super::state::StateFlags;
use crate::notify::Matcher;
use crate::pipeline::{Answer, Ask};
use words::Words;

/// List, show, acknowledge and silence alerts of the running daemon
#[derive(Debug, Args)]
pub(super) struct AlertsArgs {
    #[command(subcommand)]
    action: Action,
    /// Print JSON instead of text
    #[arg(long, global = true)]
    json: bool,
    #[command(flatten)]
    state: StateFlags,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Incidents that fire, and silences
    List {
        /// Also those of the last seven days
        #[arg(long)]
        all: bool,
    },
    /// Everything about an incident: its alerts, the numbers that decided, and who was told
    Show { id: String },
    /// Take an incident on: no reminders and no escalation from here on; its end is still told
    Ack {
        id: String,
        /// Take it back
        #[arg(long)]
        undo: bool,
        /// Who takes it on [default: you]
        #[arg(long, value_name = "NAME")]
        by: Option<String>,
    },
    /// Tell nobody of alerts that match, for some time; the end of what was told is told all the same
    Silence {
        /// On labels, all of which must match: topic="Air Paradis", severity=~"warning|info", component!=store
        #[arg(required = true, value_name = "MATCHER", value_parser = matcher)]
        matchers: Vec<Matcher>,
        /// For how long, such as 2h or 30m
        #[arg(long = "for", value_name = "TIME", value_parser = length)]
        lasts: Duration,
        /// Why
        #[arg(long, value_name = "TEXT")]
        comment: String,
        /// Who silences [default: you]
        #[arg(long, value_name = "NAME")]
        by: Option<String>,
    },
    /// End a silence now: what still fires is told
    Unsilence { id: String },
}

fn matcher(text: &str) -> Result<Matcher, String> {
    text.parse().map_err(|error: crate::notify::MatcherError| error.to_string())
}

fn length(text: &str) -> Result<Duration, String> {
    let length: SignedDuration = text.parse().map_err(|_| "wanted a length of time, such as 30m or 2h".to_owned())?;
    Duration::try_from(length).map_err(|_| "wanted a length of time that is not negative".to_owned())
}

/// Who runs this, as far as the environment tells.
fn you(by: Option<String>) -> String {
    let known = by.or_else(|| std::env::var("SUDO_USER").ok()).or_else(|| std::env::var("USER").ok());
    known.filter(|name| !name.is_empty()).unwrap_or_else(|| "shell".into())
}

pub(super) fn run(args: &AlertsArgs) -> anyhow::Result<()> {
    let config = super::over_environment(args.state.config.clone()).load()?.config;
    let state = args.state.directory()?;
    let said = |words: &Words| match &args.action {
        Action::Ack { id, undo: false, .. } => words.acknowledged(id),
        Action::Ack { id, .. } => words.taken_back(id),
        Action::Unsilence { id } => words.unsilenced(id),
        Action::List { .. } | Action::Show { .. } | Action::Silence { .. } => String::new(),
    };
    let ask = match &args.action {
        Action::List { all } => Ask::List { all: *all },
        Action::Show { id } => Ask::Show { id: id.clone() },
        Action::Ack { id, undo: true, .. } => Ask::Unacknowledge { id: id.clone() },
        Action::Ack { id, by, .. } => Ask::Acknowledge { id: id.clone(), by: you(by.clone()) },
        Action::Silence { matchers, lasts, comment, by } => Ask::Silence {
            matchers: matchers.clone(),
            seconds: lasts.as_secs(),
            by: you(by.clone()),
            comment: comment.clone(),
        },
        Action::Unsilence { id } => Ask::Unsilence { id: id.clone() },
    };
    let answer: Answer = super::ask::daemon(config.web.listen, &state, (Method::POST, "/api/v1/alerts"), Some(&ask))?;
    let mut out = io::stdout().lock();
    if args.json {
        let value = serde_json::to_value(&answer)?;
        // The answer's own name says nothing that the question did not.
        let value = value
            .as_object()
            .and_then(|named| named.values().next())
            .cloned()
            .unwrap_or(serde_json::json!({"done": true}));
        writeln!(out, "{value}")?;
        return Ok(());
    }
    let words = Words::new(config.language, &config.notify.time_zone);
    let text = match &answer {
        Answer::List { now, incidents, silences } => words.list(*now, incidents, silences),
        Answer::Incident(incident) => words.incident(incident),
        Answer::Silence(silence) => words.silenced(silence),
        Answer::Done => said(&words) + "\n",
    };
    out.write_all(text.as_bytes()).context("standard output cannot be written")
}
