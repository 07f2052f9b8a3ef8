//! Where posts come from: the first stage of the flow. Everything after it sees only [`Post`]s.
//!
//! ```text
//! Input -> Stream (gzip, hash) -> Records (cut, line numbers) -> CSV | Sentiment140 | JSON lines -> Row -> Post -> Order -> by event time
//!                                                                                   \-> Reject -> RejectsFile
//! ```
//!
//! [`Reader`] streams [`Row`]s in the input's own order. [`Order`] puts posts in the order of their event time within
//! bounded memory. [`Topics`] tells which watched brands a post is about.

mod cells;
mod columns;
mod config;
mod csv_rows;
mod delivery;
mod error;
mod fields;
mod fold;
pub mod follow;
mod framing;
mod health;
pub mod http;
mod input;
mod options;
mod order;
mod outlet;
mod paced;
mod post;
mod reader;
mod record;
mod reject;
mod row;
mod secret;
mod time;
mod topic;
pub mod twitter;
mod x_jsonl;

#[cfg(test)]
mod tests;

pub use columns::{Columns, Field};
pub use config::{BuildError, Context, SourceConfig};
pub use delivery::{Arrived, Cursor, Delivery, MAX_DELIVERY, Notice, Unusable};
pub use error::{MissingColumn, NoUsableRow, SourceError};
pub use health::{Health, Report, SourceState, Spent};
pub use input::{Input, Progress};
pub use options::{Encoding, Layout, Needs, OptionsError, ReadOptions};
pub use order::{Order, Ordered};
pub use outlet::{Clock, NotTaken, Outlet, Source, SourceFailure};
pub use paced::Paced;
pub use post::{Details, Post, PublicMetrics, Reference, ReferenceKind};
pub use reader::Reader;
pub use reject::{Reject, RejectReason, RejectsFile};
pub use row::Row;
pub use secret::{Form, Secret, SecretError, Wanted};
pub use time::read as read_time;
pub use topic::{Topic, TopicError, TopicId, Topics};
