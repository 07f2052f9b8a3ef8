//! A notification of something that did not happen, for `vigie send-test` and for tests.

use jiff::Timestamp;

use super::{Notification, render};

/// Which moment of an incident the sample plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SampleKind {
    Opened,
    Resolved,
}

/// A sample for `receiver`, as of `now`. Both kinds of one day tell of one incident.
pub fn sample(receiver: &str, kind: SampleKind, now: Timestamp, console: Option<String>) -> Notification {
    let mut told = render::sample(receiver, console, now);
    told.incident.id = now.strftime("TEST-%m%d").to_string();
    let name = match kind {
        SampleKind::Opened => "opened",
        SampleKind::Resolved => {
            told.sequence = 1;
            told.incident.ended_at = Some(now);
            told.alerts.iter_mut().for_each(|alert| alert.ends_at = Some(now));
            "resolved"
        }
    };
    // Another sample is another message, however soon.
    told.key = format!("test-{name}-{}", now.as_millisecond());
    told
}
