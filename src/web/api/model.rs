//! `GET /api/v1/model`: the model, what people corrected, and whether its labels drift.

use axum::extract::State;
use axum::response::Json;
use serde::Serialize;
use utoipa::ToSchema;

use super::super::error::Problem;
use super::super::model_view::ModelView;
use super::super::{Console, blocking};
use crate::query::{CorrectionSummary, LabelDrift};
use crate::store::StoreError;

/// Topics whose drift is read.
const MAX_TOPICS: usize = 20;

/// The model in use.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ModelReport {
    #[serde(flatten)]
    model: ModelView,
    corrections: CorrectionSummary,
    /// By topic; the first 20.
    drift: Vec<LabelDrift>,
}

/// The model: its figures, what people corrected, drift of its labels
#[utoipa::path(
    get,
    path = "/api/v1/model",
    operation_id = "getModel",
    tag = "model",
    responses((status = 200, description = "The model in use", body = ModelReport))
)]
pub(super) async fn model(State(console): State<Console>) -> Result<Json<ModelReport>, Problem> {
    let (status, query, models) = (console.daemon.status(), console.daemon.query.clone(), console.models.retrained());
    let read = move || {
        let topics = status.topics.iter().take(MAX_TOPICS);
        let drift = topics.map(|topic| query.drift(&topic.name, status.now)).collect::<Result<_, StoreError>>()?;
        let model = match models.in_use() {
            Ok(used) => ModelView::read(&status.model, &used.dir),
            Err(error) => ModelView { id: status.model, problem: Some(error.to_string()), ..ModelView::default() },
        };
        Ok::<_, StoreError>(ModelReport { model, corrections: query.corrections()?, drift })
    };
    blocking::run(read).await.map(Json)
}
