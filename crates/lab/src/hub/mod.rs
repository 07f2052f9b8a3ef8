//! Models of the Hugging Face hub, and the directory they are kept in. Only `cli::model` uses it.
//!
//! ```text
//! pull:    RepoName -> Hub (hf-hub: address, token, cache) -> Listing -> blobs, each hashed -> checkpoint -> model directory
//! list:    store -> Entry per model
//! verify:  model directory -> Report: its files against manifest.json, and whether it loads
//! ```
//!
//! hf-hub 0.5 gives addresses, the client, the token file and the cache's layout. Its own `download` is not used: it
//! sends the token on to the host that it is redirected to, ends in an error where a file was whole but not yet renamed,
//! waits for a silent server for ever, and checks no hash.

mod cache;
mod client;
mod convert;
mod download;
mod error;
mod listing;
mod pull;
mod repo;
mod selection;
mod settings;
mod store;
mod verify;
mod wordpiece;

pub use client::Hub;
pub use error::HubError;
pub use pull::{Kind, Pull, Pulled, PulledFile, pull};
pub use repo::{RepoName, RepoNameError};
pub use settings::Settings;
pub use store::{Entry, Metric, Readiness, list};
pub use verify::{Report, resolve, verify};
