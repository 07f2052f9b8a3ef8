//! The monitor: windows, rules and alerts of all topics, and one atomic commit of everything that a batch of posts changes.
//! Stands between the classifier and `notify`, and is the one place where time enters: posts only change counts,
//! [`Monitor::advance`] closes buckets and evaluates rules.
//!
//! ```text
//!   observe (intake) -> advance (evaluation) -> commit (outbox): windows, posts, rule states, transitions in one batch
//! ```

mod context;
mod dead_letters;
mod evaluation;
mod events;
mod feedback;
mod intake;
mod label_schema;
mod operational;
mod outbox;
mod posts;
mod privacy;
mod reopen;
mod retention;
mod rule_simulator;
mod rule_state;
mod state;
mod topic_settings;
mod topic_state;
mod view;

pub use feedback::{Correction, Feedback, FeedbackRecord, Provenance, Subject, UndoneFeedback, last_labels};
pub(crate) use feedback::{feedback_from, stored_feedback};
pub(crate) use label_schema::label_schema;
pub use operational::begin as begin_operational_alert;
pub(crate) use posts::erase::{ALWAYS, post_of_id};
pub use posts::{CascadeId, Counting, StoredPost};
pub(crate) use posts::{SLOT, block, index};
pub use privacy::erase::{ErasedCounts, ErasureTarget, Receipt};
pub use privacy::retention::RetentionResult;
pub use privacy::selector::Selector;
pub(crate) use privacy::selector::normal_author;
pub use retention::Retention;
pub use rule_simulator::RuleSimulator;
pub use state::check::{RecordProblem, StoreCheck, TableCheck, check};
pub use state::repair::{RepairReport, repair};
pub use state::report::{MonitorReport, TopicReport, Totals};
pub use state::schema::{ExportError, export, import};
pub use view::{AlertView, TopicView};

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;
use serde::de::DeserializeOwned;

use crate::alert::Transition;
use crate::classify::ModelInfo;
use crate::rule::Rules;
use crate::store::{Batch, Key, Store, StoreError, Table};
use crate::window;
use crate::window::TopicWindow;
use dead_letters::DeadLetters;
use events::InternalEvents;
use feedback::FeedbackIndex;
use operational::OperationalAlerts;
use posts::PendingPosts;
use privacy::tombstones::Tombstones;
pub use topic_settings::TopicSettings;
use topic_state::TopicState;

/// Topics that a monitor keeps windows for besides the configured ones. A topic column with more values than this is probably
/// the wrong column.
const MAX_TOPICS: usize = 10_000;

/// Why the monitor cannot continue.
#[derive(Debug, thiserror::Error)]
pub enum MonitorError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the name or identifier to forget is empty")]
    NobodySelected,
    #[error("more than {MAX_TOPICS} topics that are not configured: is the topic column the right one?")]
    TooManyTopics,
}

/// How a post was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PostOutcome {
    Counted,
    /// Counted as a repetition of one that voted, in every one of its topics.
    Copied,
    /// Counted before.
    Duplicate,
    TooLate,
    /// Of no topic.
    Unmatched,
}

/// Windows, rule states and outbox, in memory as in the store.
#[derive(Debug)]
pub struct Monitor {
    store: Store,
    config: window::Config,
    rules: Rules,
    model: ModelInfo,
    totals: Totals,
    /// As at the last commit.
    committed: Totals,
    /// The time of the last [`Monitor::advance`]: nothing can have been written after it.
    now: Option<Timestamp>,
    topics: BTreeMap<String, TopicState>,
    settings: TopicSettings,
    /// Topics with windows that are not configured.
    others: usize,
    events: InternalEvents,
    /// Alerts that no rule evaluates: stalled sources, spent budgets.
    operational: OperationalAlerts,
    /// What the next commit holds besides windows and rule states.
    pending: Batch,
    /// The posts of the next commit; none where posts are not kept.
    posts: Option<PendingPosts>,
    /// Transitions since the last commit.
    new_transitions: Vec<Transition>,
    /// Committed, not yet acknowledged.
    outbox: VecDeque<(u64, Transition)>,
    /// Posts and authors that stay erased.
    tombstones: Tombstones,
    dead_letters: DeadLetters,
    /// Made with the first correction, and again after feedback was erased.
    feedback_index: Option<FeedbackIndex>,
    /// When it was last checked whether the store's files should be rewritten.
    compaction_checked: Option<Timestamp>,
}

