//! [`RetryPolicy`]: how long a source pauses after each kind of failure, and whether an operator has to act.

use jiff::{SignedDuration, Timestamp};

use super::backoff::Backoff;
use super::budget::{BudgetExhausted, end_of_day};
use super::error::ApiError;

/// Retry interval of failures that only an operator can fix.
const PERMANENT_RETRY: SignedDuration = SignedDuration::from_mins(5);
/// Retry interval while the credits are used up.
const CREDITS_RETRY: SignedDuration = SignedDuration::from_hours(1);

/// Why and until when a source pauses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pause {
    pub until: Timestamp,
    /// One line, with the remedy when an operator has to act.
    pub why: String,
    pub needs_operator: bool,
}

/// See the module. Delays grow with each failure of the same kind.
#[derive(Debug)]
pub(super) struct RetryPolicy {
    rate: Backoff,
    server: Backoff,
    network: Backoff,
    /// What an operator has to act on. Only a success shows that somebody did: a failing server in between does not.
    standing: Option<String>,
}

impl RetryPolicy {
    pub(super) fn new() -> Self {
        let backoff = |initial, max| Backoff::new(SignedDuration::from_secs(initial), SignedDuration::from_secs(max));
        Self { rate: backoff(60, 960), server: backoff(5, 320), network: backoff(1, 64), standing: None }
    }

    /// After a success: resets the delays, and nobody has to act any more.
    pub(super) fn reset(&mut self) {
        self.rate.reset();
        self.server.reset();
        self.network.reset();
        self.standing = None;
    }

    pub(super) fn pause_after(&mut self, error: &ApiError, now: Timestamp) -> Pause {
        let after = |delay| now.checked_add(delay).unwrap_or(Timestamp::MAX);
        let (until, remedy) = match error {
            ApiError::RateLimited { until } => (until.unwrap_or_else(|| after(self.rate.next_delay())), None),
            ApiError::TooManyConnections => (after(self.rate.next_delay()), None),
            ApiError::Server { until, .. } => (until.unwrap_or_else(|| after(self.server.next_delay())), None),
            ApiError::Network(_) => (after(self.network.next_delay()), None),
            ApiError::Malformed(_) => (after(self.server.next_delay()), None),
            // Only X knows the day on which a monthly cap ends: retry once a day.
            ApiError::UsageCapped(problem) if problem.kind.contains("usage-capped") => {
                (end_of_day(now), Some("raise the cap in X's developer console, or wait for its next period"))
            }
            ApiError::UsageCapped(_) => (after(CREDITS_RETRY), Some("buy credits in X's developer console")),
            ApiError::Unauthorised(_) => (
                after(PERMANENT_RETRY),
                Some("set the app's valid bearer token in VIGIE_X_TOKEN or x.token_file and restart vigie"),
            ),
            ApiError::Forbidden(_) => {
                (after(PERMANENT_RETRY), Some("give the token's app access to this in X's developer console"))
            }
            ApiError::Invalid { .. } => {
                (after(PERMANENT_RETRY), Some("correct the source's query or user_id, or x.base_url"))
            }
        };
        if let Some(remedy) = remedy {
            self.standing = Some(format!("{error}: {remedy}"));
        }
        let why = match (&self.standing, remedy) {
            (Some(standing), Some(_)) => format!("{standing}; next retry at {until:.0}"),
            (Some(standing), None) => format!("{standing}; since then: {error}; next retry at {until:.0}"),
            (None, _) => error.to_string(),
        };
        Pause { until, why, needs_operator: self.standing.is_some() }
    }
}

impl Pause {
    pub(super) fn for_budget(exhausted: &BudgetExhausted) -> Self {
        Self { until: exhausted.until, why: exhausted.to_string(), needs_operator: true }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::twitter::error::Problem;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn delays(error: &ApiError, times: usize) -> Vec<i64> {
        let (mut retry_policy, now) = (RetryPolicy::new(), at("2026-11-23T21:00:00Z"));
        (0..times).map(|_| retry_policy.pause_after(error, now).until.duration_since(now).as_secs()).collect()
    }

    #[test]
    fn each_failure_has_its_delays() {
        assert_eq!(delays(&ApiError::RateLimited { until: None }, 6), [60, 120, 240, 480, 960, 960]);
        let reset = Some(at("2026-11-23T21:10:00Z"));
        assert_eq!(delays(&ApiError::RateLimited { until: reset }, 2), [600, 600]);
        assert_eq!(delays(&ApiError::Server { status: 503, until: None }, 8), [5, 10, 20, 40, 80, 160, 320, 320]);
        assert_eq!(delays(&ApiError::Server { status: 503, until: reset }, 1), [600]);
        assert_eq!(delays(&ApiError::Network(String::new()), 3), [1, 2, 4]);
        assert_eq!(delays(&ApiError::Unauthorised(Problem::default()), 2), [300, 300]);
        assert_eq!(delays(&ApiError::UsageCapped(Problem::default()), 1), [3_600]);
        let capped = Problem { kind: "https://api.x.com/2/problems/usage-capped".into(), ..Problem::default() };
        assert_eq!(delays(&ApiError::UsageCapped(capped), 2), [3 * 3_600, 3 * 3_600], "until the day ends");
    }

    #[test]
    fn failures_for_an_operator_name_the_remedy() {
        let now = at("2026-11-23T21:00:00Z");
        for (error, expected) in [
            (ApiError::Unauthorised(Problem::default()), "VIGIE_X_TOKEN"),
            (ApiError::Forbidden(Problem::default()), "developer console"),
            (ApiError::UsageCapped(Problem::default()), "credits"),
            (ApiError::Invalid { status: 400, problem: Problem::default() }, "query"),
        ] {
            let pause = RetryPolicy::new().pause_after(&error, now);
            assert!(pause.needs_operator && pause.why.contains(expected) && !pause.why.contains('\n'), "{pause:?}");
        }
        assert!(!RetryPolicy::new().pause_after(&ApiError::Malformed(String::new()), now).needs_operator);
    }

    #[test]
    fn a_failing_server_does_not_hide_a_rejected_token() {
        let now = at("2026-11-23T21:00:00Z");
        let mut policy = RetryPolicy::new();
        assert!(policy.pause_after(&ApiError::Unauthorised(Problem::default()), now).needs_operator);
        let pause = policy.pause_after(&ApiError::Server { status: 503, until: None }, now);
        assert!(pause.needs_operator && pause.why.contains("VIGIE_X_TOKEN") && pause.why.contains("503"), "{pause:?}");
        assert_eq!(pause.until.duration_since(now).as_secs(), 5, "the server is tried again soon");
        policy.reset();
        assert!(!policy.pause_after(&ApiError::Server { status: 503, until: None }, now).needs_operator);
    }
}
