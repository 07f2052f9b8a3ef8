//! Posts that others send to this daemon: what a body of `POST /api/v1/posts` holds. The route itself is in `web`.

mod config;

pub use config::Config;

use super::delivery::{Delivery, MAX_DELIVERY};
use crate::dump::Reader;
use crate::dump::error::SourceError;
use crate::dump::options::{Layout, Needs, ReadOptions};
use crate::dump::reject::Reject;
use crate::post::Unusable;

/// What a body came to.
#[derive(Debug)]
pub struct Received {
    pub delivery: Delivery,
    /// Line, reason and detail of what could not be used; for the sender.
    pub rejected: Vec<(u64, String, String)>,
}

/// Why a body is refused as a whole.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    #[error(transparent)]
    Unreadable(#[from] SourceError),
    #[error("more than {MAX_DELIVERY} posts: send them in several requests")]
    TooMany,
}

/// Reads JSON lines: posts or pages of X API v2, or plain objects with `id`, `created_at`, `text` and, where known,
/// `author` and `lang`. All posts go to `topic`, if one is given.
///
/// # Errors
/// When the body is no text or holds too much at once.
pub fn read(body: Vec<u8>, topic: Option<&str>) -> Result<Received, BodyError> {
    let options = ReadOptions { layout: Layout::XJsonl, ..ReadOptions::default() };
    let needs = Needs { created_at: true, ..Needs::default() };
    let bytes = Box::new(std::io::Cursor::new(body));
    let mut reader = Reader::from_bytes("the request's body".into(), bytes, None, &options, needs)?;
    let mut received = Received { delivery: Delivery::default(), rejected: Vec::new() };
    while let Some(row) = reader.next_row()? {
        if received.delivery.received() == MAX_DELIVERY {
            return Err(BodyError::TooMany);
        }
        match row {
            Ok(row) => received.delivery.posts.extend(row.into_post().map(|mut post| {
                post.topic = topic.map(str::to_owned).or(post.topic);
                post
            })),
            Err(reject) => received.reject(&reject),
        }
    }
    Ok(received)
}

impl Received {
    fn reject(&mut self, reject: &Reject) {
        let reason = reject.reason.to_string();
        self.delivery.unusable.push(Unusable::new(&reason, &reject.detail, &reject.row));
        self.rejected.push((reject.line, reason, reject.detail.clone()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_posts_and_what_is_wrong_with_the_rest() {
        let body = concat!(
            r#"{"id":"1","created_at":"2026-11-20T10:00:00Z","text":"late again","author":"@ann"}"#,
            "\n\n{\"id\":\"2\",\"text\":\"no time\"}\nnonsense\n",
        );
        let received = read(body.into(), Some("Air Paradis")).unwrap();
        let post = &received.delivery.posts[0];
        assert_eq!((post.id.as_str(), post.author.as_deref()), ("1", Some("ann")));
        assert_eq!(post.topic.as_deref(), Some("Air Paradis"));
        let lines: Vec<u64> = received.rejected.iter().map(|(line, ..)| *line).collect();
        assert_eq!(lines, [3, 4]);
        assert_eq!(received.delivery.received(), 3);
    }

    #[test]
    fn too_much_at_once_is_refused_whole() {
        let line = |i| format!("{{\"id\":\"{i}\",\"created_at\":\"2026-11-20T10:00:00Z\",\"text\":\"x\"}}\n");
        let body = |posts: usize| (0..posts).map(line).collect::<String>().into_bytes();
        assert_eq!(read(body(MAX_DELIVERY), None).unwrap().delivery.posts.len(), MAX_DELIVERY);
        assert!(matches!(read(body(MAX_DELIVERY + 1), None), Err(BodyError::TooMany)));
        assert!(matches!(read(Vec::new(), None), Err(BodyError::Unreadable(SourceError::Empty(_)))));
    }
}
