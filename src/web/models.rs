//! [`Models`]: what the console may do with models. `cli`, which knows the lab, implements it; the model page asks it.

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use serde::Serialize;

use crate::classify::RetrainedModels;

/// Retrains, promotes and rolls back.
pub trait Models: Send + Sync {
    /// The models that were retrained, and which one is in use.
    fn retrained(&self) -> RetrainedModels;

    /// What the retraining does now, and how the last one ended.
    fn retraining(&self) -> Retraining;

    /// Starts a retraining in the background; `false` if one runs already.
    fn retrain(&self) -> bool;

    /// Puts the challenger `name` in use, by the decision of `by`; unless `force`, only one that is better beyond its interval.
    ///
    /// The error is one line for a person.
    fn promote(&self, name: String, by: String, force: bool) -> BoxFuture<'static, anyhow::Result<()>>;

    /// Puts the model before the present one in use.
    ///
    /// The error is one line for a person.
    fn roll_back(&self, by: String) -> BoxFuture<'static, anyhow::Result<()>>;
}

/// The state of retraining.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Retraining {
    pub running: Option<RetrainingProgress>,
    pub last: Option<RetrainingEnd>,
}

/// How far a retraining is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RetrainingProgress {
    pub since: Timestamp,
    /// Texts that the encoder has read, of all.
    pub read: u64,
    pub posts: u64,
}

/// How a retraining ended.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RetrainingEnd {
    pub at: Timestamp,
    /// The challenger's name.
    pub model: Option<String>,
    /// One line; `None` if it ended well.
    pub error: Option<String>,
}
