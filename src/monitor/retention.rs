//! [`Retention`]: how long stored data is kept.

use serde::{Deserialize, Serialize};

/// `[retention]`, in days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Retention {
    /// Posts, and texts and authors wherever else they are kept.
    pub posts_days: u32,
    /// Hourly counts, and alerts without their posts.
    pub history_days: u32,
}

impl Retention {
    /// Whether posts are kept at all. A configuration cannot say 0 days; a benchmark may.
    pub fn keeps_posts(&self) -> bool {
        self.posts_days > 0
    }
}

impl Default for Retention {
    fn default() -> Self {
        Self { posts_days: 30, history_days: 400 }
    }
}
