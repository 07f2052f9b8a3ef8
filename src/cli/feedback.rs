//! `vigie feedback`: reports wrong predictions, through the running daemon if there is one; lists feedback, and exports it
//! for training.

mod export;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use jiff::Timestamp;
use reqwest::Method;

use super::daemon_client;
use super::state::StateFlags;
use crate::classify::{Classifier, EncoderClassifier, Label, predict};
use crate::config::LoadedConfig;
use crate::language::Language;
use crate::monitor::{Correction, FeedbackRecord, Monitor};
use crate::post::Post;
use crate::query::FeedbackPage;
use crate::store::{Store, StoreError};
use crate::telemetry::RunningTelemetry;

/// The daemon's route.
const API: &str = "/api/v1/feedback";
/// Records that are asked for at a time.
const PAGE: usize = 1_000;

/// Report the right label of a post or text, for alerts on wrong predictions and for retraining
///
/// The model reads the post or text at once. If its label differs from yours, that is an incorrect prediction, and a rule with
/// a condition of type "events" may fire. A running daemon does this itself. Feedback is kept with its text for
/// `retention.posts_days`, and `vigie forget` removes it: export it in time. Without POST-ID or TEXT, lists all feedback.
#[derive(Args)]
pub(super) struct FeedbackArgs {
    /// Identifier of a stored post, or a text of two words or more
    #[arg(value_name = "POST-ID|TEXT", requires = "label")]
    what: Option<String>,
    /// The right label
    #[arg(long, value_enum, requires = "what")]
    label: Option<LabelFlag>,
    /// Name of the reporter
    #[arg(long, value_name = "NAME", requires = "what")]
    by: Option<String>,
    /// Print JSON
    #[arg(long, conflicts_with = "export")]
    json: bool,
    /// Write all feedback as a CSV to train on; an existing file is not overwritten
    #[arg(long, value_name = "FILE", conflicts_with = "what")]
    export: Option<PathBuf>,
    /// Export posts from X too; its terms forbid training on them unless you have agreed otherwise with X
    #[arg(long, requires = "export")]
    with_x: bool,
    /// Model directory, instead of the configuration's; a running daemon uses its own
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
    let mut loaded = super::config_loader(args.state.config.clone()).load()?;
    if let Some(model) = args.model {
        loaded.config.classify.model = model;
    }
    match (args.what.zip(args.label), args.export) {
        (Some((what, label)), _) => {
            let correction = Correction { what, label: label.into(), by: args.by, is_text: false };
            let given = report(&correction, &loaded, &state)?;
            write_record(&given, args.json, loaded.config.language)
        }
        (None, Some(file)) => export::write(&file, &all(&loaded, &state)?, args.with_x),
        (None, None) => list(&all(&loaded, &state)?, args.json),
    }
}

fn report(correction: &Correction, loaded: &LoadedConfig, state: &Path) -> anyhow::Result<FeedbackRecord> {
    if let Some(problem) = correction.validate() {
        bail!("{problem}");
    }
    let mut monitor = match open(loaded, state)? {
        Some(monitor) => monitor,
        None => return daemon_client::request(loaded.config.web.listen, state, (Method::POST, API), Some(correction)),
    };
    let now = Timestamp::now();
    let subject = monitor.find_subject(&correction.what, correction.is_text, now)?;
    let subject = subject.context("no post with this identifier is kept: give its text instead")?;
    let language = subject.language.clone();
    let (model, prediction) = match &subject.read {
        Some(read) => read.clone(),
        None => {
            let models = super::retrained_models(state, &loaded.config.classify.model);
            let mut classifier = EncoderClassifier::load(&models.in_use()?.dir, loaded.config.classify.precision)?;
            let post = Post { text: subject.post.text.clone(), ..Post::default() };
            let prediction = predict(&mut classifier, std::slice::from_ref(&post))?.into_iter().next();
            (classifier.model().to_owned(), prediction.context("the model gave no prediction")?)
        }
    };
    let given = monitor.record_feedback(correction, subject, (&model, &prediction), now)?;
    monitor.flush()?;
    send_telemetry(loaded, &given, language.as_deref());
    Ok(given)
}

/// Sends a correction that no daemon sends. It is recorded, whatever becomes of this.
fn send_telemetry(loaded: &LoadedConfig, given: &FeedbackRecord, language: Option<&str>) {
    // The metrics of this process say nothing about the daemon.
    let config = crate::telemetry::Config { metrics: false, traces: false, ..loaded.config.telemetry.clone() };
    let environment = |name: &str| std::env::var(name).ok();
    match RunningTelemetry::start(&config, &environment, Arc::new(Timestamp::now)) {
        Ok(telemetry) => {
            telemetry.handle.feedback_received(given, language);
            telemetry.stop();
        }
        Err(error) => tracing::warn!(%error, "the correction is recorded, but not sent as telemetry"),
    }
}

