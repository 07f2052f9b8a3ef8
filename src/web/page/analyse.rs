//! The page where anybody can paste a text: its sentiment with probabilities, the reason, which words moved it, and two answers,
//! right or wrong. A text is kept only where an answer is given.

use axum::extract::{Form, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use minijinja::Value;
use minijinja::value::Serde;
use serde::{Deserialize, Serialize};

use super::super::Console;
use super::super::error::Problem;
use super::posts::labels::label_name;
use super::templates::Frame;
use super::visitor::{Visitor, name_cookie, trim_name};
use crate::classify::{Label, Prediction};
use crate::monitor::Correction;

/// Texts analysed at once.
const MAX_TEXTS: usize = 20;
/// Characters of all of them.
const MAX_CHARACTERS: usize = 20_000;
/// Words that are left out one by one, of a single text.
const MAX_WORDS: usize = 60;
/// A word that changes the log-odds of the label by less is not marked. Not its probability: near certainty that hardly moves.
const MARKED: f32 = 0.3;
/// A word that changes them by more is marked strongly.
const STRONG: f32 = 1.0;

/// The form.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct AnalyseForm {
    text: String,
    /// Each line is a text.
    lines: Option<String>,
    /// An answer: the right label of `text`.
    label: Option<Label>,
    by: String,
    /// Take the last answer on `text` back.
    undo: Option<String>,
}

/// A part of the text, and how far it moved the result.
#[derive(Debug, PartialEq, Serialize)]
struct WeighedWord {
    text: String,
    /// By how much the log-odds of the label are lower without it.
    effect: f32,
    marked: bool,
    strong: bool,
}

/// One text with what the model reads in it.
#[derive(Debug, Serialize)]
struct TextReading {
    text: String,
    label: Label,
    name: &'static str,
    /// Names and probabilities of all labels, the most likely first.
    probabilities: Vec<(Label, &'static str, f32)>,
    reason: Option<String>,
    words: Vec<WeighedWord>,
    /// The labels that it may have instead.
    others: Vec<(Label, &'static str)>,
}

/// An empty form.
pub(in crate::web) async fn page(State(console): State<Console>, visitor: Visitor) -> Response {
    respond(&console, &visitor, &AnalyseForm::default(), &[], None)
}

pub(in crate::web) async fn submit(
    State(console): State<Console>,
    visitor: Visitor,
    Form(form): Form<AnalyseForm>,
) -> Response {
    let texts = match texts(&form) {
        Ok(texts) => texts,
        Err(problem) => return Problem::new(StatusCode::BAD_REQUEST, problem).into_response(),
    };
    if texts.is_empty() {
        return respond(&console, &visitor, &form, &[], None);
    }
    let given = trim_name(&form.by);
    let noted = match note_answer(&console, &form, visitor.signer(given.clone())).await {
        Ok(noted) => noted,
        Err(problem) => return problem.into_response(),
    };
    match read(&console, &texts, &visitor).await {
        Ok(readings) => {
            let mut response = respond(&console, &visitor, &form, &readings, noted);
            let cookie = given.as_deref().and_then(name_cookie);
            response.headers_mut().extend(cookie.map(|cookie| (header::SET_COOKIE, cookie)));
            response
        }
        Err(error) => Problem::unavailable(&error).into_response(),
    }
}

/// The texts of the form.
///
/// # Errors
/// A line that says which limit they exceed.
fn texts(form: &AnalyseForm) -> Result<Vec<String>, String> {
    if form.text.chars().count() > MAX_CHARACTERS {
        return Err(format!("text: expected {MAX_CHARACTERS} characters at most"));
    }
    let is_answer = form.label.is_some() || form.undo.is_some();
    let whole = form.text.trim();
    let parts: Vec<&str> = if form.lines.is_some() && !is_answer { whole.lines().collect() } else { vec![whole] };
    let texts: Vec<String> =
        parts.into_iter().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned).collect();
    if texts.len() > MAX_TEXTS {
        return Err(format!("text: expected {MAX_TEXTS} lines at most"));
    }
    Ok(texts)
}

/// Records what the form answers: `saved`, `right`, `undone` or `nothing`; none where it answers nothing.
async fn note_answer(
    console: &Console,
    form: &AnalyseForm,
    by: Option<String>,
) -> Result<Option<&'static str>, Problem> {
    let what = form.text.trim().to_owned();
    if form.undo.is_some() {
        let undone = console.daemon.undo_feedback(vec![what]).await.map_err(|error| Problem::unavailable(&error))?;
        return Ok(Some(if undone.iter().any(Option::is_some) { "undone" } else { "nothing" }));
    }
    let Some(label) = form.label else { return Ok(None) };
    let correction = Correction { what, label, by, is_text: true };
    if let Some(problem) = correction.validate() {
        return Err(Problem::new(StatusCode::BAD_REQUEST, problem));
    }
    let given = console.daemon.correct(vec![correction]).await.map_err(|error| Problem::unavailable(&error))?;
    let is_wrong = given.into_iter().flatten().any(|given| given.feedback.is_wrong());
    Ok(Some(if is_wrong { "saved" } else { "right" }))
}

