//! What pages of X API v2 keep beside their posts: authors, and the posts that others refer to.

use std::collections::HashMap;

use serde_json::Value;

use super::Object;
use super::path::find_str;
use super::text::retweet_text;
use super::wrappers::PostIn;

/// The `includes` of one page, or of one object of a stream.
#[derive(Debug, Default)]
pub(super) struct Includes<'a> {
    /// What it was built from.
    source: Option<&'a Object>,
    /// Usernames by identifier.
    users: HashMap<&'a str, &'a str>,
    posts: HashMap<&'a str, &'a Object>,
}

impl<'a> Includes<'a> {
    /// Those that belong to a post. The posts of a page share them: they are only built when the page changes.
    pub(super) fn update(&mut self, at: &PostIn<'a>) {
        let around = [at.page, Some(at.envelope), Some(at.root)];
        let source = around.into_iter().flatten().find_map(|object| object.get("includes")?.as_object());
        let is_same = match (source, self.source) {
            (Some(new), Some(old)) => std::ptr::eq(new, old),
            (new, old) => new.is_none() && old.is_none(),
        };
        if !is_same {
            *self = source.map(Self::new).unwrap_or_default();
        }
    }

    fn new(source: &'a Object) -> Self {
        let list = |key| source.get(key).and_then(Value::as_array).into_iter().flatten();
        let user = |user| Some((Value::get(user, "id")?.as_str()?, user.get("username")?.as_str()?));
        let post = |post: &'a Value| Some((post.get("id")?.as_str()?, post.as_object()?));
        Self {
            source: Some(source),
            users: list("users").filter_map(user).collect(),
            posts: list("tweets").chain(list("posts")).filter_map(post).collect(),
        }
    }

    pub(super) fn username(&self, id: &str) -> Option<&'a str> {
        self.users.get(id).copied()
    }

    /// The whole text of a retweet, which v2 cuts; the original is in the page or, after `twarc2 flatten`, in the post.
    pub(super) fn retweet(&self, post: &Object) -> Option<String> {
        let references = post.get("referenced_tweets").or_else(|| post.get("referenced_posts"))?.as_array()?;
        let reference = references
            .iter()
            .filter_map(Value::as_object)
            .find(|reference| matches!(find_str(reference, "type"), Some("retweeted" | "reposted")))?;
        let included = find_str(reference, "id").and_then(|id| self.posts.get(id).copied());
        let original = included.filter(|post| post.contains_key("text")).unwrap_or(reference);
        let text = ["note_tweet.text", "note_post.text", "text"].iter().find_map(|path| find_str(original, path))?;
        let author = find_str(original, "author.username").or_else(|| self.username(find_str(original, "author_id")?));
        Some(retweet_text(find_str(post, "text"), author, text))
    }
}
