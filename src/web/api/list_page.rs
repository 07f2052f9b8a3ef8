//! [`ListKey`]: pages of lists that are in memory. A page starts after the last entry of the one before, also where entries came
//! or went in between.

use std::cmp::Reverse;
use std::fmt;
use std::str::FromStr;

use axum::http::StatusCode;
use jiff::Timestamp;
use serde::Deserialize;

use super::super::error::Problem;

/// Entries of a page unless the request says otherwise, and at most.
pub(super) const DEFAULT_LIMIT: usize = 50;
pub(super) const MAX_LIMIT: usize = 1_000;

/// The place of an entry: those that last first, then the newest first. As text, to be passed back as it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct ListKey {
    is_over: bool,
    /// Unix milliseconds.
    started_at: Reverse<i64>,
    id: String,
}

impl ListKey {
    pub(super) fn new(is_over: bool, started_at: Timestamp, id: &str) -> Self {
        Self { is_over, started_at: Reverse(started_at.as_millisecond()), id: id.to_owned() }
    }
}

impl fmt::Display for ListKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", u8::from(self.is_over), self.started_at.0, self.id)
    }
}

impl FromStr for ListKey {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let read = || {
            let mut parts = text.splitn(3, '.');
            let is_over = match parts.next()? {
                "0" => false,
                "1" => true,
                _ => return None,
            };
            let started_at = Reverse(parts.next()?.parse().ok()?);
            Some(Self { is_over, started_at, id: parts.next()?.to_owned() })
        };
        read().ok_or_else(|| "expected the `next` of an earlier page".to_owned())
    }
}

impl TryFrom<String> for ListKey {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

/// The first `limit` of `entries` after the key `after`, in the order of their keys, and where the next page starts.
pub(super) fn page<T>(
    entries: impl Iterator<Item = T>,
    key: impl Fn(&T) -> ListKey,
    limit: usize,
    after: Option<&ListKey>,
) -> (Vec<T>, Option<String>) {
    let mut entries: Vec<(ListKey, T)> = entries.map(|entry| (key(&entry), entry)).collect();
    entries.retain(|(key, _)| after.is_none_or(|after| key > after));
    entries.sort_by(|(a, _), (b, _)| a.cmp(b));
    let has_more = entries.len() > limit;
    entries.truncate(limit);
    let next = entries.last().filter(|_| has_more).map(|(key, _)| key.to_string());
    (entries.into_iter().map(|(_, entry)| entry).collect(), next)
}

/// The limit that a request gives, or the usual one.
///
/// # Errors
/// When it is not from 1 to [`MAX_LIMIT`].
pub(super) fn limit(given: Option<usize>) -> Result<usize, Problem> {
    let limit = given.unwrap_or(DEFAULT_LIMIT);
    let problem =
        || Problem::new(StatusCode::BAD_REQUEST, format!("limit: {limit} is not valid; expected 1 to {MAX_LIMIT}"));
    (1..=MAX_LIMIT).contains(&limit).then_some(limit).ok_or_else(problem)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(is_over: bool, second: i64, id: &str) -> ListKey {
        ListKey::new(is_over, Timestamp::from_second(second).unwrap(), id)
    }

    #[test]
    fn pages_go_through_all_entries_once() {
        let entries =
            [key(true, 9, "d"), key(false, 1, "b"), key(false, 5, "a"), key(false, 1, "c"), key(true, 2, "e.f")];
        let (mut after, mut seen, mut pages) = (None, Vec::new(), 0);
        loop {
            let (found, next) = page(entries.iter(), |entry| (*entry).clone(), 2, after.as_ref());
            seen.extend(found.into_iter().map(|entry| entry.id.as_str()));
            pages += 1;
            let Some(next) = next else { break };
            after = Some(next.parse().unwrap());
        }
        assert_eq!((seen.as_slice(), pages), (&["a", "b", "c", "d", "e.f"][..], 3));
    }

    #[test]
    fn only_a_key_is_a_key() {
        let written = key(true, -3, "A-1.x");
        assert_eq!(written.to_string().parse(), Ok(written));
        for text in ["", "0", "0.1", "2.1.a", "0.x.a", "0.99999999999999999999.a"] {
            assert!(text.parse::<ListKey>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_limit_is_checked() {
        assert_eq!(limit(None).unwrap(), DEFAULT_LIMIT);
        assert_eq!(limit(Some(1_000)).unwrap(), 1_000);
        assert!(limit(Some(0)).is_err() && limit(Some(1_001)).is_err());
    }
}
