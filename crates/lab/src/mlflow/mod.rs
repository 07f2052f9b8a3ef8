//! Runs in an MLflow server (2.8 or newer, and 3), by its REST API: [`Tracker`] keeps each run in a [`Spool`] first, sends
//! it from there and lets it go. What a server that is down leaves behind is sent by the next [`Tracker::sync`].
//!
//! ```text
//! RunRecord -> Entry (points, tags, files) -> Spool (one folder a run) -> Sender -> Api -> Client (REST) -> MLflow
//!                                               ^-- stays there when the server is down; `*.rejected` when it will never do
//! ```
//!
//! Sending may break off between any two requests: a run is known again by its tag `vigie.run_key`, and only what the
//! server lacks of it is sent.

mod address;
mod api;
mod batch;
mod champion;
mod client;
mod entry;
mod fault_scope;
mod files;
mod names;
mod points;
mod send;
mod spool;
mod sync;
mod tracker;

pub use address::{AddressError, Server};
pub use entry::{Entry, EntryError, Kept, ModelNote, Promotion};
pub use points::Point;
pub use spool::{Spool, SpoolError};
pub use sync::{Left, Synced};
pub use tracker::{Outcome, Target, Tracker, TrackerError};
