//! How posts are compared: event time, id, and then their whole content, so that equal posts alone are equal.

use std::cmp::Ordering;

/// What a packed post is compared by.
pub(super) struct Key<'a> {
    pub millisecond: i64,
    pub id_number: u64,
    pub packed: &'a [u8],
}

/// The order of two posts.
pub(super) fn compare(a: &Key<'_>, b: &Key<'_>) -> Ordering {
    let quick = a.millisecond.cmp(&b.millisecond).then(a.id_number.cmp(&b.id_number));
    quick.then_with(|| compare_ids(id(a.packed), id(b.packed))).then_with(|| a.packed.cmp(b.packed))
}

/// An id as a number; `u64::MAX` for ids that are none and for numbers of 20 digits and more.
pub(super) fn id_number(id: &str) -> u64 {
    let digits = significant(id);
    digits.filter(|digits| digits.len() < 20).map_or(u64::MAX, |digits| digits.parse().unwrap_or_default())
}

/// Identifier and event time of a packed post: the head of the encoding of `Post`, whose first two fields they are.
pub(super) fn head(packed: &[u8]) -> Option<(&str, i64)> {
    postcard::take_from_bytes(packed).ok().map(|(head, _)| head)
}

fn id(packed: &[u8]) -> &str {
    head(packed).map_or("", |(id, _)| id)
}

/// Numbers by their size, before all other ids by their text.
pub(super) fn compare_ids(a: &str, b: &str) -> Ordering {
    match (significant(a), significant(b)) {
        (Some(a), Some(b)) => a.len().cmp(&b.len()).then(a.cmp(b)),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => a.cmp(b),
    }
}

/// The digits of an id that is a number, without leading zeros.
fn significant(id: &str) -> Option<&str> {
    (!id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit())).then(|| id.trim_start_matches('0'))
}
