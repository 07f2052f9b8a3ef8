//! [`Retry`]: when the stream connects again after it failed, as X's guide asks. A state machine without clock or I/O:
//! time is an argument.
//!
//! ```text
//! lost: at once, then 250 ms more each time up to 16 s       HTTP 5xx: 5 s, doubled up to 320 s
//! 429: until its reset, else 60 s, doubled                    TooManyConnections: all are ended, once in a while; then as 429
//! 409: the rules first; then as 5xx                           blocked: rarely
//! a connection that lived for a while: all begin anew
//! ```

use jiff::{SignedDuration, Timestamp};

use super::super::backoff::Backoff;

const LOST_STEP: SignedDuration = SignedDuration::from_millis(250);
const LOST_MOST: SignedDuration = SignedDuration::from_secs(16);
/// Two who end each other's connections for ever would both read nothing.
const BETWEEN_CLEARINGS: SignedDuration = SignedDuration::from_mins(15);
/// A connection that lived as long as X may be silent shows that what was wrong has passed.
pub(super) const HEALTHY: SignedDuration = SignedDuration::from_secs(20);

/// Why there is no stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// The network, silence, an end in order, a disconnect that X announced.
    Lost,
    /// HTTP 5xx, or an answer that cannot be read.
    Server {
        until: Option<Timestamp>,
    },
    RateLimited {
        until: Option<Timestamp>,
    },
    TooManyConnections,
    /// 409: there are no rules.
    NoRules,
    /// Somebody has to do something, or our budget is spent.
    Blocked {
        until: Timestamp,
    },
}

/// What is to be done before the next connection, after `wait`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Next {
    pub wait: SignedDuration,
    /// End all connections of the app.
    pub clear: bool,
}

#[derive(Debug)]
pub(super) struct Retry {
    lost: i32,
    rules: bool,
    server: Backoff,
    limited: Backoff,
    cleared: Option<Timestamp>,
}

impl Retry {
    pub(super) fn new() -> Self {
        let secs = SignedDuration::from_secs;
        let (server, limited) = (Backoff::new(secs(5), secs(320)), Backoff::new(secs(60), secs(960)));
        Self { lost: 0, rules: false, server, limited, cleared: None }
    }

    pub(super) fn after(&mut self, failure: Failure, now: Timestamp) -> Next {
        let left = |until: Timestamp| until.duration_since(now).max(SignedDuration::ZERO);
        let wait = match failure {
            Failure::Lost => {
                let wait = (LOST_STEP * self.lost).min(LOST_MOST);
                self.lost = (self.lost + 1).min(1_000);
                wait
            }
            Failure::Server { until } => self.server.wait().max(until.map_or(SignedDuration::ZERO, left)),
            Failure::NoRules if !self.rules => {
                self.rules = true;
                SignedDuration::ZERO
            }
            Failure::NoRules => self.server.wait(),
            Failure::TooManyConnections if self.may_clear(now) => {
                self.cleared = Some(now);
                return Next { wait: SignedDuration::ZERO, clear: true };
            }
            Failure::RateLimited { until: Some(until) } => left(until),
            Failure::RateLimited { until: None } | Failure::TooManyConnections => self.limited.wait(),
            Failure::Blocked { until } => left(until),
        };
        Next { wait, clear: false }
    }

    /// A connection lived for [`HEALTHY`].
    pub(super) fn recovered(&mut self) {
        (self.lost, self.rules) = (0, false);
        self.server.succeeded();
        self.limited.succeeded();
    }

    fn may_clear(&self, now: Timestamp) -> bool {
        // A clock that was set back must not forbid it for ever.
        self.cleared.is_none_or(|at| now.duration_since(at).abs() >= BETWEEN_CLEARINGS)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + second).unwrap()
    }

    fn waits(retry: &mut Retry, failure: Failure, times: usize) -> Vec<i128> {
        (0..times).map(|_| retry.after(failure, at(0)).wait.as_millis()).collect()
    }

    #[test]
    fn each_failure_waits_as_documented_and_begins_anew_once_recovered() {
        let mut retry = Retry::new();
        for _ in 0..2 {
            let lost = waits(&mut retry, Failure::Lost, 70);
            assert_eq!(lost[..4], [0, 250, 500, 750]);
            assert_eq!(lost[63..67], [15_750, 16_000, 16_000, 16_000]);
            let server = waits(&mut retry, Failure::Server { until: None }, 8);
            assert_eq!(server, [5_000, 10_000, 20_000, 40_000, 80_000, 160_000, 320_000, 320_000]);
            let limited = waits(&mut retry, Failure::RateLimited { until: None }, 6);
            assert_eq!(limited, [60_000, 120_000, 240_000, 480_000, 960_000, 960_000]);
            retry.recovered();
        }
    }

    #[test]
    fn a_rate_limit_lasts_until_its_reset_and_a_busy_server_no_less() {
        let mut retry = Retry::new();
        assert_eq!(waits(&mut retry, Failure::RateLimited { until: Some(at(77)) }, 2), [77_000, 77_000]);
        assert_eq!(waits(&mut retry, Failure::RateLimited { until: Some(at(-5)) }, 1), [0]);
        assert_eq!(waits(&mut retry, Failure::Server { until: Some(at(7)) }, 2), [7_000, 10_000]);
        assert_eq!(waits(&mut retry, Failure::Blocked { until: at(3_600) }, 1), [3_600_000]);
    }

    #[test]
    fn connections_are_ended_once_and_not_in_a_fight() {
        let mut retry = Retry::new();
        let first = retry.after(Failure::TooManyConnections, at(0));
        assert_eq!(first, Next { wait: SignedDuration::ZERO, clear: true });
        let second = retry.after(Failure::TooManyConnections, at(1));
        assert_eq!(second, Next { wait: SignedDuration::from_secs(60), clear: false });
        retry.recovered();
        assert!(!retry.after(Failure::TooManyConnections, at(899)).clear);
        assert!(retry.after(Failure::TooManyConnections, at(900)).clear);
    }

    #[test]
    fn without_rules_they_are_set_at_once_and_then_with_patience() {
        let mut retry = Retry::new();
        assert_eq!(waits(&mut retry, Failure::NoRules, 3), [0, 5_000, 10_000]);
    }

    fn failure() -> impl Strategy<Value = Failure> {
        let until = || proptest::option::of((-10_000i64..10_000).prop_map(at));
        prop_oneof![
            Just(Failure::Lost),
            until().prop_map(|until| Failure::Server { until }),
            until().prop_map(|until| Failure::RateLimited { until }),
            Just(Failure::TooManyConnections),
            Just(Failure::NoRules),
            (-10_000i64..10_000).prop_map(|second| Failure::Blocked { until: at(second) }),
        ]
    }

    proptest! {
        #[test]
        fn no_order_of_failures_hammers_x_or_gives_up(failures in proptest::collection::vec(failure(), 1..80)) {
            let mut retry = Retry::new();
            let mut now = at(0);
            let mut cleared = Vec::new();
            let mut at_once = 0;
            for failure in failures {
                let next = retry.after(failure, now);
                prop_assert!(next.wait >= SignedDuration::ZERO && next.wait <= SignedDuration::from_secs(20_000));
                if next.clear {
                    cleared.push(now);
                }
                at_once += usize::from(next.wait.is_zero() && matches!(failure, Failure::Lost | Failure::NoRules));
                now += next.wait;
            }
            prop_assert!(at_once <= 2, "once for each kind while nothing recovers");
            prop_assert!(cleared.windows(2).all(|pair| pair[1].duration_since(pair[0]) >= BETWEEN_CLEARINGS));
        }
    }
}
