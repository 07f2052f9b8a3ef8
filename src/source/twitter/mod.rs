//! X, by its API v2: recent search, the owner's mentions and the filtered stream. One account with one budget serves all
//! sources of `type = "twitter"`.
//!
//! ```text
//! Config -> build -> Poll (search, mentions) --Request--> Account: budget, limits, fields -> Client -> X
//!                      \<-- Page of Posts --/
//! ```

mod account;
mod backoff;
mod budget;
mod client;
mod config;
mod error;
mod fields;
mod headers;
mod limits;
mod model;
mod page;

pub use account::{Account, AccountError, Reservation};
pub use budget::{Exhausted, Item, Share};
pub use client::{Bytes, Request};
pub use config::{AccountConfig, Budget, Config, Mode, token};
pub use error::{ApiError, Problem};
pub use limits::Endpoint;
pub use page::Page;

use super::config::Context;
use super::outlet::Source;

/// The source that `config` describes.
pub(super) fn build(config: &Config, _context: &Context<'_>) -> Result<Box<dyn Source>, String> {
    Err(format!("mode {:?} is not there yet", config.mode))
}
