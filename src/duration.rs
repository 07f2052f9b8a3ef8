//! Durations as people write them: `90s`, `12h`, and days and weeks, `14d`, `1d 12h`, `2w`. A day is always 24 hours. For
//! configuration, rules and flags.

use jiff::SignedDuration;

const UNITS: [(char, i64); 2] = [('w', 7 * 24 * 3_600), ('d', 24 * 3_600)];

/// Parses a duration, which may be negative; none for any other text.
pub fn parse(text: &str) -> Option<SignedDuration> {
    let text = text.trim();
    let (sign, mut rest) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let mut total = SignedDuration::ZERO;
    for (unit, seconds) in UNITS {
        // Weeks come first, then days; the rest is hours and less.
        if let Some((count, after)) = rest.split_once(unit)
            && let Ok(count) = count.trim().parse::<i64>()
        {
            total = total.checked_add(SignedDuration::from_secs(count.checked_mul(seconds)?))?;
            rest = after.trim();
        }
    }
    let has_days = !total.is_zero();
    let rest: SignedDuration = if has_days && rest.is_empty() { SignedDuration::ZERO } else { rest.parse().ok()? };
    // A second sign would be a typing error.
    (!rest.is_negative()).then_some(())?;
    total.checked_add(rest)?.checked_mul(sign)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_weeks_are_lengths_too() {
        let seconds = |text| parse(text).map(|length| length.as_secs());
        for (text, expected) in [
            ("30s", 30),
            ("1h 30m", 5_400),
            ("14d", 14 * 86_400),
            ("1d 12h", 36 * 3_600),
            ("1d12h", 36 * 3_600),
            ("2w", 14 * 86_400),
            ("1w 1d", 8 * 86_400),
            ("-5s", -5),
            ("-2d", -2 * 86_400),
        ] {
            assert_eq!(seconds(text), Some(expected), "{text}");
        }
        for text in ["", "d", "5", "soon", "1.5d", "--5s", "1d -2h", "9999999999999999d"] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }
}
