//! Telling people. Stands after the monitor, whose outbox it empties.
//!
//! ```text
//! Transition --> dispatcher (route, group, silence, inhibit, repeat) --> Notification --> render --> Notifier
//!           \--> Observer (the log, a replay's output)
//! ```

mod address;
pub mod alertmanager;
mod channel;
pub mod command;
mod context;
pub mod dispatch;
pub mod email;
mod hours;
mod http;
mod json_lines;
mod language;
mod log;
mod log_channel;
mod matcher;
mod notification;
mod notifier;
mod observer;
pub mod pagerduty;
mod receiver;
pub mod render;
mod routing;
mod said;
mod sample;
mod silence;
pub mod slack;
pub mod teams;
pub mod webhook;

pub use channel::{ChannelConfig, NoSettings};
pub use context::{Context, ReceiverError};
pub use dispatch::Dispatcher;
pub use hours::{Hours, HoursError};
pub use json_lines::JsonLines;
pub use language::Language;
pub use log::Log;
pub use matcher::{Labels, Matcher, MatcherError};
pub use notification::{Acknowledged, Incident, Kind, Notification};
pub use notifier::{Notifier, NotifyError};
pub use observer::{ObserveError, Observer};
pub use receiver::ReceiverConfig;
pub use routing::{Config, Destination, Inhibit, Outside, Route, Routing};
pub use sample::{SampleKind, sample};
pub use silence::Silence;
