//! [`ReportReader`]: reads the facts of a report from the store and from what the daemon publishes. No part of it waits for the
//! monitor's thread.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::facts::{ReportFacts, SourceFacts, TopicFacts};
use super::tally::{PostTally, TallyBuilder};
use super::{PeriodReport, ReportLength, incidents, sources};
use crate::alert::Alert;
use crate::monitor::{CascadeId, Counting, StoredPost};
use crate::notify::ReportSpan;
use crate::notify::dispatch::IncidentView;
use crate::query::{CurveStep, Filter, MAX_PAGE, Query};
use crate::source::BudgetUsage;
use crate::store::StoreError;
use crate::window::Counts;

const HOUR: i64 = 3_600;
/// Steps of a curve, at most.
const MAX_STEPS: i64 = 84;

/// Where the facts come from.
#[derive(Debug)]
pub struct ReportReader<'a> {
    pub query: &'a Query,
    /// Topics that come first; others that posts were counted in follow by name.
    pub topics: Vec<String>,
    /// Of the dispatcher.
    pub incidents: Vec<IncidentView>,
    /// Alerts besides those in the store: of a replay, those that still fire.
    pub alerts: Vec<Alert>,
    /// A replay has no dispatcher: nobody could acknowledge.
    pub knows_acknowledgements: bool,
    /// Without posts and gaps, which are read here; none in a replay.
    pub sources: Vec<SourceFacts>,
    pub budget: Vec<BudgetUsage>,
    /// As `notify.reopen_within`.
    pub reopen_within: SignedDuration,
    pub zone: TimeZone,
}

/// The posts of one time: by topic, and how many each source sent.
type Tallied = (BTreeMap<String, PostTally>, BTreeMap<String, u64>);

