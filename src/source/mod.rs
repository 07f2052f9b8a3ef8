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
mod csv_rows;
mod error;
mod fields;
mod fold;
mod framing;
mod input;
mod options;
mod order;
mod post;
mod reader;
mod record;
mod reject;
mod row;
mod time;
mod topic;
mod x_jsonl;

#[cfg(test)]
mod tests;

pub use columns::{Columns, Field};
pub use error::{MissingColumn, NoUsableRow, SourceError};
pub use input::{Input, Progress};
pub use options::{Encoding, Layout, Needs, OptionsError, ReadOptions};
pub use order::{Order, Ordered};
pub use post::Post;
pub use reader::Reader;
pub use reject::{Reject, RejectReason, RejectsFile};
pub use row::Row;
pub use topic::{Topic, TopicError, TopicId, Topics};
