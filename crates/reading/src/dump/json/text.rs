//! The whole text of a post, wherever its tool keeps it.

use std::borrow::Cow;

use serde_json::Value;

use super::Object;
use super::fields::{first_paths, last_paths};
use super::path::{find, find_str};
use crate::dump::columns::{Columns, Field};
use crate::dump::known_names::text_names;

/// The text of a post that no mapping names; `None` also where it is empty. `allowed`: the paths to consider.
pub(super) fn find_text(post: &Object, allowed: impl Fn(&str) -> bool) -> Option<Cow<'_, str>> {
    if let Some(text) = retweet(post).or_else(|| reblog(post)).or_else(|| submission(post)) {
        return Some(text);
    }
    // A name that also names other things, such as `title`, comes last.
    let (certain, weak) = text_names();
    // The title of a post on Facebook is what its author did: "Ann added a photo."
    let weak = if post.contains_key("data") || post.contains_key("attachments") { &[] } else { weak };
    let paths = first_paths(Field::Text).iter().chain(certain).chain(last_paths(Field::Text)).chain(weak).copied();
    let text = paths.filter(|path| allowed(path)).find_map(|path| text_value(find(post, path)?))?;
    Some(with_warning(post, text))
}

/// A text: a string, or as Telegram writes it, an array of strings and of objects with a `text`.
pub(super) fn text_value(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => (!text.trim().is_empty()).then_some(Cow::Borrowed(text.as_str())),
        Value::Array(parts) => {
            let text: String = parts.iter().map(part_of_text).collect::<Option<_>>()?;
            (!text.trim().is_empty()).then_some(Cow::Owned(text))
        }
        _ => None,
    }
}

/// One part of a text in several.
fn part_of_text(part: &Value) -> Option<&str> {
    match part {
        Value::String(text) => Some(text),
        // As Telegram writes a link. An object with an identifier is a post.
        other => other
            .get("text")
            .and_then(Value::as_str)
            .filter(|_| other.get("type").is_some_and(Value::is_string) && other.get("id").is_none()),
    }
}

/// The first value in the place of a text that is not one.
pub(super) fn wrong_text(post: &Object) -> Option<&Value> {
    Columns::default().names(Field::Text).find_map(|name| find(post, name))
}

/// A retweet of X API v1.1 or X's web interface, whose own text is cut: `RT @author: ` as X writes it, and the whole text.
/// The prefix stays because that is how retweets are recognised in every other layout.
fn retweet(post: &Object) -> Option<Cow<'_, str>> {
    let (retweeted, author) = match post.get("retweeted_status") {
        Some(Value::Object(status)) => (status, find_str(status, "user.screen_name")),
        _ => {
            let result = find(post, "legacy.retweeted_status_result.result")?.as_object()?;
            let names = ["core.user_results.result.legacy.screen_name", "core.user_results.result.core.screen_name"];
            (result, names.iter().find_map(|path| find_str(result, path)))
        }
    };
    let text = first_paths(Field::Text).iter().chain(&["text"]).find_map(|path| text_value(find(retweeted, path)?))?;
    let own = ["full_text", "text", "legacy.full_text"].iter().find_map(|path| find_str(post, path));
    Some(Cow::Owned(retweet_text(own, author, &text)))
}

/// The text of a retweet with the whole text of its original. `own`: the cut text, whose prefix is kept.
pub(super) fn retweet_text(own: Option<&str>, author: Option<&str>, original: &str) -> String {
    let prefix = own.filter(|own| own.starts_with("RT @")).and_then(|own| own.split_once(": ")).map(|(name, _)| name);
    match (prefix, author) {
        (Some(prefix), _) => format!("{prefix}: {original}"),
        (None, Some(author)) => format!("RT @{author}: {original}"),
        (None, None) => original.to_owned(),
    }
}

/// A boost on Mastodon: its own text is empty.
fn reblog(post: &Object) -> Option<Cow<'_, str>> {
    let original = post.get("reblog")?.as_object()?;
    Some(with_warning(original, text_value(original.get("content")?)?))
}

/// A submission on Reddit: its title, and the text below if there is one.
fn submission(post: &Object) -> Option<Cow<'_, str>> {
    let (title, below) = (find_str(post, "title")?, find_str(post, "selftext")?);
    let below = below.trim();
    match below {
        // The title stays where a moderator removed the text.
        "[removed]" | "[deleted]" if title == "[deleted by user]" => Some(Cow::Borrowed("[removed]")),
        "" | "[removed]" | "[deleted]" => Some(Cow::Borrowed(title)),
        _ => Some(Cow::Owned(format!("{title}\n{below}"))),
    }
}

/// The text after Mastodon's content warning, which people read first.
fn with_warning<'a>(post: &'a Object, text: Cow<'a, str>) -> Cow<'a, str> {
    match find_str(post, "spoiler_text").map(str::trim) {
        None | Some("") => text,
        Some(warning) => Cow::Owned(format!("{warning}\n{text}")),
    }
}
