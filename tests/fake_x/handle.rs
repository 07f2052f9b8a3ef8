//! [`FakeX`]: the handle of a test.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::Router;
use axum::serve::ListenerExt;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::Clock;
use super::answer::{Recorded, Shared, handle};
use super::fault::Fault;
use super::limit::{Endpoint, Window};
use super::params::Names;
use super::post::{FakePost, snowflake};
use super::rules::Rule;
use super::stream::Act;
use super::world::World;

/// Settings of the fake; they can be changed while it runs ([`FakeX::set`]).
#[derive(Debug, Clone)]
pub struct Settings {
    pub token: String,
    pub names: Names,
    /// Characters that a query may have: 512 on self-serve plans.
    pub query_length: usize,
    /// Requests per 15 minutes that differ from those of X.
    pub limits: HashMap<Endpoint, u32>,
    pub keep_alive: Duration,
    /// Every page has a token for a next one.
    pub endless_pages: bool,
    /// Maximum number of rules per page.
    pub rules_page: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            token: "fake-token".into(),
            names: Names::Any,
            query_length: 512,
            limits: HashMap::new(),
            keep_alive: Duration::from_secs(20),
            endless_pages: false,
            rules_page: 1_000,
        }
    }
}

/// A running fake; it stops when dropped.
pub struct FakeX {
    shared: Shared,
    address: SocketAddr,
    server: JoinHandle<()>,
}

impl Drop for FakeX {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl FakeX {
    /// On a free loopback port.
    pub async fn start(clock: Clock) -> Self {
        Self::start_on("127.0.0.1:0", Settings::default(), clock).await
    }

    pub async fn start_on(address: &str, settings: Settings, clock: Clock) -> Self {
        let shared = Arc::new(Mutex::new(World::new(settings, clock)));
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        // Otherwise the kernel delays small writes by tens of milliseconds of real time, during which paused time advances far.
        let listener = listener.tap_io(|io| io.set_nodelay(true).unwrap());
        let router = Router::new().fallback(handle).with_state(shared.clone());
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { shared, address, server }
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.shared.lock().unwrap()
    }

    /// For `x.base_url`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn token(&self) -> String {
        self.world().settings.token.clone()
    }

    pub fn now(&self) -> Timestamp {
        self.world().now()
    }

    pub fn set_clock(&self, clock: Clock) {
        self.world().clock = clock;
    }

    pub fn set(&self, change: impl FnOnce(&mut Settings)) {
        change(&mut self.world().settings);
    }

    /// A post with the current time, not published yet.
    pub fn draft(&self, text: &str) -> FakePost {
        self.draft_at(self.now(), text)
    }

    /// A post with the time `at`, not published yet.
    pub fn draft_at(&self, at: Timestamp, text: &str) -> FakePost {
        let mut world = self.world();
        world.sequence += 1;
        FakePost::new(snowflake(at, world.sequence % (1 << 22)), text)
    }

    /// Adds a post to the index and sends it to the open streams. Returns its ID.
    pub fn publish(&self, post: FakePost) -> u64 {
        self.send(post.clone());
        self.index(post)
    }

    /// `publish(draft(text))`.
    pub fn say(&self, text: &str) -> u64 {
        self.publish(self.draft(text))
    }

    /// Adds a post to the index only, which search and mentions read.
    pub fn index(&self, post: FakePost) -> u64 {
        let id = post.id;
        self.world().posts.insert(id, post);
        id
    }

    /// Sends a post to the open streams only.
    pub fn send(&self, post: FakePost) {
        self.act(&Act::Post(Box::new(post)));
    }

    /// Adds `count` posts to the index, `apart` from each other, the last one now.
    pub fn backlog(&self, count: u32, apart: SignedDuration, text: &str) -> Vec<u64> {
        let now = self.now();
        let at = |place: u32| now - apart * i32::try_from(count - 1 - place).unwrap();
        (0..count).map(|place| self.index(self.draft_at(at(place), &format!("{text} {place}")))).collect()
    }

    /// Adds `post` to the index after search and mentions have returned `pages` pages in total.
    pub fn index_after_pages(&self, pages: u64, post: FakePost) -> u64 {
        let id = post.id;
        self.world().arrivals.push((pages, post));
        id
    }

    /// Removes a post from the index without an event.
    pub fn unindex(&self, id: u64) {
        self.world().posts.remove(&id);
    }

