//! Where posts come from: the first stage of the flow. Everything after it sees only [`Post`]s.

mod post;

pub use post::Post;
