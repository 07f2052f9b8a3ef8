//! French and English words without sentiment, which the `classic` profile removes.
//!
//! Unlike the usual lists, these have no negations (`not`, `no`, `never`, `ne`, `pas`, `jamais`...): "not late" and "late"
//! are opposites. They have no degree words (`too`, `very`, `trop`, `plus`) either, which are frequent in complaints. Both
//! lists apply to every text, because the language of a short post is rarely known. Single letters remain from elisions and
//! clitics. A verb form that is also a word of the airline trade (`avions`) is not a stopword. `rt`, `http` and `https` are:
//! they remain from reposts and masked links.

use std::collections::HashSet;
use std::sync::LazyLock;

/// Whether `word`, in lower case, is a stopword of either language.
pub(super) fn is_stopword(word: &str) -> bool {
    word.len() <= MAX_BYTES && STOPWORDS.contains(word)
}

/// Looked up for every word of every post: three times as fast as two binary searches.
static STOPWORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| ENGLISH.into_iter().chain(FRENCH).collect());

/// Length in bytes of the longest stopword.
const MAX_BYTES: usize = 10;

#[rustfmt::skip]
const ENGLISH: [&str; 149] = [
    "a", "about", "above", "after", "again", "all", "also", "although", "am", "among", "amongst", "an", "and",
    "another", "any", "are", "as", "at", "be", "because", "been", "before", "being", "below", "between", "both",
    "but", "by", "can", "could", "d", "did", "do", "does", "doing", "down", "during", "each", "every", "for", "from",
    "further", "had", "has", "have", "having", "he", "her", "here", "hers", "herself", "him", "himself", "his", "how",
    "http", "https", "i", "if", "in", "into", "is", "it", "its", "itself", "just", "ll", "m", "may", "me", "might",
    "must", "my", "myself", "o", "of", "off", "on", "once", "only", "or", "other", "ought", "our", "ours",
    "ourselves", "out", "over", "own", "re", "rt", "s", "same", "shall", "she", "should", "since", "so", "some",
    "such", "t", "than", "that", "the", "their", "theirs", "them", "themselves", "then", "there", "these", "they",
    "this", "those", "though", "through", "to", "u", "under", "until", "up", "upon", "ur", "us", "ve", "via", "was",
    "we", "were", "what", "when", "where", "which", "while", "who", "whom", "whose", "why", "will", "with", "within",
    "would", "y", "yet", "you", "your", "yours", "yourself", "yourselves",
];

#[rustfmt::skip]
const FRENCH: [&str; 178] = [
    "a", "ai", "aie", "ainsi", "ait", "alors", "après", "as", "au", "aura", "auraient", "aurais", "aurait", "auras",
    "aurez", "aurons", "auront", "aussi", "autre", "autres", "aux", "avaient", "avais", "avait", "avant", "avec",
    "avez", "aviez", "avoir", "avons", "ayant", "c", "ce", "ceci", "cela", "celle", "celles", "celui", "ces", "cet",
    "cette", "ceux", "chaque", "chez", "comme", "comment", "d", "dans", "de", "depuis", "des", "deux", "donc", "dont",
    "du", "elle", "elles", "en", "encore", "entre", "es", "est", "et", "eu", "eut", "eux", "fait", "fus", "fut",
    "hors", "ici", "il", "ils", "j", "je", "jusque", "l", "la", "le", "les", "leur", "leurs", "lors", "lorsque",
    "lui", "là", "m", "ma", "mais", "me", "mes", "moi", "mon", "même", "mêmes", "nos", "notre", "nous", "on", "ont",
    "ou", "où", "par", "parce", "pendant", "pour", "pourquoi", "puis", "puisque", "qu", "quand", "que", "quel",
    "quelle", "quelles", "quelque", "quelques", "quels", "qui", "quoi", "quoique", "s", "sa", "se", "selon", "sera",
    "serai", "seraient", "serait", "seras", "serez", "serons", "seront", "ses", "si", "soi", "soient", "sois", "soit",
    "sommes", "son", "sont", "sous", "suis", "sur", "t", "ta", "tandis", "te", "tel", "telle", "telles", "tels",
    "tes", "toi", "ton", "tu", "un", "une", "vers", "voici", "voilà", "vos", "votre", "vous", "y", "à", "ça", "ès",
    "étaient", "étais", "était", "étant", "étiez", "étions", "été", "êtes", "être",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_sorted_unique_and_lower_case() {
        for list in [&ENGLISH[..], &FRENCH[..]] {
            assert!(list.is_sorted_by(|a, b| a < b));
            assert!(list.iter().all(|word| word.chars().all(char::is_lowercase)));
        }
        let longest = ENGLISH.iter().chain(&FRENCH).map(|word| word.len()).max();
        assert_eq!(longest, Some(MAX_BYTES));
    }

    #[test]
    fn both_languages_are_known() {
        for word in ["a", "the", "yourselves", "le", "étaient", "qu", "être"] {
            assert!(is_stopword(word), "{word}");
        }
        assert!(!is_stopword("retard") && !is_stopword("") && !is_stopword("delayed"));
    }

    #[test]
    fn negations_and_degrees_survive() {
        for word in [
            "not", "no", "nor", "never", "none", "nothing", "without", "cannot", "ne", "pas", "non", "ni", "jamais",
            "rien", "aucun", "aucune", "sans", "plus", "very", "too", "trop", "très",
        ] {
            assert!(!is_stopword(word), "{word}");
        }
    }
}
