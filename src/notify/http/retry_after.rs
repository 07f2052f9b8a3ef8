//! `Retry-After`: seconds or a date, as in RFC 9110.

use std::time::Duration;

use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

/// A longer wait is a mistake of the server.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(24 * 3600);

/// The wait that an answer asks for. A date is compared with the answer's own date, so no clock has to be right.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    parse(text(RETRY_AFTER)?, text(DATE))
}

fn parse(value: &str, date: Option<&str>) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(value.parse().map_or(MAX_RETRY_AFTER, Duration::from_secs).min(MAX_RETRY_AFTER));
    }
    let (until, now) = (instant(value)?, instant(date?)?);
    Some(Duration::try_from(until.duration_since(now)).unwrap_or_default().min(MAX_RETRY_AFTER))
}

/// An HTTP date in the usual form, `Tue, 24 Nov 2026 09:00:00 GMT`.
fn instant(text: &str) -> Option<jiff::Timestamp> {
    jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text.trim()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: &str = "Tue, 24 Nov 2026 09:00:00 GMT";

    #[test]
    fn seconds_and_dates_are_read_and_nothing_else() {
        let seconds = |n| Some(Duration::from_secs(n));
        let cases = [
            ("120", seconds(120)),
            (" 0 ", seconds(0)),
            ("99999999999999999999999", Some(MAX_RETRY_AFTER)),
            ("Tue, 24 Nov 2026 09:01:30 GMT", seconds(90)),
            ("Tue, 24 Nov 2026 08:00:00 GMT", seconds(0)),
            ("Fri, 24 Nov 2028 08:00:00 GMT", Some(MAX_RETRY_AFTER)),
            ("", None),
            ("-1", None),
            ("1.5", None),
            ("soon", None),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text, Some(NOW)), expected, "{text}");
        }
        assert_eq!(parse("Tue, 24 Nov 2026 09:01:30 GMT", None), None);
    }

    proptest! {
        #[test]
        fn seconds_are_kept_up_to_a_day(seconds: u64) {
            prop_assert_eq!(parse(&seconds.to_string(), None), Some(Duration::from_secs(seconds).min(MAX_RETRY_AFTER)));
        }

        #[test]
        fn a_date_is_a_wait_from_the_answers_own(start in 0_i64..4_000_000_000, wait in -100_000_i64..100_000) {
            let date = |second| {
                let timestamp = jiff::Timestamp::from_second(second).unwrap();
                jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&timestamp).unwrap()
            };
            let expected = Duration::from_secs(wait.max(0).unsigned_abs()).min(MAX_RETRY_AFTER);
            prop_assert_eq!(parse(&date(start + wait), Some(&date(start))), Some(expected));
        }

        #[test]
        fn nothing_is_too_strange(expected in ".{0,60}", date in proptest::option::of(".{0,60}")) {
            prop_assert!(parse(&expected, date.as_deref()).is_none_or(|wait| wait <= MAX_RETRY_AFTER));
        }
    }
}
