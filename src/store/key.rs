//! [`Key`]: the order-preserving encoding of the store's keys.

/// What a record is; the first byte of its key. Numbers are on disk: never reuse one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Table {
    /// Layout version, identity of a replay.
    Meta = 1,
    /// How far a source was read.
    Cursor = 2,
    /// Counts since the state was made.
    Totals = 3,
    /// Counts per bucket, per topic and hour.
    Bucket = 4,
    /// Hashes of the posts already counted, per topic and slot.
    Seen = 5,
    /// The most negative posts per topic and slot.
    Sample = 6,
    /// Counts and normal rate per topic and hour.
    History = 7,
    /// State of each rule on each topic.
    Tracker = 8,
    /// Every alert that ever fired.
    Alert = 9,
    /// Transitions not yet delivered.
    Outbox = 10,
    /// What is known of each topic as a whole, by its name.
    Topic = 11,
    /// Operational alerts that fire.
    Problem = 12,
}

impl Table {
    const ALL: [Self; 12] = [
        Self::Meta,
        Self::Cursor,
        Self::Totals,
        Self::Bucket,
        Self::Seen,
        Self::Sample,
        Self::History,
        Self::Tracker,
        Self::Alert,
        Self::Outbox,
        Self::Topic,
        Self::Problem,
    ];
}

/// A key: its table, then parts whose byte order is their natural order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    bytes: Vec<u8>,
}

/// Flipping the sign bit makes big-endian two's complement sort as signed numbers.
const SIGN: u64 = 1 << 63;

impl Key {
    #[must_use]
    pub fn new(table: Table) -> Self {
        Self { bytes: vec![table as u8] }
    }

    /// Adds a text part. Its length goes first, so that no text is a prefix of another's keys.
    #[must_use]
    pub fn text(mut self, text: &str) -> Self {
        self.bytes.extend_from_slice(&(text.len() as u32).to_be_bytes());
        self.bytes.extend_from_slice(text.as_bytes());
        self
    }

    /// Adds a signed number, such as Unix seconds.
    #[must_use]
    pub fn time(mut self, seconds: i64) -> Self {
        self.bytes.extend_from_slice(&(seconds as u64 ^ SIGN).to_be_bytes());
        self
    }

    /// Adds an unsigned number.
    #[must_use]
    pub fn number(mut self, number: u64) -> Self {
        self.bytes.extend_from_slice(&number.to_be_bytes());
        self
    }

    /// The number that [`Key::time`] added last; none for a key too short to hold one.
    pub fn last_time(&self) -> Option<i64> {
        let bytes: [u8; 8] = self.bytes.get(1..)?.last_chunk().copied()?;
        Some((u64::from_be_bytes(bytes) ^ SIGN) as i64)
    }

    /// The number that [`Key::number`] added last; none for a key too short to hold one.
    pub fn last_number(&self) -> Option<u64> {
        self.bytes.get(1..)?.last_chunk().copied().map(u64::from_be_bytes)
    }

    /// The text part that stands first; empty where the key does not begin with one.
    pub fn first_text(&self) -> String {
        let read = || {
            let (length, rest) = self.bytes.get(1..)?.split_first_chunk()?;
            rest.get(..u32::from_be_bytes(*length) as usize)
        };
        String::from_utf8_lossy(read().unwrap_or_default()).into_owned()
    }

    pub(super) fn table(&self) -> Option<Table> {
        Table::ALL.into_iter().find(|table| self.bytes.first() == Some(&(*table as u8)))
    }

    pub(super) fn from_stored(bytes: &[u8]) -> Self {
        Self { bytes: bytes.to_vec() }
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn keys_sort_as_their_parts(a in any::<(String, i64)>(), b in any::<(String, i64)>()) {
            let key = |(text, time): &(String, i64)| Key::new(Table::Bucket).text(text).time(*time);
            let parts = |(text, time): &(String, i64)| (text.len(), text.clone(), *time);
            prop_assert_eq!(key(&a).cmp(&key(&b)), parts(&a).cmp(&parts(&b)));
            prop_assert_eq!(key(&a).last_time(), Some(a.1));
            prop_assert_eq!(key(&a).first_text(), a.0);
        }
    }
}
