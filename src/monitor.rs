//! The monitor: windows, rules and alerts of all topics, and one atomic commit for whatever a batch of posts changed.
//! Stands between the classifier and `notify`, and is the one place where time enters: posts move nothing but counts,
//! [`Monitor::advance`] closes buckets and evaluates rules.

mod dead_letters;
mod events;
mod feedback;
mod operational;
mod privacy;
mod reopen;
mod retention;
mod rule_simulator;
mod rule_state;
mod state;
mod story;
mod topic_state;
mod view;

pub use feedback::{Correction, Feedback, Given, Provenance};
pub use operational::begins as problem_begins;
pub use privacy::erase::{Receipt, Removed, What};
pub use privacy::retention::Expired;
pub use privacy::selector::Selector;
pub use retention::Retention;
pub use rule_simulator::Rehearsal;
pub use state::check::{Check, Fault, TableCheck, check};
pub use state::repair::{Repaired, repair};
pub use state::report::{Report, TopicReport, Totals};
pub use state::schema::{ExportError, export, import};
pub use view::{AlertView, TopicView};

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::alert::{Status, Transition};
use crate::classify::{ClassifiedPost, ModelInfo};
use crate::rule::Rules;
use crate::store::{Batch, Key, Store, StoreError, Table};
use crate::window;
use crate::window::{Arrival, TopicWindow};
use dead_letters::Aside;
use events::OwnEvents;
use operational::Problems;
use privacy::tombstones::Tombstones;
use topic_state::Watched;

/// Topics a monitor keeps windows for. A topic column with more values than this was not meant as one.
const MAX_TOPICS: usize = 1_000;

/// Why the monitor cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum MonitorError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("an empty name or id selects nothing to forget")]
    NobodySelected,
    #[error("more than {MAX_TOPICS} topics: is the topic column the right one?")]
    TooManyTopics,
}

/// What became of a post.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Counted,
    /// Counted as a repetition of one that voted, in every one of its topics.
    Copied,
    /// Counted before.
    Duplicate,
    TooLate,
    /// Of no topic.
    Unmatched,
}

/// Windows, trackers and outbox, in memory as in the store.
#[derive(Debug)]
pub struct Monitor {
    store: Store,
    config: window::Config,
    rules: Rules,
    model: ModelInfo,
    totals: Totals,
    /// As at the last commit.
    committed: Totals,
    topics: BTreeMap<String, Watched>,
    events: OwnEvents,
    /// What nobody can be told of by counting: stalled sources, spent budgets.
    problems: Problems,
    /// What the next commit holds beside windows and trackers.
    pending: Batch,
    /// Transitions that came since the last commit.
    fresh: Vec<Transition>,
    /// Committed, not yet delivered.
    outbox: VecDeque<(u64, Transition)>,
    /// What is to stay forgotten.
    tombstones: Tombstones,
    aside: Aside,
}

