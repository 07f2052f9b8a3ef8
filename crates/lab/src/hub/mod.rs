//! Models of the Hugging Face Hub, and the directory where models are stored. Only vigie's `cli::model` uses it.
//!
//! ```text
//! pull:    RepoName -> Hub (address, token, cache) -> Listing -> blobs, each verified by its hash -> checkpoint -> model directory
//! list:    directory of models -> one ModelEntry per model
//! verify:  model directory -> VerifyReport: its files compared with manifest.json, and whether it loads
//! ```
//!
//! The hf-hub crate is not used: its `download` sends the token to the host of a redirect, fails if a file was complete
//! but not yet renamed, waits for a silent server for ever, and checks no hash; and it needs a second HTTP stack, ureq,
//! besides reqwest.

mod cache;
mod client;
mod convert;
mod download;
mod error;
mod listing;
mod model_list;
mod pull;
mod repo;
mod selection;
mod settings;
mod verify;
mod wordpiece;

pub use client::Hub;
pub use error::HubError;
pub use model_list::{Metric, ModelEntry, Readiness, list};
pub use pull::{CheckpointKind, PullOptions, PulledFile, PulledModel, pull};
pub use repo::{RepoName, RepoNameError};
pub use settings::HubSettings;
pub use verify::{VerifyReport, resolve, verify};
