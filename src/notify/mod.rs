//! Notifications: routing, grouping, rendering and delivery. Stands after the monitor, whose outbox it empties.
//!
//! ```text
//! Transition --> dispatcher (route, group, silence, inhibit, repeat) --> Notification --> render --> Notifier
//!           \--> TransitionSink (the log, the output of a replay)
//! ```

mod address;
pub mod alertmanager;
pub mod command;
mod context;
mod digest;
pub mod dispatch;
pub mod email;
mod http;
mod integration;
mod json_lines;
mod log;
mod log_notifier;
mod matcher;
mod notification;
mod notifier;
pub mod pagerduty;
mod receiver;
mod redact;
pub mod render;
mod report;
mod routing;
mod sample;
mod silence;
pub mod slack;
pub mod teams;
mod time_interval;
mod transition_sink;
pub mod webhook;

pub(crate) use address::parse_url;
pub use context::{Context, ReceiverError};
pub use digest::DigestConfig;
pub use dispatch::Dispatcher;
pub(crate) use http::retry_after;
pub use integration::{IntegrationConfig, NoSettings};
pub use json_lines::JsonLines;
pub use log::Log;
pub use matcher::{Labels, Matcher, MatcherError};
pub use notification::{Acknowledged, Incident, Kind, MessageForm, Notification, NotificationBatch};
pub use notifier::{Notifier, NotifyError};
pub use receiver::ReceiverConfig;
pub use report::{
    DueReport, MessageContents, Picture, ReportConfig, ReportDay, ReportMessage, ReportPeriod, ReportSpan, ReportTime,
};
pub use routing::{Config, Destination, Inhibit, OffHours, Route, Routing};
pub use sample::{SampleKind, sample};
pub use silence::Silence;
pub use time_interval::{TimeInterval, TimeIntervalError};
pub use transition_sink::{SinkError, TransitionSink};
