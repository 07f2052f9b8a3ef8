//! The filters of the page, each as a link that sets or releases it.

use serde::Serialize;

use super::super::visitor::Visitor;
use super::parameters::own_parameters;
use crate::query::{Filter, RepeatedPost};
use crate::text::readable;

/// A value of a facet, and the address that selects or releases it.
#[derive(Debug, Serialize)]
pub(super) struct Choice {
    value: String,
    posts: u64,
    chosen: bool,
    address: String,
}

/// The values of a facet, also those that are chosen and that nothing has.
pub(super) fn choices(visitor: &Visitor, name: &str, counts: &[(String, u64)], chosen: &[String]) -> Vec<Choice> {
    // A chosen value stays, so that it can be released, though nothing has it: "none" is an answer.
    let missing =
        chosen.iter().filter(|value| !counts.iter().any(|(known, _)| known == *value)).map(|value| (value, 0));
    let all = counts.iter().map(|(value, posts)| (value, *posts)).chain(missing);
    all.map(|(value, posts)| {
        let is_chosen = chosen.contains(value);
        let address = toggle(visitor, name, is_chosen.then_some(value), value);
        Choice { value: value.clone(), posts, chosen: is_chosen, address }
    })
    .collect()
}

/// The address with the parameter set to `value`, or without it where it was `chosen`.
pub(super) fn toggle(visitor: &Visitor, name: &str, chosen: Option<&str>, value: &str) -> String {
    visitor.with_parameters(&[("page", None), (name, chosen.is_none().then_some(value))])
}

/// A cascade of the facet: the beginning of its text, its posts, and where they are.
pub(super) fn cascade_line(repeated: &RepeatedPost, visitor: &Visitor) -> (String, u64, String) {
    let address = visitor.with_parameters(&[("cascade", Some(&repeated.cascade.to_string())), ("page", None)]);
    (readable(&repeated.text).chars().take(60).collect(), repeated.posts, address)
}

/// What the text must contain besides the first, which is in the form; and the addresses without it.
pub(super) fn words(filter: &Filter, visitor: &Visitor) -> Vec<(String, String)> {
    let without = |place: usize| {
        let others = filter.texts.iter().enumerate().filter(|(other, _)| *other != place);
        let texts = others.map(|(_, text)| ("text", Some(text.as_str())));
        visitor.with_parameters(&texts.chain([("text", None), ("page", None)]).collect::<Vec<_>>())
    };
    let further = filter.texts.iter().enumerate().skip(1);
    further.map(|(place, text)| (text.clone(), without(place))).collect()
}

/// Filters that the form has no field for, as parameters of this page: a search keeps them.
pub(super) fn kept(filter: &Filter) -> Vec<(&'static str, String)> {
    // The field holds the first text.
    let first = filter.texts.first();
    let has_field = |name: &str, value: &String| match name {
        "text" => Some(value) == first,
        name => matches!(name, "author" | "since" | "until"),
    };
    own_parameters(filter).filter(|(name, value)| !has_field(name, value)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::parameters::PostsParameters;
    use super::*;

    #[test]
    fn a_search_keeps_the_filters_that_have_no_field() {
        let query = b"topic=a&topic=b&lang=fr&text=late&text=bag&author=ann&order=doubtful&language=en";
        let parameters: Vec<_> = form_urlencoded::parse(query).into_owned().collect();
        let asked = PostsParameters::read(&parameters).unwrap();
        let expected = [("topic", "a"), ("topic", "b"), ("lang", "fr"), ("text", "bag")];
        assert_eq!(kept(&asked.filter), expected.map(|(name, value)| (name, value.to_owned())));
    }
}
