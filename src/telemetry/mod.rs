//! Telemetry: logs, metrics and traces for an OpenTelemetry collector, by OTLP over HTTP. Stands above `notify` and `monitor`, whose
//! records it converts; the pipeline and the command line hand them over and never wait.
//!
//! ```text
//! corrections --> feedback --\
//! incidents   --> incident ---+--> Queue of log records --> SignalSender --\
//! warnings    --> layer -----/                                              +--> Exporter --> collector
//! spans       --> layer ---------> Queue of spans --------> SignalSender --/
//! registry    --> metric, at each interval ---------------> SignalSender -/
//! ```
//!
//! At the limit of a queue its oldest records are dropped, and counted. Nothing here names the author of a post.
//!
//! Only the messages of OTLP come from OpenTelemetry's crates. Their SDK does not fit: its queues drop the newest records, its
//! metrics cannot be read from the Prometheus registry, and its exporter brings its own HTTP client.

mod attribute;
mod config;
mod event;
mod exporter;
mod feedback;
mod fields;
mod incident;
mod layer;
mod metric;
mod open_span;
mod queue;
mod request;
mod settings;
mod shared;
mod signal;
mod signal_sender;
mod thread;

pub use config::Config;
pub use incident::IncidentWatch;
pub use settings::TelemetryError;
pub use thread::RunningTelemetry;

use std::sync::Arc;

use crate::classify::Label;
use crate::logging::ExtraLayer;
use crate::metrics::Metrics;
use crate::monitor::{Feedback, FeedbackRecord};
use crate::notify::dispatch::IncidentView;
use shared::Shared;

/// Where the daemon hands over what is to be sent. Clones refer to the same queues; by default nothing is sent.
#[derive(Clone, Default)]
pub struct Telemetry(Option<Arc<Shared>>);

impl Telemetry {
    fn new(shared: Arc<Shared>) -> Self {
        Self(Some(shared))
    }

    /// The layer for warnings, errors and spans.
    pub fn layer(&self) -> Option<ExtraLayer> {
        self.0.as_ref().map(layer::layer)
    }

    /// Sends `metrics` from now on, and counts in them what is sent and dropped.
    pub fn set_metrics(&self, metrics: Metrics) {
        if let Some(shared) = &self.0 {
            shared.set_metrics(metrics);
        }
    }

    /// Sends a correction. The same one given again is not sent again. `language`: of the post, where it is known.
    pub fn feedback_received(&self, record: &FeedbackRecord, language: Option<&str>) {
        if let Some(shared) = self.0.as_ref().filter(|_| !record.known) {
            shared.push_log(feedback::received(record, language, &shared.config, shared.now()));
        }
    }

    /// Sends that a correction was taken back; the post counts as `label` from now on.
    pub fn feedback_undone(&self, number: u64, feedback: &Feedback, label: Label) {
        if let Some(shared) = &self.0 {
            shared.push_log(feedback::undone(number, feedback, label, shared.now()));
        }
    }

    /// Sends the incidents that have begun or ended since the last call.
    pub fn incidents_changed(&self, watch: &mut IncidentWatch, incidents: &[IncidentView]) {
        if let Some(shared) = &self.0 {
            let now = shared.now();
            watch.changes(incidents, now).into_iter().for_each(|event| shared.push_log(event));
        }
    }
}
