//! [`Link`]: the connection of the stream, from waiting for it to its end.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use reqwest::Method;
use tokio::time::Instant;

use super::super::client::{Bytes, Request};
use super::super::error::ApiError;
use super::super::limits::Endpoint;
use super::super::rules::keep_in_step;
use super::Settings;
use super::lines::Lines;
use super::retry::Failure;
use crate::metrics::SourceMetrics;

const PATH: &str = "/2/tweets/search/stream";
const CONNECTIONS: &str = "/2/connections/all";
/// X sends something at least every 20 s: this much of silence means that the connection is dead.
const SILENCE: Duration = Duration::from_secs(21);

pub(super) enum Link {
    Waiting { wait: BoxFuture<'static, ()>, clear: bool },
    Connecting(BoxFuture<'static, Result<Opened, ApiError>>),
    Open(Box<Open>),
}

/// A stream that X has just opened.
pub(super) struct Opened {
    bytes: Bytes,
    /// The rule's identifier; none where it was not looked up, or X did not tell.
    pub rule: Option<String>,
}

pub(super) struct Open {
    bytes: Bytes,
    pub lines: Lines,
    pub since: Instant,
    heard: Instant,
    /// Whether it has shown that what was wrong before has passed.
    pub healthy: bool,
}

/// What happens to a link.
pub(super) enum LinkEvent {
    /// It is time to connect.
    Due {
        clear: bool,
    },
    Connected(Result<Opened, ApiError>),
    Bytes(Vec<u8>),
    Lost(String),
}

impl Link {
    pub(super) fn open(opened: Opened) -> Self {
        let now = Instant::now();
        Self::Open(Box::new(Open {
            bytes: opened.bytes,
            lines: Lines::default(),
            since: now,
            heard: now,
            healthy: false,
        }))
    }

    /// The next event. May be dropped and asked again; after one that ends a state, the link is to be replaced.
    pub(super) async fn event(&mut self) -> LinkEvent {
        match self {
            Self::Waiting { wait, clear } => {
                wait.await;
                LinkEvent::Due { clear: *clear }
            }
            Self::Connecting(connecting) => LinkEvent::Connected(connecting.await),
            Self::Open(open) => open.event().await,
        }
    }
}

impl Open {
    async fn event(&mut self) -> LinkEvent {
        // What has come is read before silence is noticed: it may have waited for a pipeline that was full.
        tokio::select! {
            biased;
            bytes = self.bytes.next() => match bytes {
                Some(Ok(bytes)) => {
                    self.heard = Instant::now();
                    LinkEvent::Bytes(bytes)
                }
                Some(Err(error)) => LinkEvent::Lost(error.to_string()),
                None => LinkEvent::Lost("X ended the stream".into()),
            },
            () = tokio::time::sleep_until(self.heard + SILENCE) => {
                LinkEvent::Lost(format!("nothing was heard from X for {} s", SILENCE.as_secs()))
            }
        }
    }
}

/// Connects, after what has to be done before.
pub(super) async fn connect(
    settings: Settings,
    metrics: SourceMetrics,
    clear: bool,
    rules: bool,
) -> Result<Opened, ApiError> {
    let account = &settings.account;
    if clear {
        tracing::warn!(source = settings.name, "ending the app's other connections to X's stream");
        let request = Request { method: Method::DELETE, path: CONNECTIONS.into(), query: Vec::new(), body: None };
        account.call(Endpoint::Connections, &request, &metrics).await?;
    }
    let rule = if rules { keep_in_step(account, &metrics, &settings.tag, &settings.query).await? } else { None };
    let bytes = account.stream_posts(Endpoint::Stream, &Request::get(PATH, Vec::new()), &metrics).await?;
    Ok(Opened { bytes, rule })
}

impl Failure {
    /// `rarely`: when to try again what only people can mend.
    pub(super) fn of(error: &ApiError, rarely: Timestamp) -> Self {
        match error {
            ApiError::Network(_) => Self::Lost,
            ApiError::Server { until, .. } => Self::Server { until: *until },
            ApiError::Malformed(_) => Self::Server { until: None },
            ApiError::RateLimited { until } => Self::RateLimited { until: *until },
            ApiError::TooManyConnections => Self::TooManyConnections,
            ApiError::Invalid { status: 409, .. } => Self::NoRules,
            ApiError::Invalid { .. }
            | ApiError::Unauthorised(_)
            | ApiError::Forbidden(_)
            | ApiError::UsageCapped(_) => Self::Blocked { until: rarely },
        }
    }
}
