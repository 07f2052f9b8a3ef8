//! Files of posts: CSV, the Sentiment140 layout, JSON lines of the X API. What `replay` and the lab read, and what the tail
//! source and the HTTP source of the daemon cut their rows with.
//!
//! ```text
//! Input -> Stream (gzip, hash) -> Records (cut, line numbers) -> CSV | Sentiment140 | JSON lines -> Row -> Post -> Order -> by event time
//!                                                                                   \-> Reject -> RejectsFile
//! ```
//!
//! [`Reader`] streams [`Row`]s in the input's own order. [`Order`] sorts posts by event time within bounded memory.

pub mod columns;
pub mod csv;
mod csv_fields;
pub mod error;
mod external_sort;
pub mod framing;
pub mod input;
pub mod json;
pub mod options;
mod options_error;
mod reader;
pub mod record_splitter;
pub mod reject;
mod row;
pub mod row_builder;
pub mod timestamp;

#[cfg(test)]
mod tests;

pub use columns::{Columns, Field};
pub use error::{MissingColumn, NoUsableRow, SourceError};
pub use external_sort::{Order, Ordered};
pub use input::{Input, Progress};
pub use options::{Encoding, Layout, Needs, ReadOptions};
pub use options_error::OptionsError;
pub use reader::Reader;
pub use reject::{Reject, RejectReason, RejectsFile};
pub use row::Row;
pub use timestamp::read as read_time;
