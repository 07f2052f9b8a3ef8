//! One message of the stream: a post, a notice about posts given before, or X's word on the stream itself.

use serde_json::Value;

use super::super::error::Problem;
use super::super::model::{authors, edit_notices, number, read_post, unusable};
use super::lines::Line;
use crate::dump::RejectReason;
use crate::post::{Notice, Post, Unusable};

#[derive(Debug)]
pub(super) enum Message {
    Post {
        post: Box<Post>,
        rules: Vec<MatchedRule>,
    },
    Notices(Vec<Notice>),
    Unusable(Unusable),
    /// X is about to end the stream, for this reason.
    Disconnect(String),
    /// Keep-alives, and what says nothing about a post.
    Nothing,
}

/// A rule that a post is on the stream for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MatchedRule {
    pub id: String,
    pub tag: Option<String>,
}

/// What follows from an account event.
const GONE_USERS: [&str; 4] = ["user_delete", "user_protect", "user_suspend", "user_withheld"];
/// What follows from a post event.
const GONE_POSTS: [&str; 3] = ["delete", "withheld", "drop"];

impl Message {
    pub(super) fn read(line: &Line) -> Self {
        let bytes = match line {
            Line::KeepAlive => return Self::Nothing,
            Line::TooLong => {
                let detail = "a line of the stream is over 1 MiB";
                return Self::Unusable(unusable(RejectReason::TooLong, detail, &Value::Null));
            }
            Line::Message(bytes) => bytes,
        };
        let Ok(value) = serde_json::from_slice::<Value>(bytes) else {
            let raw = Value::String(String::from_utf8_lossy(bytes).into_owned());
            return Self::Unusable(unusable(RejectReason::Json, "a line of the stream is no JSON", &raw));
        };
        match value.get("data") {
            Some(data) if data.get("id").is_some() || data.get("text").is_some() => Self::post(data, &value),
            Some(event @ Value::Object(_)) => Self::notices(event).unwrap_or(Self::Nothing),
            _ => Self::notices(&value).or_else(|| disconnect(&value)).unwrap_or_else(|| Self::unknown(&value)),
        }
    }

    fn post(data: &Value, message: &Value) -> Self {
        match read_post(data, &authors(message)) {
            Ok(post) => Self::Post { post: Box::new(post), rules: rules(message) },
            Err(unusable) => Self::Unusable(unusable),
        }
    }

    /// Reads a compliance event of API v2, or a notice of the form before it.
    fn notices(event: &Value) -> Option<Self> {
        let (kind, about) = event.as_object()?.iter().next()?;
        let notices = match kind.as_str() {
            kind if GONE_POSTS.contains(&kind) => vec![Notice::PostGone { id: post_of(about)? }],
            "status_withheld" => vec![Notice::PostGone { id: identifier(about)? }],
            kind if GONE_USERS.contains(&kind) => {
                let user = about.get("user").unwrap_or(about);
                vec![Notice::AuthorGone { author_id: identifier(user)? }]
            }
            "tweet_edit" | "post_edit" => edited(about)?,
            // Back again, or only without its place: nothing that is kept has to go.
            "undrop" | "user_undelete" | "user_unprotect" | "user_unsuspend" | "scrub_geo" => Vec::new(),
            _ => return None,
        };
        Some(Self::Notices(notices))
    }

    /// A message of a kind that is not known is no post: X asks that clients pass over it.
    fn unknown(value: &Value) -> Self {
        match value {
            Value::Object(_) => Self::Nothing,
            other => Self::Unusable(unusable(RejectReason::Json, "a line of the stream is no object", other)),
        }
    }
}

/// The earlier versions of a post that the stream brought.
pub(super) fn notices_of(post: &Post) -> impl Iterator<Item = Notice> {
    edit_notices(post)
}

fn rules(message: &Value) -> Vec<MatchedRule> {
    let rules = message.get("matching_rules").and_then(Value::as_array);
    let rule = |rule: &Value| {
        let tag = rule.get("tag").and_then(Value::as_str).map(str::to_owned);
        Some(MatchedRule { id: identifier(rule)?, tag })
    };
    rules.into_iter().flatten().filter_map(rule).collect()
}

/// The post that a deletion names: `{"tweet": {"id": ...}}`, or `{"status": {"id_str": ...}}` before.
fn post_of(about: &Value) -> Option<String> {
    ["tweet", "post", "status"].iter().find_map(|key| identifier(about.get(*key)?))
}

fn edited(about: &Value) -> Option<Vec<Notice>> {
    let by = post_of(about)?;
    let versions = ["edit_tweet_ids", "edit_post_ids"].iter().find_map(|key| about.get(*key)?.as_array());
    let first = ["initial_tweet_id", "initial_post_id"].iter().find_map(|key| id_of(about.get(*key)?));
    let mut earlier: Vec<String> = versions.into_iter().flatten().filter_map(id_of).chain(first).collect();
    earlier.retain(|id| number(id) < number(&by));
    earlier.sort_unstable_by_key(|id| number(id));
    earlier.dedup();
    Some(earlier.into_iter().map(|id| Notice::PostEdited { id, by: by.clone() }).collect())
}

fn identifier(thing: &Value) -> Option<String> {
    ["id_str", "id"].iter().find_map(|key| id_of(thing.get(*key)?))
}

/// An identifier as text or number, without leading zeros.
fn id_of(value: &Value) -> Option<String> {
    let id = match value {
        Value::String(id) => number(id),
        Value::Number(id) => number(&id.to_string()),
        _ => None,
    };
    id.map(|id| id.to_string())
}

