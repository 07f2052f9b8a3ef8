//! The one path of a post, for the daemon, a replay and a backtest. A post is matched to topics before the model reads it,
//! so that a post of no topic costs no inference; the monitor observes it after.

use crate::classify::ClassifiedPost;
use crate::config::Config;
use crate::monitor::{Monitor, MonitorError, PostOutcome, TopicSettings};
use crate::post::{Post, TopicError, Topics};

/// Finds the topics of posts.
pub(super) struct TopicMatcher(Topics);

impl TopicMatcher {
    /// The topics of `config`; its `unmatched_topic`, unless empty, takes the posts of no other topic.
    ///
    /// # Errors
    /// When a topic matches nothing or stands twice.
    pub(super) fn new(config: &Config) -> Result<Self, TopicError> {
        let unmatched = Some(config.unmatched_topic.as_str()).filter(|name| !name.is_empty());
        Topics::new(&config.topics, unmatched).map(Self)
    }

    /// Names of the topics that `post` belongs to; empty for a post of no topic.
    pub(super) fn match_post(&mut self, post: &Post) -> Vec<String> {
        let ids = self.0.match_post(post).to_vec();
        ids.into_iter().map(|id| self.0.name(id).to_owned()).collect()
    }
}

/// The topics of `config`, that of unmatched posts among them.
pub(super) fn topic_settings(config: &Config) -> TopicSettings {
    let settings = TopicSettings::new(&config.notify.time_zone).with(&config.unmatched_topic, None);
    config.topics.iter().fold(settings, |settings, topic| {
        let settings = settings.with(&topic.name, topic.time_zone.as_deref());
        if topic.watch_only { settings.watching_only(&topic.name) } else { settings }
    })
}

/// Passes classified posts to a monitor.
#[derive(Debug, Default)]
pub(super) struct PostObserver {
    limit_logged: bool,
}

impl PostObserver {
    /// Counts a post in `topics`. Call [`Monitor::advance`] first.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) fn observe(
        &mut self,
        monitor: &mut Monitor,
        source: &str,
        topics: &[String],
        classified: &ClassifiedPost,
    ) -> Result<PostOutcome, MonitorError> {
        let names: Vec<&str> = topics.iter().map(String::as_str).collect();
        match monitor.observe(source, &names, classified) {
            // A sender may name any topic: too many topics must not stop the known ones, neither in a dump nor live.
            Err(error @ MonitorError::TooManyTopics) => {
                if !self.limit_logged {
                    tracing::warn!(%error, "topic limit reached: posts of further topics are counted as unmatched");
                    self.limit_logged = true;
                }
                monitor.record_unmatched(1);
                Ok(PostOutcome::Unmatched)
            }
            outcome => outcome,
        }
    }
}
