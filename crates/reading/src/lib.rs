//! What the daemon and the lab share: posts, dumps (files of posts), text cleaning, sentiment and statistics.
//!
//! ```text
//! dump ==Post==> classify (text) ==ClassifiedPost==>
//!
//! classify > {text, dump > post}        stats (no imports)
//! ```

pub mod classify;
pub mod dump;
pub mod post;
pub mod stats;
pub mod text;