fn disconnect(value: &Value) -> Option<Message> {
    if let Some(reason) = value.get("disconnect") {
        let reason = reason.get("reason").and_then(Value::as_str).unwrap_or("disconnect");
        return Some(Message::Disconnect(reason.chars().take(100).collect()));
    }
    let errors = value.get("errors").and_then(Value::as_array)?;
    let ends = |error: &&Value| {
        error.get("disconnect_type").is_some()
            || error.get("title").is_some_and(|title| title == "operational-disconnect")
    };
    errors.iter().find(ends)?;
    Some(Message::Disconnect(Problem::read(value, None).to_string()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn read(value: &Value) -> Message {
        Message::read(&Line::Message(value.to_string().into_bytes()))
    }

    fn gone(id: &str) -> Notice {
        Notice::PostGone { id: id.into() }
    }

    fn notices(value: &Value) -> Vec<Notice> {
        match read(value) {
            Message::Notices(notices) => notices,
            other => panic!("{value}: {other:?}"),
        }
    }

    #[test]
    fn a_post_comes_with_the_rules_it_matched() {
        let message = read(&json!({
            "data": {"id": "12", "text": "late", "created_at": "2026-11-20T12:00:00.000Z", "author_id": "7",
                "edit_history_tweet_ids": ["11", "12"]},
            "includes": {"users": [{"id": "7", "name": "A", "username": "a"}]},
            "matching_rules": [{"id": "1", "tag": "vigie:x"}, {"id": "2"}],
        }));
        let Message::Post { post, rules } = message else { panic!("{message:?}") };
        assert_eq!((&*post.id, post.author.as_deref()), ("12", Some("a")));
        let tags: Vec<Option<&str>> = rules.iter().map(|rule| rule.tag.as_deref()).collect();
        assert_eq!(tags, [Some("vigie:x"), None]);
        let edits: Vec<Notice> = notices_of(&post).collect();
        assert_eq!(edits, [Notice::PostEdited { id: "11".into(), by: "12".into() }]);
    }

    #[test]
    fn deletions_of_both_forms_are_understood() {
        let about = json!({"tweet": {"id": "9", "author_id": "7"}, "event_at": "2026-11-20T12:00:00Z"});
        for kind in ["delete", "withheld", "drop"] {
            assert_eq!(notices(&json!({"data": {kind: about}})), [gone("9")]);
        }
        assert_eq!(notices(&json!({"data": {"undrop": about}})), []);
        assert_eq!(notices(&json!({"delete": {"status": {"id": 9, "id_str": "9"}}})), [gone("9")]);
        assert_eq!(notices(&json!({"delete": {"status": {"id": 9}}})), [gone("9")]);
        let author = Notice::AuthorGone { author_id: "7".into() };
        assert_eq!(notices(&json!({"data": {"user_delete": {"user": {"id": "7"}}}})), std::slice::from_ref(&author));
        assert_eq!(notices(&json!({"user_withheld": {"id": 7, "withheld_in_countries": ["XY"]}})), [author]);
    }

    #[test]
    fn an_edit_names_every_earlier_version_once() {
        let edit = json!({"tweet": {"id": "100"}, "event_at": "2026-11-20T12:00:00Z", "initial_tweet_id": "9",
            "edit_tweet_ids": ["9", "10", "100"]});
        let by = |id: &str| Notice::PostEdited { id: id.into(), by: "100".into() };
        assert_eq!(notices(&json!({"data": {"tweet_edit": edit}})), [by("9"), by("10")]);
    }

    #[test]
    fn an_announced_end_is_told_from_an_error_about_a_post() {
        let end = json!({"errors": [{"title": "operational-disconnect", "disconnect_type": "UpstreamOperationalDisconnect",
            "detail": "disconnected", "type": "https://api.x.com/2/problems/operational-disconnect"}]});
        assert!(matches!(read(&end), Message::Disconnect(why) if why.contains("operational-disconnect")));
        let other = json!({"errors": [{"title": "Not Found Error", "resource_type": "tweet"}]});
        assert!(matches!(read(&other), Message::Nothing));
    }

    #[test]
    fn what_is_no_post_is_kept_as_a_reject_or_passed_over() {
        for (line, reason) in
            [("{\"data\":{\"id\":\"1\"", "json"), ("[1]", "json"), ("{\"data\":{\"text\":\"a\"}}", "missing_field")]
        {
            let message = Message::read(&Line::Message(line.into()));
            assert!(
                matches!(&message, Message::Unusable(unusable) if unusable.reason == reason),
                "{line}: {message:?}"
            );
        }
        assert!(matches!(Message::read(&Line::TooLong), Message::Unusable(_)));
        for nothing in [json!({}), json!({"warning": {"code": "FALLING_BEHIND"}}), json!({"data": {"a": 1}})] {
            assert!(matches!(read(&nothing), Message::Nothing), "{nothing}");
        }
    }

    proptest! {
        #[test]
        fn no_line_panics(line in proptest::collection::vec(any::<u8>(), 0..200)) {
            Message::read(&Line::Message(line));
        }

        #[test]
        fn no_object_panics(
            key in "data|delete|errors|user_delete|tweet_edit|disconnect|matching_rules",
            inner in "id|tweet|status|delete|tweet_edit|user|edit_tweet_ids|title",
            value in prop_oneof![Just(json!(null)), Just(json!(7)), Just(json!("7")), Just(json!([{"id": -1}])), Just(json!({"id": "x"}))],
        ) {
            read(&json!({key: {inner: value}}));
        }
    }
}
