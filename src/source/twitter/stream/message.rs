//! [`StreamMessage`]: a post, a compliance event about earlier posts, or a message about the stream itself.

use serde_json::Value;

use super::super::error::Problem;
use super::super::model::{authors, parse_id, read_post, reject_record};
use super::lines::Line;
use crate::dump::RejectReason;
use crate::post::{ComplianceEvent, Post, RejectedRecord};

#[derive(Debug)]
pub(super) enum StreamMessage {
    Post {
        post: Box<Post>,
        rules: Vec<MatchedRule>,
    },
    Compliance(Vec<ComplianceEvent>),
    Rejected(RejectedRecord),
    /// X is about to end the stream, for this reason.
    Disconnect(String),
    /// Keep-alives and messages that do not concern posts.
    Ignored,
}

/// A rule that a post matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MatchedRule {
    pub id: String,
    pub tag: Option<String>,
}

/// Account events after which the posts of the author are erased.
const AUTHOR_GONE_EVENTS: [&str; 4] = ["user_delete", "user_protect", "user_suspend", "user_withheld"];
/// Post events after which the post is erased.
const POST_GONE_EVENTS: [&str; 3] = ["delete", "withheld", "drop"];

impl StreamMessage {
    pub(super) fn read(line: &Line) -> Self {
        let bytes = match line {
            Line::KeepAlive => return Self::Ignored,
            Line::TooLong => {
                let detail = "a line of the stream is longer than 1 MiB";
                return Self::Rejected(reject_record(RejectReason::TooLong, detail, &Value::Null));
            }
            Line::Message(bytes) => bytes,
        };
        let Ok(value) = serde_json::from_slice::<Value>(bytes) else {
            let raw = Value::String(String::from_utf8_lossy(bytes).into_owned());
            return Self::Rejected(reject_record(RejectReason::Json, "a line of the stream is not JSON", &raw));
        };
        match value.get("data") {
            Some(data) if data.get("id").is_some() || data.get("text").is_some() => Self::post(data, &value),
            Some(event @ Value::Object(_)) => Self::compliance(event).unwrap_or(Self::Ignored),
            _ => Self::compliance(&value).or_else(|| read_disconnect(&value)).unwrap_or_else(|| Self::unknown(&value)),
        }
    }

    fn post(data: &Value, message: &Value) -> Self {
        match read_post(data, &authors(message)) {
            Ok(post) => Self::Post { post: Box::new(post), rules: read_rules(message) },
            Err(rejected) => Self::Rejected(rejected),
        }
    }

    /// Reads a compliance event of API v2, or of the older format.
    fn compliance(event: &Value) -> Option<Self> {
        let (kind, about) = event.as_object()?.iter().next()?;
        let events = match kind.as_str() {
            kind if POST_GONE_EVENTS.contains(&kind) => vec![ComplianceEvent::PostGone { id: read_post_id(about)? }],
            "status_withheld" => vec![ComplianceEvent::PostGone { id: read_object_id(about)? }],
            kind if AUTHOR_GONE_EVENTS.contains(&kind) => {
                let user = about.get("user").unwrap_or(about);
                vec![ComplianceEvent::AuthorGone { author_id: read_object_id(user)? }]
            }
            "tweet_edit" | "post_edit" => read_edit(about)?,
            // The post is restored, or only its location is removed: nothing stored has to be erased.
            "undrop" | "user_undelete" | "user_unprotect" | "user_unsuspend" | "scrub_geo" => Vec::new(),
            _ => return None,
        };
        Some(Self::Compliance(events))
    }

    /// Handles a message of unknown kind: X asks clients to ignore it.
    fn unknown(value: &Value) -> Self {
        match value {
            Value::Object(_) => Self::Ignored,
            other => Self::Rejected(reject_record(
                RejectReason::Json,
                "expected a JSON object in a line of the stream",
                other,
            )),
        }
    }
}

fn read_rules(message: &Value) -> Vec<MatchedRule> {
    let rules = message.get("matching_rules").and_then(Value::as_array);
    let rule = |rule: &Value| {
        let tag = rule.get("tag").and_then(Value::as_str).map(str::to_owned);
        Some(MatchedRule { id: read_object_id(rule)?, tag })
    };
    rules.into_iter().flatten().filter_map(rule).collect()
}

/// The post that a deletion names: `{"tweet": {"id": ...}}`, or `{"status": {"id_str": ...}}` in the older format.
fn read_post_id(about: &Value) -> Option<String> {
    ["tweet", "post", "status"].iter().find_map(|key| read_object_id(about.get(*key)?))
}

fn read_edit(about: &Value) -> Option<Vec<ComplianceEvent>> {
    let by = read_post_id(about)?;
    let versions = ["edit_tweet_ids", "edit_post_ids"].iter().find_map(|key| about.get(*key)?.as_array());
    let first = ["initial_tweet_id", "initial_post_id"].iter().find_map(|key| read_id(about.get(*key)?));
    let mut earlier: Vec<String> = versions.into_iter().flatten().filter_map(read_id).chain(first).collect();
    earlier.retain(|id| parse_id(id) < parse_id(&by));
    earlier.sort_unstable_by_key(|id| parse_id(id));
    earlier.dedup();
    Some(earlier.into_iter().map(|id| ComplianceEvent::PostEdited { id, by: by.clone() }).collect())
}

