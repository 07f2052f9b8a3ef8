//! Cleaning, one code for daemon and lab: between the sources and the classifier.
//!
//! All profiles first decode entities, drop invisible junk and collapse white space (`normalise`), then cut the text
//! into links, mentions, e-mail addresses and the rest (`scan`); they differ in what they write of each piece.
//! Cleaning a cleaned text changes nothing, and no text makes it panic.

mod classic;
mod normalise;
mod scan;
mod stopwords;
mod transformer;
mod wording;

pub use wording::{Wording, wording};

use serde::{Deserialize, Serialize};

use classic::Stopwords;

/// The text as people read it: X writes `&amp;` for `&`. Entities are decoded, invisible junk is dropped, white space collapses.
pub fn readable(text: &str) -> String {
    normalise::normalise(text)
}

/// How a text is prepared for what reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// For TF-IDF and word vectors: lower case; links, stopwords and special characters out.
    Classic,
    /// As `Classic`, stopwords kept: who is spoken of (`i`, `you`) and when (`was`) tells much of a post's sentiment.
    Words,
    /// For transformers: users and links masked, the rest kept as the tokenizer wants it.
    Transformer,
}

/// The text as `profile` wants it: single spaces between words, none at the ends; empty where nothing is left, which
/// callers drop.
pub fn clean(profile: Profile, text: &str) -> String {
    let normal = normalise::normalise(text);
    match profile {
        Profile::Classic => classic::render(&normal, Stopwords::Dropped),
        Profile::Words => classic::render(&normal, Stopwords::Kept),
        Profile::Transformer => transformer::render(&normal),
    }
}

#[cfg(test)]
mod tests;
