//! Reads a post and a user of X from JSON, leniently: with the data model of `twitter-v2` where it fits, else field by
//! field. A new value of a closed enum or a field of another type then loses that field, not the post.

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::{Map, Value};
use twitter_v2::data::ReferencedTweetKind;
use twitter_v2::{Tweet, User};

use crate::dump::{RejectReason, timestamp};
use crate::post::{ComplianceEvent, Details, Post, PublicMetrics, Reference, ReferenceKind, RejectedRecord};

type Object = Map<String, Value>;

/// URL of a post, followed by its ID.
const POST_URL: &str = "https://x.com/i/web/status/";

/// What a response says about an author.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Author {
    username: Option<String>,
    followers: Option<u64>,
}

/// Authors by ID, from `includes.users`.
pub(super) type Authors = HashMap<u64, Author>;

/// The fields that both ways of reading return.
#[derive(Debug, Default, PartialEq, Eq)]
struct PostFields {
    id: Option<u64>,
    text: Option<String>,
    created_at: Option<Timestamp>,
    author_id: Option<u64>,
    conversation_id: Option<u64>,
    lang: Option<String>,
    references: Vec<Reference>,
}

/// Reads a post. Only a post without ID, text or time is rejected.
pub(super) fn read_post(value: &Value, authors: &Authors) -> Result<Post, RejectedRecord> {
    let reject = |reason: RejectReason, detail: &str| reject_record(reason, detail, value);
    let Value::Object(object) = value else {
        return Err(reject(RejectReason::Json, "expected a JSON object"));
    };
    let fields = PostFields::read(value, object);
    let Some(id) = fields.id else {
        return Err(reject(RejectReason::MissingField, "id is not a number of at most 19 digits"));
    };
    let Some(created_at) = fields.created_at else {
        return Err(match object.get("created_at") {
            None | Some(Value::Null) => reject(RejectReason::MissingField, "created_at is missing"),
            Some(_) => reject(RejectReason::Time, "created_at is not a time; expected e.g. 2026-11-02T08:30:00.000Z"),
        });
    };
    let text = long_text(object).map(str::to_owned).or(fields.text);
    let Some(text) = text.filter(|text| !text.trim().is_empty()) else {
        return Err(reject(RejectReason::EmptyText, "text is missing or empty"));
    };
    let author = fields.author_id.and_then(|id| authors.get(&id));
    let author_id = fields.author_id.map(|id| id.to_string());
    Ok(Post {
        id: id.to_string(),
        created_at,
        author: author.and_then(|author| author.username.clone()).or_else(|| author_id.clone()),
        text,
        lang: fields.lang,
        topic: None,
        label: None,
        details: Details {
            url: Some(format!("{POST_URL}{id}")),
            author_id,
            followers: author.and_then(|author| author.followers),
            conversation_id: fields.conversation_id.map(|id| id.to_string()),
            references: fields.references,
            edits: read_edits(object),
            metrics: object.get("public_metrics").and_then(read_metrics),
            reason: None,
            stated_at: None,
        },
    })
}

/// One event for each earlier version of an edited post.
pub(super) fn edit_events(post: &Post) -> impl Iterator<Item = ComplianceEvent> {
    let earlier = post.details.edits.iter().filter(|id| parse_id(id) < parse_id(&post.id));
    earlier.map(|id| ComplianceEvent::PostEdited { id: id.clone(), by: post.id.clone() })
}

/// The authors in the `includes` of a page or stream message.
pub(super) fn authors(message: &Value) -> Authors {
    let users = message.get("includes").and_then(|includes| includes.get("users")).and_then(Value::as_array);
    users.into_iter().flatten().filter_map(read_author).collect()
}

pub(super) fn reject_record(reason: RejectReason, detail: &str, value: &Value) -> RejectedRecord {
    RejectedRecord::new(reason.as_str(), detail, &value.to_string())
}

/// Parses an ID of at most 19 digits, as in X's specification.
pub(super) fn parse_id(id: &str) -> Option<u64> {
    (id.len() <= 19 && id.bytes().all(|byte| byte.is_ascii_digit())).then(|| id.parse().ok())?
}

impl PostFields {
    fn read(value: &Value, object: &Object) -> Self {
        match <Tweet as serde::Deserialize>::deserialize(value) {
            Ok(tweet) if tweet.created_at.is_some() => Self::from_model(tweet, object),
            _ => Self::from_json(object),
        }
    }