fn read_object_id(object: &Value) -> Option<String> {
    ["id_str", "id"].iter().find_map(|key| read_id(object.get(*key)?))
}

/// Reads an ID that is a string or a number, without leading zeros.
fn read_id(value: &Value) -> Option<String> {
    let id = match value {
        Value::String(id) => parse_id(id),
        Value::Number(id) => parse_id(&id.to_string()),
        _ => None,
    };
    id.map(|id| id.to_string())
}

fn read_disconnect(value: &Value) -> Option<StreamMessage> {
    if let Some(reason) = value.get("disconnect") {
        let reason = reason.get("reason").and_then(Value::as_str).unwrap_or("disconnect");
        return Some(StreamMessage::Disconnect(reason.chars().take(100).collect()));
    }
    let errors = value.get("errors").and_then(Value::as_array)?;
    let ends = |error: &&Value| {
        error.get("disconnect_type").is_some()
            || error.get("title").is_some_and(|title| title == "operational-disconnect")
    };
    errors.iter().find(ends)?;
    Some(StreamMessage::Disconnect(Problem::read(value, None).to_string()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::super::super::model::edit_events;
    use super::*;

    fn read(value: &Value) -> StreamMessage {
        StreamMessage::read(&Line::Message(value.to_string().into_bytes()))
    }

    fn gone(id: &str) -> ComplianceEvent {
        ComplianceEvent::PostGone { id: id.into() }
    }

    fn events(value: &Value) -> Vec<ComplianceEvent> {
        match read(value) {
            StreamMessage::Compliance(events) => events,
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
        let StreamMessage::Post { post, rules } = message else { panic!("{message:?}") };
        assert_eq!((&*post.id, post.author.as_deref()), ("12", Some("a")));
        let tags: Vec<Option<&str>> = rules.iter().map(|rule| rule.tag.as_deref()).collect();
        assert_eq!(tags, [Some("vigie:x"), None]);
        let edits: Vec<ComplianceEvent> = edit_events(&post).collect();
        assert_eq!(edits, [ComplianceEvent::PostEdited { id: "11".into(), by: "12".into() }]);
    }

    #[test]
    fn deletions_of_both_formats_are_read() {
        let about = json!({"tweet": {"id": "9", "author_id": "7"}, "event_at": "2026-11-20T12:00:00Z"});
        for kind in ["delete", "withheld", "drop"] {
            assert_eq!(events(&json!({"data": {kind: about}})), [gone("9")]);
        }
        assert_eq!(events(&json!({"data": {"undrop": about}})), []);
        assert_eq!(events(&json!({"delete": {"status": {"id": 9, "id_str": "9"}}})), [gone("9")]);
        assert_eq!(events(&json!({"delete": {"status": {"id": 9}}})), [gone("9")]);
        let author = ComplianceEvent::AuthorGone { author_id: "7".into() };
        assert_eq!(events(&json!({"data": {"user_delete": {"user": {"id": "7"}}}})), std::slice::from_ref(&author));
        assert_eq!(events(&json!({"user_withheld": {"id": 7, "withheld_in_countries": ["XY"]}})), [author]);
    }

    #[test]
    fn an_edit_names_every_earlier_version_once() {
        let edit = json!({"tweet": {"id": "100"}, "event_at": "2026-11-20T12:00:00Z", "initial_tweet_id": "9",
            "edit_tweet_ids": ["9", "10", "100"]});
        let by = |id: &str| ComplianceEvent::PostEdited { id: id.into(), by: "100".into() };
        assert_eq!(events(&json!({"data": {"tweet_edit": edit}})), [by("9"), by("10")]);
    }

    #[test]
    fn an_announced_disconnect_differs_from_an_error_about_a_post() {
        let end = json!({"errors": [{"title": "operational-disconnect", "disconnect_type": "UpstreamOperationalDisconnect",
            "detail": "disconnected", "type": "https://api.x.com/2/problems/operational-disconnect"}]});
        assert!(matches!(read(&end), StreamMessage::Disconnect(why) if why.contains("operational-disconnect")));
        let other = json!({"errors": [{"title": "Not Found Error", "resource_type": "tweet"}]});
        assert!(matches!(read(&other), StreamMessage::Ignored));
    }

    #[test]
    fn other_messages_are_rejected_or_ignored() {
        for (line, reason) in
            [("{\"data\":{\"id\":\"1\"", "json"), ("[1]", "json"), ("{\"data\":{\"text\":\"a\"}}", "missing_field")]
        {
            let message = StreamMessage::read(&Line::Message(line.into()));
            assert!(
                matches!(&message, StreamMessage::Rejected(rejected) if rejected.reason == reason),
                "{line}: {message:?}"
            );
        }
        assert!(matches!(StreamMessage::read(&Line::TooLong), StreamMessage::Rejected(_)));
        for ignored in [json!({}), json!({"warning": {"code": "FALLING_BEHIND"}}), json!({"data": {"a": 1}})] {
            assert!(matches!(read(&ignored), StreamMessage::Ignored), "{ignored}");
        }
    }

    proptest! {
        #[test]
        fn no_line_panics(line in proptest::collection::vec(any::<u8>(), 0..200)) {
            StreamMessage::read(&Line::Message(line));
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
