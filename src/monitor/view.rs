//! The current state, for the console and `vigie top`: counts only, no text and no author.

use jiff::Timestamp;

use super::Monitor;
use super::topic_state::is_kept_back;
use crate::alert::Alert;
use crate::rule::LEARNED_HOURS;
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
    /// Hours that the normal level was learned from: rules that compare with it need a day.
    pub learned_hours: u32,
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
    /// The same in French, where the rule has one.
    pub summary_fr: Option<String>,
    /// Hours of the topic's past that are learned, where they are too few to know what is normal.
    pub learned_hours: Option<u32>,
}

impl Monitor {
    /// Every topic, in the order of their names.
    pub fn topics(&self) -> Vec<TopicView> {
        let width = self.config.bucket.as_secs();
        let view = |(name, state): (&String, &super::TopicState)| {
            let buckets = state.window.recent(usize::try_from(HOUR / width).unwrap_or(PARTS));
            let recent: Vec<Counts> = buckets.chunks(buckets.len().div_ceil(PARTS).max(1)).map(total).collect();
            let learned_hours = state.learned_hours();
            TopicView { name: name.clone(), hour: total(&buckets), recent, normal: state.normal, learned_hours }
        };
        self.topics.iter().map(view).collect()
    }

    /// Every firing alert with its current numbers.
    pub fn firing(&self) -> impl Iterator<Item = &Alert> {
        let states = self.topics.values().chain([self.without_topic().1]);
        let alerts = states.flat_map(|state| &state.rule_states).filter_map(|rule_state| rule_state.alert.as_ref());
        self.operational.active().chain(alerts.filter(|alert| !is_kept_back(alert)))
    }

    /// `alert` as of now, while it fires.
    pub fn current_alert(&self, alert: &Alert) -> Option<Alert> {
        let same = |it: &Alert| it.fingerprint == alert.fingerprint && it.starts_at == alert.starts_at;
        let Some(state) = self.topics.get(&alert.topic) else { return self.firing().find(|it| same(it)).cloned() };
        let mut rules = self.rules.rules.iter().zip(&state.rule_states);
        let of_rule = rules.find(|(_, rule_state)| rule_state.alert.as_ref().is_some_and(same));
        // An operational alert may be about a component that is called like a topic.
        let Some((rule, rule_state)) = of_rule else { return self.firing().find(|it| same(it)).cloned() };
        let has_one_too = |(name, state): &(&String, &super::TopicState)| {
            let of_this_rule = |alert: &Alert| alert.rule == rule.name;
            **name != alert.topic && state.rule_states.iter().filter_map(|it| it.alert.as_ref()).any(of_this_rule)
        };
        let others: Vec<&str> = self.topics.iter().filter(has_one_too).map(|(name, _)| name.as_str()).collect();
        rule_state.current_alert(rule, &state.window, &others)
    }

    /// Everything that is pending or fires, operational alerts first.
    pub fn alerts(&self) -> Vec<AlertView> {
        let operational = self.operational.active().map(|alert| AlertView {
            rule: alert.rule.clone(),
            topic: alert.topic.clone(),
            since: alert.starts_at,
            firing: true,
            summary: summary(alert),
            summary_fr: summary_fr(alert),
            learned_hours: None,
        });
        let of_topic = |(name, state): (&str, &super::TopicState)| -> Vec<AlertView> {
            let rule_states = self.rules.rules.iter().zip(&state.rule_states);
            let active = rule_states.filter_map(|(rule, rule_state)| Some((rule, rule_state, rule_state.since()?)));
            let view =
                |(rule, rule_state, since): (&crate::rule::AlertingRule, &super::rule_state::RuleState, Timestamp)| {
                    AlertView {
                        rule: rule.name.clone(),
                        topic: name.to_owned(),
                        since,
                        firing: rule_state.alert.is_some(),
                        summary: rule_state.alert.as_ref().map(summary).unwrap_or_default(),
                        summary_fr: rule_state.alert.as_ref().and_then(summary_fr),
                        learned_hours: rule_state.alert.as_ref().and_then(learned_hours),
                    }
                };
            active.map(view).collect()
        };
        let alerting = self.topics.iter().filter(|(_, state)| !state.watch_only);
        let topics = alerting.map(|(name, state)| (name.as_str(), state));
        operational.chain([self.without_topic()].into_iter().chain(topics).flat_map(of_topic)).collect()
    }
}

fn summary(alert: &Alert) -> String {
    alert.annotations.get("summary").cloned().unwrap_or_default()
}

fn learned_hours(alert: &Alert) -> Option<u32> {
    alert.explanation.number(LEARNED_HOURS).map(|hours| hours as u32)
}

fn summary_fr(alert: &Alert) -> Option<String> {
    alert.annotations.get("summary_fr").cloned()
}

fn total(counts: &[Counts]) -> Counts {
    counts.iter().fold(Counts::default(), |mut sum, counts| {
        sum += *counts;
        sum
    })
}
