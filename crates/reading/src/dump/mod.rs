//! Files of posts: CSV, the Sentiment140 layout, JSON lines of the X API. Replay, backtest and the lab read them; the tail and
//! HTTP sources of the daemon parse their rows with the same code.
//!
//! ```text
//! Inputs -> ByteStream (unpack, hash) -> RecordSplitter (records, line numbers) -> csv | json -> RowBuilder -> Row -> Post
//!                                                                              \-> Reject -> RejectsFile
//! Post -> ExternalSort -> SortedPosts (by event time)
//! ```
//!
//! [`DumpReader`] streams the [`Row`]s of all files of a dump in their order, each file by a [`Reader`]. [`ExternalSort`] sorts posts by event time in bounded memory.

pub mod columns;
pub mod csv;
mod csv_options;
pub mod decode;
mod dump_reader;
pub mod error;
mod event_time;
mod external_sort;
pub mod framing;
mod ids;
pub mod input;
pub mod json;
mod known_names;
mod labels;
mod look_ahead;
mod max_rejects;
pub mod notes;
pub mod options;
mod options_error;
mod reader;
pub mod record_splitter;
pub mod reject;
mod reject_summary;
mod row;
pub mod row_builder;
mod rows;
mod shape;
mod survey;
mod text_repair;
mod time_parts;
mod time_span;
pub mod timestamp;

#[cfg(test)]
pub(super) mod tests;

pub use columns::{Columns, Field};
pub use csv_options::{Header, Quote};
pub use dump_reader::{DumpReader, ReadFile};
pub use error::{DumpError, MissingColumn, NoUsableRowsError};
pub use external_sort::{ExternalSort, SortedPosts};
pub use input::{Foreign, Input, Inputs, Progress, UnpackError};
pub use known_names::comparable_name;
pub use labels::{LabelsMap, MappedLabel, ScaleError};
pub use max_rejects::MaxRejects;
pub use notes::{NoteKind, ReadNotes};
pub use options::{Encoding, Layout, ReadOptions, RequiredFields};
pub use options_error::OptionsError;
pub use reader::Reader;
pub use reject::{Reject, RejectReason, RejectsFile};
pub use reject_summary::{RejectSummary, TooManyRejects};
pub use row::{Row, UnreadCells};
pub use shape::Shape;
pub use time_span::{PlausibleTimes, TimeSpan};
pub use timestamp::{TimeRules, parse_timestamp};
