//! Objects that stand among posts and are none: deletions, service messages, other records of a stream.

use serde_json::Value;

use super::Object;
use super::path::find_str;
use crate::dump::notes::NoteKind;

/// What an object is if it is not a post.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Event<'a> {
    /// `{"delete": ...}` with its value.
    Delete(&'a Value),
    /// The post with this identifier was deleted, as a stream says.
    Deleted(String),
    Skip(NoteKind),
}

/// Messages of X's streams beside posts, each alone in its object.
const STREAM_MESSAGES: [&str; 8] =
    ["limit", "disconnect", "warning", "scrub_geo", "status_withheld", "user_withheld", "friends", "event"];
/// The collection of posts in Bluesky.
const BLUESKY_POSTS: &str = "app.bsky.feed.post";

pub(super) fn event_of(object: &Object) -> Option<Event<'_>> {
    if let Some(delete) = object.get("delete").filter(|delete| delete.is_object()) {
        return Some(Event::Delete(delete));
    }
    if object.contains_key("did") {
        return bluesky_event(object);
    }
    let word = find_str(object, "type");
    // Telegram: someone joined, a message was pinned.
    if word == Some("service") && (object.contains_key("action") || object.contains_key("actor")) {
        return Some(Event::Skip(NoteKind::ServiceMessage));
    }
    // ActivityPub: a boost or a like, which names its post by an address.
    if object.contains_key("actor") && object.get("object").is_some_and(Value::is_string) && word.is_some() {
        return Some(Event::Skip(NoteKind::OtherRecord));
    }
    // Bluesky: the place of a post that is gone.
    let is_gone = ["notFound", "blocked"].iter().any(|key| object.get(*key) == Some(&Value::Bool(true)));
    if is_gone && object.contains_key("uri") && !object.contains_key("text") {
        return Some(Event::Skip(NoteKind::RemovedPost));
    }
    let alone = (object.len() == 1).then(|| object.keys().next()).flatten();
    alone.filter(|key| STREAM_MESSAGES.contains(&key.as_str())).map(|_| Event::Skip(NoteKind::OtherRecord))
}

/// Jetstream: only the creation of a post is a post.
fn bluesky_event(object: &Object) -> Option<Event<'_>> {
    let kind = find_str(object, "kind");
    let commit = match object.get("commit") {
        Some(Value::Object(commit)) => commit,
        _ => return kind.map(|_| Event::Skip(NoteKind::OtherRecord)),
    };
    let is_post = find_str(commit, "collection").is_none_or(|collection| collection == BLUESKY_POSTS);
    match find_str(commit, "operation") {
        None | Some("create") if is_post => None,
        Some("delete") if is_post => Some(post_uri(object).map_or(Event::Skip(NoteKind::Deletion), Event::Deleted)),
        _ => Some(Event::Skip(NoteKind::OtherRecord)),
    }
}

/// The identifier of the post in a Jetstream commit, as in the API: `at://DID/app.bsky.feed.post/RKEY`.
pub(super) fn post_uri(object: &Object) -> Option<String> {
    let (did, rkey) = (find_str(object, "did")?, find_str(object, "commit.rkey")?);
    let collection = find_str(object, "commit.collection").unwrap_or(BLUESKY_POSTS);
    Some(format!("at://{did}/{collection}/{rkey}"))
}
