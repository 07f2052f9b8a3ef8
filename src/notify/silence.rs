//! [`Silence`]: suppresses matching alerts for a limited time.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::matcher::{Labels, Matcher};

/// A silence, as in Alertmanager.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Silence {
    /// Such as `S-7F3K`.
    pub id: String,
    /// All of them must match.
    #[schema(value_type = Vec<String>)]
    pub matchers: Vec<Matcher>,
    pub starts_at: Timestamp,
    pub ends_at: Timestamp,
    pub by: String,
    pub comment: String,
}

impl Silence {
    pub fn is_active(&self, now: Timestamp) -> bool {
        self.starts_at <= now && now < self.ends_at
    }

    pub fn matches(&self, labels: &Labels, now: Timestamp) -> bool {
        self.is_active(now) && Matcher::all(&self.matchers, labels)
    }
}
