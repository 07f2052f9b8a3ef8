//! [`JsonLines`]: one JSON object per transition, as `vigie replay --format json` prints them.

use std::io::Write;

use jiff::Timestamp;
use serde::Serialize;

use super::{ObserveError, Observer};
use crate::alert::{Alert, Status, Transition};

/// Writes transitions to `W`, a line each, flushed.
#[derive(Debug)]
pub struct JsonLines<W>(pub W);

/// The line's shape: the alert's fields, and what happened when.
#[derive(Serialize)]
struct Line<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    status: Status,
    at: Timestamp,
    key: String,
    #[serde(flatten)]
    alert: &'a Alert,
}

impl<W: Write> Observer for JsonLines<W> {
    fn observe(&mut self, transition: &Transition) -> Result<(), ObserveError> {
        let Transition { status, at, alert } = transition;
        let (kind, key) = ("alert", transition.key());
        let line = Line { kind, status: *status, at: *at, key, alert };
        serde_json::to_writer(&mut self.0, &line).map_err(std::io::Error::from)?;
        self.0.write_all(b"\n")?;
        Ok(self.0.flush()?)
    }
}
