//! Telling people. Stands after the monitor, whose outbox it empties.
//!
//! ```text
//! Transition --> dispatcher (route, group, silence, inhibit, repeat) --> Notification --> render --> Notifier
//!           \--> Observer (the log, a replay's output)
//! ```

mod json_lines;
mod language;
mod log;
mod notification;
mod notifier;
mod observer;
pub mod render;

pub use json_lines::JsonLines;
pub use language::Language;
pub use log::Log;
pub use notification::{Acknowledged, Incident, Kind, Notification};
pub use notifier::{Notifier, NotifyError};
pub use observer::{ObserveError, Observer};
