//! Collects the [`AlertContext`] of an alert from its topic's windows.

use jiff::Timestamp;

use crate::alert::{AlertContext, Point, ReasonCount, Word};
use crate::window::{DistinctiveWord, HistoryStep, Span, TopicWindow};

/// Words in the context of an alert.
const MAX_WORDS: usize = 8;
/// Reasons in the context of an alert.
const MAX_REASONS: usize = 5;

/// The context of an alert on `topic` whose rule looks at the last `window` seconds.
pub(super) fn alert_context(topic: &TopicWindow, window: i64) -> AlertContext {
    let counts = topic.sum(Span::last(window));
    let word = |DistinctiveWord { word, posts, total, normal }| Word { word, posts, total, normal };
    let reason = |DistinctiveWord { word, posts, total, normal }| ReasonCount { reason: word, posts, total, normal };
    AlertContext {
        copies: counts.copies,
        reach: counts.reach,
        words: topic.words(window, MAX_WORDS).into_iter().map(word).collect(),
        reasons: topic.reasons(window, MAX_REASONS).into_iter().map(reason).collect(),
        trend: trend(topic),
    }
}

/// The topic's last day; empty where there were no posts.
pub(super) fn trend(topic: &TopicWindow) -> Vec<Point> {
    let point = |HistoryStep { start, counts, normal }: HistoryStep| {
        let start = Timestamp::from_second(start).ok()?;
        Some(Point { start, posts: counts.posts(), negative: counts.negative, normal })
    };
    let trend: Vec<Point> = topic.day_history().into_iter().filter_map(point).collect();
    if trend.iter().all(|point| point.posts == 0) { Vec::new() } else { trend }
}
