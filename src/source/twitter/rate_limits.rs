//! [`RateLimits`]: how often each endpoint of X may be called: within our own pace, which stays below the documented limits
//! of X, and within the limits in its response headers.

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use jiff::Timestamp;

use super::error::ApiError;
use super::headers::RateHeaders;

/// Window in which X counts requests.
const WINDOW: Duration = Duration::from_secs(900);

/// X counts requests per endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Endpoint {
    Search,
    Mentions,
    /// Connecting to the filtered stream.
    Stream,
    /// Reading and changing the stream's rules.
    Rules,
    /// Ending connections of the stream.
    Connections,
}

impl Endpoint {
    pub(super) const ALL: [Self; 5] = [Self::Search, Self::Mentions, Self::Stream, Self::Rules, Self::Connections];

    /// Value of the metric label `endpoint`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Search => "search",
            Self::Mentions => "mentions",
            Self::Stream => "stream",
            Self::Rules => "rules",
            Self::Connections => "connections",
        }
    }

    /// Requests per 15 minutes that X documents for any account.
    fn documented(self) -> u32 {
        match self {
            Self::Search | Self::Mentions => 450,
            Self::Stream | Self::Connections => 50,
            Self::Rules => 100,
        }
    }

    /// Burst size, and then seconds per request. Together they stay below the documented limits in any 15 minutes: 450
    /// searches and reads of mentions, 50 connections, 100 changes of rules.
    fn pace(self) -> (u32, u64) {
        match self {
            Self::Search | Self::Mentions => (150, 3),
            Self::Stream => (20, 30),
            Self::Rules => (40, 15),
            Self::Connections => (10, 60),
        }
    }
}

/// See the module. Shared by all sources of an account, as X counts per app.
pub(super) struct RateLimits {
    endpoints: [(Endpoint, Mutex<EndpointLimit>); 5],
}

struct EndpointLimit {
    pace: Arc<DefaultDirectRateLimiter>,
    /// Requests per 15 minutes that `pace` allows.
    limit: u32,
    until: Option<Timestamp>,
}

impl RateLimits {
    pub(super) fn new() -> Self {
        let of = |endpoint: Endpoint| {
            let (burst, seconds) = endpoint.pace();
            let pace = limiter(burst, Duration::from_secs(seconds));
            (endpoint, Mutex::new(EndpointLimit { pace, limit: endpoint.documented(), until: None }))
        };
        Self { endpoints: Endpoint::ALL.map(of) }
    }

    /// Waits until our own pace allows a request.
    ///
    /// # Errors
    /// [`ApiError::RateLimited`] while the rate limit of X is used up; no request may be sent then.
    pub(super) async fn acquire(&self, endpoint: Endpoint, now: Timestamp) -> Result<(), ApiError> {
        let Some((pace, until)) = self.of(endpoint).map(|endpoint| (endpoint.pace.clone(), endpoint.until)) else {
            return Ok(());
        };
        if until.is_some_and(|until| now < until) {
            return Err(ApiError::RateLimited { until });
        }
        while let Err(early) = pace.check() {
            tokio::time::sleep(early.wait_time_from(DefaultClock::default().now())).await;
        }
        Ok(())
    }

    /// Records the headers of a response and the time when X accepts requests again. An account with a higher limit than
    /// the documented one gets a faster pace.
    pub(super) fn record_response(&self, endpoint: Endpoint, headers: &RateHeaders, retry_at: Option<Timestamp>) {
        let Some(mut endpoint) = self.of(endpoint) else { return };
        endpoint.until = retry_at.or(headers.reset.filter(|_| headers.remaining == Some(0)));
        if let Some(limit) = headers.limit.filter(|limit| *limit > endpoint.limit) {
            endpoint.limit = limit;
            endpoint.pace = limiter(limit / 3, WINDOW / (limit - limit / 3));
        }
    }

    fn of(&self, endpoint: Endpoint) -> Option<MutexGuard<'_, EndpointLimit>> {
        let (_, endpoint) = self.endpoints.iter().find(|(is, _)| *is == endpoint)?;
        Some(endpoint.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Allows `burst` requests at once, then one per `period`.
fn limiter(burst: u32, period: Duration) -> Arc<DefaultDirectRateLimiter> {
    let burst = NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN);
    let quota = Quota::with_period(period).unwrap_or(Quota::per_minute(NonZeroU32::MIN));
    Arc::new(RateLimiter::direct(quota.allow_burst(burst)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[tokio::test]
    async fn an_endpoint_pauses_until_its_reset_and_others_do_not() {
        let limits = RateLimits::new();
        let spent = RateHeaders { remaining: Some(0), reset: Some(at(100)), ..RateHeaders::default() };
        limits.record_response(Endpoint::Search, &spent, None);
        let refused = limits.acquire(Endpoint::Search, at(99)).await.unwrap_err();
        assert_eq!(refused, ApiError::RateLimited { until: Some(at(100)) });
        assert!(limits.acquire(Endpoint::Search, at(100)).await.is_ok());
        assert!(limits.acquire(Endpoint::Mentions, at(99)).await.is_ok());
        limits.record_response(Endpoint::Search, &RateHeaders { remaining: Some(3), ..spent }, None);
        assert!(limits.acquire(Endpoint::Search, at(99)).await.is_ok(), "the remaining requests may be used");
        limits.record_response(Endpoint::Search, &RateHeaders::default(), Some(at(200)));
        assert!(limits.acquire(Endpoint::Search, at(199)).await.is_err());
    }

    #[test]
    fn our_own_pace_stays_below_the_documented_limits() {
        for endpoint in Endpoint::ALL {
            let (burst, seconds) = endpoint.pace();
            assert!(u64::from(burst) + 900 / seconds <= u64::from(endpoint.documented()), "{endpoint:?}");
        }
    }

    #[tokio::test]
    async fn an_account_with_a_higher_limit_is_faster() {
        let limits = RateLimits::new();
        limits.record_response(Endpoint::Stream, &RateHeaders { limit: Some(900), ..RateHeaders::default() }, None);
        limits.record_response(Endpoint::Stream, &RateHeaders { limit: Some(50), ..RateHeaders::default() }, None);
        for _ in 0..300 {
            let admitted = tokio::time::timeout(Duration::from_secs(1), limits.acquire(Endpoint::Stream, at(0))).await;
            assert!(admitted.is_ok(), "a third of the window at once");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_is_allowed_and_then_paced() {
        let limits = RateLimits::new();
        for _ in 0..20 {
            let admitted = tokio::time::timeout(Duration::from_secs(1), limits.acquire(Endpoint::Stream, at(0))).await;
            assert!(admitted.is_ok(), "the burst");
        }
        assert!(tokio::time::timeout(Duration::from_secs(20), limits.acquire(Endpoint::Stream, at(0))).await.is_err());
    }
}
