//! [`ReconnectPolicy`]: when the stream reconnects after a failure, as X's guide asks. A state machine without clock or I/O:
//! time is an argument.
//!
//! ```text
//! lost: immediately, then 250 ms more each time up to 16 s    HTTP 5xx: 5 s, doubled up to 320 s
//! 429: until its reset, else 60 s, doubled                    TooManyConnections: end all, once in a while; then as 429
//! 409: sync the rules; then as 5xx                            blocked: when the operator may have acted
//! a connection that lasted for a while resets all delays
//! ```

use jiff::{SignedDuration, Timestamp};

use super::super::backoff::Backoff;

const LOST_DELAY_STEP: SignedDuration = SignedDuration::from_millis(250);
const MAX_LOST_DELAY: SignedDuration = SignedDuration::from_secs(16);
/// Two programs that keep ending each other's connections would both read nothing.
const MIN_CLEAR_INTERVAL: SignedDuration = SignedDuration::from_mins(15);
/// A connection that lasts longer than the keep-alive interval of X counts as healthy.
pub(super) const HEALTHY_AFTER: SignedDuration = SignedDuration::from_secs(20);

/// Why the stream is down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ConnectionFailure {
    /// A network failure, silence, a regular end, or a disconnect that X announced.
    Lost,
    /// HTTP 5xx, or a response that cannot be parsed.
    Server {
        until: Option<Timestamp>,
    },
    RateLimited {
        until: Option<Timestamp>,
    },
    TooManyConnections,
    /// 409: the stream has no rules.
    NoRules,
    /// An operator has to act, or the budget is spent.
    Blocked {
        until: Timestamp,
    },
}

/// How to reconnect: after `wait`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reconnect {
    pub wait: SignedDuration,
    /// ReaderExit all connections of the app.
    pub clear: bool,
}

#[derive(Debug)]
pub(super) struct ReconnectPolicy {
    lost: i32,
    rules: bool,
    server: Backoff,
    limited: Backoff,
    cleared: Option<Timestamp>,
}

impl ReconnectPolicy {
    pub(super) fn new() -> Self {
        let secs = SignedDuration::from_secs;
        let (server, limited) = (Backoff::new(secs(5), secs(320)), Backoff::new(secs(60), secs(960)));
        Self { lost: 0, rules: false, server, limited, cleared: None }
    }

    pub(super) fn next_attempt(&mut self, failure: ConnectionFailure, now: Timestamp) -> Reconnect {
        let left = |until: Timestamp| until.duration_since(now).max(SignedDuration::ZERO);
        let wait = match failure {
            ConnectionFailure::Lost => {
                let wait = (LOST_DELAY_STEP * self.lost).min(MAX_LOST_DELAY);
                self.lost = (self.lost + 1).min(1_000);
                wait
            }
            ConnectionFailure::Server { until } => {
                self.server.next_delay().max(until.map_or(SignedDuration::ZERO, left))
            }
            ConnectionFailure::NoRules if !self.rules => {
                self.rules = true;
                SignedDuration::ZERO
            }
            ConnectionFailure::NoRules => self.server.next_delay(),
            ConnectionFailure::TooManyConnections if self.may_clear(now) => {
                self.cleared = Some(now);
                return Reconnect { wait: SignedDuration::ZERO, clear: true };
            }
            ConnectionFailure::RateLimited { until: Some(until) } => left(until),
            ConnectionFailure::RateLimited { until: None } | ConnectionFailure::TooManyConnections => {
                self.limited.next_delay()
            }
            ConnectionFailure::Blocked { until } => left(until),
        };
        Reconnect { wait, clear: false }
    }

    /// Resets the delays once a connection has lasted for [`HEALTHY_AFTER`].
    pub(super) fn reset(&mut self) {
        (self.lost, self.rules) = (0, false);
        self.server.reset();
        self.limited.reset();
    }

