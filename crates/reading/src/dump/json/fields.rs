//! Where each field of a post stands in the JSON of the tools that people use. One table for all of them, so that a tool
//! nobody has heard of is read too, if it names its keys like others.

use crate::dump::columns::Field;

/// Paths tried before the names that all layouts share, most specific first.
pub(super) fn first_paths(field: Field) -> &'static [&'static str] {
    match field {
        Field::Id => &[
            "id_str",
            // X's web interface, as Zeeschuimer keeps it.
            "rest_id",
            "legacy.id_str",
        ],
        Field::CreatedAt => &[
            "created_at",
            // Telegram: `date` has no zone.
            "date_unixtime",
            "legacy.created_at",
            // Reddit and Pushshift.
            "created_utc",
            // Bluesky: post views and Jetstream.
            "record.createdAt",
            "commit.record.createdAt",
            // youtube-comment-downloader: `time` is "2 years ago".
            "time_parsed",
        ],
        Field::Text => &[
            // X API v2: `text` cuts a long post (a note post in the specification of late 2026).
            "note_tweet.text",
            "note_post.text",
            // X API v1.1.
            "extended_tweet.full_text",
            "full_text",
            // X's web interface.
            "note_tweet.note_tweet_results.result.text",
            "legacy.full_text",
            // snscrape 0.5 and later.
            "rawContent",
            "record.text",
            "commit.record.text",
        ],
        Field::Author => &[
            "user.screen_name",
            "user.username",
            // The local name: `acct` adds the server for strangers only.
            "account.username",
            "account.acct",
            "author.handle",
            "author.username",
            "author.userName",
            "author.uniqueId",
        ],
        Field::Lang => &["record.langs.0", "commit.record.langs.0", "legacy.lang"],
        Field::Label | Field::Topic | Field::Reason | Field::Incident => &[],
    }
}

/// Paths tried after the names that all layouts share.
pub(super) fn last_paths(field: Field) -> &'static [&'static str] {
    match field {
        Field::Id => &["_id", "snippet.topLevelComment.id", "tweetId", "cid", "comment_id", "aweme_id", "pk", "guid"],
        Field::CreatedAt => &[
            "createdAt",
            "created_time",
            "published",
            "publishedAt",
            "published_at",
            "snippet.topLevelComment.snippet.publishedAt",
            "snippet.publishedAt",
            "createTime",
            "create_time",
            "taken_at",
            "taken_at_timestamp",
            "datetime",
            "@timestamp",
            "timestamp_ms",
            "indexedAt",
            "data.0.comment.timestamp",
            "pubDate",
            "created",
        ],
        Field::Text => &[
            "fullText",
            // YouTube: `textDisplay` is HTML.
            "snippet.topLevelComment.snippet.textOriginal",
            "snippet.textOriginal",
            "snippet.topLevelComment.snippet.textDisplay",
            "snippet.textDisplay",
            "textOriginal",
            "textDisplay",
            // Facebook's export.
            "data.0.post",
            "data.0.comment.comment",
            // TikTok and Instagram, as Zeeschuimer keeps them.
            "desc",
            "caption.text",
            "caption",
            "edge_media_to_caption.edges.0.node.text",
            "comment",
            "review",
            "selftext",
        ],
        Field::Author => &[
            "author.screen_name",
            "author.name",
            "author.displayName",
            "author.nickname",
            "screen_name",
            "user_name",
            "userName",
            "user.uniqueId",
            "user.name",
            "core.user_results.result.legacy.screen_name",
            "core.user_results.result.core.screen_name",
            "snippet.topLevelComment.snippet.authorDisplayName",
            "snippet.authorDisplayName",
            "authorDisplayName",
            "authorName",
            // Telegram and the Graph API.
            "from.username",
            "from.name",
            "from",
            "data.0.comment.author",
            "owner.username",
            "did",
            "attributedTo",
            "actor",
            "from_id",
        ],
        Field::Lang => &[],
        Field::Label | Field::Topic | Field::Reason | Field::Incident => &[],
    }
}
