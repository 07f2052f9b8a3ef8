//! `[telemetry]`: where telemetry is sent, and what of it.

use std::path::PathBuf;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::settings::endpoint_problem;

/// `[telemetry]`. Without an endpoint, here or in the environment, nothing is sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Base URL of a collector; `/v1/logs`, `/v1/metrics` and `/v1/traces` are added. Unset: `OTEL_EXPORTER_OTLP_ENDPOINT`.
    pub endpoint: Option<String>,
    /// File with the secret headers, `name=value,name=value`.
    pub headers_file: Option<PathBuf>,
    /// CA certificates to trust besides those of the machine.
    pub ca_file: Option<PathBuf>,
    /// Allow plain http to another machine.
    pub insecure: bool,
    /// Unset: `OTEL_SERVICE_NAME`, else `vigie`.
    pub service_name: Option<String>,
    pub logs: bool,
    pub metrics: bool,
    pub traces: bool,
    /// Fraction of traces that are sent, in `[0, 1]`.
    pub trace_ratio: f64,
    /// Send the texts of corrected posts.
    pub include_texts: bool,
    /// Send those of posts from X too, whose terms restrict it.
    pub include_x_texts: bool,
    /// Timeout of a request.
    #[serde(with = "crate::duration")]
    pub timeout: SignedDuration,
    /// How long logs and traces are gathered before they are sent.
    #[serde(with = "crate::duration")]
    pub interval: SignedDuration,
    #[serde(with = "crate::duration")]
    pub metrics_interval: SignedDuration,
    /// Log records, and as many spans, that may wait; at the limit the oldest are dropped.
    pub queue: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            endpoint: None,
            headers_file: None,
            ca_file: None,
            insecure: false,
            service_name: None,
            logs: true,
            metrics: true,
            traces: true,
            trace_ratio: 1.0,
            include_texts: false,
            include_x_texts: false,
            timeout: SignedDuration::from_secs(10),
            interval: SignedDuration::from_secs(5),
            metrics_interval: SignedDuration::from_mins(1),
            queue: 2_048,
        }
    }
}

/// Most records that may wait: their memory is bounded by this.
const MAX_QUEUE: usize = 100_000;

impl Config {
    /// Every problem of the section, each with the key that it is about.
    pub fn validate(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let endpoint = self.endpoint.as_deref().and_then(|endpoint| endpoint_problem(endpoint, self.insecure));
        problems.extend(endpoint.map(|problem| format!("telemetry.endpoint {problem}")));
        for (key, time, least, most) in [
            ("timeout", self.timeout, SignedDuration::from_millis(100), SignedDuration::from_mins(1)),
            ("interval", self.interval, SignedDuration::from_millis(10), SignedDuration::from_mins(10)),
            ("metrics_interval", self.metrics_interval, SignedDuration::from_millis(10), SignedDuration::from_hours(1)),
        ] {
            if time < least || time > most {
                problems.push(format!("telemetry.{key}: {time:#} is not valid; expected {least:#} to {most:#}"));
            }
        }
        if !(0.0..=1.0).contains(&self.trace_ratio) {
            problems.push(format!("telemetry.trace_ratio: {} is not valid; expected 0.0 to 1.0", self.trace_ratio));
        }
        if self.queue == 0 || self.queue > MAX_QUEUE {
            problems.push(format!("telemetry.queue: {} is not valid; expected 1 to {MAX_QUEUE}", self.queue));
        }
        if self.include_x_texts && !self.include_texts {
            problems.push("telemetry.include_x_texts: it needs include_texts = true".into());
        }
        problems.extend(
            self.ca_file
                .as_ref()
                .filter(|path| !path.is_file())
                .map(|path| format!("telemetry.ca_file: file {} not found; expected PEM certificates", path.display())),
        );
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_problem_names_its_key_and_the_way_out() {
        assert_eq!(Config::default().validate(), [""; 0]);
        let wrong = Config {
            endpoint: Some("http://collector.example:4318".into()),
            timeout: SignedDuration::ZERO,
            trace_ratio: 1.5,
            queue: 0,
            include_x_texts: true,
            ca_file: Some("/no/such/file".into()),
            ..Config::default()
        };
        let problems = wrong.validate();
        for (problem, (key, way_out)) in problems.iter().zip([
            ("endpoint", "insecure = true"),
            ("timeout", "100ms to 1m"),
            ("trace_ratio", "0.0 to 1.0"),
            ("queue", "1 to"),
            ("include_x_texts", "include_texts = true"),
            ("ca_file", "not found"),
        ]) {
            assert!(problem.starts_with(&format!("telemetry.{key}")) && problem.contains(way_out), "{problem}");
        }
        assert_eq!(problems.len(), 6);
        let insecure = Config { insecure: true, ..Config { endpoint: wrong.endpoint, ..Config::default() } };
        assert_eq!(insecure.validate(), [""; 0]);
    }

    #[test]
    fn a_ratio_that_is_no_number_is_refused() {
        assert_eq!(Config { trace_ratio: f64::NAN, ..Config::default() }.validate().len(), 1);
    }
}
