//! `vigie alerts`: incidents and silences of the running daemon, through its local API.

mod text;

use std::io::{self, Write};
use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use jiff::SignedDuration;
use reqwest::Method;

use super::state::StateFlags;
use crate::notify::Matcher;
use crate::pipeline::{AlertQuery, AlertReply};
use text::AlertsText;

/// List, show, acknowledge, note and silence alerts of the running daemon
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
    /// List firing incidents and active silences
    List {
        /// Also those of the last seven days
        #[arg(long)]
        all: bool,
    },
    /// Show an incident: its alerts, the numbers behind them, and notified receivers
    Show { id: String },
    /// Acknowledge an incident: stops reminders and escalation; the resolved notification is still sent
    Ack {
        id: String,
        /// Remove the acknowledgement
        #[arg(long)]
        undo: bool,
        /// What the others should know; stands in messages
        #[arg(long, value_name = "TEXT", default_value = "", conflicts_with = "undo")]
        comment: String,
        /// Who acknowledges [default: the current user]
        #[arg(long, value_name = "NAME")]
        by: Option<String>,
    },
    /// Add a note to an incident, for its page and its post-mortem
    Note {
        id: String,
        text: String,
        /// Who writes it [default: the current user]
        #[arg(long, value_name = "NAME")]
        by: Option<String>,
    },
    /// Silence matching alerts for some time: no notifications, except the resolved ones of incidents already sent
    Silence {
        /// Label matchers, all of which must match: topic="Air Paradis", severity=~"warning|info", component!=store
        #[arg(required = true, value_name = "MATCHER", value_parser = matcher)]
        matchers: Vec<Matcher>,
        /// Duration, e.g. 2h or 30m
        #[arg(long = "for", value_name = "TIME", value_parser = length)]
        lasts: Duration,
        /// Reason for the silence
        #[arg(long, value_name = "TEXT")]
        comment: String,
        /// Who silences [default: the current user]
        #[arg(long, value_name = "NAME")]
        by: Option<String>,
    },
    /// End a silence: alerts that still fire are sent
    Unsilence { id: String },
}

fn matcher(text: &str) -> Result<Matcher, String> {
    text.parse().map_err(|error: crate::notify::MatcherError| error.to_string())
}

fn length(text: &str) -> Result<Duration, String> {
    let length: SignedDuration = text.parse().map_err(|_| "expected a duration, e.g. 30m or 2h".to_owned())?;
    Duration::try_from(length).map_err(|_| "expected a duration of 0s or more".to_owned())
}

/// The current user, from the environment.
fn user_name(by: Option<String>) -> String {
    let known = by.or_else(|| std::env::var("SUDO_USER").ok()).or_else(|| std::env::var("USER").ok());
    known.filter(|name| !name.is_empty()).unwrap_or_else(|| "shell".into())
}

pub(super) fn run(args: &AlertsArgs) -> anyhow::Result<()> {
    let config = super::config_loader(args.state.config.clone()).load()?.config;
    let state = args.state.directory()?;
    let confirmation = |text: &AlertsText| match &args.action {
        Action::Ack { id, undo: false, .. } => text.acknowledged(id),
        Action::Ack { id, .. } => text.unacknowledged(id),
        Action::Note { id, .. } => text.noted(id),
        Action::Unsilence { id } => text.unsilenced(id),
        Action::List { .. } | Action::Show { .. } | Action::Silence { .. } => String::new(),
    };
    let query = match &args.action {
        Action::List { all } => AlertQuery::List { all: *all },
        Action::Show { id } => AlertQuery::Show { id: id.clone() },
        Action::Ack { id, undo: true, by, .. } => {
            AlertQuery::Unacknowledge { id: id.clone(), by: Some(user_name(by.clone())) }
        }
        Action::Ack { id, comment, by, .. } => {
            AlertQuery::Acknowledge { id: id.clone(), by: user_name(by.clone()), comment: comment.clone() }
        }
        Action::Note { id, text, by } => {
            AlertQuery::Note { id: id.clone(), by: user_name(by.clone()), text: text.clone() }
        }
        Action::Silence { matchers, lasts, comment, by } => AlertQuery::Silence {
            matchers: matchers.clone(),
            seconds: lasts.as_secs(),
            by: user_name(by.clone()),
            comment: comment.clone(),
        },
        Action::Unsilence { id } => AlertQuery::Unsilence { id: id.clone() },
    };
    let answer: AlertReply =
        super::daemon_client::request(config.web.listen, &state, (Method::POST, "/api/v1/alerts"), Some(&query))?;
    let mut out = io::stdout().lock();
    if args.json {
        let value = serde_json::to_value(&answer)?;
        // Without the variant name: the command already says which reply it is.
        let value = value
            .as_object()
            .and_then(|named| named.values().next())
            .cloned()
            .unwrap_or(serde_json::json!({"done": true}));
        writeln!(out, "{value}")?;
        return Ok(());
    }
    let text = AlertsText::new(config.language, &config.notify.time_zone);
    let text = match &answer {
        AlertReply::List { now, incidents, silences } => text.list(*now, incidents, silences),
        AlertReply::Incident(incident) => text.incident(incident),
        AlertReply::Silence(silence) => text.silenced(silence),
        AlertReply::Done => confirmation(&text) + "\n",
    };
    out.write_all(text.as_bytes()).context("cannot write to standard output")
}
