//! What MLflow accepts: names without odd characters that are plain paths, values up to a length. Its own rules are in
//! `mlflow/utils/validation.py`; the limits here are those of 2.8, the lowest of the versions meant.

use std::collections::BTreeMap;

/// In characters, of any name.
pub(super) const NAME: usize = 250;
/// In characters, of the value of a parameter.
pub(super) const PARAM: usize = 6000;
/// In characters, of the value of a tag.
pub(super) const TAG: usize = 5000;

/// `name` as the name of a metric, a parameter or a tag: letters, digits, `_`, `-`, `.`, blanks and `/` between parts.
pub(super) fn plain(name: &str) -> String {
    let plain = |c: char| if c.is_alphanumeric() || "_-. ".contains(c) { c } else { '_' };
    let parts = name.split('/').filter(|part| !matches!(*part, "" | "." | ".."));
    let joined = parts.map(|part| part.chars().map(plain).collect::<String>()).collect::<Vec<_>>().join("/");
    let cut = cut(&joined, NAME).trim_end_matches('/').to_owned();
    if cut.is_empty() { "_".to_owned() } else { cut }
}

/// `name` as the path of an artifact: what a URL, a shell or a server might read otherwise is `_`.
pub(super) fn path(name: &str) -> String {
    let plain = |c: char| if c.is_control() || "#%?;:*\"<>|\\".contains(c) { '_' } else { c };
    let parts = name.split('/').filter(|part| !matches!(*part, "" | "." | ".."));
    let joined = parts.map(|part| part.chars().map(plain).collect::<String>()).collect::<Vec<_>>().join("/");
    if joined.is_empty() { "_".to_owned() } else { joined }
}

/// `values` by names that `shape` accepts; what would then share a name gets a number after it.
pub(super) fn renamed<V>(
    values: impl IntoIterator<Item = (String, V)>,
    shape: impl Fn(&str) -> String,
) -> BTreeMap<String, V> {
    let mut renamed = BTreeMap::new();
    for (name, value) in values {
        let wanted = shape(&name);
        let mut free = wanted.clone();
        for number in 2.. {
            if !renamed.contains_key(&free) {
                break;
            }
            let number = format!("_{number}");
            free = cut(&wanted, NAME - number.len()).to_owned() + &number;
        }
        renamed.insert(free, value);
    }
    renamed
}

/// At most `most` characters.
pub(super) fn cut(text: &str, most: usize) -> &str {
    text.char_indices().nth(most).and_then(|(at, _)| text.get(..at)).unwrap_or(text)
}

/// The value up to `most` characters; one that is cut ends in `…`.
pub(super) fn shortened(value: &str, most: usize) -> String {
    let short = cut(value, most);
    if short.len() == value.len() { value.to_owned() } else { format!("{}…", cut(value, most - 1)) }
}

/// A value in MLflow's filters, which have no escapes.
pub(super) fn quoted(value: &str) -> String {
    if value.contains('\'') { format!("\"{}\"", value.replace('"', "")) } else { format!("'{value}'") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_are_plain_and_stay_apart() {
        for (name, wanted) in [
            ("recall@90 %", "recall_90 _"),
            ("été/précision", "été/précision"),
            ("/a//../b/", "a/b"),
            ("..", "_"),
            ("", "_"),
        ] {
            assert_eq!(plain(name), wanted);
        }
        let renamed = renamed([("a@".to_owned(), 1), ("a%".to_owned(), 2), ("a_".to_owned(), 3)], plain);
        assert_eq!(renamed, BTreeMap::from([("a_".into(), 1), ("a__2".into(), 2), ("a__3".into(), 3)]));
        assert_eq!(path("../x/a b#c.png"), "x/a b_c.png");
    }

    #[test]
    fn a_value_that_is_cut_says_so() {
        assert_eq!(shortened("éééé", 4), "éééé");
        assert_eq!(shortened("ééééé", 4), "ééé…");
    }

    proptest! {
        #[test]
        fn every_name_becomes_one_that_stays_as_it_is(name in ".{0,300}") {
            let once = plain(&name);
            prop_assert!(!once.is_empty() && once.chars().count() <= NAME);
            prop_assert!(!once.starts_with('/') && !once.split('/').any(|part| matches!(part, "" | "." | "..")));
            prop_assert_eq!(plain(&once), once);
        }
    }
}
