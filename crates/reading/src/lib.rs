//! What the daemon and the lab share: posts, dumps (files of posts), text cleaning and sentiment.
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
