//! [`StreamPosition`]: the ID up to which every post was sent, where a restart resumes. A state machine without clock or
//! I/O.
//!
//! ```text
//!      sent               gap: to be read by search        live
//! ------------------|===================================|------------ newest
//!                from = the cursor                    until
//!   without a gap the cursor is a margin before the newest post
//! ```

use jiff::{SignedDuration, Timestamp};

use super::super::snowflake::first_at;

/// The stream is not ordered: posts up to this much older than the newest one may still arrive. Each reconnect reads this
/// period twice, and X charges for it.
const DISORDER_MARGIN: SignedDuration = SignedDuration::from_secs(15);

/// A period whose posts the stream may have missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct StreamGap {
    /// Everything up to this ID was sent.
    pub from: u64,
    /// Newer posts came on the stream; none before its first post. An ID of X, as our clock may be wrong.
    pub until: Option<u64>,
}

#[derive(Debug)]
pub(super) struct StreamPosition {
    /// Everything up to this ID was sent, except the gap.
    reached: u64,
    gap: Option<StreamGap>,
}

impl StreamPosition {
    /// `from`: everything up to this ID was sent.
    pub(super) fn new(from: u64) -> Self {
        Self { reached: from, gap: None }
    }

    /// Opens a gap from the cursor on, as the stream missed posts before it was connected. An open gap grows.
    pub(super) fn record_connection(&mut self) {
        self.gap = Some(StreamGap { from: self.cursor(), until: None });
    }

    /// Records that a post of the stream was sent.
    pub(super) fn record_post(&mut self, id: u64, now: Timestamp) {
        // An ID from the future would move the cursor past posts that are still to come.
        let id = id.min(first_at(now));
        if let Some(gap) = self.gap.as_mut().filter(|gap| gap.until.is_none()) {
            gap.until = Some(id.saturating_add(ids_in(DISORDER_MARGIN)));
        }
        self.reached = self.reached.max(id.saturating_sub(ids_in(DISORDER_MARGIN)));
    }

    /// The gap that has to be filled.
    pub(super) fn gap(&self) -> Option<StreamGap> {
        self.gap
    }

    /// Records that the posts of the gap up to `newest` were sent, except those that X may index up to `late` late.
    pub(super) fn narrow_gap(&mut self, newest: u64, late: SignedDuration) {
        if let Some(gap) = &mut self.gap {
            gap.from = gap.from.max(newest.saturating_sub(ids_in(late)));
        }
    }

    /// Records that all posts of the gap were sent.
    pub(super) fn close_gap(&mut self) {
        if let Some(gap) = self.gap.take() {
            self.reached = self.reached.max(gap.from);
        }
    }

    /// Everything up to this ID was sent.
    pub(super) fn cursor(&self) -> u64 {
        self.gap.map_or(self.reached, |gap| gap.from)
    }
}

/// Difference between the IDs of two posts that are `time` apart.
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
    fn the_cursor_waits_for_the_gap_and_then_follows_the_stream() {
        let mut position = StreamPosition::new(id(0));
        position.record_connection();
        assert_eq!(position.gap(), Some(StreamGap { from: id(0), until: None }));
        position.record_post(id(150), at(150));
        assert_eq!(position.gap(), Some(StreamGap { from: id(0), until: Some(id(165)) }));
        assert_eq!(position.cursor(), id(0));
        position.narrow_gap(id(110), SignedDuration::from_secs(60));
        assert_eq!(position.cursor(), id(50), "X may index the last minute late");
        position.close_gap();
        assert_eq!((position.gap(), position.cursor()), (None, id(135)));
        position.record_post(id(130), at(151));
        assert_eq!(position.cursor(), id(135), "it never moves back");
    }

    #[test]
    fn a_connection_lost_before_the_gap_is_filled_extends_it() {
        let mut position = StreamPosition::new(id(0));
        position.record_connection();
        position.record_post(id(200), at(200));
        position.record_connection();
        assert_eq!(position.gap(), Some(StreamGap { from: id(0), until: None }));
        position.narrow_gap(id(250), SignedDuration::from_secs(60));
        position.record_post(id(300), at(300));
        assert_eq!(position.gap(), Some(StreamGap { from: id(190), until: Some(id(315)) }));
        position.close_gap();
        assert_eq!((position.gap(), position.cursor()), (None, id(285)));
        position.record_connection();
        assert_eq!(position.gap(), Some(StreamGap { from: id(285), until: None }));
    }

    #[test]
    fn an_id_from_the_future_does_not_move_the_cursor_ahead() {
        let mut position = StreamPosition::new(id(0));
        position.record_post(u64::MAX, at(100));
        assert_eq!(position.cursor(), id(85));
    }

    #[derive(Debug, Clone)]
    enum Event {
        /// A post is written.
        Post,
        /// The stream sends the pending post with this index.
        Send(usize),
        Lose,
        Connect,
        GapFill,
        Pass(i64),
    }

    fn event() -> impl Strategy<Value = Event> {
        prop_oneof![
            6 => Just(Event::Post),
            6 => (0usize..4).prop_map(Event::Send),
            1 => Just(Event::Lose),
            2 => Just(Event::Connect),
            2 => Just(Event::GapFill),
            3 => (1i64..5).prop_map(Event::Pass),
        ]
    }

    proptest! {
        /// Compares the state machine with a model: at any time, every post not sent is after the cursor. Our clock may be
        /// wrong by `skew` seconds.
        #[test]
        fn no_unsent_post_is_before_the_cursor(
            skew in -100i64..100,
            events in proptest::collection::vec(event(), 0..200),
        ) {
            let mut position = StreamPosition::new(id(0));
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
                    // The stream sends pending posts within the margin, in any order.
                    Event::Send(which) if which < pending.len() => {
                        let post = pending.remove(which);
                        missing.remove(&post);
                        position.record_post(post, at(now + skew));
                    }
                    Event::Lose => {
                        pending.clear();
                        open = false;
                    }
                    Event::Connect if !open => {
                        position.record_connection();
                        open = true;
                    }
                    // A gap is filled while connected, with every post between its ends.
                    Event::GapFill if open => {
                        if let Some(gap) = position.gap() {
                            let until = gap.until.unwrap_or(u64::MAX);
                            missing.retain(|post| !(*post > gap.from && *post < until));
                            position.close_gap();
                        }
                    }
                    Event::Pass(seconds) => {
                        now += seconds;
                        if pending.iter().any(|post| *post < id(now - (DISORDER_MARGIN.as_secs() - 1))) {
                            // Later than the margin: this happens only when the connection is lost.
                            pending.clear();
                            open = false;
                        }
                    }
                    Event::Send(_) | Event::Connect | Event::GapFill => {}
                }
                let oldest = missing.first().copied().unwrap_or(u64::MAX);
                prop_assert!(position.cursor() <= oldest, "cursor {} passes {oldest}", position.cursor());
            }
        }
    }
}
