//! [`Account`]: shared by all sources on X: the token, one HTTP client, the rate limits and the budget.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde_json::Value;

use super::budget::{BilledItem, BudgetExhausted, BudgetLedger, SourceSpend};
use super::client::{Bytes, Client, Request};
use super::config::AccountConfig;
use super::error::ApiError;
use super::fields::FieldNames;
use super::headers::RateHeaders;
use super::rate_limits::{Endpoint, RateLimits};
use crate::clock::Clock;
use crate::metrics::SourceMetrics;
use crate::secret::Secret;
use crate::source::SourceSender;

/// Why the account cannot be set up. One line, without the token.
#[derive(Debug, thiserror::Error)]
#[error("cannot set up the account on X: {0}")]
pub struct AccountError(String);

/// See the module; clones share one account.
#[derive(Clone)]
pub struct Account(Arc<Inner>);

struct Inner {
    client: Client,
    limits: RateLimits,
    ledger: Mutex<BudgetLedger>,
    fields: [FieldNames; 5],
    clock: Clock,
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Account(…)")
    }
}

impl Account {
    /// # Errors
    /// When TLS cannot be set up, e.g. without system certificates.
    pub fn new(config: &AccountConfig, token: Secret, clock: Clock) -> Result<Self, AccountError> {
        let client = Client::new(config, token, clock.clone()).map_err(AccountError)?;
        let (limits, fields) = (RateLimits::new(), Endpoint::ALL.map(FieldNames::for_endpoint));
        Ok(Self(Arc::new(Inner {
            client,
            limits,
            ledger: Mutex::new(BudgetLedger::new(config.budget.clone())),
            fields,
            clock,
        })))
    }

    pub fn now(&self) -> Timestamp {
        (self.0.clock)()
    }

    /// Sends a request and reads the whole response, within our rate limit and that of X.
    ///
    /// # Errors
    /// Also [`ApiError::RateLimited`], without a request, while the rate limit of X is used up.
    pub async fn fetch_json(
        &self,
        at: Endpoint,
        request: &Request,
        metrics: &SourceMetrics,
    ) -> Result<Value, ApiError> {
        self.0.limits.acquire(at, self.now()).await?;
        let (headers, answer) = self.0.client.fetch_json(request).await;
        self.record_response(at, &headers, &answer, metrics);
        answer
    }

    /// Opens a stream. The reader has to watch for silence.
    ///
    /// # Errors
    /// As [`Account::fetch_json`].
    pub async fn open_stream(
        &self,
        at: Endpoint,
        request: &Request,
        metrics: &SourceMetrics,
    ) -> Result<Bytes, ApiError> {
        self.0.limits.acquire(at, self.now()).await?;
        let (headers, answer) = self.0.client.open_stream(request).await;
        self.record_response(at, &headers, &answer, metrics);
        answer
    }

    /// [`Account::fetch_json`] for posts: adds the field parameters under names that X accepts.
    ///
    /// # Errors
    /// As [`Account::fetch_json`].
    pub async fn fetch_posts(
        &self,
        at: Endpoint,
        request: &Request,
        metrics: &SourceMetrics,
    ) -> Result<Value, ApiError> {
        let fields = self.field_names(at);
        loop {
            let mut full = request.clone();
            let tried = fields.add_to(&mut full.query);
            match self.fetch_json(at, &full, metrics).await {
                Err(error) if fields.switch_names(tried, &error) => {}
                answer => {
                    fields.record_response(&answer);
                    return answer;
                }
            }
        }
    }

    /// [`Account::open_stream`] for posts, with field parameters as in [`Account::fetch_posts`].
    ///
    /// # Errors
    /// As [`Account::fetch_json`].
    pub async fn open_posts_stream(
        &self,
        at: Endpoint,
        request: &Request,
        metrics: &SourceMetrics,
    ) -> Result<Bytes, ApiError> {
        let fields = self.field_names(at);
        loop {
            let mut full = request.clone();
            let tried = fields.add_to(&mut full.query);
            match self.open_stream(at, &full, metrics).await {
                Err(error) if fields.switch_names(tried, &error) => {}
                answer => {
                    fields.record_response(&answer);
                    return answer;
                }
            }
        }
    }

