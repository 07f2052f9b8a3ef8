//! The column that a user may have meant, for errors about a missing one.

use crate::dump::known_names::comparable_name;

/// Similarity from which a name is suggested.
const MIN_SIMILARITY: f64 = 0.75;
/// Characters of a name that is recognised inside a longer one.
const MIN_PART: usize = 4;

/// The found name that is most similar to one of the expected ones, if any is.
pub(in crate::dump) fn most_similar<'a>(found: impl Iterator<Item = &'a str>, expected: &[String]) -> Option<&'a str> {
    let expected: Vec<String> = expected.iter().map(|name| comparable_name(name)).collect();
    let best = |found: &str| expected.iter().map(|expected| similarity(found, expected)).fold(0.0, f64::max);
    let scored = found.map(|name| (best(name), name)).filter(|(score, _)| *score >= MIN_SIMILARITY);
    scored.max_by(|(one, _), (other, _)| one.total_cmp(other)).map(|(_, name)| name)
}

/// From 0 to 1. A name that has the expected one as a word counts as similar: `Tweet Text (EN)`.
fn similarity(found: &str, expected: &str) -> f64 {
    let mut words = found.split(|character: char| !character.is_alphanumeric());
    let has_word = expected.len() >= MIN_PART && words.any(|word| comparable_name(word) == expected);
    let whole = strsim::normalized_damerau_levenshtein(&comparable_name(found), expected);
    if has_word { whole.max(MIN_SIMILARITY) } else { whole }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_was_meant_is_suggested() {
        let expected = ["text".to_owned(), "tweet".into(), "created_at".into()];
        let similar = |found: &[&'static str]| most_similar(found.iter().copied(), &expected);
        assert_eq!(similar(&["id", "txet", "brand"]), Some("txet"));
        assert_eq!(similar(&["id", "Tweet Text (EN)"]), Some("Tweet Text (EN)"));
        assert_eq!(similar(&["createdat_2", "x"]), Some("createdat_2"));
        assert_eq!(similar(&["id", "brand", "", "views"]), None);
    }
}
