//! Runs in an MLflow server (2.8 or newer, and 3), through its REST API: [`Tracker`] writes each run to a [`Spool`]
//! first, sends it from there and removes it. Runs that could not be sent stay in the spool until the next
//! [`Tracker::sync`].
//!
//! ```text
//! RunRecord -> SpooledRun (points, tags, files) -> Spool (one folder per run) -> RunSender -> Api -> Client (REST) -> MLflow
//!                                                    ^-- stays there while the server is down; `*.rejected` if the server refuses it
//! ```
//!
//! Sending may be interrupted between any two requests: a run is recognised by its tag `vigie.run_key`, and only what
//! the server lacks is sent.

mod address;
mod api;
mod batch;
mod champion;
mod client;
mod files;
mod names;
mod points;
mod request_error;
mod send;
mod spool;
mod spooled_run;
mod sync;
mod tracker;

pub use address::{AddressError, TrackingServer};
pub use points::MetricPoint;
pub use spool::{Spool, SpoolError};
pub use spooled_run::{ModelRegistration, PromotionRecord, SpooledFile, SpooledRun, SpooledRunError};
pub use sync::{SyncReport, UnsentRun};
pub use tracker::{LogOutcome, LogTarget, Tracker, TrackerError};
