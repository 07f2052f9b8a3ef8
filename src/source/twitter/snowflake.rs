//! The IDs of X contain times: milliseconds since X's epoch, and 22 bits that distinguish posts of one millisecond.

use jiff::Timestamp;

/// 2010-11-04T01:42:54.657Z, in Unix milliseconds.
const EPOCH: i64 = 1_288_834_974_657;
const SEQUENCE_BITS: u32 = 22;
/// Smaller IDs are older than the scheme or do not come from X.
const MIN_ID: u64 = 1 << 50;

/// When the post with this ID was written; none for an ID outside the scheme.
pub(super) fn time_of(id: u64) -> Option<Timestamp> {
    let milliseconds = i64::try_from(id >> SEQUENCE_BITS).ok().filter(|_| id >= MIN_ID)?;
    Timestamp::from_millisecond(EPOCH.checked_add(milliseconds)?).ok()
}

/// The smallest ID of a post written at `at` or later.
pub(super) fn first_at(at: Timestamp) -> u64 {
    u64::try_from(at.as_millisecond() - EPOCH).unwrap_or_default() << SEQUENCE_BITS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_contains_its_time() {
        // As X shows it: 2021-01-06T18:40:40.344Z.
        let at: Timestamp = "2021-01-06T18:40:40.344Z".parse().unwrap();
        assert_eq!(time_of(1_346_889_436_626_259_968), Some(at));
        assert!(first_at(at) <= 1_346_889_436_626_259_968);
        assert_eq!(time_of(first_at(at)), Some(at));
        assert_eq!(time_of(1_000), None);
        assert_eq!(first_at(Timestamp::UNIX_EPOCH), 0);
    }
}
