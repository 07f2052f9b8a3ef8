//! The sort key of posts: event time, id, then the whole content, so that only identical posts are equal.

use std::cmp::Ordering;

/// The sort key of a serialised post.
pub(super) struct Key<'a> {
    pub millisecond: i64,
    pub id_number: u64,
    pub packed: &'a [u8],
}

/// Compares two posts.
pub(super) fn compare(a: &Key<'_>, b: &Key<'_>) -> Ordering {
    let quick = a.millisecond.cmp(&b.millisecond).then(a.id_number.cmp(&b.id_number));
    quick.then_with(|| compare_ids(id(a.packed), id(b.packed))).then_with(|| a.packed.cmp(b.packed))
}

/// A numeric id as a number; `u64::MAX` for other ids and for 20 or more digits.
pub(super) fn id_number(id: &str) -> u64 {
    let digits = significant_digits(id);
    digits.filter(|digits| digits.len() < 20).map_or(u64::MAX, |digits| digits.parse().unwrap_or_default())
}

/// Identifier and event time of a serialised post: the first two fields of `Post`.
pub(super) fn id_and_time(packed: &[u8]) -> Option<(&str, i64)> {
    postcard::take_from_bytes(packed).ok().map(|(fields, _)| fields)
}

fn id(packed: &[u8]) -> &str {
    id_and_time(packed).map_or("", |(id, _)| id)
}

/// Numeric ids by value, before all other ids by text.
pub(super) fn compare_ids(a: &str, b: &str) -> Ordering {
    match (significant_digits(a), significant_digits(b)) {
        (Some(a), Some(b)) => a.len().cmp(&b.len()).then(a.cmp(b)),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => a.cmp(b),
    }
}

/// The digits of a numeric id, without leading zeros.
fn significant_digits(id: &str) -> Option<&str> {
    (!id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit())).then(|| id.trim_start_matches('0'))
}
