//! X, by its API v2: recent search, the owner's mentions and the filtered stream. One account with one budget serves all
//! sources of `type = "twitter"`.
//!
//! ```text
//! Config -> build -> Poll (search, mentions) --Request--> Account: budget, limits, fields -> Client -> X
//!                \     \<-- Page of Posts --/                              /
//!                 Stream: rules, connection, gap-fill -------------------/
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
mod hold;
mod interval;
mod limits;
mod mentions;
mod model;
mod page;
mod poll;
mod query;
mod rules;
mod search;
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
use super::sender::Source;

/// The source that `config` describes.
pub(super) fn build(config: &Config, context: &Context<'_>) -> Result<Box<dyn Source>, String> {
    let account = context.x.ok_or("there is no account on X: set its bearer token (VIGIE_X_TOKEN or x.token_file)")?;
    let target = match config.mode {
        Mode::Search => search::target(config, context.topics),
        Mode::Mentions => mentions::target(config),
        Mode::Stream => return Ok(Box::new(stream::build(config, account, context)?)),
    };
    Ok(Box::new(poll::Poll::new(config, target, account, context.cursor.as_ref())?))
}
