//! `POST /api/v1/classify`: the sentiment of texts, read with the daemon's model. Nothing of them is kept. Requests that wait at
//! the same time are read in one batch.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Json, Response};
use serde::{Deserialize, Serialize};

use super::super::Console;
use super::super::auth::refusal;
use super::super::error::{JsonBody, Problem};
use crate::classify::{Label, Prediction};

/// Texts of one request.
const MAX_TEXTS: usize = 1_000;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::web) struct ClassifyBody {
    texts: Vec<String>,
}

/// The prediction of one text.
#[derive(Debug, Serialize)]
struct PredictionView {
    label: Label,
    probabilities: Probabilities,
    /// Why it is negative, where the model is confident of that.
    reason: Option<String>,
}

#[derive(Debug, Serialize)]
struct Probabilities {
    negative: f32,
    neutral: f32,
    positive: f32,
}

#[derive(Debug, Serialize)]
struct ClassifyAnswer {
    model: String,
    /// In the order of the texts; null where the model cannot read one.
    predictions: Vec<Option<PredictionView>>,
}

pub(in crate::web) async fn classify(
    State(console): State<Console>,
    headers: HeaderMap,
    JsonBody(body): JsonBody<ClassifyBody>,
) -> Response {
    if let Some(refusal) = refusal(&console, &headers) {
        return refusal.into_response();
    }
    if body.texts.is_empty() || body.texts.len() > MAX_TEXTS {
        return Problem::new(StatusCode::BAD_REQUEST, format!("texts: expected 1 to {MAX_TEXTS}")).into_response();
    }
    match console.daemon.classify(body.texts).await {
        Ok((model, predictions)) => {
            let predictions = predictions.iter().map(|found| found.as_ref().map(PredictionView::new)).collect();
            Json(ClassifyAnswer { model, predictions }).into_response()
        }
        Err(error) => Problem::unavailable(&error).into_response(),
    }
}

impl PredictionView {
    fn new(prediction: &Prediction) -> Self {
        let [negative, neutral, positive] = prediction.probabilities;
        Self {
            label: prediction.label,
            probabilities: Probabilities { negative, neutral, positive },
            reason: prediction.confident_reason().map(|reason| reason.name.to_string()),
        }
    }
}
