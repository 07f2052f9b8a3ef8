//! [`Key`]: the order-preserving encoding of the store's keys.

use serde::{Deserialize, Serialize};

/// What a record is; the first byte of its key. Numbers are on disk: never reuse one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Table {
    /// Layout version, identity of a replay.
    Meta = 1,
    /// The checkpoint of each source.
    Cursor = 2,
    /// Counts since the state was made.
    Totals = 3,
    /// Counts per bucket, per topic and hour.
    Bucket = 4,
    /// Hashes of the posts counted, per topic and slot.
    Seen = 5,
    /// The most negative posts per topic and slot.
    Sample = 6,
    /// Counts and baseline rate per topic and hour.
    History = 7,
    /// State of each rule on each topic.
    RuleState = 8,
    /// Every alert that has fired.
    Alert = 9,
    /// Transitions that the dispatcher has not taken over yet.
    Outbox = 10,
    /// The topics, by name: since when each is watched, and its newest post.
    Topic = 11,
    /// Operational alerts that fire.
    OperationalAlert = 12,
    /// Posts and authors that stay erased, by a keyed hash.
    Tombstone = 13,
    /// What was erased on request, and when.
    Receipt = 14,
    /// Records that could not be used, as read.
    DeadLetter = 15,
    /// Each topic's baseline, by hour of the week.
    Baseline = 16,
    /// Late counts of a topic since its last bucket closed.
    Late = 17,
    /// Incidents, silences and receivers of the dispatcher, as JSON.
    Dispatch = 18,
    /// Alerts of incidents, by the incident's name.
    IncidentAlert = 19,
    /// Hashes of the posts that later posts may repeat, per topic.
    Cascade = 20,
    /// How many negative posts held which word, per topic, kind and ten minutes; by hash.
    Words = 21,
    /// Their usual frequency, per topic and kind.
    WordBaseline = 22,
    /// Words that several posts held, by their hashes.
    Word = 23,
    /// Times of internal events, per kind.
    Event = 24,
    /// Labels that people gave in place of a model's.
    Feedback = 25,
    /// The posts, in blocks by the time of the newest.
    Post = 26,
    /// How many posts of which topic and label are in which block.
    PostLabel = 27,
    /// Which blocks hold posts of which identifier, author and cascade; by hash.
    PostTerm = 28,
    /// Hashes of the authors of the last day's posts, per topic.
    Author = 29,
}

/// One part of a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    Text(String),
    Time(i64),
    Number(u64),
}

/// The kind of a [`Part`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Time,
    Number,
}

impl Table {
    pub const ALL: [Self; 29] = [
        Self::Meta,
        Self::Cursor,
        Self::Totals,
        Self::Bucket,
        Self::Seen,
        Self::Sample,
        Self::History,
        Self::RuleState,
        Self::Alert,
        Self::Outbox,
        Self::Topic,
        Self::OperationalAlert,
        Self::Tombstone,
        Self::Receipt,
        Self::DeadLetter,
        Self::Baseline,
        Self::Late,
        Self::Dispatch,
        Self::IncidentAlert,
        Self::Cascade,
        Self::Words,
        Self::WordBaseline,
        Self::Word,
        Self::Event,
        Self::Feedback,
        Self::Post,
        Self::PostLabel,
        Self::PostTerm,
        Self::Author,
    ];

    /// Its name in an export.
    pub fn name(self) -> String {
        format!("{self:?}")
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|table| table.name() == name)
    }

    /// The parts of the table's keys.
    fn parts(self) -> &'static [Kind] {
        match self {
            Self::Totals => &[],
            Self::Meta
            | Self::Cursor
            | Self::Topic
            | Self::Tombstone
            | Self::Baseline
            | Self::Late
            | Self::Event
            | Self::Dispatch => &[Kind::Text],
            Self::Bucket | Self::Sample | Self::History => &[Kind::Text, Kind::Time],
            Self::Seen => &[Kind::Text, Kind::Time, Kind::Number],
            Self::RuleState | Self::OperationalAlert | Self::IncidentAlert | Self::WordBaseline => {
                &[Kind::Text, Kind::Text]
            }
            Self::Cascade | Self::Author => &[Kind::Text, Kind::Number],
            Self::Words => &[Kind::Text, Kind::Text, Kind::Time],
            Self::Word => &[Kind::Text, Kind::Text, Kind::Number],
            Self::Alert => &[Kind::Text, Kind::Time, Kind::Text],
            Self::Outbox | Self::Receipt | Self::DeadLetter | Self::Feedback => &[Kind::Number],
            Self::Post => &[Kind::Time, Kind::Number],
            Self::PostLabel => &[Kind::Text, Kind::Number, Kind::Time, Kind::Number],
            Self::PostTerm => &[Kind::Number, Kind::Time, Kind::Number],
        }
    }
}

