//! X's identifiers are times: milliseconds since an epoch of its own, and 22 bits to tell posts of one millisecond apart.

use jiff::Timestamp;

/// 2010-11-04T01:42:54.657Z, in Unix milliseconds.
const EPOCH: i64 = 1_288_834_974_657;
const BITS: u32 = 22;
/// Identifiers below are older than the scheme, or not X's.
const FIRST: u64 = 1 << 50;

/// When a post of this identifier was written; none for one that is not of the scheme.
pub(super) fn time_of(id: u64) -> Option<Timestamp> {
    let milliseconds = i64::try_from(id >> BITS).ok().filter(|_| id >= FIRST)?;
    Timestamp::from_millisecond(EPOCH.checked_add(milliseconds)?).ok()
}

/// The first identifier of a post written at `at` or later.
pub(super) fn first_at(at: Timestamp) -> u64 {
    u64::try_from(at.as_millisecond() - EPOCH).unwrap_or_default() << BITS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_tells_its_time() {
        // As X shows it: 2021-01-06T18:40:40.344Z.
        let at: Timestamp = "2021-01-06T18:40:40.344Z".parse().unwrap();
        assert_eq!(time_of(1_346_889_436_626_259_968), Some(at));
        assert!(first_at(at) <= 1_346_889_436_626_259_968);
        assert_eq!(time_of(first_at(at)), Some(at));
        assert_eq!(time_of(1_000), None);
        assert_eq!(first_at(Timestamp::UNIX_EPOCH), 0);
    }
}
