//! [`Batch`]: what the stream brought since the last delivery.

use std::time::Duration;

use tokio::time::Instant;

use super::message::{MatchedRule, Message, notices_of};
use crate::post::{Notice, Post, Unusable};
use crate::source::Delivery;

const MOST: usize = 100;
const LONGEST: Duration = Duration::from_millis(200);

#[derive(Debug, Default)]
pub(super) struct Batch {
    posts: Vec<Post>,
    unusable: Vec<Unusable>,
    notices: Vec<Notice>,
    /// Posts that X bills, ours or not.
    pub billed: u64,
    began: Option<Instant>,
}

impl Batch {
    /// Takes a message; its reason when X is about to end the stream. `ours`: whether a post is here for our rule.
    pub(super) fn take(
        &mut self,
        message: Message,
        topic: Option<&str>,
        ours: impl Fn(&[MatchedRule]) -> bool,
    ) -> Option<String> {
        match message {
            Message::Nothing => return None,
            Message::Disconnect(why) => return Some(why),
            Message::Post { mut post, rules } => {
                self.billed += 1;
                if !ours(&rules) {
                    return None;
                }
                post.topic = topic.map(str::to_owned);
                self.notices.extend(notices_of(&post));
                self.posts.push(*post);
            }
            Message::Unusable(unusable) => {
                self.billed += 1;
                self.unusable.push(unusable);
            }
            Message::Notices(notices) => self.notices.extend(notices),
        }
        self.began.get_or_insert_with(Instant::now);
        None
    }

    pub(super) fn is_full(&self) -> bool {
        self.posts.len() + self.unusable.len() >= MOST || self.notices.len() >= MOST
    }

    /// When it is to be delivered at the latest.
    pub(super) fn due(&self) -> Option<Instant> {
        self.began.map(|began| began + LONGEST)
    }

    /// Without a cursor.
    pub(super) fn into_delivery(self) -> Delivery {
        Delivery { posts: self.posts, unusable: self.unusable, notices: self.notices, ..Delivery::default() }
    }
}