/// A key: its table, then parts whose byte order is their natural order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    bytes: Vec<u8>,
}

/// Flipping the sign bit makes big-endian two's complement sort like signed numbers.
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

    /// A time and a number after it, where these two were added last; none for a key too short to hold them.
    pub fn last_time_and_number(&self) -> Option<(i64, u64)> {
        let bytes: &[u8; 16] = self.bytes.get(1..)?.last_chunk()?;
        let (time, number) = bytes.split_first_chunk::<8>()?;
        let number = number.first_chunk().copied()?;
        Some(((u64::from_be_bytes(*time) ^ SIGN) as i64, u64::from_be_bytes(number)))
    }

    /// The number that [`Key::number`] added last; none for a key too short to hold one.
    pub fn last_number(&self) -> Option<u64> {
        self.bytes.get(1..)?.last_chunk().copied().map(u64::from_be_bytes)
    }

    /// The first part where it is a text; else empty.
    pub fn first_text(&self) -> String {
        let read = || {
            let (length, rest) = self.bytes.get(1..)?.split_first_chunk()?;
            rest.get(..u32::from_be_bytes(*length) as usize)
        };
        String::from_utf8_lossy(read().unwrap_or_default()).into_owned()
    }

    /// The time of a key that consists of a text, then a time.
    pub fn time_after_text(&self) -> Option<i64> {
        match self.parts()?.get(1)? {
            Part::Time(seconds) => Some(*seconds),
            Part::Text(_) | Part::Number(_) => None,
        }
    }

    /// The parts, if the key has the form of its table's keys.
    pub fn parts(&self) -> Option<Vec<Part>> {
        let mut rest = self.bytes.get(1..)?;
        let mut parts = Vec::new();
        for kind in self.table()?.parts() {
            parts.push(match kind {
                Kind::Text => {
                    let (length, from) = rest.split_first_chunk()?;
                    let (text, behind) = from.split_at_checked(u32::from_be_bytes(*length) as usize)?;
                    rest = behind;
                    Part::Text(String::from_utf8(text.to_vec()).ok()?)
                }
                Kind::Time | Kind::Number => {
                    let (bytes, behind) = rest.split_first_chunk()?;
                    rest = behind;
                    let number = u64::from_be_bytes(*bytes);
                    if *kind == Kind::Time { Part::Time((number ^ SIGN) as i64) } else { Part::Number(number) }
                }
            });
        }
        rest.is_empty().then_some(parts)
    }

    /// The key of these parts, if they have the form of the table's keys.
    pub fn from_parts(table: Table, parts: &[Part]) -> Option<Self> {
        let key = parts.iter().fold(Self::new(table), |key, part| match part {
            Part::Text(text) => key.text(text),
            Part::Time(seconds) => key.time(*seconds),
            Part::Number(number) => key.number(*number),
        });
        (key.parts().as_deref() == Some(parts)).then_some(key)
    }

    /// The table, if the first byte names one.
    pub fn table(&self) -> Option<Table> {
        Table::ALL.into_iter().find(|table| self.bytes.first() == Some(&(*table as u8)))
    }

    pub(super) fn from_stored(bytes: &[u8]) -> Self {
        Self { bytes: bytes.to_vec() }
    }

    pub fn as_bytes(&self) -> &[u8] {
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

        #[test]
        fn any_bytes_are_parts_of_a_key_or_none(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let key = Key::from_stored(&bytes);
            if let (Some(parts), Some(table)) = (key.parts(), key.table()) {
                prop_assert_eq!(Key::from_parts(table, &parts), Some(key));
            }
        }

        #[test]
        fn parts_are_read_back(text in any::<String>(), time in any::<i64>(), number in any::<u64>()) {
            let key = Key::new(Table::Seen).text(&text).time(time).number(number);
            let parts = [Part::Text(text), Part::Time(time), Part::Number(number)];
            prop_assert_eq!(key.parts(), Some(parts.to_vec()));
            prop_assert_eq!(key.time_after_text(), Some(time));
            prop_assert_eq!(Key::from_parts(Table::Seen, &parts), Some(key));
            prop_assert_eq!(Key::from_parts(Table::Alert, &parts), None);
        }
    }
}
