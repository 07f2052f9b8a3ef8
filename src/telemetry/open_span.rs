//! [`OpenSpan`]: a span while it lasts: its identifiers, whether it is sampled, and what was recorded so far.

use jiff::Timestamp;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{Span, Status};
use ring::rand::{SecureRandom, SystemRandom};

use super::attribute::nanoseconds;
use super::fields::Fields;

/// Which trace and span something belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SpanIds {
    pub(super) trace: [u8; 16],
    pub(super) span: [u8; 8],
    /// All spans of a trace are sent, or none.
    pub(super) is_sampled: bool,
}

/// See the module.
#[derive(Debug)]
pub(super) struct OpenSpan {
    pub(super) ids: SpanIds,
    parent: Option<[u8; 8]>,
    name: &'static str,
    started_at: Timestamp,
    pub(super) fields: Fields,
}

impl SpanIds {
    /// Those of a new span: in the trace of its parent, or the first of a trace, `ratio` of which are sampled. None where the
    /// system has no random numbers.
    fn new(parent: Option<&Self>, ratio: f64) -> Option<Self> {
        let random = SystemRandom::new();
        let (mut trace, mut span) = ([0; 16], [0; 8]);
        random.fill(&mut span).ok()?;
        if let Some(parent) = parent {
            return Some(Self { span, ..*parent });
        }
        random.fill(&mut trace).ok()?;
        Some(Self { trace, span, is_sampled: is_sampled(&trace, ratio) })
    }
}

/// As OpenTelemetry's TraceIdRatioBased: the last 63 bits of the identifier decide, so that every service decides alike.
fn is_sampled(trace: &[u8; 16], ratio: f64) -> bool {
    let [.., a, b, c, d, e, f, g, h] = *trace;
    let number = u64::from_be_bytes([a, b, c, d, e, f, g, h]) >> 1;
    ratio >= 1.0 || (number as f64) < ratio * 2_f64.powi(63)
}

impl OpenSpan {
    pub(super) fn new(
        name: &'static str,
        parent: Option<&SpanIds>,
        fields: Fields,
        (ratio, now): (f64, Timestamp),
    ) -> Option<Self> {
        let ids = SpanIds::new(parent, ratio)?;
        Some(Self { ids, parent: parent.map(|parent| parent.span), name, started_at: now, fields })
    }

    /// The span that ended at `now`; none if it is not sampled.
    pub(super) fn end(self, now: Timestamp) -> Option<Span> {
        let Self { ids, parent, name, started_at, fields } = self;
        if !ids.is_sampled || fields.is_skipped {
            return None;
        }
        let kind = if fields.kind == SpanKind::Unspecified { SpanKind::Internal } else { fields.kind };
        let code = if fields.is_error { StatusCode::Error } else { StatusCode::Unset };
        Some(Span {
            trace_id: ids.trace.to_vec(),
            span_id: ids.span.to_vec(),
            parent_span_id: parent.map(|parent| parent.to_vec()).unwrap_or_default(),
            name: fields.name.unwrap_or_else(|| name.to_owned()),
            kind: kind.into(),
            start_time_unix_nano: nanoseconds(started_at),
            // A clock that was set back must not make a span negative.
            end_time_unix_nano: nanoseconds(now.max(started_at)),
            attributes: fields.attributes,
            status: Some(Status { code: code.into(), ..Status::default() }),
            ..Span::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn about_the_configured_ratio_is_sampled() {
        let sampled = |ratio| (0..2_000).filter(|_| SpanIds::new(None, ratio).unwrap().is_sampled).count();
        assert_eq!((sampled(0.0), sampled(1.0)), (0, 2_000));
        let part = sampled(0.25);
        assert!((350..650).contains(&part), "{part} of 2000");
    }

    #[test]
    fn a_child_is_in_its_parents_trace_and_shares_its_fate() {
        for ratio in [0.0, 1.0] {
            let parent = SpanIds::new(None, ratio).unwrap();
            let child = SpanIds::new(Some(&parent), 0.5).unwrap();
            assert_eq!((child.trace, child.is_sampled), (parent.trace, parent.is_sampled));
            assert_ne!(child.span, parent.span);
        }
    }
}
