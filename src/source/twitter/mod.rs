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
mod cursor;
mod error;
mod fields;
mod headers;
mod limits;
mod model;
mod page;
mod rules;
mod snowflake;
mod stream;
mod wait;
mod walk;

pub use account::{Account, AccountError, Reservation};
pub use budget::{Exhausted, Item, Share};
pub use client::{Bytes, Request};
pub use config::{AccountConfig, Budget, Config, Mode, token};
pub use error::{ApiError, Problem};
pub use limits::Endpoint;
pub use page::Page;
pub use stream::{Line, Lines};

use super::config::Context;
use super::outlet::Source;

/// The source that `config` describes.
pub(super) fn build(config: &Config, context: &Context<'_>) -> Result<Box<dyn Source>, String> {
    match config.mode {
        Mode::Stream => {
            let query = config.query.clone().ok_or("it has no query")?;
            stream::build(config, query, context).map(|stream| Box::new(stream) as _)
        }
        mode => Err(format!("mode {mode:?} is not there yet")),
    }
}
