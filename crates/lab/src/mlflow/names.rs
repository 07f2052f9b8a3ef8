//! MLflow's rules for names and values: which characters and which lengths are allowed. They are in MLflow's
//! `mlflow/utils/validation.py`; the limits here are those of 2.8, the lowest supported version.

use std::collections::BTreeMap;

/// In characters, for any name.
pub(super) const MAX_NAME: usize = 250;
/// In characters, for the value of a parameter.
pub(super) const MAX_PARAM: usize = 6000;
/// In characters, for the value of a tag.
pub(super) const MAX_TAG: usize = 5000;

/// Makes `name` a valid name of a metric, parameter or tag: letters, digits, `_`, `-`, `.`, spaces, and `/` between
/// parts.
pub(super) fn plain(name: &str) -> String {
    let plain = |c: char| if c.is_alphanumeric() || "_-. ".contains(c) { c } else { '_' };
    let parts = name.split('/').filter(|part| !matches!(*part, "" | "." | ".."));
    let joined = parts.map(|part| part.chars().map(plain).collect::<String>()).collect::<Vec<_>>().join("/");
    let cut = cut(&joined, MAX_NAME).trim_end_matches('/').to_owned();
    if cut.is_empty() { "_".to_owned() } else { cut }
}

/// Makes `name` a valid artifact path: characters with a special meaning in URLs, shells or servers become `_`.
pub(super) fn path(name: &str) -> String {
    let plain = |c: char| if c.is_control() || "#%?;:*\"<>|\\".contains(c) { '_' } else { c };
    let parts = name.split('/').filter(|part| !matches!(*part, "" | "." | ".."));
    let joined = parts.map(|part| part.chars().map(plain).collect::<String>()).collect::<Vec<_>>().join("/");
    if joined.is_empty() { "_".to_owned() } else { joined }
}

/// Renames `values` with `shape`; names that would collide get a number.
pub(super) fn rename<V>(
    values: impl IntoIterator<Item = (String, V)>,
    shape: impl Fn(&str) -> String,
) -> BTreeMap<String, V> {
    let mut renamed = BTreeMap::new();
    for (name, value) in values {
        let shaped = shape(&name);
        let mut free = shaped.clone();
        for number in 2.. {
            if !renamed.contains_key(&free) {
                break;
            }
            let number = format!("_{number}");
            free = cut(&shaped, MAX_NAME - number.len()).to_owned() + &number;
        }
        renamed.insert(free, value);
    }
    renamed
}

/// At most `max` characters.
pub(super) fn cut(text: &str, max: usize) -> &str {
    text.char_indices().nth(max).and_then(|(at, _)| text.get(..at)).unwrap_or(text)
}

/// At most `max` characters of the value; a truncated one ends in `…`.
pub(super) fn shorten(value: &str, max: usize) -> String {
    let short = cut(value, max);
    if short.len() == value.len() { value.to_owned() } else { format!("{}…", cut(value, max - 1)) }
}

/// Quotes a value for MLflow's filters, which have no escapes.
pub(super) fn quote(value: &str) -> String {
    if value.contains('\'') { format!("\"{}\"", value.replace('"', "")) } else { format!("'{value}'") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_are_plain_and_unique() {
        for (name, expected) in [
            ("recall@90 %", "recall_90 _"),
            ("été/précision", "été/précision"),
            ("/a//../b/", "a/b"),
            ("..", "_"),
            ("", "_"),
        ] {
            assert_eq!(plain(name), expected);
        }
        let renamed = rename([("a@".to_owned(), 1), ("a%".to_owned(), 2), ("a_".to_owned(), 3)], plain);
        assert_eq!(renamed, BTreeMap::from([("a_".into(), 1), ("a__2".into(), 2), ("a__3".into(), 3)]));
        assert_eq!(path("../x/a b#c.png"), "x/a b_c.png");
    }

    #[test]
    fn a_truncated_value_ends_in_an_ellipsis() {
        assert_eq!(shorten("éééé", 4), "éééé");
        assert_eq!(shorten("ééééé", 4), "ééé…");
    }

    proptest! {
        #[test]
        fn plain_is_idempotent(name in ".{0,300}") {
            let once = plain(&name);
            prop_assert!(!once.is_empty() && once.chars().count() <= MAX_NAME);
            prop_assert!(!once.starts_with('/') && !once.split('/').any(|part| matches!(part, "" | "." | "..")));
            prop_assert_eq!(plain(&once), once);
        }
    }
}