impl ReportReader<'_> {
    /// The report of `span`, as of `now`.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn read(self, span: ReportSpan, now: Timestamp) -> Result<PeriodReport, StoreError> {
        let length = ReportLength::of(span, &self.zone);
        let before = length.before(span, &self.zone);
        let names = self.topic_names()?;
        let (mut posts, by_source) = self.tally(span, &names)?;
        let mut posts_before = match before.first() {
            Some(last) => self.tally(*last, &names)?.0,
            None => BTreeMap::new(),
        };
        let mut topics = Vec::new();
        for name in names {
            let (now, past) = (posts.remove(&name).unwrap_or_default(), posts_before.remove(&name).unwrap_or_default());
            topics.extend(self.topic(name, (span, &before), (now, past))?);
        }
        let incidents = self.incidents(&topics, span)?;
        let corrections = self.query.corrections_between(span.since, span.until)?;
        let oldest_post = self.query.oldest_post()?;
        let mut sources = self.sources;
        for source in &mut sources {
            source.posts = by_source.get(&source.name).copied().unwrap_or_default();
            sources::add_gaps(source, &incidents, span, now);
        }
        Ok(PeriodReport::new(ReportFacts {
            made_at: now,
            span,
            length,
            topics,
            incidents,
            knows_acknowledgements: self.knows_acknowledgements,
            corrections,
            sources,
            budget: self.budget,
            oldest_post,
        }))
    }

    fn topic_names(&self) -> Result<Vec<String>, StoreError> {
        let mut names = self.topics.clone();
        let others = self.query.topics()?;
        names.extend(others.into_iter().filter(|name| !self.topics.contains(name)));
        Ok(names)
    }

    /// None for a topic without a post in the time and before, unless it is one of those that come first.
    fn topic(
        &self,
        name: String,
        (span, before): (ReportSpan, &[ReportSpan]),
        (posts, posts_before): (PostTally, PostTally),
    ) -> Result<Option<TopicFacts>, StoreError> {
        let first_hour = self.query.counted_hours(&name)?.and_then(|(first, _)| Timestamp::from_second(first).ok());
        let counts = self.counts(&name, span)?;
        let before: Result<Vec<(ReportSpan, Counts)>, StoreError> =
            before.iter().map(|span| Ok((*span, self.counts(&name, *span)?))).collect();
        let before = before?;
        let is_silent = counts.posts() == 0 && before.iter().all(|(_, counts)| counts.posts() == 0);
        if is_silent && !self.topics.contains(&name) {
            return Ok(None);
        }
        let (since, until) = hours(span);
        let step = step(until - since);
        let curve = self.query.curve(&name, since, until, step)?;
        Ok(Some(TopicFacts { name, counts, before, first_hour, curve, step, posts, posts_before }))
    }

    /// From the hours of the topic, as in the console.
    fn counts(&self, topic: &str, span: ReportSpan) -> Result<Counts, StoreError> {
        let (since, until) = hours(span);
        let steps: Vec<CurveStep> = self.query.curve(topic, since, until, HOUR)?;
        Ok(steps.iter().fold(Counts::default(), |mut sum, step| {
            sum += step.counts;
            sum
        }))
    }

    fn tally(&self, span: ReportSpan, names: &[String]) -> Result<Tallied, StoreError> {
        let mut builders: BTreeMap<String, TallyBuilder> =
            names.iter().map(|name| (name.clone(), TallyBuilder::new(name))).collect();
        let mut by_source: BTreeMap<String, u64> = BTreeMap::new();
        let (since, until) = hours(span);
        let [since, until] = [since, until].map(|second| Timestamp::from_second(second).unwrap_or_default());
        self.query.each_post(since, until, &mut |post| {
            *by_source.entry(post.source.clone()).or_default() += 1;
            for topic in &post.topics {
                if let Some(builder) = builders.get_mut(topic) {
                    builder.add(&post);
                }
            }
        })?;
        let mut find = |cascade| self.first_of_cascade(cascade, (since, until));
        let finished: Result<BTreeMap<String, PostTally>, StoreError> =
            builders.into_iter().map(|(name, builder)| Ok((name, builder.finish(&mut find)?))).collect();
        Ok((finished?, by_source))
    }

    /// The post that the others of the cascade repeat, or else the oldest of them.
    fn first_of_cascade(
        &self,
        cascade: CascadeId,
        (since, until): (Timestamp, Timestamp),
    ) -> Result<Option<StoredPost>, StoreError> {
        let filter = Filter { cascade: Some(cascade), until: Some(until), ..Filter::default() };
        let mut posts = self.query.page(&filter, MAX_PAGE, None)?.posts;
        // The one that voted may be of the time before.
        let counted = posts.iter().rposition(|post| post.counting == Counting::Counted);
        let oldest = posts.iter().rposition(|post| post.created_at >= since);
        Ok(counted.or(oldest).map(|place| posts.swap_remove(place)))
    }

    fn incidents(&self, topics: &[TopicFacts], span: ReportSpan) -> Result<Vec<super::IncidentFacts>, StoreError> {
        let mut alerts = self.alerts.clone();
        let mut known: BTreeSet<(String, Timestamp)> = BTreeSet::new();
        for topic in topics {
            alerts.extend(self.query.alerts(&topic.name, span.since.as_second(), span.until.as_second())?);
        }
        alerts.retain(|alert| known.insert((alert.fingerprint.to_string(), alert.starts_at)));
        Ok(incidents::read(&self.incidents, &alerts, span, self.reopen_within))
    }
}

/// The full hours that a span lies in (Unix seconds): counts are kept by the hour.
fn hours(span: ReportSpan) -> (i64, i64) {
    let since = span.since.as_second();
    let until = span.until.as_second();
    let full = |second: i64| second - second.rem_euclid(HOUR);
    (full(since), full(until + HOUR - 1))
}

/// Seconds of a step of a curve of this length.
fn step(length: i64) -> i64 {
    let steps = [1, 2, 3, 6, 12, 24].into_iter().map(|hours| hours * HOUR);
    steps
        .into_iter()
        .find(|step| length / step <= MAX_STEPS)
        .unwrap_or(length.div_euclid(MAX_STEPS * HOUR) * HOUR + HOUR)
}
