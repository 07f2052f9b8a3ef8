//! Cleaning, one code for daemon and lab: between the sources and the classifier.

use serde::{Deserialize, Serialize};

/// How a text is prepared for what reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// For TF-IDF and word vectors: lower case; links, stopwords and special characters out.
    Classic,
    /// For transformers: users and links masked, the rest kept as the tokenizer wants it.
    Transformer,
}
