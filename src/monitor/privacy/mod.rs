//! Personal data in the monitor's state: erasure on request or on a source's notice, and retention. Outside the flow of posts:
//! it rewrites what the monitor has stored.

pub(crate) mod erase;
pub(crate) mod retention;
pub(crate) mod scrub;
pub(crate) mod selector;
pub(crate) mod tombstones;