/// All feedback, the oldest first: of the store, or of the daemon that holds it.
pub(super) fn all(loaded: &LoadedConfig, state: &Path) -> anyhow::Result<Vec<FeedbackRecord>> {
    match open(loaded, state)? {
        Some(monitor) => Ok(monitor.feedback()?),
        None => all_of_daemon(loaded, state),
    }
}

/// All pages of the daemon.
fn all_of_daemon(loaded: &LoadedConfig, state: &Path) -> anyhow::Result<Vec<FeedbackRecord>> {
    let (mut all, mut path) = (Vec::new(), format!("{API}?limit={PAGE}"));
    loop {
        let page: FeedbackPage =
            daemon_client::request::<(), _>(loaded.config.web.listen, state, (Method::GET, &path), None)?;
        all.extend(page.feedback);
        let Some(next) = page.next else { return Ok(all) };
        path = format!("{API}?limit={PAGE}&page={next}");
    }
}

/// The monitor, unless a daemon holds the state.
fn open(loaded: &LoadedConfig, state: &Path) -> anyhow::Result<Option<Monitor>> {
    match Store::open(state) {
        Ok(store) => Ok(Some(Monitor::open(store, loaded.config.window.clone(), loaded.rules.clone())?)),
        Err(StoreError::InUse { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn write_record(given: &FeedbackRecord, json: bool, language: Language) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    if json {
        return Ok(writeln!(out, "{}", serde_json::to_string(given)?)?);
    }
    Ok(write!(out, "{}", written(given, language))?)
}

/// What was recorded, in two lines.
fn written(given: &FeedbackRecord, language: Language) -> String {
    let FeedbackRecord { number, known, feedback, .. } = given;
    let sure = feedback.probabilities.iter().copied().fold(0.0_f32, f32::max) * 100.0;
    let (label, predicted) = (name(feedback.label, language), name(feedback.predicted, language));
    let model = &feedback.model;
    match language {
        Language::French => {
            let what = match (known, feedback.is_wrong()) {
                (true, _) => "Déjà signalé ; compté une fois",
                (false, true) => "Erreur de classement enregistrée",
                (false, false) => "Enregistré ; le modèle est d'accord",
            };
            format!("{what} : n° {number}, {label}\n  modèle          {model} : {predicted} ({sure:.0} %)\n")
        }
        Language::English => {
            let what = match (known, feedback.is_wrong()) {
                (true, _) => "Known already; counted once",
                (false, true) => "Incorrect prediction, recorded",
                (false, false) => "Recorded; the model agrees",
            };
            format!("{what}: number {number}, {label}\n  model           {model} says {predicted} ({sure:.0}%)\n")
        }
    }
}

fn name(label: Label, language: Language) -> &'static str {
    match (language, label) {
        (Language::English, _) => label.as_str(),
        (Language::French, Label::Negative) => "négatif",
        (Language::French, Label::Neutral) => "neutre",
        (Language::French, Label::Positive) => "positif",
    }
}

fn list(all: &[FeedbackRecord], json: bool) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    if json {
        return Ok(writeln!(out, "{}", serde_json::to_string(all)?)?);
    }
    for FeedbackRecord { number, feedback, .. } in all {
        let by = feedback.by.as_deref().map(|by| super::printable(by, 40)).unwrap_or_else(|| "-".into());
        let text = super::printable(&feedback.post.text, 80);
        let (predicted, label) = (feedback.predicted.as_str(), feedback.label.as_str());
        writeln!(out, "{number}  {:.0}  {predicted} -> {label}  {by}  {text}", feedback.at)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::monitor::{Feedback, Provenance};
    use crate::window::Sample;

    #[test]
    fn the_answer_is_in_the_language_of_the_configuration() {
        let feedback = Feedback {
            at: Timestamp::UNIX_EPOCH,
            by: None,
            post: Sample::default(),
            provenance: Provenance::Typed,
            model: "default".into(),
            predicted: Label::Negative,
            probabilities: [0.9, 0.06, 0.04],
            label: Label::Neutral,
        };
        let given = FeedbackRecord { number: 3, known: false, feedback };
        let english =
            "Incorrect prediction, recorded: number 3, neutral\n  model           default says negative (90%)\n";
        assert_eq!(written(&given, Language::English), english);
        let french = "Erreur de classement enregistrée : n° 3, neutre\n  modèle          default : négatif (90 %)\n";
        assert_eq!(written(&given, Language::French), french);
    }
}
