//! Number formats of the reports.

use std::fmt::Write;

/// Such as `77.06%`.
pub(super) fn percent(share: f64) -> String {
    format!("{:.2}%", share * 100.0)
}

/// Such as `0.7706`.
pub(super) fn share(share: f64) -> String {
    format!("{share:.4}")
}

/// A share, or a dash if there is none.
pub(super) fn share_or_dash(value: Option<f64>) -> String {
    value.map_or("–".to_owned(), share)
}

/// As the study writes them: `5.0 s`, `20.8 min`.
pub(super) fn duration(seconds: f64) -> String {
    if seconds < 99.95 { format!("{seconds:.1} s") } else { format!("{:.1} min", seconds / 60.0) }
}

/// Such as `24,634`.
pub(super) fn count(count: u64) -> String {
    let digits = count.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `2 rows`, `1 row`.
pub(super) fn count_of(number: u64, noun: &str) -> String {
    format!("{} {noun}{}", count(number), if number == 1 { "" } else { "s" })
}

/// `9 of 12 runs finished, 3 not available; 95.0 s in all`.
pub(super) fn tally(report: &super::Report) -> String {
    let counts = report.run_counts();
    let mut line = format!("{} of {} runs finished", counts.finished, report.runs.len());
    for (runs, how) in
        [(counts.not_available, "not available"), (counts.failed, "failed"), (counts.interrupted, "interrupted")]
    {
        if runs > 0 {
            let _ = write!(line, ", {runs} {how}");
        }
    }
    let _ = write!(line, "; {} in all", duration(report.seconds));
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_the_study_writes_them() {
        assert_eq!(
            (percent(0.770_63), duration(5.04), duration(1248.0)),
            ("77.06%".into(), "5.0 s".into(), "20.8 min".into())
        );
        assert_eq!([0, 999, 1_000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!((count_of(1, "row"), count_of(4_998, "row")), ("1 row".into(), "4,998 rows".into()));
        assert_eq!((share_or_dash(None), share_or_dash(Some(0.5))), ("–".into(), "0.5000".into()));
    }
}
