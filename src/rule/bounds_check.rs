//! Checks of values that several conditions have: lengths of time and confidence levels.

use jiff::SignedDuration;

/// Longest window and baseline. It bounds what is kept in memory per topic.
const MAX_LENGTH: SignedDuration = SignedDuration::from_hours(28 * 24);

/// The problem with a length of time: it must be a multiple of the bucket width, at most [`MAX_LENGTH`].
pub(super) fn check_length(key: &str, length: SignedDuration, bucket: SignedDuration) -> Option<String> {
    let is_whole = length.subsec_nanos() == 0 && length.as_secs() % bucket.as_secs().max(1) == 0;
    (length < bucket || length > MAX_LENGTH || !is_whole).then(|| {
        format!(
            "{key}: {length:#} is not valid; expected a multiple of window.bucket ({bucket:#}), from {bucket:#} to \
             {MAX_LENGTH:#}"
        )
    })
}

/// The problem with the one-sided confidence level of a bound.
pub(super) fn check_confidence(confidence: f64) -> Option<String> {
    (!(0.5..1.0).contains(&confidence)).then(|| {
        format!("condition.confidence: {confidence} is not valid; expected a number from 0.5 to below 1, e.g. 0.99")
    })
}
