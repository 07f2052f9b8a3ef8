//! [`Retention`]: for how long what is stored is kept.

use serde::{Deserialize, Serialize};

/// `[retention]`, in days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Retention {
    /// Texts and authors, wherever they are kept.
    pub posts_days: u32,
    /// Hourly counts, and alerts without their posts.
    pub history_days: u32,
}

impl Default for Retention {
    fn default() -> Self {
        Self { posts_days: 30, history_days: 400 }
    }
}
