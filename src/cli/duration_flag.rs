//! Durations on the command line: `36h`, `90m`, and days, `5d` or `5d 12h`.

use jiff::SignedDuration;

use crate::duration;

/// Parses a duration above zero.
pub(super) fn parse(flag: &str) -> Result<SignedDuration, String> {
    match duration::parse(flag) {
        Some(length) if length.is_positive() => Ok(length),
        _ => Err("expected a duration, e.g. 90m, 36h or 5d".to_owned()),
    }
}

/// Parses a duration that may be zero.
pub(super) fn parse_from_zero(flag: &str) -> Result<SignedDuration, String> {
    let length = if flag.trim() == "0" { Some(SignedDuration::ZERO) } else { duration::parse(flag) };
    length.filter(|length| !length.is_negative()).ok_or_else(|| "expected a duration, e.g. 0s, 36h or 5d".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_lengths_too() {
        let hours = |hours| Ok(SignedDuration::from_hours(hours));
        assert_eq!(
            (parse("36h"), parse("5d"), parse("1d 12h"), parse("1d12h")),
            (hours(36), hours(120), hours(36), hours(36))
        );
        assert_eq!((parse_from_zero("0"), parse_from_zero("0s")), (hours(0), hours(0)));
        for faulty in ["", "d", "5", "-1h", "0h", "1.5d", "soon", "9999999999999999d"] {
            assert!(parse(faulty).is_err(), "{faulty}");
        }
    }
}
