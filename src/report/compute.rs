//! From facts to a [`PeriodReport`]: rates with their intervals, changes with a verdict, shares. Pure.

use jiff::{SignedDuration, Timestamp};

use super::facts::{ReportFacts, TopicFacts};
use super::tally::MIN_REASONS;
use super::words::distinctive_words;
use super::{ChangeVerdict, PeriodRate, PeriodReport, RateChange, ReportReason, ReportTopic};
use crate::notify::ReportSpan;
use crate::stats::{compare_with_earlier, wilson_interval};
use crate::window::Counts;

/// With fewer posts on either side nothing is said about a change.
const MIN_POSTS: u64 = 20;
const MAX_REASONS: usize = 8;
/// Hours without a post at the start of a period that do not make it a partial one.
const MAX_GRACE: SignedDuration = SignedDuration::from_hours(12);

impl PeriodReport {
    pub fn new(facts: ReportFacts) -> Self {
        let ReportFacts { made_at, span, length, incidents, knows_acknowledgements, corrections, .. } = facts;
        let about = |name: &str| {
            incidents.iter().filter(|incident| incident.subject == name && !incident.is_operational).count()
        };
        let topics: Vec<ReportTopic> = facts
            .topics
            .into_iter()
            .map(|topic| ReportTopic { incidents: about(&topic.name), ..self::topic(topic, span, made_at) })
            .collect();
        // Posts of the first days may have expired: then lists of posts tell of the rest alone.
        let posts_since = facts.oldest_post.filter(|oldest| {
            let counted_before = |topic: &ReportTopic| {
                let steps = topic.curve.iter().filter(|step| step.start + topic.step <= oldest.as_second());
                steps.map(|step| step.counts.posts()).sum::<u64>() > 0
            };
            *oldest > span.since && topics.iter().any(counted_before)
        });
        Self {
            made_at,
            span,
            length,
            topics,
            incidents: incidents.into_iter().filter(|incident| !incident.is_operational).collect(),
            knows_acknowledgements,
            corrections,
            sources: facts.sources,
            budget: facts.budget,
            posts_since,
        }
    }

    /// Posts of all topics; one in two topics counts twice.
    pub fn posts(&self) -> u64 {
        self.topics.iter().map(|topic| topic.now.counts.posts()).sum()
    }
}

fn topic(facts: TopicFacts, span: ReportSpan, made_at: Timestamp) -> ReportTopic {
    let TopicFacts { name, counts, first_hour, curve, step, posts, posts_before, .. } = facts;
    // The first post may come some hours after the first moment that is watched.
    let grace = |span: &ReportSpan| MAX_GRACE.min(span.until.duration_since(span.since) / 4);
    let is_partial = |span: &ReportSpan| first_hour.is_none_or(|first| first.duration_since(span.since) > grace(span));
    // The last hours of the time may be still to come, or after the end of a dump.
    let now = PeriodRate::new(span, counts, is_partial(&span) || made_at < span.until);
    let known = facts.before.into_iter().filter(|(span, _)| first_hour.is_some_and(|first| first < span.until));
    let before: Vec<PeriodRate> =
        known.map(|(span, counts)| PeriodRate::new(span, counts, is_partial(&span))).collect();
    let (words, words_before) = distinctive_words(&posts, &posts_before);
    ReportTopic {
        change: change(&now, &before),
        volume_change: volume_change(&now, &before),
        reasons: reasons(&posts.reasons, &posts_before.reasons),
        words,
        words_before,
        copied: posts.copied,
        reached: posts.reached,
        incidents: 0,
        name,
        now,
        before,
        curve,
        step,
    }
}

impl PeriodRate {
    fn new(span: ReportSpan, counts: Counts, is_partial: bool) -> Self {
        let interval = wilson_interval(counts.negative, counts.posts());
        Self { span, counts, rate: counts.negative_rate(), interval, is_partial }
    }
}

/// Votes are compared, as in rules: one author cannot make a change.
fn change(now: &PeriodRate, before: &[PeriodRate]) -> RateChange {
    let votes = |period: &PeriodRate| (period.counts.negative_votes(), period.counts.votes());
    let earlier: Vec<(f64, f64)> = before.iter().map(votes).collect();
    let mut all = Counts::default();
    before.iter().for_each(|period| all += period.counts);
    let common = all.negative_rate();
    let difference = now.rate.zip(common).map_or(0.0, |(rate, common)| rate - common);
    let compared = compare_with_earlier(votes(now), &earlier);
    let is_swing_unknown = compared.is_some_and(|compared| compared.is_swing_unknown);
    let verdict = match compared {
        _ if all.posts() == 0 => ChangeVerdict::NothingBefore,
        _ if now.counts.posts() < MIN_POSTS || all.posts() < MIN_POSTS => ChangeVerdict::TooFewPosts,
        Some(compared) if compared.is_beyond_chance && difference > 0.0 => ChangeVerdict::Higher,
        Some(compared) if compared.is_beyond_chance && difference < 0.0 => ChangeVerdict::Lower,
        _ => ChangeVerdict::WithinChance,
    };
    RateChange { verdict, before: common, difference, is_swing_unknown }
}

fn volume_change(now: &PeriodRate, before: &[PeriodRate]) -> Option<f64> {
    let complete: Vec<u64> =
        before.iter().filter(|period| !period.is_partial).map(|period| period.counts.posts()).collect();
    let mean = complete.iter().sum::<u64>() as f64 / complete.len() as f64;
    (!now.is_partial && mean > 0.0).then(|| now.counts.posts() as f64 / mean - 1.0)
}

fn reasons(now: &[(String, u64)], before: &[(String, u64)]) -> Vec<ReportReason> {
    let total = |reasons: &[(String, u64)]| reasons.iter().map(|(_, posts)| posts).sum::<u64>();
    let (total_now, total_before) = (total(now), total(before));
    let share = |reason: &str| {
        let found = before.iter().find(|(name, _)| name == reason);
        (total_before >= MIN_REASONS).then(|| found.map_or(0, |(_, posts)| *posts) as f64 / total_before as f64)
    };
    let all = now.iter().take(MAX_REASONS);
    all.map(|(reason, posts)| ReportReason {
        reason: reason.clone(),
        posts: *posts,
        total: total_now,
        before: share(reason),
    })
    .collect()
}