    /// Removes a post from the index and sends `{"delete": {"status": ...}}` to the streams.
    pub fn delete(&self, id: u64) {
        self.unindex(id);
        self.line(&json!({"delete": {"status": {"id_str": id.to_string(), "id": id}, "timestamp_ms": "0"}}));
    }

    /// Sends a compliance event of `kind` (`delete`, `withheld`, `drop`, `undrop`) about `post`.
    pub fn comply(&self, kind: &str, post: u64, author: u64) {
        let tweet = json!({"id": post.to_string(), "author_id": author.to_string()});
        let mut event = json!({"tweet": tweet, "event_at": self.now().to_string()});
        if kind == "withheld" {
            event["withheld_in_countries"] = json!(["XY"]);
        }
        self.line(&json!({"data": {kind: event}}));
    }

    /// Sends the compliance event of an edit.
    pub fn comply_edit(&self, versions: &[u64]) {
        let ids: Vec<String> = versions.iter().map(u64::to_string).collect();
        let event = json!({"tweet": {"id": ids.last()}, "event_at": self.now().to_string(),
            "initial_tweet_id": ids.first(), "edit_tweet_ids": ids});
        self.line(&json!({"data": {"tweet_edit": event}}));
    }

    /// Sends a line to the open streams.
    pub fn line(&self, value: &Value) {
        self.act(&Act::Line(value.to_string()));
    }

    /// Makes the open streams do this.
    pub fn act(&self, act: &Act) {
        for connection in &self.world().connections {
            connection.act(act.clone());
        }
    }

    /// Makes the next connection do this first; later calls are for later connections.
    pub fn on_connect(&self, acts: Vec<Act>) {
        self.world().on_connect.push_back(acts);
    }

    /// Opens a connection of another program with the same token.
    pub fn stranger_connects(&self) {
        self.world().strangers += 1;
    }

    /// Closes the connections of other programs.
    pub fn strangers_leave(&self) {
        self.world().strangers = 0;
    }

    /// Streams open now.
    pub fn connections(&self) -> usize {
        self.world().connections.len()
    }

    /// Streams opened so far.
    pub fn opened(&self) -> u64 {
        self.world().opened
    }

    /// Returns once `count` streams have been opened since the start, and the last one is open.
    pub async fn wait_opened(&self, count: u64) {
        while self.opened() < count || self.connections() == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub fn add_rule(&self, value: &str, tag: Option<&str>) -> u64 {
        let mut world = self.world();
        world.sequence += 1;
        let id = 1_600_000_000_000_000_000 + world.sequence;
        world.rules.push(Rule { id, value: value.into(), tag: tag.map(str::to_owned) });
        id
    }

    /// Deletes all rules.
    pub fn clear_rules(&self) {
        self.world().rules.clear();
    }

    /// Value and tag of each rule.
    pub fn rules(&self) -> Vec<(String, Option<String>)> {
        self.world().rules.iter().map(|rule| (rule.value.clone(), rule.tag.clone())).collect()
    }

    /// Injects a fault into the next request to `endpoint`; later calls queue up.
    pub fn fault(&self, endpoint: Endpoint, fault: Fault) {
        self.world().faults.entry(endpoint).or_default().push_back(fault);
    }

    /// Injects a fault into every request to `endpoint`, until `None`.
    pub fn fault_always(&self, endpoint: Endpoint, fault: Option<Fault>) {
        let mut world = self.world();
        match fault {
            Some(fault) => world.standing.insert(endpoint, fault),
            None => world.standing.remove(&endpoint),
        };
    }

    /// Leaves `remaining` requests of the rate limit until `reset`.
    pub fn limit(&self, endpoint: Endpoint, remaining: u32, reset: Timestamp) {
        let window = Window { limit: endpoint.limit(), remaining, reset };
        self.world().windows.insert(endpoint, window);
    }

    pub fn requests(&self) -> Vec<Recorded> {
        self.world().requests.clone()
    }

    pub fn requests_to(&self, endpoint: Endpoint) -> Vec<Recorded> {
        self.world().requests.iter().filter(|request| request.endpoint == endpoint).cloned().collect()
    }

    /// Posts sent so far, in responses and on streams.
    pub fn billed(&self) -> u64 {
        self.world().billed
    }
}
