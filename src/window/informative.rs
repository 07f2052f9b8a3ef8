//! The words of a text that say something about its subject: what alerts and reports compare with earlier posts.

use crate::text::{Profile, clean};

/// The letters of a topic's name, in lower case: its own words say nothing about it.
pub(crate) fn plain_name(topic: &str) -> String {
    topic.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The informative words of `text`, in order, without those of the topic's [`plain_name`].
pub(crate) fn informative_words(text: &str, plain_name: &str) -> Vec<String> {
    let text = clean(Profile::Classic, text);
    let words = text.split(' ').filter(|word| is_informative(word) && !is_of_name(word, plain_name));
    words.map(str::to_owned).collect()
}

/// Whether a cleaned word says something about the subject of a post. Negations matter to the models, but not here.
fn is_informative(word: &str) -> bool {
    let letters = word.chars().count();
    (3..=30).contains(&letters) && !matches!(word, "not" | "pas" | "non" | "nor" | "too" | "very")
}

/// Whether `word` is a part of the topic's name, such as "air", "paradis" or "airparadis".
pub(crate) fn is_of_name(word: &str, name: &str) -> bool {
    !name.is_empty() && (name.contains(word) || word.contains(name))
}
