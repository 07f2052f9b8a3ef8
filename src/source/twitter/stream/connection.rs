//! [`Connection`]: the connection of the stream: waiting, connecting or open.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use reqwest::Method;
use tokio::time::Instant;

use super::super::client::{Bytes, Request};
use super::super::error::ApiError;
use super::super::rate_limits::Endpoint;
use super::super::rules::sync_rules;
use super::StreamSettings;
use super::lines::Lines;
use super::reconnect::ConnectionFailure;
use crate::metrics::SourceMetrics;

const PATH: &str = "/2/tweets/search/stream";
const CONNECTIONS: &str = "/2/connections/all";
/// X sends something at least every 20 s: a longer silence means that the connection is dead.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(21);

pub(super) enum Connection {
    Waiting { wait: BoxFuture<'static, ()>, clear: bool },
    Connecting(BoxFuture<'static, Result<NewStream, ApiError>>),
    Open(Box<OpenConnection>),
}

/// A stream that X has just opened.
pub(super) struct NewStream {
    bytes: Bytes,
    /// IDs of our rules, as far as X reported them; none where they were not synchronised.
    pub rules: Vec<String>,
}

pub(super) struct OpenConnection {
    bytes: Bytes,
    pub lines: Lines,
    pub since: Instant,
    last_data: Instant,
    /// Whether it has lasted long enough to reset the reconnect delays.
    pub healthy: bool,
}

/// What happened to a connection.
pub(super) enum ConnectionEvent {
    /// It is time to connect.
    Due {
        clear: bool,
    },
    Connected(Result<NewStream, ApiError>),
    Bytes(Vec<u8>),
    Lost(String),
}

impl Connection {
    pub(super) fn open(opened: NewStream) -> Self {
        let now = Instant::now();
        Self::Open(Box::new(OpenConnection {
            bytes: opened.bytes,
            lines: Lines::default(),
            since: now,
            last_data: now,
            healthy: false,
        }))
    }

    /// Waits for the next event; cancellation-safe. After an event that ends a state, the caller replaces the connection.
    pub(super) async fn next_event(&mut self) -> ConnectionEvent {
        match self {
            Self::Waiting { wait, clear } => {
                wait.await;
                ConnectionEvent::Due { clear: *clear }
            }
            Self::Connecting(connecting) => ConnectionEvent::Connected(connecting.await),
            Self::Open(open) => open.next_event().await,
        }
    }
}

impl OpenConnection {
    async fn next_event(&mut self) -> ConnectionEvent {
        // Received bytes come before the silence timeout: they may have waited while the pipeline was full.
        tokio::select! {
            biased;
            bytes = self.bytes.next() => match bytes {
                Some(Ok(bytes)) => {
                    self.last_data = Instant::now();
                    ConnectionEvent::Bytes(bytes)
                }
                Some(Err(error)) => ConnectionEvent::Lost(error.to_string()),
                None => ConnectionEvent::Lost("X closed the stream".into()),
            },
            () = tokio::time::sleep_until(self.last_data + SILENCE_TIMEOUT) => {
                ConnectionEvent::Lost(format!("no data from X for {} s", SILENCE_TIMEOUT.as_secs()))
            }
        }
    }
}

/// Connects, after ending other connections (`clear`) and synchronising the rules (`rules`).
pub(super) async fn connect(
    settings: StreamSettings,
    metrics: SourceMetrics,
    clear: bool,
    rules: bool,
) -> Result<NewStream, ApiError> {
    let account = &settings.account;
    if clear {
        tracing::warn!(source = settings.name, "closing other stream connections of the app");
        let request = Request { method: Method::DELETE, path: CONNECTIONS.into(), query: Vec::new(), body: None };
        account.fetch_json(Endpoint::Connections, &request, &metrics).await?;
    }
    let rules = if rules { sync_rules(account, &metrics, &settings.tag, &settings.rules).await? } else { Vec::new() };
    let bytes = account.open_posts_stream(Endpoint::Stream, &Request::get(PATH, Vec::new()), &metrics).await?;
    Ok(NewStream { bytes, rules })
}

impl ConnectionFailure {
    /// Classifies an error. `permanent_retry`: when to retry failures that only an operator can fix.
    pub(super) fn from_error(error: &ApiError, permanent_retry: Timestamp) -> Self {
        match error {
            ApiError::Network(_) => Self::Lost,
            ApiError::Server { until, .. } => Self::Server { until: *until },
            ApiError::Malformed(_) => Self::Server { until: None },
            ApiError::RateLimited { until } => Self::RateLimited { until: *until },
            ApiError::TooManyConnections => Self::TooManyConnections,
            ApiError::Invalid { .. }
            | ApiError::Unauthorised(_)
            | ApiError::Forbidden(_)
            | ApiError::UsageCapped(_) => Self::Blocked { until: permanent_retry },
        }
    }
}
