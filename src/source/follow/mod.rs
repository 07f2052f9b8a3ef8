//! A file of CSV or JSON lines that grows, followed like `tail -F`: through rotation, truncation and absence.

mod config;

pub use config::{Config, Layout};

use super::config::Context;
use super::outlet::Source;

/// The source that `config` describes.
pub(super) fn build(config: &Config, _context: &Context<'_>) -> Result<Box<dyn Source>, String> {
    Err(format!("{} is not followed yet", config.path.display()))
}
