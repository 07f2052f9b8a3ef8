//! A model on disk: its files and their hashes, its manifest, and the registry of models with its champion.

mod error;
pub(crate) mod files;
pub(crate) mod manifest;
mod registry;

pub use error::ModelError;
pub use manifest::{Manifest, Origin};
pub use registry::{Champions, ModelStore, Promotion, StoredModel};
