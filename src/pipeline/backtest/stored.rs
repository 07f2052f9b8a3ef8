//! [`StoredBacktest`]: the rules in use, and the same with one of them changed, on the posts that the daemon keeps. It reads them
//! through `query`, beside the running daemon.
//!
//! ```text
//!   query --> stored posts in event time, with their predictions --> Trials: rules in use, rules with the change --> alerts
//! ```
//!
//! All rules run in both, because an alert of one decides which hours are learned as usual; the results are those of the changed
//! rule alone.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::calm::FalseAlarms;
use super::messages::MessageCounts;
use super::trial::Trials;
use crate::alert::Alert;
use crate::classify::{ClassifiedPost, ModelInfo, Prediction};
use crate::config::LoadedConfig;
use crate::monitor::{CascadeId, Counting, StoredPost};
use crate::pipeline::replay::feed::{CHUNK, ReadPost};
use crate::post::{Details, Post, Reference, ReferenceKind};
use crate::query::{Filter, Query};
use crate::rule::{AlertingRule, Rules};

/// Posts that are read at most, those before the range that rules learn from among them.
pub const MAX_POSTS: u64 = 300_000;
/// Seconds after which no more posts are read.
pub const MAX_SECONDS: u64 = 60;

/// What to compare, and on which posts.
#[derive(Debug, Clone)]
pub struct StoredBacktest {
    /// The configuration and the rules in use.
    pub loaded: LoadedConfig,
    /// Replaces the rule of its name.
    pub changed: AlertingRule,
    /// Of all topics where none is given.
    pub topic: Option<String>,
    pub since: Timestamp,
    /// Not included.
    pub until: Timestamp,
    /// The model in use. Its error rates are taken for those of earlier models too, whose are not kept.
    pub model: ModelInfo,
}

/// Both rules on the same posts.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredBacktestResult {
    /// Posts of the range.
    pub posts: u64,
    /// Posts before it, from which the rules learned what is usual, and when the first of them was written.
    pub learned_posts: u64,
    pub learned_since: Option<Timestamp>,
    /// Where reading stopped, if a limit ended it before the end of the range.
    pub stopped_at: Option<Timestamp>,
    /// Models that had read the posts.
    pub models: usize,
    pub present: RuleOutcome,
    pub changed: RuleOutcome,
    /// None where nothing is known of what is usual.
    pub false_alarms: Option<FalseAlarms>,
    pub took: Duration,
}

/// What one version of the rule would have done.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RuleOutcome {
    /// By the time they fired. Those without an end were open when the range ended.
    pub alerts: Vec<Alert>,
    pub messages: MessageCounts,
}

impl StoredBacktest {
    /// Runs it; `is_stopped` ends it early.
    ///
    /// # Errors
    /// When the store cannot be read, or it was stopped.
    pub fn run(&self, query: &Query, is_stopped: &dyn Fn() -> bool) -> anyhow::Result<StoredBacktestResult> {
        let started = Instant::now();
        let variants = [self.loaded.rules.clone(), self.changed_rules()];
        let range = (self.since, self.until);
        let mut trials = Trials::within(&variants, &self.loaded.config, self.model.clone(), range);
        let from = trials.starts_at().unwrap_or(self.since);
        let mut reading = Reading::new(self, started);
        let mut failure = None;
        query.each_post_in_order(&self.filter(), (from, self.until), &mut |post| {
            if is_stopped() {
                failure = Some(anyhow::anyhow!("the backtest was ended because the daemon is stopping"));
                return ControlFlow::Break(());
            }
            reading.observe(&post, &mut trials).unwrap_or_else(|error| {
                failure = Some(error);
                ControlFlow::Break(())
            })
        })?;
        if let Some(failure) = failure {
            return Err(failure);
        }
        if let Some(stopped_at) = reading.stopped_at {
            trials.end_at(stopped_at);
        }
        trials.commit()?;
        let (_, fired) = trials.finish()?;
        let until = reading.stopped_at.unwrap_or(self.until);
        let outcome = |variant: usize| self.outcome(fired.get(variant).map_or(&[], Vec::as_slice), until);
        let (present, changed) = (outcome(0)?, outcome(1)?);
        Ok(StoredBacktestResult {
            posts: reading.posts,
            learned_posts: reading.learned_posts,
            learned_since: reading.first,
            stopped_at: reading.stopped_at,
            models: reading.models.len(),
            present,
            changed,
            false_alarms: self.false_alarms(query, is_stopped)?,
            took: started.elapsed(),
        })
    }

    fn filter(&self) -> Filter {
        Filter { topics: self.topic.iter().cloned().collect(), ..Filter::default() }
    }

    fn changed_rules(&self) -> Rules {
        let mut rules = self.loaded.rules.clone();
        rules
            .rules
            .iter_mut()
            .filter(|rule| rule.name == self.changed.name)
            .for_each(|rule| *rule = self.changed.clone());
        rules
    }

