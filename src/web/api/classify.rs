//! `POST /api/v1/classify`: the sentiment of texts, read with the daemon's model. Nothing of them is kept. Requests that wait at
//! the same time are read in one batch.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Json;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::Console;
use super::super::error::{JsonBody, Problem};
use crate::classify::{Label, Prediction};
use crate::monitor::label_schema;

/// Texts of one request.
const MAX_TEXTS: usize = 1_000;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ClassifyBody {
    #[schema(min_items = 1, max_items = 1000)]
    texts: Vec<String>,
}

/// The prediction of one text.
#[derive(Debug, Serialize, ToSchema)]
struct PredictionView {
    #[schema(schema_with = label_schema)]
    label: Label,
    probabilities: Probabilities,
    /// Why it is negative, where the model is confident of that.
    reason: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
struct Probabilities {
    negative: f32,
    neutral: f32,
    positive: f32,
}

/// What the model reads in texts.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ClassifyAnswer {
    model: String,
    /// In the order of the texts; null where the model cannot read one.
    predictions: Vec<Option<PredictionView>>,
}

/// The sentiment of texts; nothing of them is kept
#[utoipa::path(
    post,
    path = "/api/v1/classify",
    operation_id = "classifyTexts",
    tag = "model",
    request_body = ClassifyBody,
    responses(
        (status = 200, description = "One prediction for each text", body = ClassifyAnswer),
        (status = 400, description = "The body is not JSON, or has no text or more than 1,000"),
        (status = 415, description = "The body is not JSON"),
        (status = 422, description = "The body has not the expected form"),
    )
)]
pub(super) async fn classify(
    State(console): State<Console>,
    JsonBody(body): JsonBody<ClassifyBody>,
) -> Result<Json<ClassifyAnswer>, Problem> {
    if body.texts.is_empty() || body.texts.len() > MAX_TEXTS {
        return Err(Problem::new(StatusCode::BAD_REQUEST, format!("texts: expected 1 to {MAX_TEXTS}")));
    }
    let classified = console.daemon.classify(body.texts).await;
    let (model, predictions) = classified.map_err(|error| Problem::unavailable(&error))?;
    let predictions = predictions.iter().map(|found| found.as_ref().map(PredictionView::new)).collect();
    Ok(Json(ClassifyAnswer { model, predictions }))
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