    fn may_clear(&self, now: Timestamp) -> bool {
        // A clock that was set back must not block it forever.
        self.cleared.is_none_or(|at| now.duration_since(at).abs() >= MIN_CLEAR_INTERVAL)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + second).unwrap()
    }

    fn waits(policy: &mut ReconnectPolicy, failure: ConnectionFailure, times: usize) -> Vec<i128> {
        (0..times).map(|_| policy.next_attempt(failure, at(0)).wait.as_millis()).collect()
    }

    #[test]
    fn each_failure_waits_as_documented_and_starts_over_after_a_reset() {
        let mut policy = ReconnectPolicy::new();
        for _ in 0..2 {
            let lost = waits(&mut policy, ConnectionFailure::Lost, 70);
            assert_eq!(lost[..4], [0, 250, 500, 750]);
            assert_eq!(lost[63..67], [15_750, 16_000, 16_000, 16_000]);
            let server = waits(&mut policy, ConnectionFailure::Server { until: None }, 8);
            assert_eq!(server, [5_000, 10_000, 20_000, 40_000, 80_000, 160_000, 320_000, 320_000]);
            let limited = waits(&mut policy, ConnectionFailure::RateLimited { until: None }, 6);
            assert_eq!(limited, [60_000, 120_000, 240_000, 480_000, 960_000, 960_000]);
            policy.reset();
        }
    }

    #[test]
    fn a_rate_limit_lasts_until_its_reset_and_so_does_a_failing_server() {
        let mut policy = ReconnectPolicy::new();
        assert_eq!(waits(&mut policy, ConnectionFailure::RateLimited { until: Some(at(77)) }, 2), [77_000, 77_000]);
        assert_eq!(waits(&mut policy, ConnectionFailure::RateLimited { until: Some(at(-5)) }, 1), [0]);
        assert_eq!(waits(&mut policy, ConnectionFailure::Server { until: Some(at(7)) }, 2), [7_000, 10_000]);
        assert_eq!(waits(&mut policy, ConnectionFailure::Blocked { until: at(3_600) }, 1), [3_600_000]);
    }

    #[test]
    fn connections_are_ended_once_and_not_repeatedly() {
        let mut policy = ReconnectPolicy::new();
        let first = policy.next_attempt(ConnectionFailure::TooManyConnections, at(0));
        assert_eq!(first, Reconnect { wait: SignedDuration::ZERO, clear: true });
        let second = policy.next_attempt(ConnectionFailure::TooManyConnections, at(1));
        assert_eq!(second, Reconnect { wait: SignedDuration::from_secs(60), clear: false });
        policy.reset();
        assert!(!policy.next_attempt(ConnectionFailure::TooManyConnections, at(899)).clear);
        assert!(policy.next_attempt(ConnectionFailure::TooManyConnections, at(900)).clear);
    }

    #[test]
    fn missing_rules_are_set_immediately_and_then_with_delays() {
        let mut policy = ReconnectPolicy::new();
        assert_eq!(waits(&mut policy, ConnectionFailure::NoRules, 3), [0, 5_000, 10_000]);
    }

    fn failure() -> impl Strategy<Value = ConnectionFailure> {
        let until = || proptest::option::of((-10_000i64..10_000).prop_map(at));
        prop_oneof![
            Just(ConnectionFailure::Lost),
            until().prop_map(|until| ConnectionFailure::Server { until }),
            until().prop_map(|until| ConnectionFailure::RateLimited { until }),
            Just(ConnectionFailure::TooManyConnections),
            Just(ConnectionFailure::NoRules),
            (-10_000i64..10_000).prop_map(|second| ConnectionFailure::Blocked { until: at(second) }),
        ]
    }

    proptest! {
        #[test]
        fn no_order_of_failures_floods_x_or_gives_up(failures in proptest::collection::vec(failure(), 1..80)) {
            let mut policy = ReconnectPolicy::new();
            let mut now = at(0);
            let mut cleared = Vec::new();
            let mut immediate = 0;
            for failure in failures {
                let next = policy.next_attempt(failure, now);
                prop_assert!(next.wait >= SignedDuration::ZERO && next.wait <= SignedDuration::from_secs(20_000));
                if next.clear {
                    cleared.push(now);
                }
                immediate += usize::from(next.wait.is_zero() && matches!(failure, ConnectionFailure::Lost | ConnectionFailure::NoRules));
                now += next.wait;
            }
            prop_assert!(immediate <= 2, "once per kind without a reset");
            prop_assert!(cleared.windows(2).all(|pair| pair[1].duration_since(pair[0]) >= MIN_CLEAR_INTERVAL));
        }
    }
}
