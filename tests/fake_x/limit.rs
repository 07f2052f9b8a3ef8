//! Rate limits: requests per endpoint in 15 minutes, reported in `x-rate-limit-*` headers.

use jiff::{SignedDuration, Timestamp};

const WINDOW: SignedDuration = SignedDuration::from_mins(15);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Endpoint {
    Search,
    Mentions,
    Stream,
    /// Listing the rules.
    Rules,
    /// Adding and deleting rules.
    RulesChange,
    Connections,
    Usage,
    Unknown,
}

impl Endpoint {
    pub fn of(method: &str, path: &str) -> Self {
        match (method, path) {
            ("GET", "/2/tweets/search/recent") => Self::Search,
            ("GET", "/2/tweets/search/stream") => Self::Stream,
            ("GET", "/2/tweets/search/stream/rules") => Self::Rules,
            ("POST", "/2/tweets/search/stream/rules") => Self::RulesChange,
            ("DELETE", "/2/connections/all") => Self::Connections,
            ("GET", "/2/usage/tweets") => Self::Usage,
            ("GET", path) if path.starts_with("/2/users/") && path.ends_with("/mentions") => Self::Mentions,
            _ => Self::Unknown,
        }
    }

    pub fn limit(self) -> u32 {
        match self {
            Self::Search | Self::Mentions | Self::Rules => 450,
            Self::RulesChange => 100,
            Self::Stream | Self::Usage | Self::Connections | Self::Unknown => 50,
        }
    }
}

/// Remaining requests of an endpoint, and when the window resets.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    pub limit: u32,
    pub remaining: u32,
    pub reset: Timestamp,
}

impl Window {
    pub fn new(limit: u32, now: Timestamp) -> Self {
        Self { limit, remaining: limit, reset: now + WINDOW }
    }

    /// Counts a request. Returns whether it is allowed.
    pub fn count_request(&mut self, now: Timestamp) -> bool {
        if now >= self.reset {
            *self = Self::new(self.limit, now);
        }
        let allowed = self.remaining > 0;
        self.remaining = self.remaining.saturating_sub(1);
        allowed
    }

    /// The second of the reset, rounded up: X sends whole seconds.
    pub fn reset_second(&self) -> i64 {
        self.reset.as_second() + i64::from(self.reset.subsec_nanosecond() > 0)
    }
}
