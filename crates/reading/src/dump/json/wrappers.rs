//! What stands around posts in JSON: arrays, pages, envelopes. [`visit`] finds the posts of one value.

use std::borrow::Cow;

use serde_json::Value;

use super::path::{find, find_mapped, find_str};
use super::skipped::{Event, event_of};
use super::{Object, text};
use crate::dump::known_names::text_names;
use crate::dump::notes::NoteKind;

/// Arrays of posts in a page, the usual ones first.
const PAGE_KEYS: [&str; 17] = [
    "data",
    "posts",
    "feed",
    "statuses",
    "messages",
    "items",
    "hits",
    "children",
    "comments_v2",
    "group_posts_v2",
    "orderedItems",
    "tweets",
    "results",
    "comments",
    "ancestors",
    "descendants",
    "list",
];

/// Objects that contain one post, or a page.
const ENVELOPE_KEYS: [&str; 9] = ["data", "tweet", "like", "post", "_source", "object", "hits", "thread", "chats"];

/// A value in the place of a post.
#[derive(Debug)]
pub(super) enum Item<'a> {
    /// A post with its text, if the text was found without a mapping.
    Post(PostIn<'a>, Option<Cow<'a, str>>),
    /// Something else than a post.
    Event(Event<'a>, &'a Object),
    /// Not even an object.
    Other(&'a Value),
}

/// A post and what is around it.
#[derive(Debug, Clone, Copy)]
pub(super) struct PostIn<'a> {
    pub post: &'a Object,
    /// The object that contains it, such as a hit of Elasticsearch; the post itself if there is none.
    pub envelope: &'a Object,
    /// The outermost object below an array.
    pub root: &'a Object,
    /// The page that contains it, if there is one.
    pub page: Option<&'a Object>,
    /// Telegram: the chat, where there are several. Each numbers its posts from 1.
    pub chat: Option<&'a Value>,
}

impl<'a> PostIn<'a> {
    fn alone(post: &'a Object) -> Self {
        Self { post, envelope: post, root: post, page: None, chat: None }
    }
}

pub(super) fn is_page_key(key: &str) -> bool {
    PAGE_KEYS.contains(&key)
}

/// Passes the posts of a record, and what stands in their place, to `found`. `mapped`: the path that the user gave for the
/// text; the object that has it is the post.
pub(super) fn visit<'a>(value: &'a Value, mapped: Option<&str>, found: &mut dyn FnMut(Item<'a>)) {
    let mut visitor = Visitor { mapped, has_chats: false, found };
    match value {
        Value::Array(items) => visitor.items(items, None),
        Value::Object(object) => visitor.object(PostIn::alone(object)),
        other => (visitor.found)(Item::Other(other)),
    }
}

struct Visitor<'a, 'f> {
    mapped: Option<&'f str>,
    /// Telegram: there are several chats.
    has_chats: bool,
    found: &'f mut dyn FnMut(Item<'a>),
}

