//! [`World`]: the state of the fake, behind one lock.

use std::collections::{BTreeMap, HashMap, VecDeque};

use super::Clock;
use super::answer::Recorded;
use super::fault::Fault;
use super::handle::Settings;
use super::limit::{Endpoint, Window};
use super::post::{FakePost, Visible};
use super::rules::Rule;
use super::stream::{Act, Connection};

pub struct World {
    pub settings: Settings,
    pub clock: Clock,
    pub posts: BTreeMap<u64, FakePost>,
    pub rules: Vec<Rule>,
    pub connections: Vec<Connection>,
    /// Connections of other programs with the same token; only `DELETE /2/connections/all` ends them.
    pub strangers: usize,
    pub opened: u64,
    /// What the next connections do first, one list for each.
    pub on_connect: VecDeque<Vec<Act>>,
    pub faults: HashMap<Endpoint, VecDeque<Fault>>,
    pub standing: HashMap<Endpoint, Fault>,
    pub windows: HashMap<Endpoint, Window>,
    pub requests: Vec<Recorded>,
    /// First pages of search and mentions requested so far.
    pub polls: u64,
    /// Posts that appear after this many pages of search and mentions.
    pub arrivals: Vec<(u64, FakePost)>,
    pub pages: u64,
    /// Posts sent, as X charges for them.
    pub billed: u64,
    pub sequence: u64,
}

impl World {
    pub fn new(settings: Settings, clock: Clock) -> Self {
        Self {
            settings,
            clock,
            posts: BTreeMap::new(),
            rules: Vec::new(),
            connections: Vec::new(),
            strangers: 0,
            opened: 0,
            on_connect: VecDeque::new(),
            faults: HashMap::new(),
            standing: HashMap::new(),
            windows: HashMap::new(),
            requests: Vec::new(),
            polls: 0,
            arrivals: Vec::new(),
            pages: 0,
            billed: 0,
            sequence: 0,
        }
    }

    pub fn now(&self) -> jiff::Timestamp {
        (self.clock)()
    }

    /// Counts a page of search or mentions and publishes the posts that wait for it.
    pub fn count_page(&mut self, first: bool) {
        self.pages += 1;
        self.polls += u64::from(first);
        let pages = self.pages;
        for (_, post) in self.arrivals.extract_if(.., |(after, _)| *after < pages) {
            self.posts.insert(post.id, post);
        }
    }

    pub fn shows(&self, post: &FakePost) -> bool {
        match post.visible {
            Visible::Always => true,
            Visible::At(at) => at <= self.now(),
            Visible::AfterPolls(polls) => self.polls > polls,
            Visible::Never => false,
        }
    }

    pub fn next_fault(&mut self, endpoint: Endpoint) -> Option<Fault> {
        self.faults.get_mut(&endpoint).and_then(VecDeque::pop_front).or_else(|| self.standing.get(&endpoint).cloned())
    }

    pub fn window(&mut self, endpoint: Endpoint) -> &mut Window {
        let now = self.now();
        let limit = self.settings.limits.get(&endpoint).copied().unwrap_or(endpoint.limit());
        self.windows.entry(endpoint).or_insert_with(|| Window::new(limit, now))
    }
}
