//! [`FieldNames`]: which fields of posts and users are requested, and under which names.
//!
//! X's guides say `tweet.fields=note_tweet`, its specification of late 2026 says `post.fields=note_post`, and X rejects
//! unknown parameters. Both are sent until an error says which one X accepts. For the stream, guides and specification
//! agree.

use std::sync::atomic::{AtomicU8, Ordering};

use twitter_v2::query::{TweetExpansion, TweetField, UserField};

use super::error::ApiError;
use super::rate_limits::Endpoint;

/// The names in use, in the order in which they are tried.
const BOTH: u8 = 0;
const TWEET: u8 = 1;
const POST: u8 = 2;
/// Set once X has accepted the names: a later error has another cause.
const SETTLED: u8 = 4;

/// See the module. Shared by all requests of an account to one endpoint.
#[derive(Debug, Default)]
pub(super) struct FieldNames(AtomicU8);

impl FieldNames {
    pub(super) fn for_endpoint(endpoint: Endpoint) -> Self {
        Self(AtomicU8::new(if endpoint == Endpoint::Stream { TWEET } else { BOTH }))
    }

    /// Adds the parameters to a query and returns the names that were used.
    pub(super) fn add_to(&self, query: &mut Vec<(&'static str, String)>) -> u8 {
        let tried = self.0.load(Ordering::Relaxed);
        let names = tried & !SETTLED;
        if names != POST {
            let fields = [
                TweetField::AuthorId,
                TweetField::ConversationId,
                TweetField::CreatedAt,
                TweetField::Lang,
                TweetField::PublicMetrics,
                TweetField::ReferencedTweets,
            ];
            let known = fields.iter().map(ToString::to_string);
            // The crate does not know these two.
            let newer = ["note_tweet", "edit_history_tweet_ids"].map(str::to_owned);
            query.push(("tweet.fields", known.chain(newer).collect::<Vec<_>>().join(",")));
        }
        if names != TWEET {
            query.push(("post.fields", "conversation_id,created_at,lang,note_post,public_metrics".into()));
        }
        // `post.fields` has no references; X returns them with the posts referred to.
        let references = if names == TWEET { "" } else { ",referenced_posts" };
        query.push(("expansions", format!("{}{references}", TweetExpansion::AuthorId)));
        query.push(("user.fields", format!("{},{}", UserField::Username, UserField::PublicMetrics)));
        tried
    }

    /// Switches to other names when an error may be due to the names that were `tried`. Returns whether to retry.
    pub(super) fn switch_names(&self, tried: u8, error: &ApiError) -> bool {
        let ApiError::Invalid { status: 400, problem } = error else { return false };
        let mentions =
            |name: &str| problem.parameters.iter().any(|parameter| parameter == name) || problem.detail.contains(name);
        let (tweet, post) = (mentions("tweet.fields"), mentions("post.fields"));
        if tried & SETTLED != 0 && !tweet && !post {
            return false;
        }
        let next = match tried & !SETTLED {
            // The error may list all known parameters along with the unknown one.
            BOTH if tweet && !post => POST,
            BOTH => TWEET,
            TWEET => POST,
            _ => BOTH,
        };
        // Fails when another request has already switched; its names are tried then.
        let _ = self.0.compare_exchange(tried, next, Ordering::Relaxed, Ordering::Relaxed);
        // All names failed, so the error has another cause; the next request starts over.
        next != BOTH
    }

    /// Records that X accepted the names.
    pub(super) fn record_response<T>(&self, response: &Result<T, ApiError>) {
        if response.is_ok() {
            self.0.fetch_or(SETTLED, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::twitter::error::Problem;

    fn refusal(detail: &str) -> ApiError {
        ApiError::Invalid { status: 400, problem: Problem { detail: detail.into(), ..Problem::default() } }
    }

    fn asked(names: &FieldNames) -> (u8, Vec<&'static str>) {
        let mut query = Vec::new();
        let tried = names.add_to(&mut query);
        (
            tried,
            query
                .into_iter()
                .map(|(name, _)| name)
                .filter(|name| !name.starts_with("user") && *name != "expansions")
                .collect(),
        )
    }

    #[test]
    fn an_error_says_which_names_x_accepts() {
        for (detail, expected) in [
            ("The query parameter [post.fields] is not one of [query,max_results]", "tweet.fields"),
            ("The query parameter [tweet.fields] is not one of [query,max_results]", "post.fields"),
            ("Invalid Request", "tweet.fields"),
        ] {
            let names = FieldNames::default();
            let (tried, both) = asked(&names);
            assert_eq!(both, ["tweet.fields", "post.fields"]);
            assert!(names.switch_names(tried, &refusal(detail)));
            assert_eq!(asked(&names).1, [expected], "{detail}");
        }
    }

    #[test]
    fn all_names_are_tried_once_and_a_later_error_has_another_cause() {
        let names = FieldNames::default();
        let mut tries = 1;
        while names.switch_names(asked(&names).0, &refusal("Invalid Request")) {
            tries += 1;
        }
        assert_eq!(tries, 3);
        assert_eq!(asked(&names).1.len(), 2, "the next request starts over");
        let names = FieldNames::default();
        names.record_response(&Ok(()));
        assert!(!names.switch_names(asked(&names).0, &refusal("'since_id' is too old")));
        assert!(!names.switch_names(asked(&names).0, &ApiError::Server { status: 500, until: None }));
    }

    #[test]
    fn the_fields_have_the_names_of_the_crate() {
        let mut query = Vec::new();
        FieldNames::default().add_to(&mut query);
        let of = |key: &str| query.iter().find(|(name, _)| *name == key).map(|(_, value)| value.as_str()).unwrap();
        assert!(
            of("tweet.fields")
                .starts_with("author_id,conversation_id,created_at,lang,public_metrics,referenced_tweets,note_tweet")
        );
        assert_eq!(of("expansions"), "author_id,referenced_posts");
        assert_eq!(of("user.fields"), "username,public_metrics");
    }
}