impl<'a> Visitor<'a, '_> {
    fn items(&mut self, items: &'a [Value], page: Option<&'a Object>) {
        let chat = page.filter(|_| self.has_chats).and_then(|page| find(page, "id"));
        for item in items {
            match item {
                Value::Object(object) => self.object(PostIn { page, chat, ..PostIn::alone(object) }),
                Value::Array(items) => self.items(items, page),
                other => (self.found)(Item::Other(other)),
            }
        }
    }

    fn object(&mut self, at: PostIn<'a>) {
        let object = at.post;
        if let Some(event) = event_of(object) {
            return (self.found)(Item::Event(event, object));
        }
        if let Some(text) = self.mapped.and_then(|path| find_mapped(object, path)) {
            match text.as_str().is_some_and(is_stub) {
                true => (self.found)(Item::Event(Event::Skip(NoteKind::RemovedPost), object)),
                false => (self.found)(Item::Post(at, None)),
            }
            return self.replies(object);
        }
        // `message` is also the word for the state of an answer, and a page has a title or a description as well.
        let is_certain = |path: &str| path != "message" && (!is_weak(path) || has_own_fields(object));
        if let Some(text) = text::find_text(object, is_certain) {
            return self.post(at, Some(text));
        }
        if is_empty_page(object) {
            return;
        }
        if is_post_without_text(object) {
            (self.found)(Item::Event(Event::Skip(NoteKind::WithoutText), object));
            return self.replies(object);
        }
        let mut is_page = false;
        for items in PAGE_KEYS.iter().filter_map(|key| page_array(object, key)) {
            is_page |= !items.is_empty() || !has_own_fields(object);
            self.items(items, Some(object));
        }
        if is_page {
            return;
        }
        let envelope = ENVELOPE_KEYS.iter().find_map(|key| Some((*key, object.get(*key)?.as_object()?)));
        if let Some((key, inner)) = envelope {
            self.has_chats |= key == "chats";
            self.object(PostIn { post: inner, envelope: object, ..at });
            return self.replies(object);
        }
        let text = text::find_text(object, |_| true);
        match other_page(object).filter(|_| text.is_none()) {
            Some(items) => self.items(items, Some(object)),
            None => self.post(at, text),
        }
    }

    fn post(&mut self, at: PostIn<'a>, text: Option<Cow<'a, str>>) {
        if text.as_deref().is_some_and(is_stub) {
            (self.found)(Item::Event(Event::Skip(NoteKind::RemovedPost), at.post));
        } else {
            (self.found)(Item::Post(at, text));
        }
        self.replies(at.post);
    }

    /// The replies below a post are posts: YouTube's and Reddit's threads, Bluesky's.
    fn replies(&mut self, object: &'a Object) {
        match object.get("replies") {
            Some(Value::Object(replies)) => {
                self.object(PostIn::alone(replies));
            }
            Some(Value::Array(replies)) if replies.iter().all(Value::is_object) => self.items(replies, None),
            _ => {}
        }
    }
}

/// Whether a name of a text also names other things.
fn is_weak(path: &str) -> bool {
    text_names().1.contains(&path)
}

/// What is left of a deleted post on Reddit.
fn is_stub(text: &str) -> bool {
    matches!(text.trim(), "[deleted]" | "[removed]")
}

/// The array under a known key, if it can hold posts.
fn page_array<'a>(object: &'a Object, key: &str) -> Option<&'a Vec<Value>> {
    // `hits.hits` and the like are found through their envelopes.
    object.get(key)?.as_array().filter(|items| items.first().is_none_or(|first| first.is_object() || key == "data"))
}

/// The longest array of objects in a page of an unknown kind: an object that has no field of a post itself.
fn other_page(object: &Object) -> Option<&Vec<Value>> {
    if has_own_fields(object) {
        return None;
    }
    let arrays = object.values().filter_map(Value::as_array);
    arrays.filter(|items| items.first().is_some_and(Value::is_object)).max_by_key(|items| items.len())
}

/// Whether an object has an identifier or a time: it is a post rather than a page.
fn has_own_fields(object: &Object) -> bool {
    ["id", "id_str", "created_at", "date", "timestamp"].iter().any(|key| find(object, key).is_some())
}

/// A post with nothing but pictures, where that is usual: Bluesky, Mastodon, Telegram, Facebook.
fn is_post_without_text(object: &Object) -> bool {
    let is_empty = |path| find_str(object, path).is_some_and(str::is_empty);
    is_empty("record.text")
        || is_empty("commit.record.text")
        || (is_empty("content") && object.contains_key("account"))
        || (object.contains_key("text") && find_str(object, "type") == Some("message"))
        || (object.get("timestamp").is_some_and(Value::is_number)
            && ["title", "attachments"].iter().any(|key| object.contains_key(*key)))
}

/// A page without posts: only `meta`, `errors` and similar keys.
fn is_empty_page(object: &Object) -> bool {
    let known = ["meta", "errors", "includes", "matching_rules", "__twarc"];
    let is_page = object.contains_key("meta") || object.contains_key("errors");
    let more = find_str(object, "kind") == Some("more");
    more || (is_page && object.keys().all(|key| known.contains(&key.as_str())))
}
