//! [`JsonLines`]: one JSON object per transition, for `vigie replay --format json`.

use std::io::Write;

use jiff::Timestamp;
use serde::Serialize;

use super::{SinkError, TransitionSink};
use crate::alert::{Alert, Transition, TransitionKind};

/// Writes each transition to `W` as one line, and flushes.
#[derive(Debug)]
pub struct JsonLines<W>(pub W);

/// One line: the transition, and the fields of the alert.
#[derive(Serialize)]
struct Line<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    status: TransitionKind,
    at: Timestamp,
    key: String,
    #[serde(flatten)]
    alert: &'a Alert,
}

impl<W: Write> TransitionSink for JsonLines<W> {
    fn write(&mut self, transition: &Transition) -> Result<(), SinkError> {
        let Transition { status, at, alert } = transition;
        let (kind, key) = ("alert", transition.key());
        let line = Line { kind, status: *status, at: *at, key, alert };
        serde_json::to_writer(&mut self.0, &line).map_err(std::io::Error::from)?;
        self.0.write_all(b"\n")?;
        Ok(self.0.flush()?)
    }
}