/// Reads each text; of a single one also the words that moved it.
async fn read(console: &Console, texts: &[String], visitor: &Visitor) -> anyhow::Result<Vec<TextReading>> {
    let (_, predictions) = console.daemon.classify(texts.to_vec()).await?;
    let mut readings = Vec::new();
    for (text, prediction) in texts.iter().zip(predictions) {
        let Some(prediction) = prediction else { continue };
        let words = if texts.len() == 1 { occlusion(console, text, &prediction).await? } else { Vec::new() };
        readings.push(TextReading::new(text, &prediction, words, visitor));
    }
    Ok(readings)
}

/// Leaves out one word after another, and compares the probability of the label.
async fn occlusion(console: &Console, text: &str, prediction: &Prediction) -> anyhow::Result<Vec<WeighedWord>> {
    let parts = parts(text);
    let places: Vec<usize> = (0..parts.len()).filter(|place| !is_blank(parts.get(*place))).take(MAX_WORDS).collect();
    if places.len() < 2 {
        return Ok(Vec::new());
    }
    let without = |left_out: &usize| {
        let kept = parts.iter().enumerate().filter(|(place, _)| place != left_out).map(|(_, part)| *part);
        kept.collect::<String>()
    };
    let (_, predictions) = console.daemon.classify(places.iter().map(without).collect()).await?;
    let share =
        |prediction: &Prediction, label: Label| prediction.probabilities.get(label as usize).copied().unwrap_or(0.0);
    let whole = log_odds(share(prediction, prediction.label));
    let mut effects = vec![0.0; parts.len()];
    for (place, found) in places.iter().zip(predictions) {
        if let (Some(effect), Some(found)) = (effects.get_mut(*place), found) {
            *effect = whole - log_odds(share(&found, prediction.label));
        }
    }
    let word = |(part, effect): (&&str, f32)| WeighedWord {
        text: (*part).to_owned(),
        effect,
        marked: effect.abs() >= MARKED,
        strong: effect.abs() >= STRONG,
    };
    Ok(parts.iter().zip(effects).map(word).collect())
}

/// Of a probability, which is kept away from 0 and 1.
fn log_odds(probability: f32) -> f32 {
    let probability = probability.clamp(1e-4, 1.0 - 1e-4);
    (probability / (1.0 - probability)).ln()
}

fn is_blank(part: Option<&&str>) -> bool {
    part.is_none_or(|part| part.trim().is_empty())
}

/// Words and what stands between them, in order; together they are the text.
fn parts(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let is_space = first.is_whitespace();
        let end = rest.find(|c: char| c.is_whitespace() != is_space).unwrap_or(rest.len());
        let (part, after) = rest.split_at(end);
        parts.push(part);
        rest = after;
    }
    parts
}