    /// Reserves budget for up to `max` posts, at least `min`, before they are requested.
    ///
    /// # Errors
    /// When the budget does not cover `min` posts.
    pub fn reserve(&self, source: &str, item: BilledItem, max: u64, min: u64) -> Result<Reservation, BudgetExhausted> {
        let posts = self.ledger().reserve(item, max, min, self.now())?;
        Ok(Reservation { account: self.clone(), source: source.to_owned(), item, posts })
    }

    /// Spending of `source`, for its cursor.
    pub fn spend_of(&self, source: &str) -> SourceSpend {
        self.ledger().spend_of(source, self.now())
    }

    /// Restores the spending that a source's cursor recorded.
    pub fn restore_spend(&self, source: &str, spend: SourceSpend) {
        self.ledger().restore_spend(source, spend);
    }

    /// Publishes spending and budget problems in the health and metrics of a source. `item`: what the source reads;
    /// `min`: its smallest request.
    pub fn report_budget(&self, out: &SourceSender, item: BilledItem, min: u64) {
        let now = self.now();
        let (usage, problem) = {
            let mut ledger = self.ledger();
            (ledger.usage(now), ledger.problem(item, min, now))
        };
        for used in &usage {
            let of_posts = used.max_posts.map(|max| used.posts as f64 / max.max(1) as f64);
            let of_dollars = used.max_dollars.map(|max| used.dollars / max.max(f64::MIN_POSITIVE));
            let ratio = of_posts.unwrap_or(0.0).max(of_dollars.unwrap_or(0.0));
            out.metrics.budget(&used.period, used.posts, used.dollars, ratio);
        }
        out.health.update(|report| {
            report.spent = usage;
            report.problems.retain(|name, _| !name.starts_with("Budget"));
            report.problems.extend(problem.map(|(name, why)| (name.to_owned(), why)));
        });
    }

    pub(super) fn clock(&self) -> &Clock {
        &self.0.clock
    }

    fn field_names(&self, at: Endpoint) -> &FieldNames {
        let [search, mentions, stream, rules, connections] = &self.0.fields;
        match at {
            Endpoint::Search => search,
            Endpoint::Mentions => mentions,
            Endpoint::Stream => stream,
            Endpoint::Rules => rules,
            Endpoint::Connections => connections,
        }
    }

    fn ledger(&self) -> MutexGuard<'_, BudgetLedger> {
        // The ledger holds plain numbers: it stays consistent after a panic elsewhere.
        self.0.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn record_response<T>(
        &self,
        at: Endpoint,
        headers: &RateHeaders,
        answer: &Result<T, ApiError>,
        metrics: &SourceMetrics,
    ) {
        let retry_at = match answer {
            Err(ApiError::RateLimited { until } | ApiError::Server { until, .. }) => *until,
            _ => None,
        };
        self.0.limits.record_response(at, headers, retry_at);
        metrics.request(at.name(), answer.as_ref().map_or_else(ApiError::outcome, |_| "ok"));
        if let Some(remaining) = headers.remaining {
            metrics.rate_limit_remaining(at.name(), remaining);
        }
    }
}

/// Budget reserved for posts that are about to be read; released when dropped.
#[must_use]
pub struct Reservation {
    account: Account,
    source: String,
    item: BilledItem,
    posts: u64,
}

impl Reservation {
    /// How many posts it covers.
    pub fn posts(&self) -> u64 {
        self.posts
    }

    /// Charges the posts that were read, more or fewer than reserved, and releases the rest.
    pub fn settle(mut self, read: u64) {
        self.charge(read);
    }

    fn charge(&mut self, read: u64) {
        let granted = std::mem::take(&mut self.posts);
        let now = self.account.now();
        self.account.ledger().settle(&self.source, self.item, granted, read, now);
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if self.posts > 0 {
            self.charge(0);
        }
    }
}
