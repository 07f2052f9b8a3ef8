//! The story of an alert, put together from its topic's windows.

use jiff::Timestamp;

use crate::alert::{Point, Reason, Story, Word};
use crate::window::{Span, Step, Told, TopicWindow};

/// Words told with an alert.
const WORDS: usize = 8;
/// Reasons told with an alert.
const REASONS: usize = 5;

/// What surrounds an alert on `topic` whose rule looks at the last `window` seconds.
pub(super) fn story(topic: &TopicWindow, window: i64) -> Story {
    let counts = topic.sum(Span::last(window));
    let word = |Told { word, posts, normal }| Word { word, posts, normal };
    let reason = |Told { word, posts, normal }| Reason { reason: word, posts, normal };
    Story {
        copies: counts.copies,
        reach: counts.reach,
        words: topic.words(window, WORDS).into_iter().map(word).collect(),
        reasons: topic.reasons(window, REASONS).into_iter().map(reason).collect(),
        trend: trend(topic),
    }
}

/// The topic's last day; empty where nothing was written.
pub(super) fn trend(topic: &TopicWindow) -> Vec<Point> {
    let point = |Step { start, counts, normal }: Step| {
        let start = Timestamp::from_second(start).ok()?;
        Some(Point { start, posts: counts.posts(), negative: counts.negative, normal })
    };
    let trend: Vec<Point> = topic.course().into_iter().filter_map(point).collect();
    if trend.iter().all(|point| point.posts == 0) { Vec::new() } else { trend }
}