    fn outcome(&self, fired: &[Alert], until: Timestamp) -> anyhow::Result<RuleOutcome> {
        let messages = MessageCounts::count(&self.loaded.config, fired, &self.changed.name, until)?;
        let own = fired.iter().filter(|alert| alert.rule == self.changed.name);
        Ok(RuleOutcome { alerts: own.cloned().collect(), messages })
    }

    fn false_alarms(&self, query: &Query, is_stopped: &dyn Fn() -> bool) -> anyhow::Result<Option<FalseAlarms>> {
        let present = self.loaded.rules.rules.iter().find(|rule| rule.name == self.changed.name);
        let Some(present) = present else { return Ok(None) };
        let topics = match &self.topic {
            Some(topic) => vec![topic.clone()],
            None => query.topics()?,
        };
        let mut known = Vec::new();
        for topic in topics.iter().filter(|topic| present.watches(topic) || self.changed.watches(topic)) {
            known.extend(query.baseline(topic)?);
        }
        let rules = [present, &self.changed];
        Ok(FalseAlarms::simulate(&self.loaded.config.window, &self.model, rules, known, is_stopped))
    }
}

/// Counts what was read, and decides where to stop.
struct Reading<'a> {
    asked: &'a StoredBacktest,
    started: Instant,
    posts: u64,
    learned_posts: u64,
    first: Option<Timestamp>,
    stopped_at: Option<Timestamp>,
    models: HashSet<String>,
    /// Identifiers of the first posts of cascades.
    roots: HashMap<CascadeId, String>,
}

impl<'a> Reading<'a> {
    fn new(asked: &'a StoredBacktest, started: Instant) -> Self {
        Self {
            asked,
            started,
            posts: 0,
            learned_posts: 0,
            first: None,
            stopped_at: None,
            models: HashSet::new(),
            roots: HashMap::new(),
        }
    }

    fn observe(&mut self, post: &StoredPost, trials: &mut Trials<'_>) -> anyhow::Result<ControlFlow<()>> {
        let read = self.posts + self.learned_posts;
        if read >= MAX_POSTS || self.started.elapsed() >= Duration::from_secs(MAX_SECONDS) {
            self.stopped_at = Some(post.created_at);
            return Ok(ControlFlow::Break(()));
        }
        // The daemon did not count it either.
        if post.counting == Counting::TooLate {
            return Ok(ControlFlow::Continue(()));
        }
        // As in the daemon, rates are learned again under a new model. Posts of the model before it, which arrive late, do not
        // bring that one back.
        if self.models.insert(post.model.clone()) {
            trials.set_model(&ModelInfo { id: post.model.clone(), ..self.asked.model.clone() });
        }
        self.first.get_or_insert(post.created_at);
        let read_post = self.read_post(post);
        trials.observe(&read_post)?;
        *(if post.created_at < self.asked.since { &mut self.learned_posts } else { &mut self.posts }) += 1;
        if (read + 1).is_multiple_of(CHUNK as u64) {
            trials.commit()?;
        }
        Ok(ControlFlow::Continue(()))
    }

    /// The post as the monitor observed it, with the label that counts.
    fn read_post(&mut self, stored: &StoredPost) -> ReadPost {
        let asked = self.asked.topic.as_ref();
        let topics = stored.topics.iter().filter(|topic| asked.is_none_or(|asked| asked == *topic));
        let details = Details {
            author_id: stored.author_id.clone(),
            url: stored.url.clone(),
            followers: stored.followers,
            reason: stored.reason.clone(),
            metrics: stored.metrics,
            references: self.reference(stored).into_iter().collect(),
            ..Details::default()
        };
        let post = Post {
            id: stored.id.clone(),
            created_at: stored.created_at,
            author: stored.author.clone(),
            text: stored.text.clone(),
            lang: stored.lang.clone(),
            details,
            ..Post::default()
        };
        let prediction = Prediction { label: stored.label, probabilities: stored.probabilities, reason: None };
        let topics = topics.cloned().collect();
        ReadPost { at: stored.created_at, topics, classified: Some(ClassifiedPost { post, prediction }) }
    }

    /// What the post repeats. The store keeps a hash of the cascade's first post: where that one was never stored, a name that all
    /// posts of the cascade share stands for it.
    fn reference(&mut self, stored: &StoredPost) -> Option<Reference> {
        if stored.cascade == CascadeId::of_post(&stored.id) {
            self.roots.insert(stored.cascade, stored.id.clone());
            return None;
        }
        let unseen = || format!("cascade {}", stored.cascade);
        let id = self.roots.get(&stored.cascade).cloned().unwrap_or_else(unseen);
        Some(Reference { kind: ReferenceKind::Quoted, id })
    }
}

#[cfg(test)]
mod tests;
