//! X, by its API v2: recent search, the owner's mentions and the filtered stream. One account with one budget serves all
//! sources of `type = "twitter"`.

mod config;

pub use config::{AccountConfig, Budget, Config, Mode};

use super::config::Context;
use super::outlet::Source;

/// The account that all sources on X share: its token, its rate limits and what was spent.
#[derive(Debug)]
pub struct Account;

/// The source that `config` describes.
pub(super) fn build(config: &Config, _context: &Context<'_>) -> Result<Box<dyn Source>, String> {
    Err(format!("mode {:?} is not there yet", config.mode))
}
