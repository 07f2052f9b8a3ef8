//! [`Selector`]: which post or author to erase.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::window::Sample;

/// A post by its id, or an author by handle or identifier, `@` or not, in any case. As JSON `{"post": "123"}` or
/// `{"author": "ann"}`. Its `Debug` form hides who it is.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Selector {
    Post(String),
    Author(String),
}

impl fmt::Debug for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if matches!(self, Self::Post(_)) { "Post(…)" } else { "Author(…)" })
    }
}

impl Selector {
    /// Whether it names nothing: what is left of the identifier or name is empty. The monitor refuses it as its own error, so
    /// callers that ask it check this first.
    pub fn is_empty(&self) -> bool {
        self.normal().is_empty()
    }

    /// The id or name, normalised for comparison.
    pub(in crate::monitor) fn normal(&self) -> String {
        match self {
            Self::Post(id) => id.trim().to_owned(),
            Self::Author(name) => normal_author(name),
        }
    }

    /// Whether `sample` is the post, is by the author, or repeats a post of the author's.
    pub(in crate::monitor) fn matches(&self, sample: &Sample) -> bool {
        let selected = self.normal();
        match self {
            Self::Post(_) => sample.id == selected,
            Self::Author(_) => {
                names(sample).any(|name| name == selected)
                    || reposted(&sample.text).is_some_and(|name| name == selected)
            }
        }
    }

    /// Whether the id or name occurs in `raw` as a word.
    pub(in crate::monitor) fn occurs_in(&self, raw: &str) -> bool {
        let selected = self.normal().to_lowercase();
        let raw = raw.to_lowercase();
        let mut from = 0;
        while let Some(at) = raw.get(from..).and_then(|rest| rest.find(&selected)).filter(|_| !selected.is_empty()) {
            let (start, end) = (from + at, from + at + selected.len());
            let before = raw.get(..start).and_then(|text| text.chars().next_back());
            let behind = raw.get(end..).and_then(|text| text.chars().next());
            if !before.is_some_and(is_word) && !behind.is_some_and(is_word) {
                return true;
            }
            from = end;
        }
        false
    }
}

/// A handle or an author's identifier, normalised for comparison.
pub(crate) fn normal_author(name: &str) -> String {
    name.trim().trim_start_matches('@').to_lowercase()
}

/// The names of a post's author, normalised.
pub(in crate::monitor) fn names(sample: &Sample) -> impl Iterator<Item = String> + '_ {
    [&sample.author, &sample.author_id].into_iter().flatten().map(|name| normal_author(name))
}

/// The author whose post a text repeats, where it is a repost in the old form `RT @name: ...`.
pub(in crate::monitor) fn reposted(text: &str) -> Option<String> {
    let (mark, rest) = text.trim_start().split_at_checked(4)?;
    let name = rest.split(|c| !is_word(c)).next().filter(|name| !name.is_empty())?;
    mark.eq_ignore_ascii_case("rt @").then(|| name.to_lowercase())
}

pub(in crate::monitor) fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(author: &str, author_id: Option<&str>, text: &str) -> Sample {
        Sample {
            id: "77".into(),
            created_at: jiff::Timestamp::UNIX_EPOCH,
            author: Some(author.into()),
            author_id: author_id.map(Into::into),
            url: None,
            text: text.into(),
            negative: 1.0,
        }
    }

    #[test]
    fn an_author_is_meant_by_either_name_in_any_form() {
        let by_ann = sample("Ann_B", Some("42"), "late again");
        for name in ["ann_b", "@Ann_B", " ANN_B ", "42"] {
            assert!(Selector::Author(name.into()).matches(&by_ann), "{name}");
        }
        for name in ["ann", "ann_bb", "4", "", "late"] {
            assert!(!Selector::Author(name.into()).matches(&by_ann), "{name}");
        }
        assert!(Selector::Post("77".into()).matches(&by_ann) && !Selector::Post("42".into()).matches(&by_ann));
    }

    #[test]
    fn a_repost_is_its_authors_text_and_a_mention_is_not() {
        let ann = Selector::Author("ann".into());
        assert!(ann.matches(&sample("bob", None, "RT @Ann: late again")));
        assert!(!ann.matches(&sample("bob", None, "RT @Anna: late again")));
        assert!(!ann.matches(&sample("bob", None, "@ann is right")));
    }

    #[test]
    fn a_name_is_found_in_raw_text_as_a_word() {
        let ann = Selector::Author("@Ann".into());
        assert!(ann.occurs_in("{\"author\":\"ANN\"}") && ann.occurs_in("cannot, said @ann"));
        assert!(!ann.occurs_in("anna, cannot, ann_b") && !Selector::Author("@".into()).occurs_in("anything"));
    }

    #[test]
    fn it_is_not_shown() {
        assert_eq!(format!("{:?}", Selector::Author("ann".into())), "Author(…)");
        let given: Selector = serde_json::from_str(r#"{"author": "ann"}"#).unwrap();
        assert_eq!(given, Selector::Author("ann".into()));
    }
}
