//! [`Patience`]: how long each kind of failure holds a source up, and whether somebody has to do something.

use jiff::{SignedDuration, Timestamp};

use super::backoff::Backoff;
use super::budget::{Exhausted, end_of_day};
use super::error::ApiError;

/// How often it is tried again what only people can mend.
const MEND: SignedDuration = SignedDuration::from_mins(5);
/// How often it is tried whether credits were bought.
const CREDITS: SignedDuration = SignedDuration::from_hours(1);

/// What holds a source up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Held {
    pub until: Timestamp,
    /// One line, with the way out where people have to find one.
    pub why: String,
    pub needs_somebody: bool,
}

/// See the module. Waits grow from failure to failure of a kind.
#[derive(Debug)]
pub(super) struct Patience {
    rate: Backoff,
    server: Backoff,
    network: Backoff,
}

impl Patience {
    pub(super) fn new() -> Self {
        let backoff = |first, most| Backoff::new(SignedDuration::from_secs(first), SignedDuration::from_secs(most));
        Self { rate: backoff(60, 960), server: backoff(5, 320), network: backoff(1, 64) }
    }

    /// It worked: waits begin anew.
    pub(super) fn succeeded(&mut self) {
        self.rate.succeeded();
        self.server.succeeded();
        self.network.succeeded();
    }

    pub(super) fn held(&mut self, error: &ApiError, now: Timestamp) -> Held {
        let after = |wait| now.checked_add(wait).unwrap_or(Timestamp::MAX);
        let (until, way_out) = match error {
            ApiError::RateLimited { until } => (until.unwrap_or_else(|| after(self.rate.wait())), None),
            ApiError::TooManyConnections => (after(self.rate.wait()), None),
            ApiError::Server { until, .. } => (until.unwrap_or_else(|| after(self.server.wait())), None),
            ApiError::Network(_) => (after(self.network.wait()), None),
            ApiError::Malformed(_) => (after(self.server.wait()), None),
            // The day on which a monthly cap ends is X's: once a day is seldom enough.
            ApiError::UsageCapped(problem) if problem.kind.contains("usage-capped") => {
                (end_of_day(now), Some("raise the cap in X's developer console, or wait for its next period"))
            }
            ApiError::UsageCapped(_) => (after(CREDITS), Some("buy credits in X's developer console")),
            ApiError::Unauthorised(_) => (
                after(MEND),
                Some("set the app's valid bearer token in VIGIE_X_TOKEN or x.token_file and restart vigie"),
            ),
            ApiError::Forbidden(_) => {
                (after(MEND), Some("give the token's app access to this in X's developer console"))
            }
            ApiError::Invalid { .. } => (after(MEND), Some("correct the source's query or user_id, or x.base_url")),
        };
        let why = match way_out {
            Some(way_out) => format!("{error}: {way_out}; tried again at {until:.0}"),
            None => error.to_string(),
        };
        Held { until, why, needs_somebody: way_out.is_some() }
    }
}

impl Held {
    pub(super) fn spent(exhausted: &Exhausted) -> Self {
        Self { until: exhausted.until, why: exhausted.to_string(), needs_somebody: true }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::twitter::error::Problem;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn waits(error: &ApiError, times: usize) -> Vec<i64> {
        let (mut patience, now) = (Patience::new(), at("2026-11-23T21:00:00Z"));
        (0..times).map(|_| patience.held(error, now).until.duration_since(now).as_secs()).collect()
    }

    #[test]
    fn each_failure_is_waited_out_in_its_own_way() {
        assert_eq!(waits(&ApiError::RateLimited { until: None }, 6), [60, 120, 240, 480, 960, 960]);
        let reset = Some(at("2026-11-23T21:10:00Z"));
        assert_eq!(waits(&ApiError::RateLimited { until: reset }, 2), [600, 600]);
        assert_eq!(waits(&ApiError::Server { status: 503, until: None }, 8), [5, 10, 20, 40, 80, 160, 320, 320]);
        assert_eq!(waits(&ApiError::Server { status: 503, until: reset }, 1), [600]);
        assert_eq!(waits(&ApiError::Network(String::new()), 3), [1, 2, 4]);
        assert_eq!(waits(&ApiError::Unauthorised(Problem::default()), 2), [300, 300]);
        assert_eq!(waits(&ApiError::UsageCapped(Problem::default()), 1), [3_600]);
        let capped = Problem { kind: "https://api.x.com/2/problems/usage-capped".into(), ..Problem::default() };
        assert_eq!(waits(&ApiError::UsageCapped(capped), 2), [3 * 3_600, 3 * 3_600], "until the day ends");
    }

    #[test]
    fn what_people_must_mend_says_how() {
        let now = at("2026-11-23T21:00:00Z");
        for (error, wanted) in [
            (ApiError::Unauthorised(Problem::default()), "VIGIE_X_TOKEN"),
            (ApiError::Forbidden(Problem::default()), "developer console"),
            (ApiError::UsageCapped(Problem::default()), "credits"),
            (ApiError::Invalid { status: 400, problem: Problem::default() }, "query"),
        ] {
            let held = Patience::new().held(&error, now);
            assert!(held.needs_somebody && held.why.contains(wanted) && !held.why.contains('\n'), "{held:?}");
        }
        assert!(!Patience::new().held(&ApiError::Malformed(String::new()), now).needs_somebody);
    }
}