    fn from_model(tweet: Tweet, object: &Object) -> Self {
        let kind = |kind| match kind {
            ReferencedTweetKind::Quoted => ReferenceKind::Quoted,
            ReferencedTweetKind::RepliedTo => ReferenceKind::RepliedTo,
            ReferencedTweetKind::Retweeted => ReferenceKind::Reposted,
        };
        let references = tweet.referenced_tweets.map(|references| {
            references.into_iter().map(|it| Reference { kind: kind(it.kind), id: it.id.to_string() }).collect()
        });
        let created_at = tweet.created_at.and_then(|at| {
            let milliseconds = i64::try_from(at.unix_timestamp_nanos().div_euclid(1_000_000)).ok()?;
            timestamp::parse_timestamp(&milliseconds.to_string(), None).ok()
        });
        Self {
            id: Some(tweet.id.as_u64()).filter(|id| *id < 10_u64.pow(19)),
            text: Some(tweet.text),
            created_at,
            author_id: tweet.author_id.map(u64::from),
            conversation_id: tweet.conversation_id.map(u64::from),
            lang: tweet.lang.filter(|lang| !lang.is_empty()),
            // The crate knows only their older name.
            references: references.unwrap_or_else(|| read_references(object)),
        }
    }

    fn from_json(object: &Object) -> Self {
        let text = |key| object.get(key).and_then(Value::as_str);
        Self {
            id: object.get("id").and_then(read_id),
            text: text("text").map(str::to_owned),
            created_at: text("created_at").and_then(|at| timestamp::parse_timestamp(at, None).ok()),
            author_id: object.get("author_id").and_then(read_id),
            conversation_id: object.get("conversation_id").and_then(read_id),
            lang: text("lang").filter(|lang| !lang.is_empty()).map(str::to_owned),
            references: read_references(object),
        }
    }
}

fn read_author(value: &Value) -> Option<(u64, Author)> {
    if let Ok(user) = <User as serde::Deserialize>::deserialize(value) {
        let followers = user.public_metrics.map(|metrics| metrics.followers_count as u64);
        return Some((user.id.as_u64(), Author { username: Some(user.username), followers }));
    }
    let followers = value.get("public_metrics").and_then(|metrics| metrics.get("followers_count"));
    let author = Author {
        username: value.get("username").and_then(Value::as_str).map(str::to_owned),
        followers: followers.and_then(Value::as_u64),
    };
    Some((value.get("id").and_then(read_id)?, author))
}

fn read_id(value: &Value) -> Option<u64> {
    match value {
        Value::String(id) => parse_id(id),
        Value::Number(id) => parse_id(&id.to_string()),
        _ => None,
    }
}

/// The full text of a post whose `text` is truncated.
fn long_text(post: &Object) -> Option<&str> {
    let text = ["note_tweet", "note_post"].iter().find_map(|key| post.get(*key)?.get("text")?.as_str());
    text.filter(|text| !text.trim().is_empty())
}

fn read_references(post: &Object) -> Vec<Reference> {
    let list = ["referenced_tweets", "referenced_posts"].iter().find_map(|key| post.get(*key)?.as_array());
    let one = |value: &Value| {
        let kind = match value.get("type")?.as_str()? {
            "replied_to" => ReferenceKind::RepliedTo,
            "quoted" => ReferenceKind::Quoted,
            "retweeted" | "reposted" => ReferenceKind::Reposted,
            _ => return None,
        };
        Some(Reference { kind, id: read_id(value.get("id")?)?.to_string() })
    };
    list.into_iter().flatten().filter_map(one).collect()
}

fn read_edits(post: &Object) -> Vec<String> {
    let list = ["edit_history_tweet_ids", "edit_history_post_ids"].iter().find_map(|key| post.get(*key)?.as_array());
    let mut versions: Vec<u64> = list.into_iter().flatten().filter_map(read_id).collect();
    versions.sort_unstable();
    versions.dedup();
    // A post that was never edited is its only version.
    if versions.len() < 2 { Vec::new() } else { versions.iter().map(ToString::to_string).collect() }
}

fn read_metrics(value: &Value) -> Option<PublicMetrics> {
    let counts = value.as_object()?;
    let count = |names: &[&str]| names.iter().find_map(|name| counts.get(*name)?.as_u64());
    Some(PublicMetrics {
        reposts: count(&["retweet_count", "repost_count"]).unwrap_or_default(),
        replies: count(&["reply_count"]).unwrap_or_default(),
        likes: count(&["like_count"]).unwrap_or_default(),
        quotes: count(&["quote_count"]).unwrap_or_default(),
        views: count(&["impression_count"]),
    })
}

#[cfg(test)]
pub(super) mod tests;
