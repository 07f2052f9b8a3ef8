//! The filtered stream of X, `mode = "stream"`.
//!
//! ```text
//! sync rules -> connect -> bytes -> Lines -> StreamMessage -> StreamBatch -> SourceBatch
//!       Connection, ReconnectPolicy -/                                       /   cursor: StreamPosition
//!                        after each connection: GapFill (recent search)
//! ```
//!
//! The stream is neither complete nor ordered: after each connection, recent search reads what was missed since the last
//! one. It does so twice, as X indexes some posts late. Duplicates are dropped downstream.

mod batch;
mod connection;
mod gap_fill;
mod lines;
mod message;
mod position;
mod reader;
mod reconnect;

use futures_util::future::BoxFuture;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::account::Account;
use super::budget::{BilledItem, SourceSpend};
use super::config::{Config, shown};
use super::position::earlier;
use super::rules::tag_of;
use super::snowflake::first_at;
use crate::clock::Clock;
use crate::source::{Context, Source, SourceFailure, SourceSender};

pub use lines::{Line, Lines};

/// Silence after which the source counts as stalled; keep-alives and reconnections are shorter.
const STALLED_AFTER: SignedDuration = SignedDuration::from_mins(5);

/// Configuration of a running stream.
#[derive(Clone)]
struct StreamSettings {
    name: String,
    /// Tag of our rules.
    tag: String,
    /// The queries of our rules.
    rules: Vec<String>,
    /// The queries that find the same posts by search, which accepts shorter ones: they fill gaps.
    searches: Vec<String>,
    topic: Option<String>,
    /// Posts per page of search.
    page: u64,
    /// How late X may index a post.
    overlap: SignedDuration,
    account: Account,
    clock: Clock,
}

/// The cursor of a stream.
#[derive(Debug, Serialize, Deserialize)]
struct StreamCursor {
    /// Everything up to this ID was sent.
    through: u64,
    spend: SourceSpend,
}

/// See the module.
pub(super) struct StreamSource {
    settings: StreamSettings,
    through: u64,
}

/// Builds the stream that `config` describes.
///
/// # Errors
/// When another kind of source wrote the cursor; the message is one line.
pub(super) fn build(config: &Config, account: &Account, context: &Context<'_>) -> Result<StreamSource, String> {
    let settings = StreamSettings {
        name: config.name.clone(),
        tag: tag_of(&config.name),
        rules: config.stream_rules(context.topics),
        searches: config.searches(context.topics),
        topic: config.topic.clone(),
        page: u64::from(config.page.clamp(10, 100)),
        overlap: config.overlap,
        account: account.clone(),
        clock: context.clock.clone(),
    };
    let through = match &context.cursor {
        Some(cursor) => {
            let state: StreamCursor = cursor.read().map_err(|error| {
                format!("another kind of source wrote the stored cursor ({error}): give the source a new name")
            })?;
            settings.account.restore_spend(&settings.name, state.spend);
            state.through
        }
        None => first_at(earlier((context.clock)(), config.backfill)),
    };
    Ok(StreamSource { settings, through })
}

impl Source for StreamSource {
    fn run<'a>(
        &'a mut self,
        out: &'a SourceSender,
        stop: CancellationToken,
    ) -> BoxFuture<'a, Result<(), SourceFailure>> {
        let settings = self.settings.clone();
        out.health.update(|report| {
            report.what = format!("filtered stream: {}", shown(&settings.rules));
            report.stalled_after = Some(STALLED_AFTER);
        });
        settings.account.report_budget(out, BilledItem::Post, 1);
        Box::pin(reader::StreamReader::new(settings, out, stop, self.through).run())
    }
}
