//! `POST /posts/labels`: gives posts another label, or takes the last one back. Answers JSON to the script of the page, and leads
//! back to the page otherwise. Pressing twice is pressing once.

use axum::extract::{Form, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Json, Redirect, Response};
use serde::Serialize;

use super::super::super::error::Problem;
use super::super::super::{Console, blocking};
use super::super::visitor::{Visitor, local_path, name_cookie, trim_name};
use crate::classify::Label;
use crate::language::Language;
use crate::monitor::Correction;

/// Posts that one request may correct.
const MAX_POSTS: usize = 200;

/// What a form asks for.
#[derive(Debug, Default, PartialEq)]
struct LabelsForm {
    ids: Vec<String>,
    /// None: take the last label back.
    label: Option<Label>,
    by: Option<String>,
    back: String,
}

/// A post after the change.
#[derive(Debug, Serialize)]
struct Relabelled {
    id: String,
    label: &'static str,
    /// What the page says next to it; empty where the label is the model's.
    note: String,
}

#[derive(Debug, Serialize)]
struct LabelsAnswer {
    message: String,
    posts: Vec<Relabelled>,
}

impl LabelsForm {
    /// # Errors
    /// A line that says what is expected.
    fn read(fields: Vec<(String, String)>) -> Result<Self, String> {
        let (mut form, mut undo) = (Self::default(), false);
        for (name, value) in fields {
            match name.as_str() {
                "id" => form.ids.push(value),
                "label" => {
                    form.label = Some(Label::parse(&value).ok_or("label: expected negative, neutral or positive")?);
                }
                "undo" => undo = true,
                "by" => form.by = trim_name(&value),
                "back" => form.back = value,
                _ => {}
            }
        }
        if form.ids.is_empty() || form.ids.len() > MAX_POSTS {
            return Err(format!("id: expected the identifiers of 1 to {MAX_POSTS} posts"));
        }
        match (form.label, undo) {
            (Some(_), false) | (None, true) => Ok(form),
            _ => Err("expected a label, or undo".to_owned()),
        }
    }
}

pub(in crate::web) async fn press(
    State(console): State<Console>,
    visitor: Visitor,
    headers: HeaderMap,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    let form = LabelsForm::read(fields).map_err(|problem| Problem::new(StatusCode::BAD_REQUEST, problem))?;
    let (given, language) = (form.by.clone(), visitor.language);
    let message = change(&console, &form, visitor.signer(given.clone()), language).await?;
    let is_script = headers.get(header::ACCEPT).is_some_and(|accept| accept.as_bytes() == b"application/json");
    let mut response = if is_script {
        let query = console.daemon.query.clone();
        let find = move || form.ids.iter().filter_map(|id| query.post(id).transpose()).collect::<Result<Vec<_>, _>>();
        let posts = blocking::run(find).await?.into_iter().map(|post| Relabelled {
            note: note(post.is_corrected(), post.predicted(), language),
            label: post.label.as_str(),
            id: post.id,
        });
        Json(LabelsAnswer { message, posts: posts.collect() }).into_response()
    } else {
        Redirect::to(local_path(&form.back).unwrap_or("/posts")).into_response()
    };
    response.headers_mut().extend(given.as_deref().and_then(name_cookie).map(|cookie| (header::SET_COOKIE, cookie)));
    Ok(response)
}

/// Does what the form asks for; says what was done.
async fn change(
    console: &Console,
    form: &LabelsForm,
    by: Option<String>,
    language: Language,
) -> Result<String, Problem> {
    let Some(label) = form.label else {
        let labels =
            console.daemon.undo_feedback(form.ids.clone()).await.map_err(|error| Problem::unavailable(&error))?;
        return Ok(undone(labels.iter().flatten().count(), language));
    };
    let correction = |id: &String| Correction { what: id.clone(), label, by: by.clone(), is_text: false };
    let corrections: Vec<Correction> = form.ids.iter().map(correction).collect();
    if let Some(problem) = corrections.iter().find_map(Correction::validate) {
        return Err(Problem::new(StatusCode::BAD_REQUEST, problem));
    }
    match console.daemon.correct(corrections).await {
        Ok(Some(given)) => Ok(saved(given.len(), label, language)),
        Ok(None) => Err(Problem::new(StatusCode::NOT_FOUND, "one of these posts has been removed")),
        Err(error) => Err(Problem::unavailable(&error)),
    }
}

fn saved(posts: usize, label: Label, language: Language) -> String {
    let name = label_name(label, language);
    match (language, posts) {
        (Language::English, 1) => format!("Saved: {name}."),
        (Language::English, posts) => format!("{posts} posts saved: {name}."),
        (Language::French, 1) => format!("Enregistré\u{a0}: {name}."),
        (Language::French, posts) => format!("{posts} messages enregistrés\u{a0}: {name}."),
    }
}

fn undone(posts: usize, language: Language) -> String {
    match (language, posts) {
        (Language::English, 0) => "Nothing to undo.".to_owned(),
        (Language::English, 1) => "Undone.".to_owned(),
        (Language::English, posts) => format!("{posts} corrections undone."),
        (Language::French, 0) => "Rien à annuler.".to_owned(),
        (Language::French, 1) => "Correction annulée.".to_owned(),
        (Language::French, posts) => format!("{posts} corrections annulées."),
    }
}

fn note(corrected: bool, predicted: Label, language: Language) -> String {
    if !corrected {
        return String::new();
    }
    let name = label_name(predicted, language);
    match language {
        Language::English => format!("corrected; the model read {name}"),
        Language::French => format!("corrigé\u{a0}; le modèle avait lu\u{a0}: {name}"),
    }
}

/// The name of a label for people.
pub(in crate::web::page) fn label_name(label: Label, language: Language) -> &'static str {
    match (label, language) {
        (Label::Negative, Language::English) => "negative",
        (Label::Neutral, Language::English) => "neutral",
        (Label::Positive, Language::English) => "positive",
        (Label::Negative, Language::French) => "négatif",
        (Label::Neutral, Language::French) => "neutre",
        (Label::Positive, Language::French) => "positif",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(fields: &[(&str, &str)]) -> Result<LabelsForm, String> {
        LabelsForm::read(fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn a_form_has_posts_and_one_thing_to_do() {
        let form = read(&[("id", "1"), ("id", "2"), ("label", "neutral"), ("by", " Claire "), ("other", "x")]).unwrap();
        assert_eq!((form.ids.len(), form.label, form.by.as_deref()), (2, Some(Label::Neutral), Some("Claire")));
        assert_eq!(read(&[("id", "1"), ("undo", "1")]).unwrap().label, None);
        assert!(read(&[("label", "neutral")]).unwrap_err().starts_with("id:"));
        assert!(read(&[("id", "1"), ("label", "good")]).unwrap_err().starts_with("label:"));
        assert!(read(&[("id", "1")]).is_err() && read(&[("id", "1"), ("undo", "1"), ("label", "neutral")]).is_err());
    }

    #[test]
    fn what_was_done_is_said_in_both_languages() {
        assert_eq!(saved(1, Label::Negative, Language::French), "Enregistré\u{a0}: négatif.");
        assert_eq!(saved(3, Label::Positive, Language::English), "3 posts saved: positive.");
        assert_eq!(undone(0, Language::English), "Nothing to undo.");
        assert_eq!(note(false, Label::Negative, Language::English), "");
        assert_eq!(note(true, Label::Negative, Language::French), "corrigé\u{a0}; le modèle avait lu\u{a0}: négatif");
    }
}
