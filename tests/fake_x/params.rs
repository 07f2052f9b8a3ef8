//! The parameters that each endpoint knows, and the fields and expansions in them.

use super::answer::Problem;

/// Names of fields. The specification of late 2026 says `post.fields` and `note_post`; the API in use until then says
/// `tweet.fields` and `note_tweet`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Names {
    /// Responds with the names of the request.
    Any,
    /// As in use: rejects `post.fields`.
    Tweet,
    /// As specified: search and mentions reject `tweet.fields`, and responses say `post`.
    Post,
}

pub type Query = Vec<(String, String)>;

const FIELDS: [&str; 36] = [
    "article",
    "article_title",
    "attachments",
    "author_id",
    "card_uri",
    "community_id",
    "context_annotations",
    "conversation_id",
    "created_at",
    "display_text_range",
    "edit_controls",
    "edit_history_tweet_ids",
    "entities",
    "geo",
    "id",
    "in_reply_to_user_id",
    "lang",
    "matched_media_notes",
    "media_metadata",
    "non_public_metrics",
    "note_post",
    "note_request_suggestions",
    "note_tweet",
    "organic_metrics",
    "paid_partnership",
    "possibly_sensitive",
    "promoted_metrics",
    "public_metrics",
    "referenced_tweets",
    "reply_settings",
    "scopes",
    "source",
    "suggested_source_links",
    "suggested_source_links_with_counts",
    "text",
    "withheld",
];
/// Those of [`FIELDS`] that only `tweet.fields` knows.
const TWEET_ONLY: [&str; 6] =
    ["author_id", "edit_history_tweet_ids", "in_reply_to_user_id", "note_tweet", "referenced_tweets", ""];
const POST_ONLY: [&str; 2] = ["article_title", "note_post"];
const TWEET_EXPANSIONS: [&str; 14] = [
    "article.cover_media",
    "article.media_entities",
    "attachments.media_keys",
    "attachments.media_source_tweet",
    "attachments.poll_ids",
    "author_id",
    "edit_history_tweet_ids",
    "entities.mentions.username",
    "geo.place_id",
    "in_reply_to_user_id",
    "entities.note.mentions.username",
    "referenced_tweets.id",
    "referenced_tweets.id.attachments.media_keys",
    "referenced_tweets.id.author_id",
];
const POST_EXPANSIONS: [&str; 12] = [
    "article.cover_media",
    "article.media_entities",
    "attachments.media_keys",
    "attachments.media_source_tweet",
    "attachments.poll_ids",
    "author_id",
    "edit_history_post_ids",
    "entities.mentions.username",
    "geo.place_id",
    "in_reply_to_user_id",
    "referenced_posts",
    "username",
];
const COMMON: [&str; 6] = ["expansions", "user.fields", "media.fields", "poll.fields", "place.fields", "tweet.fields"];

/// The requested fields and expansions.
#[derive(Debug, Clone)]
pub struct Asked {
    pub names: Names,
    fields: Vec<String>,
    expansions: Vec<String>,
    user_fields: Vec<String>,
}

impl Asked {
    /// `stream`: the filtered stream, for which the specification still allows `tweet.fields`.
    pub fn read(query: &Query, names: Names, stream: bool) -> Result<Self, Problem> {
        let list = |key| -> Vec<String> { get(query, key).map(split).unwrap_or_default() };
        let (tweet, post) = (get(query, "tweet.fields").is_some(), get(query, "post.fields").is_some());
        let takes_tweet = names != Names::Post || stream;
        if tweet && !takes_tweet {
            return Err(Problem::parameter("tweet.fields", "is not one of the parameters"));
        }
        if post && (names == Names::Tweet || stream) {
            return Err(Problem::parameter("post.fields", "is not one of the parameters"));
        }
        let (fields, expansions) = (list(if post { "post.fields" } else { "tweet.fields" }), list("expansions"));
        let unknown = |field: &&String| {
            let field = field.as_str();
            !FIELDS.contains(&field) || if post { TWEET_ONLY.contains(&field) } else { POST_ONLY.contains(&field) }
        };
        if let Some(field) = fields.iter().find(unknown) {
            return Err(Problem::parameter("tweet.fields", &format!("does not know {field}")));
        }
        let known = |expansion: &str| match (names, stream) {
            (Names::Tweet, _) | (_, true) => TWEET_EXPANSIONS.contains(&expansion),
            (Names::Post, false) => POST_EXPANSIONS.contains(&expansion),
            (Names::Any, false) => TWEET_EXPANSIONS.contains(&expansion) || POST_EXPANSIONS.contains(&expansion),
        };
        if let Some(expansion) = expansions.iter().find(|expansion| !known(expansion)) {
            return Err(Problem::parameter("expansions", &format!("does not know {expansion}")));
        }
        let names = match names {
            Names::Any if post => Names::Post,
            Names::Any => Names::Tweet,
            named => named,
        };
        Ok(Self { names, fields, expansions, user_fields: list("user.fields") })
    }

    pub fn field(&self, name: &str) -> bool {
        self.fields.iter().any(|field| field == name)
    }

    pub fn expands(&self, name: &str) -> bool {
        self.expansions.iter().any(|expansion| expansion == name)
    }

    pub fn expands_any(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.expands(name))
    }

    pub fn user_field(&self, name: &str) -> bool {
        self.user_fields.iter().any(|field| field == name)
    }
}

fn split(list: &str) -> Vec<String> {
    list.split(',').map(str::to_owned).collect()
}

pub fn get<'a>(query: &'a Query, key: &str) -> Option<&'a str> {
    query.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
}

pub fn number<T: std::str::FromStr>(query: &Query, key: &str) -> Result<Option<T>, Problem> {
    get(query, key).map(|value| value.parse().map_err(|_| Problem::parameter(key, "is not a number"))).transpose()
}

/// Rejects repeated parameters and those that are neither in `own` nor common to endpoints that return posts.
pub fn only(query: &Query, own: &[&str], posts: bool) -> Result<(), Problem> {
    for (place, (key, _)) in query.iter().enumerate() {
        let key = key.as_str();
        if !(own.contains(&key) || posts && (COMMON.contains(&key) || key == "post.fields")) {
            return Err(Problem::parameter(key, "is not one of the parameters"));
        }
        if query.iter().take(place).any(|(earlier, _)| earlier == key) {
            return Err(Problem::parameter(key, "is repeated"));
        }
    }
    Ok(())
}
