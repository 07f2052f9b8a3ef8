//! Default values of the keys that several conditions share. `config/rules.toml` documents them for operators.

use jiff::SignedDuration;

pub(super) fn false_alarm_every() -> SignedDuration {
    SignedDuration::from_hours(30 * 24)
}

pub(super) fn rest() -> SignedDuration {
    SignedDuration::from_hours(24)
}

pub(super) fn step() -> SignedDuration {
    SignedDuration::from_mins(5)
}

pub(super) fn confidence() -> f64 {
    0.99
}

pub(super) fn min_posts() -> u64 {
    20
}

pub(super) fn min_baseline_posts() -> u64 {
    100
}
