//! X, through its API v2: recent search, the owner's mentions and the filtered stream. All sources of `type = "twitter"`
//! share one account with one budget.
//!
//! ```text
//! Config -> build -> PollSource (search, mentions) --Request--> Account: budget, rate limits, fields -> Client -> X
//!                \     \<-- Page of Posts --/                              /
//!                 StreamSource: rules, connection, gap-fill -------------/
//! ```

mod account;
mod backoff;
mod budget;
mod client;
mod config;
mod error;
mod fields;
mod gzip;
mod headers;
mod interval;
mod mentions;
mod model;
mod page;
mod poll;
mod position;
mod query;
mod rate_limits;
mod retry_policy;
mod rules;
mod search;
mod snowflake;
mod stream;
mod wait;
mod walk;

pub use account::{Account, AccountError, Reservation};
pub use budget::{BilledItem, BudgetExhausted, SourceSpend};
pub use client::{Bytes, Request};
pub use config::{AccountConfig, Budget, Config, Mode, load_token};
pub use error::{ApiError, Problem};
pub use page::ResponsePage;
pub use rate_limits::Endpoint;
pub use stream::{Line, Lines};

use super::{Context, Source};

/// Builds the source that `config` describes.
pub(super) fn build(config: &Config, context: &Context<'_>) -> Result<Box<dyn Source>, String> {
    let account = context.shared.get::<Account>();
    let account = account.ok_or("no account on X: set its bearer token in VIGIE_X_TOKEN or x.token_file")?;
    let target = match config.mode {
        Mode::Search => search::target(config, context.topics),
        Mode::Mentions => mentions::target(config),
        Mode::Stream => return Ok(Box::new(stream::build(config, account, context)?)),
    };
    Ok(Box::new(poll::PollSource::new(config, target, account, context.cursor.as_ref())?))
}
