//! A fake X API v2 on a loopback port. It behaves as the specification of X says, and injects faults. Tests use a
//! [`FakeX`] to publish posts, script faults and inspect requests.
//!
//! ```text
//! request -> answer (records, token, rate limit, fault) -> search | stream | rules | account -> World (posts, rules)
//! ```
#![allow(dead_code, unused_imports, reason = "each test binary uses its part")]
#![allow(unreachable_pub, reason = "also part of an example, where no crate exports it")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test's helper: a panic there is the failure it should be")]

mod account;
mod answer;
mod fault;
mod handle;
mod limit;
mod params;
mod post;
mod query;
mod rules;
mod search;
mod stream;
mod world;

pub use answer::Recorded;
pub use fault::Fault;
pub use handle::{FakeX, Settings};
pub use limit::Endpoint;
pub use params::Names;
pub use post::{FakePost, Visible, snowflake, snowflake_time};
pub use stream::Act;

/// The clock the fake reads; `vigie::clock::Clock` is one.
pub type Clock = std::sync::Arc<dyn Fn() -> jiff::Timestamp + Send + Sync>;

/// A clock that follows tokio's time, paused or not, from `start` on.
pub fn tokio_clock(start: jiff::Timestamp) -> Clock {
    // Paused time jumps to the next timer even while bytes travel between two sockets, past any timeout. Small steps give
    // them time to arrive.
    tokio::spawn(async {
        loop {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    });
    let begun = tokio::time::Instant::now();
    std::sync::Arc::new(move || start + jiff::SignedDuration::try_from(begun.elapsed()).unwrap())
}
