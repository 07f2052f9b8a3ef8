//! The model: what it is, what was measured of it, what people corrected, and whether it drifts.

pub(in crate::web) mod actions;
pub(super) mod drift;
mod retrained;

use axum::extract::State;
use axum::response::Response;
use minijinja::Value;
use minijinja::value::Serde;
use serde::Serialize;

use super::super::error::Problem;
use super::super::model_view::ModelView;
use super::super::{Console, Retraining, blocking};
use super::posts::labels::label_name;
use super::templates::Frame;
use super::visitor::Visitor;
use crate::classify::Label;
use crate::query::{CorrectionSummary, LabelDrift};
use crate::store::StoreError;
use drift::{SampleTests, rows};
use retrained::RetrainedView;

/// Topics whose drift is shown.
const MAX_TOPICS: usize = 20;

/// What a button led to.
#[derive(Debug, Default, Serialize)]
struct Notice {
    /// Why nothing changed.
    error: Option<String>,
}

/// Everything on the page.
struct Shown {
    model: ModelView,
    retrained: RetrainedView,
    retraining: Retraining,
    corrections: CorrectionSummary,
    labels: Vec<LabelDrift>,
    tests: SampleTests,
    notice: Notice,
}

pub(in crate::web) async fn page(State(console): State<Console>, visitor: Visitor) -> Result<Response, Problem> {
    respond(&console, &visitor, Notice::default()).await
}

async fn respond(console: &Console, visitor: &Visitor, notice: Notice) -> Result<Response, Problem> {
    let (status, query, models) = (console.daemon.status(), console.daemon.query.clone(), console.models.retrained());
    let topics: Vec<String> = status.topics.iter().take(MAX_TOPICS).map(|topic| topic.name.clone()).collect();
    let (id, now, retraining) = (status.model.clone(), status.now, console.models.retraining());
    let (cache, read_by) = (console.pages.drift.clone(), id.clone());
    let read = blocking::run(move || {
        let labels: Vec<LabelDrift> =
            topics.iter().map(|topic| query.drift(topic, now)).collect::<Result<_, StoreError>>()?;
        let (corrections, used) = (query.corrections()?, models.in_use());
        let tests = cache.tests(&query, (&read_by, used.as_ref().ok().map(|used| used.dir.as_path())), now)?;
        Ok::<_, StoreError>((used, RetrainedView::read(&models), corrections, labels, tests))
    });
    let (used, retrained, corrections, labels, tests) = read.await?;
    let mut notice = notice;
    let retrained = retrained.unwrap_or_else(|error| {
        notice.error.get_or_insert(error.to_string());
        RetrainedView::default()
    });
    let model = match used {
        Ok(used) => ModelView::read(&id, &used.dir),
        Err(error) => ModelView { id, problem: Some(error.to_string()), ..ModelView::default() },
    };
    let shown = Shown { model, retrained, retraining, corrections, labels, tests, notice };
    let frame = Frame { place: "model", open: console.daemon.board().open() };
    Ok(console.pages.respond(visitor, ("model.html", &frame), context(&shown, visitor, status.now)))
}

fn context(shown: &Shown, visitor: &Visitor, now: jiff::Timestamp) -> Value {
    let Shown { model, retrained, retraining, corrections, labels, tests, notice } = shown;
    minijinja::context! {
        model => Serde(model),
        retrained => Serde(retrained),
        retraining => Serde(retraining),
        notice => Serde(notice),
        c => Serde(corrections),
        drift => Serde(rows(labels, tests, visitor.language)),
        labels => Serde(Label::ALL.map(|label| (label.as_str(), label_name(label, visitor.language)))),
        wrong_share => (corrections.posts > 0).then(|| corrections.wrong as f64 / corrections.posts as f64),
        now => now.to_string(),
        live => false,
    }
}

#[cfg(test)]
mod tests {
    use super::retrained::{Challenger, PromotedView};
    use super::*;
    use crate::language::Language;
    use crate::query::DriftVerdict;
    use crate::web::Pages;

    /// Named with markup, as a directory could be.
    fn challenger() -> Challenger {
        let report = serde_json::json!({
            "counts": { "learned": 80, "withheld": 2, "unusable": 0 },
            "held_out": [{ "name": "airline_test", "posts": 900, "champion": 0.71, "challenger": 0.731,
                "difference": 0.021, "interval": [-0.004, 0.045] }],
            "corrections": { "posts": 60, "champion_right": 12, "challenger_right": 31, "gained": 21, "lost": 2 },
            "groups": [{ "by": "language", "name": "fr", "posts": 40, "champion_right": 8, "challenger_right": 25 }],
            "recent": { "posts": 500, "labels": [[400, 3, 4], [0, 60, 0], [0, 0, 33]], "changed": 7 },
            "verdict": "no_held_out",
        });
        Challenger { name: "retrained-<1>".into(), at: None, in_use: false, report }
    }

    #[test]
    fn figures_corrections_and_drift_are_on_the_page_in_both_languages() {
        let model = ModelView::read("default-1", std::path::Path::new("models/default"));
        assert!(model.problem.is_none() && model.scores.iter().any(|score| score.accuracy > Some(0.5)), "{model:?}");
        let corrections = CorrectionSummary {
            posts: 4,
            wrong: 3,
            confusion: [[1, 2, 0], [0, 0, 1], [0, 0, 0]],
            people: vec![("<Claire>".into(), 3), (String::new(), 1)],
        };
        let drift = LabelDrift {
            topic: "Air Paradis".into(),
            recent: [0.7, 0.2, 0.1],
            reference: [0.4, 0.4, 0.2],
            recent_posts: 500,
            reference_posts: 2_000,
            index: Some(0.31),
            verdict: DriftVerdict::StronglyShifted,
        };
        let retrained = RetrainedView {
            promoted: Some(PromotedView { at: Some(jiff::Timestamp::UNIX_EPOCH), by: "<Claire>".into(), forced: true }),
            challengers: vec![challenger()],
            possible: true,
            ..RetrainedView::default()
        };
        let (retraining, labels, notice) = (Retraining::default(), vec![drift], Notice::default());
        let tests = drift::tests::measured(0.0, 4);
        let shown = Shown { model, retrained, retraining, corrections, labels, tests, notice };
        for (language, expected) in [
            (
                Language::English,
                [
                    "3 of 4",
                    "strongly shifted",
                    "&lt;Claire&gt;",
                    "negative 70%, neutral 20%",
                    "pass: as before",
                    "warning: strongly shifted",
                    "Unknown pieces",
                    "better on corrections only",
                    "+2.1",
                    "not known to be better",
                ],
            ),
            (
                Language::French,
                [
                    "3 sur 4",
                    "fort décalage",
                    "&lt;Claire&gt;",
                    "négatif 70\u{a0}%, neutre 20\u{a0}%",
                    "conforme\u{a0}: comme avant",
                    "à vérifier\u{a0}: fort décalage",
                    "Fragments inconnus",
                    "meilleur sur les corrections seulement",
                    "+2,1",
                    "sans preuve",
                ],
            ),
        ] {
            let (visitor, pages) = (Visitor::speaking(language), Pages::new(language, "UTC").unwrap());
            let values = context(&shown, &visitor, jiff::Timestamp::UNIX_EPOCH);
            let page = pages.render(&visitor, ("model.html", &Frame::default()), values).unwrap();
            for expected in expected {
                assert!(page.contains(expected), "{expected} is not in\n{page}");
            }
        }
        let missing = ModelView::read("m", std::path::Path::new("/nowhere"));
        assert!(missing.problem.unwrap().contains("/nowhere"));
    }
}
