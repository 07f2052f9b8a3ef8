//! What the monitor sees now, for the status page and `vigie top`: counts only, no text and no author.

use jiff::Timestamp;

use super::Monitor;
use crate::alert::Alert;
use crate::window::Counts;

/// Seconds that a view looks back.
const HOUR: i64 = 3_600;
/// Parts the hour is cut into.
const PARTS: usize = 60;

/// One topic now.
#[derive(Debug, Clone, PartialEq)]
pub struct TopicView {
    pub name: String,
    /// The last hour, the open bucket included.
    pub hour: Counts,
    /// The same by minute (by bucket, where those are wider), the oldest first.
    pub recent: Vec<Counts>,
    /// The negative rate that counts as normal, in `[0, 1]`; none before a rule has evaluated one.
    pub normal: Option<f64>,
}

/// One rule on one topic that is not at rest.
#[derive(Debug, Clone, PartialEq)]
pub struct AlertView {
    pub rule: String,
    pub topic: String,
    pub since: Timestamp,
    pub firing: bool,
    /// The rule's own sentence; empty while pending.
    pub summary: String,
}

impl Monitor {
    /// Every topic, in the order of their names.
    pub fn topics(&self) -> Vec<TopicView> {
        let width = self.config.bucket.as_secs();
        let view = |(name, watched): (&String, &super::Watched)| {
            let buckets = watched.window.recent(usize::try_from(HOUR / width).unwrap_or(PARTS));
            let recent: Vec<Counts> = buckets.chunks(buckets.len().div_ceil(PARTS).max(1)).map(total).collect();
            TopicView { name: name.clone(), hour: total(&buckets), recent, normal: watched.normal }
        };
        self.topics.iter().map(view).collect()
    }

    /// Every alert that fires, as it is now.
    pub fn firing(&self) -> impl Iterator<Item = &Alert> {
        let watched = self.topics.values().chain([self.of_no_topic().1]);
        let tracked = watched.flat_map(|watched| &watched.tracked);
        self.problems.lasting().chain(tracked.filter_map(|tracked| tracked.alert.as_ref()))
    }

    /// `alert` with the numbers of now, while it fires.
    pub fn as_it_fires(&self, alert: &Alert) -> Option<Alert> {
        let same = |it: &&Alert| it.fingerprint == alert.fingerprint && it.starts_at == alert.starts_at;
        self.firing().find(same).cloned()
    }

    /// Whatever is pending or fires, operational problems first.
    pub fn alerts(&self) -> Vec<AlertView> {
        let problems = self.problems.lasting().map(|alert| AlertView {
            rule: alert.rule.clone(),
            topic: alert.topic.clone(),
            since: alert.starts_at,
            firing: true,
            summary: summary(alert),
        });
        let of_topic = |(name, watched): (&str, &super::Watched)| -> Vec<AlertView> {
            let tracked = self.rules.rules.iter().zip(&watched.tracked);
            let active = tracked.filter_map(|(rule, tracked)| Some((rule, tracked, tracked.since()?)));
            let view =
                |(rule, tracked, since): (&crate::rule::AlertingRule, &super::rule_state::Tracked, Timestamp)| {
                    AlertView {
                        rule: rule.name.clone(),
                        topic: name.to_owned(),
                        since,
                        firing: tracked.alert.is_some(),
                        summary: tracked.alert.as_ref().map(summary).unwrap_or_default(),
                    }
                };
            active.map(view).collect()
        };
        let topics = self.topics.iter().map(|(name, watched)| (name.as_str(), watched));
        problems.chain([self.of_no_topic()].into_iter().chain(topics).flat_map(of_topic)).collect()
    }
}

fn summary(alert: &Alert) -> String {
    alert.annotations.get("summary").cloned().unwrap_or_default()
}

fn total(counts: &[Counts]) -> Counts {
    counts.iter().fold(Counts::default(), |mut sum, counts| {
        sum += *counts;
        sum
    })
}
