//! [`RateHeaders`]: what the headers of a response say about when X accepts requests again.

use jiff::{SignedDuration, Timestamp};
use reqwest::header::HeaderMap;

/// A reset time this recent means "now": X sends whole seconds.
const ROUNDING: SignedDuration = SignedDuration::from_secs(2);
/// Upper bound of a wait; X's longest window is a day.
const MAX_WAIT: SignedDuration = SignedDuration::from_hours(25);

/// `x-rate-limit-limit`, `x-rate-limit-remaining`, `x-rate-limit-reset` and `Retry-After`, read at one instant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct RateHeaders {
    /// Requests per window of 15 minutes.
    pub limit: Option<u32>,
    pub remaining: Option<i64>,
    pub reset: Option<Timestamp>,
    pub retry_after: Option<Timestamp>,
}

impl RateHeaders {
    pub(super) fn read(headers: &HeaderMap, now: Timestamp) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
        let reset = text("x-rate-limit-reset").and_then(|text| Timestamp::from_second(text.parse().ok()?).ok());
        let retry_after = text("retry-after").and_then(|text| match text.parse::<u32>() {
            Ok(seconds) => now.checked_add(SignedDuration::from_secs(seconds.into())).ok(),
            Err(_) => jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok(),
        });
        Self {
            limit: text("x-rate-limit-limit").and_then(|text| text.parse().ok()),
            remaining: text("x-rate-limit-remaining").and_then(|text| text.parse().ok()),
            reset: reset.and_then(|at| future_time(at, now)),
            retry_after: retry_after.and_then(|at| future_time(at, now)),
        }
    }

    /// When X accepts requests again after a response of this status.
    pub(super) fn retry_at(&self, status: u16) -> Option<Timestamp> {
        // A failing server may send the reset of a rate limit that is not reached.
        if status >= 500 { self.retry_after } else { self.retry_after.max(self.reset) }
    }
}

/// A bounded future time; none for a time long past, which is meaningless, e.g. when the two clocks differ.
fn future_time(at: Timestamp, now: Timestamp) -> Option<Timestamp> {
    let wait = at.duration_since(now);
    if wait < -ROUNDING {
        return None;
    }
    now.checked_add(wait.clamp(SignedDuration::from_secs(1), MAX_WAIT)).ok()
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderName, HeaderValue};

    use super::*;

    const NOW: i64 = 1_790_000_000;

    fn read(pairs: &[(&'static str, &str)]) -> RateHeaders {
        let pairs =
            pairs.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap()));
        RateHeaders::read(&pairs.collect(), Timestamp::from_second(NOW).unwrap())
    }

    fn until(pairs: &[(&'static str, &str)]) -> Option<i64> {
        read(pairs).retry_at(429).map(|until| until.as_second() - NOW)
    }

    #[test]
    fn the_later_of_reset_and_retry_after_applies() {
        assert_eq!(until(&[("x-rate-limit-reset", "1790000100")]), Some(100));
        assert_eq!(until(&[("retry-after", "7")]), Some(7));
        assert_eq!(until(&[("retry-after", "7"), ("x-rate-limit-reset", "1790000100")]), Some(100));
        assert_eq!(until(&[("retry-after", "Mon, 21 Sep 2026 15:00:00 GMT")]), Some(2_800));
        assert_eq!(read(&[("x-rate-limit-remaining", "3")]).remaining, Some(3));
        let both = read(&[("retry-after", "7"), ("x-rate-limit-reset", "1790000100")]);
        assert_eq!(both.retry_at(503), both.retry_after, "a failing server is not a rate limit");
        assert_eq!(read(&[("x-rate-limit-reset", "1790000100")]).retry_at(503), None);
    }

    #[test]
    fn invalid_and_old_times_are_ignored() {
        for value in ["", "-5", "soon", "99999999999999999999", "1789999000"] {
            assert_eq!(until(&[("x-rate-limit-reset", value)]), None, "{value}");
        }
        assert_eq!(until(&[("x-rate-limit-reset", "1789999999")]), Some(1), "rounded down");
        assert_eq!(until(&[("x-rate-limit-reset", "1890000000")]), Some(25 * 3600), "bounded");
        assert_eq!(until(&[]), None);
    }
}
