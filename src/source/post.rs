//! [`Post`], what every source delivers and every later stage reads.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One public post, as its source gave it. Text and author are personal data: they never go into a log, an error or a
/// metric.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Post {
    /// The source's own identifier, or one derived from author, time and text where the source has none.
    pub id: String,
    /// Event time: when the post was written.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub created_at: Timestamp,
    /// Handle without `@`, or the source's author identifier.
    pub author: Option<String>,
    /// The text as posted, never cut.
    pub text: String,
    /// BCP 47 language as the source states it.
    pub lang: Option<String>,
    /// Content of the dump's topic column, where one was named.
    pub topic: Option<String>,
    /// The label a dump carries: `negative`, `neutral` or `positive`.
    pub label: Option<String>,
}
