//! `vigie feedback`: reports that a post was read wrongly, by the running daemon where there is one; lists what was reported,
//! and writes it for training.

mod export;

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use jiff::Timestamp;
use reqwest::Method;

use super::ask;
use super::state::StateFlags;
use crate::classify::{Classifier, DistilBertClassifier, Label, predict};
use crate::config::Loaded;
use crate::monitor::{Correction, Given, Monitor};
use crate::post::Post;
use crate::store::{Store, StoreError};

/// Where a daemon takes and tells them.
const API: &str = "/api/v1/feedback";

/// Report the right label of a post or text, for alerts on wrong predictions and for retraining
///
/// The model reads the post or text on the spot; where it says something else than you do, that is an incorrect prediction,
/// and a rule with a condition of type "events" may fire. With a daemon running, the daemon does it. What is reported is kept
/// with its text for `retention.posts_days`, and `vigie forget` removes it: export it in time. Without WHAT everything
/// reported is listed.
#[derive(Args)]
pub(super) struct FeedbackArgs {
    /// Identifier of a post that vigie keeps (one shown in an alert, say), or a text of two words or more
    #[arg(value_name = "POST-ID|TEXT", requires = "label")]
    what: Option<String>,
    /// What it really is
    #[arg(long, value_enum, requires = "what")]
    label: Option<LabelFlag>,
    /// Who says so
    #[arg(long, value_name = "NAME", requires = "what")]
    by: Option<String>,
    /// Print JSON
    #[arg(long, conflicts_with = "export")]
    json: bool,
    /// Write everything reported as a CSV to train on; a file that is there is not overwritten
    #[arg(long, value_name = "FILE", conflicts_with = "what")]
    export: Option<PathBuf>,
    /// Export posts from X too, which its terms keep you from training on unless you have agreed otherwise
    #[arg(long, requires = "export")]
    with_x: bool,
    /// Model directory, instead of the configuration's; a running daemon reads with its own
    #[arg(long, value_name = "DIR")]
    model: Option<PathBuf>,
    #[command(flatten)]
    state: StateFlags,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LabelFlag {
    Negative,
    Neutral,
    Positive,
}

impl From<LabelFlag> for Label {
    fn from(label: LabelFlag) -> Self {
        match label {
            LabelFlag::Negative => Self::Negative,
            LabelFlag::Neutral => Self::Neutral,
            LabelFlag::Positive => Self::Positive,
        }
    }
}

impl std::fmt::Debug for FeedbackArgs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FeedbackArgs(…)")
    }
}

pub(super) fn run(args: FeedbackArgs) -> anyhow::Result<()> {
    let state = args.state.with_store()?;
    let mut loaded = super::over_environment(args.state.config.clone()).load()?;
    if let Some(model) = args.model {
        loaded.config.classify.model = model;
    }
    match (args.what.zip(args.label), args.export) {
        (Some((what, label)), _) => {
            let correction = Correction { what, label: label.into(), by: args.by };
            let given = report(&correction, &loaded, &state)?;
            tell(&given, args.json)
        }
        (None, Some(file)) => export::write(&file, &all(&loaded, &state)?, args.with_x),
        (None, None) => list(&all(&loaded, &state)?, args.json),
    }
}

fn report(correction: &Correction, loaded: &Loaded, state: &Path) -> anyhow::Result<Given> {
    if let Some(fault) = correction.fault() {
        bail!("{fault}");
    }
    let mut monitor = match open(loaded, state)? {
        Some(monitor) => monitor,
        None => return ask::daemon(loaded.config.web.listen, state, (Method::POST, API), Some(correction)),
    };
    let now = Timestamp::now();
    let subject = monitor.subject(&correction.what, now)?;
    let subject = subject.context("no post of that identifier is kept: give its text instead")?;
    let mut classifier = DistilBertClassifier::load(&loaded.config.classify.model)?;
    let post = Post { text: subject.0.text.clone(), ..Post::default() };
    let prediction = predict(&mut classifier, std::slice::from_ref(&post))?.into_iter().next();
    let prediction = prediction.context("the model says nothing of it")?;
    Ok(monitor.correct(correction, subject, classifier.model(), &prediction, now)?)
}

fn all(loaded: &Loaded, state: &Path) -> anyhow::Result<Vec<Given>> {
    match open(loaded, state)? {
        Some(monitor) => Ok(monitor.feedback()?),
        None => ask::daemon::<(), _>(loaded.config.web.listen, state, (Method::GET, API), None),
    }
}

/// The monitor of a state that no daemon holds.
fn open(loaded: &Loaded, state: &Path) -> anyhow::Result<Option<Monitor>> {
    match Store::open(state) {
        Ok(store) => Ok(Some(Monitor::open(store, loaded.config.window.clone(), loaded.rules.clone())?)),
        Err(StoreError::InUse { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn tell(given: &Given, json: bool) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    if json {
        return Ok(writeln!(out, "{}", serde_json::to_string(given)?)?);
    }
    let feedback = &given.feedback;
    let sure = feedback.probabilities.iter().copied().fold(0.0_f32, f32::max) * 100.0;
    let (label, predicted, model) = (feedback.label.as_str(), feedback.predicted.as_str(), &feedback.model);
    let what = match (given.known, feedback.is_wrong()) {
        (true, _) => "Known already, and counted once",
        (false, true) => "An incorrect prediction, kept",
        (false, false) => "Kept; the model says the same",
    };
    writeln!(out, "{what}: number {}, {label}", given.number)?;
    Ok(writeln!(out, "  model           {model} says {predicted} ({sure:.0} %)")?)
}

fn list(all: &[Given], json: bool) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    if json {
        return Ok(writeln!(out, "{}", serde_json::to_string(all)?)?);
    }
    for Given { number, feedback, .. } in all {
        let by = feedback.by.as_deref().map(|by| super::printable(by, 40)).unwrap_or_else(|| "-".into());
        let text = super::printable(&feedback.post.text, 80);
        let (predicted, label) = (feedback.predicted.as_str(), feedback.label.as_str());
        writeln!(out, "{number}  {:.0}  {predicted} -> {label}  {by}  {text}", feedback.at)?;
    }
    Ok(())
}
