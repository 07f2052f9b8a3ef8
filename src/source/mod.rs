//! Live sources: the first stage of the flow. Everything after it sees only [`Post`](crate::post::Post)s.
//!
//! ```text
//! twitter | tail | http | demo --> SourceSender --> SourceBatch in its Envelope --> classifier thread
//! ```

mod config;
mod delivery;
mod demo;
mod health;
pub mod http;
mod sender;
pub mod tail;
pub mod twitter;

pub use config::{BuildError, Context, SourceConfig};
pub use delivery::{Arrived, Cursor, Delivery, MAX_DELIVERY};
pub use demo::Paced;
pub use health::{Health, Report, SourceState, Spent};
pub use sender::{NotTaken, Outlet, Source, SourceFailure};
