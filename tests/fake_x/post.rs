//! [`FakePost`]: a post of the fake, and its JSON for the requested fields.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::params::{Asked, Names};

/// The epoch of X's IDs in Unix milliseconds.
const EPOCH: i64 = 1_288_834_974_657;

/// The ID of the `sequence`-th post of the millisecond `at`.
pub fn snowflake(at: Timestamp, sequence: u64) -> u64 {
    (u64::try_from(at.as_millisecond() - EPOCH).unwrap() << 22) + sequence
}

pub fn snowflake_time(id: u64) -> Timestamp {
    Timestamp::from_millisecond(EPOCH + i64::try_from(id >> 22).unwrap()).unwrap()
}

/// When search returns a post.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visible {
    Always,
    /// Indexed late.
    At(Timestamp),
    /// After this many polls; a poll is a first page.
    AfterPolls(u64),
    Never,
}

#[derive(Debug, Clone)]
pub struct FakePost {
    pub id: u64,
    pub text: String,
    /// The full text of a post over 280 characters; `text` is truncated then.
    pub long: Option<String>,
    pub created_at: Timestamp,
    pub author_id: u64,
    pub username: String,
    pub followers: u64,
    pub lang: String,
    /// `replied_to`, `quoted` or `retweeted`, and the ID of the other post.
    pub references: Vec<(&'static str, u64)>,
    /// The earlier versions.
    pub edits: Vec<u64>,
    /// Accounts whose mentions timeline contains the post.
    pub mentions: Vec<u64>,
    pub visible: Visible,
    /// Overrides keys of the JSON; null removes a key.
    pub patch: Map<String, Value>,
}

impl FakePost {
    pub fn new(id: u64, text: &str) -> Self {
        let author = 1_000 + id % 97;
        let cut: String = text.chars().take(280).collect();
        Self {
            id,
            long: (cut.len() < text.len()).then(|| text.to_owned()),
            text: cut,
            created_at: snowflake_time(id),
            author_id: author,
            username: format!("user{author}"),
            followers: 10 * author,
            lang: "en".into(),
            references: Vec::new(),
            edits: Vec::new(),
            mentions: Vec::new(),
            visible: Visible::Always,
            patch: Map::new(),
        }
    }

    pub fn visible(mut self, visible: Visible) -> Self {
        self.visible = visible;
        self
    }

    pub fn by(mut self, author_id: u64, username: &str) -> Self {
        (self.author_id, self.username) = (author_id, username.into());
        self
    }

    pub fn refers(mut self, kind: &'static str, id: u64) -> Self {
        self.references.push((kind, id));
        self
    }

    pub fn edit_of(mut self, earlier: &[u64]) -> Self {
        self.edits = earlier.to_vec();
        self
    }

    pub fn mentioning(mut self, user: u64) -> Self {
        self.mentions.push(user);
        self
    }

    /// Overrides the value of `key`; null removes it.
    pub fn with(mut self, key: &str, value: Value) -> Self {
        self.patch.insert(key.into(), value);
        self
    }

    /// Sets enum values that do not exist yet.
    pub fn with_new_enum_value(self) -> Self {
        self.with("reply_settings", json!("a_value_of_tomorrow"))
            .with("referenced_tweets", json!([{"type": "echoed", "id": "1"}]))
            .with("referenced_posts", json!([{"type": "echoed", "id": "1"}]))
    }

    pub fn with_wrong_type(self) -> Self {
        self.with("text", json!({"not": "a string"}))
    }

    pub fn without_text(self) -> Self {
        self.with("text", Value::Null)
    }

    /// The post as X returns it for this request.
    pub fn json(&self, asked: &Asked) -> Value {
        let tweet = asked.names == Names::Tweet;
        let mut out = Map::new();
        let mut put = |shown: bool, key: &str, value: Value| {
            if shown {
                out.insert(key.into(), value);
            }
        };
        put(true, "id", json!(self.id.to_string()));
        put(true, "text", json!(self.text));
        let versions: Vec<String> = self.edits.iter().chain([&self.id]).map(u64::to_string).collect();
        put(true, if tweet { "edit_history_tweet_ids" } else { "edit_history_post_ids" }, json!(versions));
        put(asked.field("created_at"), "created_at", json!(format!("{:.3}", self.created_at)));
        put(asked.field("author_id") || asked.expands("author_id"), "author_id", json!(self.author_id.to_string()));
        put(asked.field("lang"), "lang", json!(self.lang));
        let first = self.references.iter().find(|(kind, _)| *kind == "replied_to").map_or(self.id, |(_, id)| *id);
        put(asked.field("conversation_id"), "conversation_id", json!(first.to_string()));
        let repeats = if tweet { "retweet_count" } else { "repost_count" };
        let metrics = json!({repeats: 1, "reply_count": 2, "like_count": 3, "quote_count": 4, "bookmark_count": 5,
            "impression_count": 6});
        put(asked.field("public_metrics"), "public_metrics", metrics);
        let references: Vec<Value> =
            self.references.iter().map(|(kind, id)| json!({"type": kind, "id": id.to_string()})).collect();
        let is_requested =
            asked.field("referenced_tweets") || asked.expands_any(&["referenced_tweets.id", "referenced_posts"]);
        let key = if tweet { "referenced_tweets" } else { "referenced_posts" };
        put(is_requested && !references.is_empty(), key, json!(references));
        if let Some(long) = &self.long {
            let is_requested = asked.field("note_tweet") || asked.field("note_post");
            put(is_requested, if tweet { "note_tweet" } else { "note_post" }, json!({"text": long}));
        }
        for (key, value) in &self.patch {
            match value {
                Value::Null => out.remove(key),
                value => out.insert(key.clone(), value.clone()),
            };
        }
        Value::Object(out)
    }

    /// The author, as in `includes.users`.
    pub fn user(&self, asked: &Asked) -> Value {
        let mut user = json!({"id": self.author_id.to_string(), "name": self.username, "username": self.username});
        if asked.user_field("public_metrics") {
            let posts = if asked.names == Names::Tweet { "tweet_count" } else { "post_count" };
            user["public_metrics"] =
                json!({"followers_count": self.followers, "following_count": 1, posts: 2, "listed_count": 3});
        }
        user
    }
}
