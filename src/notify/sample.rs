//! A made-up notification, for `vigie send-test` and for tests.

use jiff::Timestamp;

use super::{Notification, render};

/// Whether the sample opens or resolves its incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SampleKind {
    Opened,
    Resolved,
}

/// A sample for `receiver`, as of `now`. Samples of one day belong to one incident.
pub fn sample(receiver: &str, kind: SampleKind, now: Timestamp, console: Option<String>) -> Notification {
    let mut notification = render::sample(receiver, console, now);
    notification.incident.id = now.strftime("TEST-%m%d").to_string();
    let name = match kind {
        SampleKind::Opened => "opened",
        SampleKind::Resolved => {
            notification.sequence = 1;
            notification.incident.ended_at = Some(now);
            notification.alerts.iter_mut().for_each(|alert| alert.ends_at = Some(now));
            "resolved"
        }
    };
    // Every sample is a new message: a receiver must not drop it as a duplicate.
    notification.key = format!("test-{name}-{}", now.as_millisecond());
    notification
}
