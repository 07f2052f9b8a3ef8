//! One post and one user of X as JSON, read leniently: by the data model of `twitter-v2` where that can, else field by
//! field, so that a new value of a closed enum or a field of another type costs that field and not the post.

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::{Map, Value};
use twitter_v2::data::ReferencedTweetKind;
use twitter_v2::{Tweet, User};

use crate::dump::{RejectReason, timestamp};
use crate::post::{Details, Notice, Post, PublicMetrics, Reference, ReferenceKind, Unusable};

type Object = Map<String, Value>;

/// Where a post can be read, given its identifier alone.
const ADDRESS: &str = "https://x.com/i/web/status/";

/// What is told of an author.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Author {
    username: Option<String>,
    followers: Option<u64>,
}

/// Authors by identifier, from `includes.users`.
pub(super) type Authors = HashMap<u64, Author>;

/// The fields that both readings give.
#[derive(Debug, Default, PartialEq, Eq)]
struct Fields {
    id: Option<u64>,
    text: Option<String>,
    created_at: Option<Timestamp>,
    author_id: Option<u64>,
    conversation_id: Option<u64>,
    lang: Option<String>,
    references: Vec<Reference>,
}

/// Reads a post. Only one without identifier, text or time is unusable.
pub(super) fn read_post(value: &Value, authors: &Authors) -> Result<Post, Unusable> {
    let wrong = |reason: RejectReason, detail: &str| unusable(reason, detail, value);
    let Value::Object(object) = value else {
        return Err(wrong(RejectReason::Json, "a post is no object"));
    };
    let fields = Fields::read(value, object);
    let Some(id) = fields.id else {
        return Err(wrong(RejectReason::MissingField, "id is no number of at most 19 digits"));
    };
    let Some(created_at) = fields.created_at else {
        return Err(match object.get("created_at") {
            None | Some(Value::Null) => wrong(RejectReason::MissingField, "created_at is missing"),
            Some(_) => wrong(RejectReason::Time, "created_at is no time (wanted such as 2026-11-02T08:30:00.000Z)"),
        });
    };
    let text = note(object).map(str::to_owned).or(fields.text);
    let Some(text) = text.filter(|text| !text.trim().is_empty()) else {
        return Err(wrong(RejectReason::EmptyText, "text is missing or empty"));
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
            url: Some(format!("{ADDRESS}{id}")),
            author_id,
            followers: author.and_then(|author| author.followers),
            conversation_id: fields.conversation_id.map(|id| id.to_string()),
            references: fields.references,
            edits: edits(object),
            metrics: object.get("public_metrics").and_then(metrics),
            reason: None,
        },
    })
}

/// The earlier versions of an edited post.
pub(super) fn edit_notices(post: &Post) -> impl Iterator<Item = Notice> {
    let earlier = post.details.edits.iter().filter(|id| number(id) < number(&post.id));
    earlier.map(|id| Notice::PostEdited { id: id.clone(), by: post.id.clone() })
}

/// The authors of a page, a stream's message or whatever else has `includes`.
pub(super) fn authors(message: &Value) -> Authors {
    let users = message.get("includes").and_then(|includes| includes.get("users")).and_then(Value::as_array);
    users.into_iter().flatten().filter_map(author).collect()
}

pub(super) fn unusable(reason: RejectReason, detail: &str, value: &Value) -> Unusable {
    Unusable::new(reason.as_str(), detail, &value.to_string())
}

/// An identifier, of at most 19 digits as X's specification has them.
pub(super) fn number(id: &str) -> Option<u64> {
    (id.len() <= 19 && id.bytes().all(|byte| byte.is_ascii_digit())).then(|| id.parse().ok())?
}

impl Fields {
    fn read(value: &Value, object: &Object) -> Self {
        match <Tweet as serde::Deserialize>::deserialize(value) {
            Ok(tweet) if tweet.created_at.is_some() => Self::of_model(tweet, object),
            _ => Self::of_json(object),
        }
    }

    fn of_model(tweet: Tweet, object: &Object) -> Self {
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
            timestamp::read(&milliseconds.to_string(), None).ok()
        });
        Self {
            id: Some(tweet.id.as_u64()).filter(|id| *id < 10_u64.pow(19)),
            text: Some(tweet.text),
            created_at,
            author_id: tweet.author_id.map(u64::from),
            conversation_id: tweet.conversation_id.map(u64::from),
            lang: tweet.lang.filter(|lang| !lang.is_empty()),
            // The crate knows their older name only.
            references: references.unwrap_or_else(|| references_of(object)),
        }
    }

    fn of_json(object: &Object) -> Self {
        let text = |key| object.get(key).and_then(Value::as_str);
        Self {
            id: object.get("id").and_then(identifier),
            text: text("text").map(str::to_owned),
            created_at: text("created_at").and_then(|at| timestamp::read(at, None).ok()),
            author_id: object.get("author_id").and_then(identifier),
            conversation_id: object.get("conversation_id").and_then(identifier),
            lang: text("lang").filter(|lang| !lang.is_empty()).map(str::to_owned),
            references: references_of(object),
        }
    }
}

fn author(value: &Value) -> Option<(u64, Author)> {
    if let Ok(user) = <User as serde::Deserialize>::deserialize(value) {
        let followers = user.public_metrics.map(|metrics| metrics.followers_count as u64);
        return Some((user.id.as_u64(), Author { username: Some(user.username), followers }));
    }
    let followers = value.get("public_metrics").and_then(|metrics| metrics.get("followers_count"));
    let author = Author {
        username: value.get("username").and_then(Value::as_str).map(str::to_owned),
        followers: followers.and_then(Value::as_u64),
    };
    Some((value.get("id").and_then(identifier)?, author))
}

fn identifier(value: &Value) -> Option<u64> {
    match value {
        Value::String(id) => number(id),
        Value::Number(id) => number(&id.to_string()),
        _ => None,
    }
}

/// The full text of a post that is cut in `text`.
fn note(post: &Object) -> Option<&str> {
    let text = ["note_tweet", "note_post"].iter().find_map(|key| post.get(*key)?.get("text")?.as_str());
    text.filter(|text| !text.trim().is_empty())
}

fn references_of(post: &Object) -> Vec<Reference> {
    let list = ["referenced_tweets", "referenced_posts"].iter().find_map(|key| post.get(*key)?.as_array());
    let one = |value: &Value| {
        let kind = match value.get("type")?.as_str()? {
            "replied_to" => ReferenceKind::RepliedTo,
            "quoted" => ReferenceKind::Quoted,
            "retweeted" | "reposted" => ReferenceKind::Reposted,
            _ => return None,
        };
        Some(Reference { kind, id: identifier(value.get("id")?)?.to_string() })
    };
    list.into_iter().flatten().filter_map(one).collect()
}

fn edits(post: &Object) -> Vec<String> {
    let list = ["edit_history_tweet_ids", "edit_history_post_ids"].iter().find_map(|key| post.get(*key)?.as_array());
    let mut versions: Vec<u64> = list.into_iter().flatten().filter_map(identifier).collect();
    versions.sort_unstable();
    versions.dedup();
    // A post that was never edited is its only version.
    if versions.len() < 2 { Vec::new() } else { versions.iter().map(ToString::to_string).collect() }
}

fn metrics(value: &Value) -> Option<PublicMetrics> {
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