impl Monitor {
    /// A monitor that continues from the state in `store`. It keeps no posts until [`Monitor::keep_posts`].
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn open(store: Store, config: window::Config, rules: Rules) -> Result<Self, MonitorError> {
        let totals: Totals = store.get(&Key::new(Table::Totals))?.unwrap_or_default();
        let edge = totals.edge.unwrap_or_default();
        let mut topics = BTreeMap::new();
        for name in TopicWindow::stored_names(&store)? {
            let state = TopicState::load(&store, &config, &rules, &name, edge)?;
            topics.insert(name, state);
        }
        let mut outbox = VecDeque::new();
        for entry in store.scan(&Key::new(Table::Outbox)) {
            let (key, transition) = entry?;
            outbox.push_back((key.last_number().unwrap_or_default(), transition));
        }
        let operational = OperationalAlerts::load(&store)?;
        let events = InternalEvents::load(&store, &config, &rules, edge)?;
        let (tombstones, dead_letters) = (Tombstones::load(&store)?, DeadLetters::load(&store)?);
        let mut monitor = Self {
            store,
            config,
            rules,
            model: ModelInfo::default(),
            totals,
            committed: totals,
            now: None,
            others: topics.len(),
            topics,
            settings: TopicSettings::default(),
            events,
            operational,
            pending: Batch::default(),
            posts: None,
            new_transitions: Vec::new(),
            outbox,
            tombstones,
            dead_letters,
            feedback_index: None,
            compaction_checked: None,
        };
        monitor.end_removed_rules()?;
        Ok(monitor)
    }

    /// Sets whether the posts observed from now on are kept, for `query`: only in a state that outlives the process.
    pub fn keep_posts(&mut self, keep: bool) {
        self.posts = keep.then(|| self.posts.take().unwrap_or_default());
    }

    /// Sets what the configuration says about topics. A sender may name any other topic, up to a limit. Call it at the start,
    /// and when the configuration changes.
    pub fn configure_topics(&mut self, settings: TopicSettings) {
        self.others = self.topics.keys().filter(|name| !settings.names(name)).count();
        self.topics.iter_mut().for_each(|(name, state)| state.configure(name, &settings));
        self.settings = settings;
    }

    /// Sets the model that reads the posts from now on, with its error rates. A different model restarts what was learnt of
    /// rates. Call it at the start, and when the model changes.
    pub fn set_model(&mut self, model: ModelInfo) {
        let now = self.totals.edge.unwrap_or_default();
        self.topics.values_mut().for_each(|state| state.set_model(&model.id, now));
        self.model = model;
    }

    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The checkpoint of `source` at the last commit.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn cursor<C: DeserializeOwned>(&self, source: &str) -> Result<Option<C>, MonitorError> {
        Ok(self.store.get(&cursor_key(source))?)
    }

    /// Whether a commit would store anything.
    pub fn is_dirty(&self) -> bool {
        !self.new_transitions.is_empty() || self.events.is_changed() || self.totals != self.committed
    }

    /// Commits since the state was created.
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

    /// What was counted up to the last commit.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn report(&self) -> Result<MonitorReport, MonitorError> {
        state::report::read(&self.store, self.totals)
    }

    /// Returns once everything committed is on disk.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn flush(&self) -> Result<(), MonitorError> {
        Ok(self.store.flush()?)
    }
}

fn rule_state_key(topic: &str, rule: &str) -> Key {
    Key::new(Table::RuleState).text(topic).text(rule)
}

fn cursor_key(source: &str) -> Key {
    Key::new(Table::Cursor).text(source)
}

#[cfg(test)]
mod tests;
