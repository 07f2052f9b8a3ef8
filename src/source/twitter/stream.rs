//! The filtered stream of X, `mode = "stream"`.
//!
//! ```text
//! rules in step -> connect -> bytes -> Lines -> Message -> Batch -> Delivery
//!       Link, Retry ---/                                    /   cursor: Place
//!                        after each connection: Fill (recent search)
//! ```
//!
//! The stream is neither complete nor in order: after each connection what was missed since the last one is read by
//! recent search, twice, as search shows some posts late. Repeated posts are dropped downstream.

mod batch;
mod fill;
mod lines;
mod link;
mod message;
mod place;
mod reader;
mod retry;

use futures_util::future::BoxFuture;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::account::Account;
use super::budget::{Item, Share};
use super::config::Config;
use super::cursor::earlier;
use super::rules::tag_of;
use super::search;
use super::snowflake::first_at;
use crate::clock::Clock;
use crate::source::config::Context;
use crate::source::{Outlet, Source, SourceFailure};

pub use lines::{Line, Lines};

/// Silence of the far end that is no longer plausible, keep-alives and reconnections considered.
const STALLED: SignedDuration = SignedDuration::from_mins(5);

/// What a running stream knows of its configuration.
#[derive(Clone)]
struct Settings {
    name: String,
    /// Of our rule.
    tag: String,
    query: String,
    topic: Option<String>,
    /// Posts a page of search.
    page: u64,
    /// How late search may show a post.
    overlap: SignedDuration,
    account: Account,
    clock: Clock,
}

/// The cursor.
#[derive(Debug, Serialize, Deserialize)]
struct State {
    /// Everything up to this identifier was delivered.
    through: u64,
    paid: Share,
}

/// See the module.
pub(super) struct Stream {
    settings: Settings,
    through: u64,
}

/// The stream that `config` describes.
///
/// # Errors
/// In one line, when the cursor is another source's.
pub(super) fn build(config: &Config, account: &Account, context: &Context<'_>) -> Result<Stream, String> {
    let settings = Settings {
        name: config.name.clone(),
        tag: tag_of(&config.name),
        query: search::query(config, context.topics),
        topic: config.topic.clone(),
        page: u64::from(config.page.clamp(10, 100)),
        overlap: config.overlap,
        account: account.clone(),
        clock: context.clock.clone(),
    };
    let through = match &context.cursor {
        Some(cursor) => {
            let state: State = cursor.read().map_err(|error| {
                format!(
                    "its cursor in the store is not one of this kind of source ({error}): give the source a new name"
                )
            })?;
            settings.account.restore(&settings.name, state.paid);
            state.through
        }
        None => first_at(earlier((context.clock)(), config.backfill)),
    };
    Ok(Stream { settings, through })
}

impl Source for Stream {
    fn run<'a>(&'a mut self, outlet: &'a Outlet, stop: CancellationToken) -> BoxFuture<'a, Result<(), SourceFailure>> {
        let settings = self.settings.clone();
        outlet.health.update(|report| {
            report.what = format!("filtered stream: {}", settings.query);
            report.stalled_after = Some(STALLED);
        });
        settings.account.report(outlet, Item::Post, 1);
        Box::pin(reader::Reader::new(settings, outlet, stop, self.through).run())
    }
}
