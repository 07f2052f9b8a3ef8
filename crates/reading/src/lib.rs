//! What the daemon and the lab share: posts, files of posts, text, sentiment.
//!
//! ```text
//! dump ==Post==> classify (text) ==ClassifiedPost==>
//!
//! classify > {text, dump > post}
//! ```

pub mod classify;
pub mod dump;
pub mod post;
pub mod text;