impl TextReading {
    fn new(text: &str, prediction: &Prediction, words: Vec<WeighedWord>, visitor: &Visitor) -> Self {
        let name = |label| label_name(label, visitor.language);
        let mut probabilities: Vec<(Label, &'static str, f32)> = Label::ALL
            .into_iter()
            .zip(prediction.probabilities)
            .map(|(label, share)| (label, name(label), share))
            .collect();
        probabilities.sort_by(|a, b| b.2.total_cmp(&a.2));
        let others = Label::ALL.into_iter().filter(|label| *label != prediction.label);
        Self {
            text: text.to_owned(),
            label: prediction.label,
            name: name(prediction.label),
            probabilities,
            reason: prediction.confident_reason().map(|reason| reason.name.to_string()),
            words,
            others: others.map(|label| (label, name(label))).collect(),
        }
    }
}

fn respond(
    console: &Console,
    visitor: &Visitor,
    form: &AnalyseForm,
    readings: &[TextReading],
    noted: Option<&'static str>,
) -> Response {
    let status = console.daemon.status();
    let frame = Frame { place: "analyse", open: console.daemon.board().open() };
    console.pages.respond(visitor, ("analyse.html", &frame), context(form, readings, noted, &status.model, status.now))
}

fn context(
    form: &AnalyseForm,
    readings: &[TextReading],
    noted: Option<&str>,
    model: &str,
    now: jiff::Timestamp,
) -> Value {
    minijinja::context! {
        text => &form.text,
        lines => form.lines.is_some(),
        readings => Serde(readings),
        noted,
        model,
        now => now.to_string(),
        live => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Language;
    use crate::web::Pages;

    #[test]
    fn the_parts_of_a_text_are_the_text() {
        for text in ["", " ", "late", " vol  annulé\n🤬 ", "a b"] {
            assert_eq!(parts(text).concat(), text);
        }
        assert_eq!(parts("vol  annulé 🤬"), ["vol", "  ", "annulé", " ", "🤬"]);
    }

    #[test]
    fn a_text_is_one_unless_lines_are_asked_for() {
        let form = |text: &str, lines: bool| AnalyseForm {
            text: text.into(),
            lines: lines.then(String::new),
            ..AnalyseForm::default()
        };
        assert_eq!(texts(&form(" a\nb ", false)).unwrap(), ["a\nb"]);
        assert_eq!(texts(&form("a\n\n b \n", true)).unwrap(), ["a", "b"]);
        assert_eq!(texts(&form("  ", false)).unwrap(), [""; 0]);
        assert!(texts(&form(&"x\n".repeat(21), true)).unwrap_err().contains("20 lines"));
        assert!(texts(&form(&"x".repeat(20_001), false)).unwrap_err().contains("20000"));
    }

    #[test]
    fn the_page_shows_the_reading_and_escapes_the_text() {
        let visitor = Visitor::speaking(Language::French);
        let prediction = Prediction { label: Label::Negative, probabilities: [0.9, 0.06, 0.04], reason: None };
        let word =
            |text: &str, effect: f32| WeighedWord { text: text.into(), effect, marked: true, strong: effect > STRONG };
        let words = vec![word("<b>nul</b>", 1.4), word("merci", -0.5)];
        let reading = TextReading::new("<b>nul</b> merci", &prediction, words, &visitor);
        let form = AnalyseForm { text: "<b>nul</b> merci".into(), ..AnalyseForm::default() };
        let values = context(&form, &[reading], Some("saved"), "m", jiff::Timestamp::UNIX_EPOCH);
        let pages = Pages::new(Language::French, "UTC").unwrap();
        let page = pages.render(&visitor, ("analyse.html", &Frame::default()), values).unwrap();
        assert!(!page.contains("<b>nul"), "{page}");
        for expected in ["négatif", "90\u{a0}%", "<mark class=\"more strong\"", "Merci"] {
            assert!(page.contains(expected), "{expected} is not in\n{page}");
        }
    }
}
