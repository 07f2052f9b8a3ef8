//! Text cleaning, shared by daemon and lab. Between the sources and the classifier.
//!
//! All profiles first decode entities, drop invisible characters and collapse white space (`normalise`), then split the text
//! into links, mentions, e-mail addresses and the rest (`scan`). They differ in what they write for each piece. Cleaning is
//! idempotent and never panics.

mod classic;
mod comparable;
mod normalise;
mod scan;
mod stopwords;
mod transformer;

pub use comparable::{ComparableText, comparable_text};

use serde::{Deserialize, Serialize};

use classic::Stopwords;

/// The text as people read it: entities are decoded (X writes `&amp;` for `&`), invisible characters are dropped and white
/// space is collapsed.
pub fn readable(text: &str) -> String {
    normalise::normalise(text)
}

/// How a text is cleaned for its consumer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// For TF-IDF and word vectors: lower case, without links, stopwords and special characters.
    Classic,
    /// As `Classic`, but with stopwords: person (`i`, `you`) and tense (`was`) say much about a post's sentiment.
    Words,
    /// For transformers: users and links are masked, the rest is kept for the tokenizer.
    Transformer,
}

/// Cleans a text with `profile`: single spaces between words, none at the ends. The result may be empty; callers drop it
/// then.
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
