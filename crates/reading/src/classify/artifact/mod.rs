//! Models on disk: the files of a model directory with their hashes, its manifest, and the registry with its champion.

mod error;
pub(crate) mod files;
pub(crate) mod manifest;
mod registry;
mod retrained;

pub use error::ModelError;
pub use manifest::{Manifest, Origin};
pub use registry::{ChampionHistory, ModelRegistry, Promotion, RegisteredModel};
pub use retrained::{ModelInUse, RETRAINING, RetrainedModels};
