//! [`Place`]: up to which identifier every post has been delivered, which is where a restart goes on. A state machine
//! without clock or I/O.
//!
//! ```text
//!    delivered            gap: to be read by search        live
//! ------------------|===================================|------------ newest
//!                from = the cursor                    until
//!   without a gap the cursor is a margin before the newest
//! ```

use jiff::{SignedDuration, Timestamp};

use super::super::snowflake::first_at;

/// The stream is not in order: something as much older than the newest may still come. Each reconnect reads this much
/// twice, and X charges for it.
const MARGIN: SignedDuration = SignedDuration::from_secs(15);

/// Posts that were not all seen on the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Gap {
    /// Everything up to here was delivered.
    pub from: u64,
    /// What is newer came on the stream. None while nothing came on it. By X's own identifiers and not by our clock,
    /// which may be wrong.
    pub until: Option<u64>,
}

#[derive(Debug)]
pub(super) struct Place {
    /// Everything up to here was delivered, but for the gap.
    reached: u64,
    gap: Option<Gap>,
}

impl Place {
    /// `from`: everything up to it was delivered.
    pub(super) fn new(from: u64) -> Self {
        Self { reached: from, gap: None }
    }

    /// A connection was made: what came since the last one is missing. A gap that is still open grows.
    pub(super) fn connected(&mut self) {
        self.gap = Some(Gap { from: self.cursor(), until: None });
    }

    /// A post of the stream was delivered.
    pub(super) fn delivered(&mut self, id: u64, now: Timestamp) {
        // An identifier from the future would carry the cursor past posts that are yet to come.
        let id = id.min(first_at(now));
        if let Some(gap) = self.gap.as_mut().filter(|gap| gap.until.is_none()) {
            gap.until = Some(id.saturating_add(ids_in(MARGIN)));
        }
        self.reached = self.reached.max(id.saturating_sub(ids_in(MARGIN)));
    }

    /// The gap, to be filled.
    pub(super) fn gap(&self) -> Option<Gap> {
        self.gap
    }

    /// What the gap held up to `newest` was delivered, but for what search shows as `late` as that.
    pub(super) fn narrowed(&mut self, newest: u64, late: SignedDuration) {
        if let Some(gap) = &mut self.gap {
            gap.from = gap.from.max(newest.saturating_sub(ids_in(late)));
        }
    }

    /// All that the gap held was delivered.
    pub(super) fn filled(&mut self) {
        if let Some(gap) = self.gap.take() {
            self.reached = self.reached.max(gap.from);
        }
    }

    /// Everything up to this identifier was delivered.
    pub(super) fn cursor(&self) -> u64 {
        self.gap.map_or(self.reached, |gap| gap.from)
    }
}

/// How far apart two identifiers are that were given so long after one another.
fn ids_in(time: SignedDuration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(0) << 22
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + second).unwrap()
    }

    fn id(second: i64) -> u64 {
        first_at(at(second))
    }

    #[test]
    fn the_cursor_waits_for_the_gap_and_then_follows_the_stream_at_a_distance() {
        let mut place = Place::new(id(0));
        place.connected();
        assert_eq!(place.gap(), Some(Gap { from: id(0), until: None }));
        place.delivered(id(150), at(150));
        assert_eq!(place.gap(), Some(Gap { from: id(0), until: Some(id(165)) }));
        assert_eq!(place.cursor(), id(0));
        place.narrowed(id(110), SignedDuration::from_secs(60));
        assert_eq!(place.cursor(), id(50), "search may show the last minute late");
        place.filled();
        assert_eq!((place.gap(), place.cursor()), (None, id(135)));
        place.delivered(id(130), at(151));
        assert_eq!(place.cursor(), id(135), "never back");
    }

    #[test]
    fn a_connection_lost_before_the_gap_is_filled_makes_it_longer() {
        let mut place = Place::new(id(0));
        place.connected();
        place.delivered(id(200), at(200));
        place.connected();
        assert_eq!(place.gap(), Some(Gap { from: id(0), until: None }));
        place.narrowed(id(250), SignedDuration::from_secs(60));
        place.delivered(id(300), at(300));
        assert_eq!(place.gap(), Some(Gap { from: id(190), until: Some(id(315)) }));
        place.filled();
        assert_eq!((place.gap(), place.cursor()), (None, id(285)));
        place.connected();
        assert_eq!(place.gap(), Some(Gap { from: id(285), until: None }));
    }

    #[test]
    fn an_identifier_from_the_future_carries_nobody_away() {
        let mut place = Place::new(id(0));
        place.delivered(u64::MAX, at(100));
        assert_eq!(place.cursor(), id(85));
    }

    #[derive(Debug, Clone)]
    enum Event {
        /// A post is written.
        Post,
        /// The stream gives the pending post of that number.
        Give(usize),
        Lose,
        Connect,
        Fill,
        Pass(i64),
    }

    fn event() -> impl Strategy<Value = Event> {
        prop_oneof![
            6 => Just(Event::Post),
            6 => (0usize..4).prop_map(Event::Give),
            1 => Just(Event::Lose),
            2 => Just(Event::Connect),
            2 => Just(Event::Fill),
            3 => (1i64..5).prop_map(Event::Pass),
        ]
    }

    proptest! {
        /// The world against the machine: whenever it stops, every post not delivered is after the cursor. Our clock may
        /// be wrong by `skew` seconds.
        #[test]
        fn no_undelivered_post_is_before_the_cursor(
            skew in -100i64..100,
            events in proptest::collection::vec(event(), 0..200),
        ) {
            let mut place = Place::new(id(0));
            let (mut now, mut sequence, mut open) = (1i64, 0u64, false);
            let mut missing: BTreeSet<u64> = BTreeSet::new();
            let mut pending: Vec<u64> = Vec::new();
            for event in events {
                match event {
                    Event::Post => {
                        sequence += 1;
                        let post = id(now) + sequence;
                        missing.insert(post);
                        if open {
                            pending.push(post);
                        }
                    }
                    // The stream gives what it has within the margin, in any order.
                    Event::Give(which) if which < pending.len() => {
                        let post = pending.remove(which);
                        missing.remove(&post);
                        place.delivered(post, at(now + skew));
                    }
                    Event::Lose => {
                        pending.clear();
                        open = false;
                    }
                    Event::Connect if !open => {
                        place.connected();
                        open = true;
                    }
                    // A gap is filled while connected, with all that search holds between its ends.
                    Event::Fill if open => {
                        if let Some(gap) = place.gap() {
                            let until = gap.until.unwrap_or(u64::MAX);
                            missing.retain(|post| !(*post > gap.from && *post < until));
                            place.filled();
                        }
                    }
                    Event::Pass(seconds) => {
                        now += seconds;
                        if pending.iter().any(|post| *post < id(now - (MARGIN.as_secs() - 1))) {
                            // Too late for the margin: X does not do that, unless the connection is lost.
                            pending.clear();
                            open = false;
                        }
                    }
                    Event::Give(_) | Event::Connect | Event::Fill => {}
                }
                let oldest = missing.first().copied().unwrap_or(u64::MAX);
                prop_assert!(place.cursor() <= oldest, "cursor {} passes {oldest}", place.cursor());
            }
        }
    }
}