impl Monitor {
    /// A monitor that goes on where `store` left off.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn open(store: Store, config: window::Config, rules: Rules) -> Result<Self, MonitorError> {
        let totals: Totals = store.get(&Key::new(Table::Totals))?.unwrap_or_default();
        let edge = totals.edge.unwrap_or_default();
        let mut topics = BTreeMap::new();
        for name in TopicWindow::stored_names(&store)? {
            let watched = Watched::load(&store, &config, &rules, &name, edge)?;
            topics.insert(name, watched);
        }
        let mut outbox = VecDeque::new();
        for entry in store.scan(&Key::new(Table::Outbox)) {
            let (key, transition) = entry?;
            outbox.push_back((key.last_number().unwrap_or_default(), transition));
        }
        let problems = Problems::load(&store)?;
        let events = OwnEvents::load(&store, &config, &rules, edge)?;
        let (tombstones, aside) = (Tombstones::load(&store)?, Aside::load(&store)?);
        let mut monitor = Self {
            store,
            config,
            rules,
            model: ModelInfo::default(),
            totals,
            committed: totals,
            topics,
            events,
            problems,
            pending: Batch::default(),
            fresh: Vec::new(),
            outbox,
            tombstones,
            aside,
        };
        monitor.end_orphans()?;
        Ok(monitor)
    }

    /// Says which model reads the posts from now on, and how often it is wrong. Another model than before restarts what was
    /// learnt of rates; call it at the start, and when the model is changed.
    pub fn read_by(&mut self, model: ModelInfo) {
        let now = self.totals.edge.unwrap_or_default();
        self.topics.values_mut().for_each(|watched| watched.read_by(&model.id, now));
        self.model = model;
    }

    /// Counts a post in each of `topics`. Call [`Monitor::advance`] first.
    ///
    /// # Errors
    /// When a new topic is one too many or cannot be loaded.
    pub fn observe(&mut self, topics: &[&str], classified: &ClassifiedPost) -> Result<Outcome, MonitorError> {
        let mut arrivals = Vec::with_capacity(topics.len());
        let forgotten = self.tombstones.hold(&classified.post);
        for name in topics {
            let window = self.topic(name)?;
            arrivals.push(if forgotten { window.count(classified) } else { window.add(classified) });
        }
        let outcome = if arrivals.is_empty() {
            self.totals.unmatched += 1;
            Outcome::Unmatched
        } else if arrivals.contains(&Arrival::Counted) || arrivals.contains(&Arrival::Copied) {
            let copied = !arrivals.contains(&Arrival::Counted);
            self.totals.count(classified, copied);
            if copied { Outcome::Copied } else { Outcome::Counted }
        } else if arrivals.contains(&Arrival::TooLate) {
            self.totals.too_late += 1;
            Outcome::TooLate
        } else {
            self.totals.duplicates += 1;
            Outcome::Duplicate
        };
        Ok(outcome)
    }

    /// Accounts for what a source handed over and what became of it before it could be observed: `received` in all, of
    /// them `duplicates` that had come before and `rejected` that could not be used.
    pub fn account(&mut self, received: u64, duplicates: u64, rejected: u64) {
        self.totals.received += received;
        self.totals.duplicates += duplicates;
        self.totals.rejected += rejected;
    }

    /// Makes the next commit say how far `source` was read.
    ///
    /// # Errors
    /// When the cursor cannot be encoded.
    pub fn read_up_to<C: Serialize>(&mut self, source: &str, cursor: &C) -> Result<(), MonitorError> {
        Ok(self.pending.put(&cursor_key(source), cursor)?)
    }

    /// Begins or ends an operational alert: `name` on `component`, begun while there is a `summary` to tell.
    pub fn problem(&mut self, name: &str, component: &str, summary: Option<&str>, now: Timestamp) {
        self.fresh.extend(self.problems.set(name, component, summary, now));
    }

    fn topic(&mut self, name: &str) -> Result<&mut TopicWindow, MonitorError> {
        // A second look-up, because a borrow returned early would last for the whole function.
        if !self.topics.contains_key(name) {
            if self.topics.len() == MAX_TOPICS {
                return Err(MonitorError::TooManyTopics);
            }
            let edge = self.totals.edge.unwrap_or_default();
            let mut watched = Watched::load(&self.store, &self.config, &self.rules, name, edge)?;
            watched.read_by(&self.model.id, edge);
            self.topics.insert(name.into(), watched);
        }
        self.topics.get_mut(name).map(|watched| &mut watched.window).ok_or(MonitorError::TooManyTopics)
    }

    /// Closes every bucket that ends at or before `now` and evaluates the rules at each.
    pub fn advance(&mut self, now: Timestamp) {
        let width = self.config.bucket.as_secs();
        let target = now.as_second() - now.as_second().rem_euclid(width);
        if self.totals.edge.is_none() {
            self.events.watched.window.jump(target);
        }
        let mut edge = self.totals.edge.unwrap_or(target);
        while edge < target {
            // To the bucket that ends when the first of them wakes.
            let rest = self.topics.values().map(|watched| watched.rests_until(edge));
            let rest = rest.chain([self.events.rests_until(edge)]).min().flatten();
            let asleep = rest.map_or(edge, |rest| rest.saturating_sub(1).div_euclid(width) * width).min(target);
            if asleep > edge {
                self.everything().for_each(|watched| watched.window.jump(asleep));
                edge = asleep;
            } else {
                self.everything().for_each(|watched| watched.window.advance());
                edge += width;
                self.evaluate(Timestamp::from_second(edge).unwrap_or(Timestamp::MAX));
            }
        }
        self.totals.edge = Some(edge);
    }

    /// The topics, and what belongs to none.
    fn everything(&mut self) -> impl Iterator<Item = &mut Watched> {
        self.topics.values_mut().chain([&mut self.events.watched])
    }

    /// Closes the open bucket, for a source that has come to its end: its last posts are to be judged too.
    pub fn close(&mut self) {
        let end = self.totals.edge.unwrap_or_default() + self.config.bucket.as_secs();
        self.advance(Timestamp::from_second(end).unwrap_or(Timestamp::MAX));
    }

    fn evaluate(&mut self, now: Timestamp) {
        let fired = self.fresh.len();
        let end = now.as_second();
        let before = end - self.config.bucket.as_secs();
        let is_due = |watched: &Watched| watched.rests_until(before).is_none_or(|wakes| wakes <= end);
        for (name, watched) in self.topics.iter_mut().filter(|(_, watched)| is_due(watched)) {
            self.fresh.extend(watched.evaluate(name, &self.rules, &self.model, &self.events.log, now));
        }
        self.fresh.extend(self.events.evaluate(&self.rules, now));
        let fired = self.fresh.iter().skip(fired).filter(|told| told.status == Status::Firing);
        self.totals.alerts += fired.count() as u64;
    }

    /// Commits everything since the last commit. What is to be told to people is on disk when this returns.
    ///
    /// # Errors
    /// When the store cannot be written; nothing is committed then, and this monitor is of no more use: open the store
    /// again.
    pub fn commit(&mut self) -> Result<(), MonitorError> {
        let mut batch = std::mem::take(&mut self.pending);
        for (name, watched) in &mut self.topics {
            watched.save(&mut batch, name, &self.rules, &self.totals)?;
        }
        let told = !self.fresh.is_empty();
        for transition in std::mem::take(&mut self.fresh) {
            self.file(transition, &mut batch)?;
        }
        self.events.save(&mut batch, &self.rules)?;
        self.aside.save(&mut batch)?;
        self.totals.commits += 1;
        self.problems.save(&mut batch)?;
        batch.put(&Key::new(Table::Totals), &self.totals)?;
        self.store.commit(batch)?;
        self.committed = self.totals;
        if told {
            self.store.flush()?;
        }
        Ok(())
    }

    fn file(&mut self, transition: Transition, batch: &mut Batch) -> Result<(), MonitorError> {
        let alert = &transition.alert;
        if transition.status == Status::Resolved {
            let fired = Key::new(Table::Alert).text(&alert.topic).time(alert.fired_at.as_second()).text(&alert.rule);
            batch.put(&fired, alert)?;
        }
        let number = self.totals.transitions;
        batch.put(&Key::new(Table::Outbox).number(number), &transition)?;
        self.totals.transitions += 1;
        self.outbox.push_back((number, transition));
        Ok(())
    }

    /// The oldest transition that nobody was told of yet.
    pub fn undelivered(&self) -> Option<&Transition> {
        self.outbox.front().map(|(_, transition)| transition)
    }

    /// Transitions that not everybody was told of yet.
    pub fn outbox(&self) -> usize {
        self.outbox.len()
    }

    /// Takes what [`Monitor::undelivered`] gave out of the outbox.
    ///
    /// # Errors
    /// When the store cannot be written; it will then be delivered again.
    pub fn delivered(&mut self) -> Result<(), MonitorError> {
        if let Some((number, _)) = self.outbox.pop_front() {
            let mut batch = Batch::default();
            batch.remove(&Key::new(Table::Outbox).number(number));
            self.store.commit(batch)?;
        }
        Ok(())
    }

    /// All transitions that were not handed over yet, the oldest first.
    pub fn waiting(&self) -> impl Iterator<Item = &Transition> {
        self.outbox.iter().map(|(_, transition)| transition)
    }

    /// Takes everything out of the outbox, in one commit with `batch`: whoever took it over has it saved there.
    ///
    /// # Errors
    /// When the store cannot be written; nothing is taken out then.
    pub fn hand_over(&mut self, mut batch: Batch) -> Result<(), MonitorError> {
        for (number, _) in &self.outbox {
            batch.remove(&Key::new(Table::Outbox).number(*number));
        }
        self.store.commit(batch)?;
        self.store.flush()?;
        self.outbox.clear();
        Ok(())
    }

    pub fn store(&self) -> &Store {
        &self.store
    }

    /// How far `source` was read at the last commit.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn cursor<C: DeserializeOwned>(&self, source: &str) -> Result<Option<C>, MonitorError> {
        Ok(self.store.get(&cursor_key(source))?)
    }

    /// Transitions since the last commit, the oldest first.
    pub fn fresh(&self) -> &[Transition] {
        &self.fresh
    }

    /// Whether a commit would store anything.
    pub fn has_news(&self) -> bool {
        !self.fresh.is_empty() || self.events.is_changed() || self.totals != self.committed
    }

    /// Commits since the state was made.
    pub fn commits(&self) -> u64 {
        self.committed.commits
    }

    /// Bytes the store takes on disk.
    ///
    /// # Errors
    /// When they cannot be counted.
    pub fn store_bytes(&self) -> Result<u64, MonitorError> {
        Ok(self.store.size_on_disk()?)
    }

    pub fn totals(&self) -> &Totals {
        &self.totals
    }

    /// What was seen up to the last commit.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn report(&self) -> Result<Report, MonitorError> {
        state::report::read(&self.store, self.totals)
    }

    /// Returns once everything committed is on disk.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn flush(&self) -> Result<(), MonitorError> {
        Ok(self.store.flush()?)
    }
}

fn tracker_key(topic: &str, rule: &str) -> Key {
    Key::new(Table::Tracker).text(topic).text(rule)
}

fn cursor_key(source: &str) -> Key {
    Key::new(Table::Cursor).text(source)
}

#[cfg(test)]
mod tests;
