//! [`Limits`]: how often each endpoint of X may be asked: by our own pace, which stays below what X documents, and by
//! what X says in its headers.

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use jiff::Timestamp;

use super::error::ApiError;
use super::headers::RateHeaders;

/// What X counts requests in.
const WINDOW: Duration = Duration::from_secs(900);

/// What X counts requests by.
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

    /// For metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Search => "search",
            Self::Mentions => "mentions",
            Self::Stream => "stream",
            Self::Rules => "rules",
            Self::Connections => "connections",
        }
    }

    /// Requests in 15 minutes that X documents for any account.
    fn documented(self) -> u32 {
        match self {
            Self::Search | Self::Mentions => 450,
            Self::Stream | Self::Connections => 50,
            Self::Rules => 100,
        }
    }

    /// So many at once, and then one in so many seconds. Together they never exceed, in any 15 minutes, what X documents:
    /// 450 searches and reads of mentions, 50 connections, 100 changes of rules.
    fn pace(self) -> (u32, u64) {
        match self {
            Self::Search | Self::Mentions => (150, 3),
            Self::Stream => (20, 30),
            Self::Rules => (40, 15),
            Self::Connections => (10, 60),
        }
    }
}

/// See the module. Shared by all sources of one account, as X counts by app.
pub(super) struct Limits {
    endpoints: [(Endpoint, Mutex<Held>); 5],
}

struct Held {
    pace: Arc<DefaultDirectRateLimiter>,
    /// Requests in 15 minutes that `pace` keeps to.
    limit: u32,
    until: Option<Timestamp>,
}

impl Limits {
    pub(super) fn new() -> Self {
        let of = |endpoint: Endpoint| {
            let (burst, seconds) = endpoint.pace();
            let pace = limiter(burst, Duration::from_secs(seconds));
            (endpoint, Mutex::new(Held { pace, limit: endpoint.documented(), until: None }))
        };
        Self { endpoints: Endpoint::ALL.map(of) }
    }

    /// Waits for our own pace.
    ///
    /// # Errors
    /// [`ApiError::RateLimited`] while X does not want to be asked; nothing is to be sent then.
    pub(super) async fn admit(&self, endpoint: Endpoint, now: Timestamp) -> Result<(), ApiError> {
        let Some((pace, until)) = self.of(endpoint).map(|held| (held.pace.clone(), held.until)) else { return Ok(()) };
        if until.is_some_and(|until| now < until) {
            return Err(ApiError::RateLimited { until });
        }
        while let Err(early) = pace.check() {
            tokio::time::sleep(early.wait_time_from(DefaultClock::default().now())).await;
        }
        Ok(())
    }

    /// Takes in what an answer's headers say, and when it says that X may be asked again. An account that X allows more
    /// than it documents for all goes at its own pace.
    pub(super) fn learn(&self, endpoint: Endpoint, headers: &RateHeaders, refused_until: Option<Timestamp>) {
        let Some(mut held) = self.of(endpoint) else { return };
        held.until = refused_until.or(headers.reset.filter(|_| headers.remaining == Some(0)));
        if let Some(limit) = headers.limit.filter(|limit| *limit > held.limit) {
            held.limit = limit;
            held.pace = limiter(limit / 3, WINDOW / (limit - limit / 3));
        }
    }

    fn of(&self, endpoint: Endpoint) -> Option<MutexGuard<'_, Held>> {
        let (_, held) = self.endpoints.iter().find(|(is, _)| *is == endpoint)?;
        Some(held.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// So many at once, and then one each `period`.
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
    async fn an_endpoint_is_left_alone_until_its_reset_and_others_are_not() {
        let limits = Limits::new();
        let spent = RateHeaders { remaining: Some(0), reset: Some(at(100)), ..RateHeaders::default() };
        limits.learn(Endpoint::Search, &spent, None);
        let refused = limits.admit(Endpoint::Search, at(99)).await.unwrap_err();
        assert_eq!(refused, ApiError::RateLimited { until: Some(at(100)) });
        assert!(limits.admit(Endpoint::Search, at(100)).await.is_ok());
        assert!(limits.admit(Endpoint::Mentions, at(99)).await.is_ok());
        limits.learn(Endpoint::Search, &RateHeaders { remaining: Some(3), ..spent }, None);
        assert!(limits.admit(Endpoint::Search, at(99)).await.is_ok(), "what remains may be used");
        limits.learn(Endpoint::Search, &RateHeaders::default(), Some(at(200)));
        assert!(limits.admit(Endpoint::Search, at(199)).await.is_err());
    }

    #[test]
    fn our_own_pace_stays_below_what_x_documents() {
        for endpoint in Endpoint::ALL {
            let (burst, seconds) = endpoint.pace();
            assert!(u64::from(burst) + 900 / seconds <= u64::from(endpoint.documented()), "{endpoint:?}");
        }
    }

    #[tokio::test]
    async fn an_account_that_may_ask_more_goes_faster() {
        let limits = Limits::new();
        limits.learn(Endpoint::Stream, &RateHeaders { limit: Some(900), ..RateHeaders::default() }, None);
        limits.learn(Endpoint::Stream, &RateHeaders { limit: Some(50), ..RateHeaders::default() }, None);
        for _ in 0..300 {
            let admitted = tokio::time::timeout(Duration::from_secs(1), limits.admit(Endpoint::Stream, at(0))).await;
            assert!(admitted.is_ok(), "a third of the window at once");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_is_let_through_and_then_paced() {
        let limits = Limits::new();
        for _ in 0..20 {
            let admitted = tokio::time::timeout(Duration::from_secs(1), limits.admit(Endpoint::Stream, at(0))).await;
            assert!(admitted.is_ok(), "the burst");
        }
        assert!(tokio::time::timeout(Duration::from_secs(20), limits.admit(Endpoint::Stream, at(0))).await.is_err());
    }
}
