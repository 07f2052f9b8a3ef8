//! [`Account`]: what all sources on X share: the token, one HTTP client, the rate limits, and the budget.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde_json::Value;

use super::budget::{Exhausted, Item, Ledger, Share};
use super::client::{Bytes, Client, Request};
use super::config::AccountConfig;
use super::error::ApiError;
use super::fields::FieldNames;
use super::headers::RateHeaders;
use super::limits::{Endpoint, Limits};
use crate::clock::Clock;
use crate::metrics::SourceMetrics;
use crate::secret::Secret;
use crate::source::Outlet;

/// Why there is no account. One line, without the token.
#[derive(Debug, thiserror::Error)]
#[error("the account on X cannot be used: {0}")]
pub struct AccountError(String);

/// See the module; clones are the same account.
#[derive(Clone)]
pub struct Account(Arc<Inner>);

struct Inner {
    client: Client,
    limits: Limits,
    ledger: Mutex<Ledger>,
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
    /// When TLS cannot be set up, as without the system's certificates.
    pub fn new(config: &AccountConfig, token: Secret, clock: Clock) -> Result<Self, AccountError> {
        let client = Client::new(config, token, clock.clone()).map_err(AccountError)?;
        let (limits, fields) = (Limits::new(), Endpoint::ALL.map(FieldNames::of));
        Ok(Self(Arc::new(Inner {
            client,
            limits,
            ledger: Mutex::new(Ledger::new(config.budget.clone())),
            fields,
            clock,
        })))
    }

    pub fn now(&self) -> Timestamp {
        (self.0.clock)()
    }

    /// Asks and reads the whole answer, at our own pace and X's.
    ///
    /// # Errors
    /// Also [`ApiError::RateLimited`] without asking, while X does not want to be asked.
    pub async fn call(&self, at: Endpoint, request: &Request, metrics: &SourceMetrics) -> Result<Value, ApiError> {
        self.0.limits.admit(at, self.now()).await?;
        let (headers, answer) = self.0.client.call(request).await;
        self.learn(at, &headers, &answer, metrics);
        answer
    }

    /// Opens a stream. Who reads it watches for silence.
    ///
    /// # Errors
    /// As [`Account::call`].
    pub async fn stream(&self, at: Endpoint, request: &Request, metrics: &SourceMetrics) -> Result<Bytes, ApiError> {
        self.0.limits.admit(at, self.now()).await?;
        let (headers, answer) = self.0.client.stream(request).await;
        self.learn(at, &headers, &answer, metrics);
        answer
    }

    /// [`Account::call`] for posts: with the parameters that name the wanted fields, in words that X knows.
    ///
    /// # Errors
    /// As [`Account::call`].
    pub async fn call_for_posts(
        &self,
        at: Endpoint,
        request: &Request,
        metrics: &SourceMetrics,
    ) -> Result<Value, ApiError> {
        let fields = self.fields(at);
        loop {
            let mut full = request.clone();
            let tried = fields.add_to(&mut full.query);
            match self.call(at, &full, metrics).await {
                Err(error) if fields.refused(tried, &error) => {}
                answer => {
                    fields.answered(&answer);
                    return answer;
                }
            }
        }
    }

    /// [`Account::stream`] for posts, as [`Account::call_for_posts`].
    ///
    /// # Errors
    /// As [`Account::call`].
    pub async fn stream_posts(
        &self,
        at: Endpoint,
        request: &Request,
        metrics: &SourceMetrics,
    ) -> Result<Bytes, ApiError> {
        let fields = self.fields(at);
        loop {
            let mut full = request.clone();
            let tried = fields.add_to(&mut full.query);
            match self.stream(at, &full, metrics).await {
                Err(error) if fields.refused(tried, &error) => {}
                answer => {
                    fields.answered(&answer);
                    return answer;
                }
            }
        }
    }

    /// Sets money aside for up to `wanted` posts, at least `least`, before they are asked for.
    ///
    /// # Errors
    /// When the budget does not pay for `least`.
    pub fn reserve(&self, source: &str, item: Item, wanted: u64, least: u64) -> Result<Reservation, Exhausted> {
        let posts = self.ledger().reserve(item, wanted, least, self.now())?;
        Ok(Reservation { account: self.clone(), source: source.to_owned(), item, posts })
    }

    /// What `source` has paid, for its cursor.
    pub fn share(&self, source: &str) -> Share {
        self.ledger().share(source, self.now())
    }

    /// Takes up what a source's cursor says it had paid.
    pub fn restore(&self, source: &str, share: Share) {
        self.ledger().restore(source, share);
    }

    /// Writes what was spent, and what people have to know of it, to the health and metrics of a source that reads
    /// `item`, at least `least` at once.
    pub fn report(&self, outlet: &Outlet, item: Item, least: u64) {
        let now = self.now();
        let (spent, problem) = {
            let mut ledger = self.ledger();
            (ledger.spent(now), ledger.problem(item, least, now))
        };
        for spent in &spent {
            let of_posts = spent.most_posts.map(|most| spent.posts as f64 / most.max(1) as f64);
            let of_dollars = spent.most_dollars.map(|most| spent.dollars / most.max(f64::MIN_POSITIVE));
            let ratio = of_posts.unwrap_or(0.0).max(of_dollars.unwrap_or(0.0));
            outlet.metrics.budget(&spent.period, spent.posts, spent.dollars, ratio);
        }
        outlet.health.update(|report| {
            report.spent = spent;
            report.problems.retain(|name, _| !name.starts_with("Budget"));
            report.problems.extend(problem.map(|(name, why)| (name.to_owned(), why)));
        });
    }

    pub(super) fn clock(&self) -> &Clock {
        &self.0.clock
    }

    fn fields(&self, at: Endpoint) -> &FieldNames {
        let [search, mentions, stream, rules, connections] = &self.0.fields;
        match at {
            Endpoint::Search => search,
            Endpoint::Mentions => mentions,
            Endpoint::Stream => stream,
            Endpoint::Rules => rules,
            Endpoint::Connections => connections,
        }
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        // The ledger is plain numbers: they still add up after a panic elsewhere.
        self.0.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn learn<T>(&self, at: Endpoint, headers: &RateHeaders, answer: &Result<T, ApiError>, metrics: &SourceMetrics) {
        let refused = match answer {
            Err(ApiError::RateLimited { until } | ApiError::Server { until, .. }) => *until,
            _ => None,
        };
        self.0.limits.learn(at, headers, refused);
        metrics.request(at.name(), answer.as_ref().map_or_else(ApiError::outcome, |_| "ok"));
        if let Some(remaining) = headers.remaining {
            metrics.rate_limit_remaining(at.name(), remaining);
        }
    }
}

/// Money set aside for posts that are about to be read; given back when dropped.
#[must_use]
pub struct Reservation {
    account: Account,
    source: String,
    item: Item,
    posts: u64,
}

impl Reservation {
    /// How many posts it pays for.
    pub fn posts(&self) -> u64 {
        self.posts
    }

    /// Books the posts that were read, be they more or fewer, and gives the rest back.
    pub fn settle(mut self, read: u64) {
        self.book(read);
    }

    fn book(&mut self, read: u64) {
        let granted = std::mem::take(&mut self.posts);
        let now = self.account.now();
        self.account.ledger().settle(&self.source, self.item, granted, read, now);
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if self.posts > 0 {
            self.book(0);
        }
    }
}
