//! What the model page shows of retrained models: which model is in use and since when, and the latest challengers with their
//! reports.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::classify::{ModelError, RETRAINING, RegisteredModel, RetrainedModels};

/// Challengers that are shown.
const SHOWN: usize = 3;

/// The retrained models of a configured one.
#[derive(Debug, Default, PartialEq, Serialize)]
pub(super) struct RetrainedView {
    /// How the model in use became that; `None` for the configured model.
    pub(super) promoted: Option<PromotedView>,
    /// A promoted model that is not used, because it descends from another model than the configured one.
    pub(super) unused: Option<String>,
    /// The latest first.
    pub(super) challengers: Vec<Challenger>,
    /// Whether the configured model can be retrained.
    pub(super) possible: bool,
}

/// Who put the model in use, and when.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct PromotedView {
    pub(super) at: Option<Timestamp>,
    pub(super) by: String,
    /// Although it was not known to be better.
    pub(super) forced: bool,
}

/// One retrained model.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Challenger {
    pub(super) name: String,
    pub(super) at: Option<Timestamp>,
    pub(super) in_use: bool,
    /// The report in the lab's format.
    pub(super) report: Value,
}

impl RetrainedView {
    pub(super) fn read(models: &RetrainedModels) -> Result<Self, ModelError> {
        let used = models.in_use()?;
        let promoted = used.promotion.map(|promotion| PromotedView {
            at: promotion.promoted_at,
            by: promotion.evaluation["by"].as_str().unwrap_or_default().to_owned(),
            forced: promotion.forced,
        });
        // The registry's champion is in use only where it descends from the configured model.
        let is_used = promoted.is_some();
        let challengers = models.list()?.into_iter().take(SHOWN).map(|model| Challenger::new(model, is_used));
        Ok(Self {
            challengers: challengers.collect(),
            promoted,
            unused: used.unused,
            possible: models.root()?.is_some(),
        })
    }
}

impl Challenger {
    fn new(model: RegisteredModel, is_used: bool) -> Self {
        let manifest = model.manifest;
        let part = |part: Option<&Value>| part.map(|part| part[RETRAINING].clone()).unwrap_or_default();
        let report = part(manifest.as_ref().map(|manifest| &manifest.metrics));
        let training = part(manifest.as_ref().map(|manifest| &manifest.training));
        Self {
            name: model.name,
            at: training["at"].as_str().and_then(|at| at.parse().ok()),
            in_use: is_used && model.is_champion,
            report,
        }
    }
}
