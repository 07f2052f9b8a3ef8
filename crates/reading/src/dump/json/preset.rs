//! Presets: the tools whose JSON is known by name, how they are recognised, and the keys they prefer.

use super::path::find;
use super::wrappers::PostIn;
use crate::dump::columns::Field;
use crate::dump::options::Layout;

/// Keys that together only one tool writes, most telling first. The keys are looked up in the post and around it.
const SIGNS: [(Layout, &[&str]); 20] = [
    (Layout::Zeeschuimer, &["source_platform", "data"]),
    (Layout::Zeeschuimer, &["__import_meta"]),
    (Layout::Elasticsearch, &["_source"]),
    (Layout::Bluesky, &["record.createdAt", "author"]),
    (Layout::Bluesky, &["commit.record", "did"]),
    (Layout::XArchive, &["tweet.created_at"]),
    (Layout::XArchive, &["like.tweetId"]),
    (Layout::Twarc2, &["__twarc"]),
    (Layout::Snscrape, &["_type", "user.username"]),
    (Layout::Snscrape, &["rawContent"]),
    (Layout::Twint, &["tweet", "conversation_id", "timezone"]),
    (Layout::Mastodon, &["content", "account"]),
    (Layout::Mastodon, &["object.content", "actor"]),
    (Layout::Telegram, &["date_unixtime", "text"]),
    (Layout::Reddit, &["created_utc"]),
    (Layout::Youtube, &["snippet.publishedAt"]),
    (Layout::Youtube, &["snippet.topLevelComment"]),
    (Layout::Facebook, &["timestamp", "data.0"]),
    (Layout::XV1, &["id_str", "user.screen_name"]),
    (Layout::Mongoexport, &["_id.$oid"]),
];

/// The tool that wrote a post, by its keys. Plain objects are X API v2 or what vigie writes.
pub(super) fn detect(at: &PostIn<'_>) -> Layout {
    let has = |path| {
        let around = [Some(at.post), Some(at.envelope), Some(at.root), at.page];
        around.into_iter().flatten().any(|object| find(object, path).is_some())
    };
    let known = SIGNS.iter().find(|(_, keys)| keys.iter().all(|key| has(key)));
    known.map_or(Layout::XV2, |(layout, _)| *layout)
}

/// Paths that a preset, set by the user, tries before all others.
pub(super) fn preset_paths(layout: Layout, field: Field) -> &'static [&'static str] {
    match (layout, field) {
        (Layout::Snscrape, Field::Text) => &["rawContent", "content"],
        (Layout::Snscrape, Field::CreatedAt) => &["date"],
        (Layout::Twint, Field::Text) => &["tweet"],
        (Layout::Twint | Layout::Snscrape, Field::Author) => &["username", "user.username"],
        (Layout::Reddit, Field::CreatedAt) => &["created_utc"],
        (Layout::Mastodon, Field::Author) => &["account.username", "account.acct"],
        (Layout::Facebook, Field::CreatedAt) => &["timestamp", "created_time"],
        (Layout::Mongoexport, Field::Id) => &["id_str", "id", "_id"],
        _ => &[],
    }
}
