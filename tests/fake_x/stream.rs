//! `/2/tweets/search/stream`: one connection with live posts, keep-alives and failures.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use axum::body::{Body, Bytes};
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::answer::{Problem, Shared};
use super::fault::Fault;
use super::params::{Asked, Names, Query, only};
use super::post::FakePost;
use super::query::matches;
use super::search::includes;
use super::world::World;

/// What a connection does.
#[derive(Debug, Clone)]
pub enum Act {
    /// Sends these bytes.
    Bytes(Vec<u8>),
    /// Sends this line with `\r\n`.
    Line(String),
    /// Sends a post to connections whose rules match.
    Post(Box<FakePost>),
    /// Stays open but sends nothing more, not even keep-alives.
    Stall,
    /// Ends in the middle of a message, like a broken connection.
    Cut,
    /// Ends regularly.
    End,
    /// Announces the end with a reason and ends.
    OperationalDisconnect,
    Wait(Duration),
}

/// An open stream.
pub struct Connection {
    pub number: u64,
    pub asked: Asked,
    sender: UnboundedSender<Act>,
}

impl Connection {
    pub fn act(&self, act: Act) {
        let _ = self.sender.send(act);
    }
}

pub fn connect(shared: &Shared, query: &Query) -> Result<Body, Problem> {
    let mut world = shared.lock().unwrap();
    only(query, &["backfill_minutes", "start_time", "end_time"], true)?;
    if super::params::get(query, "backfill_minutes").is_some() {
        return Err(Problem::parameter("backfill_minutes", "is not part of your access level"));
    }
    let asked = Asked::read(query, world.settings.names, true)?;
    let refused = |fault| match fault {
        Fault::Answer { status, body, .. } => Err(Problem { status, body: serde_json::from_str(&body).unwrap() }),
        _ => Err(Problem::invalid("")),
    };
    if world.rules.is_empty() {
        return refused(Fault::conflict());
    }
    if world.connections.len() + world.strangers >= 1 {
        return refused(Fault::too_many_connections());
    }
    world.opened += 1;
    let (sender, acts) = unbounded_channel();
    let script = world.on_connect.pop_front().unwrap_or_default();
    let number = world.opened;
    world.connections.push(Connection { number, asked: asked.clone(), sender });
    let line = Line {
        acts,
        script: script.into(),
        keep_alive: world.settings.keep_alive,
        asked,
        _open: Open { shared: shared.clone(), number },
    };
    Ok(Body::from_stream(futures_util::stream::unfold(Some(line), next)))
}

/// Removes the connection from the list when its body is dropped: the client has disconnected.
struct Open {
    shared: Shared,
    number: u64,
}

impl Drop for Open {
    fn drop(&mut self) {
        let mut world = self.shared.lock().unwrap();
        world.connections.retain(|connection| connection.number != self.number);
    }
}

struct Line {
    acts: UnboundedReceiver<Act>,
    script: VecDeque<Act>,
    keep_alive: Duration,
    asked: Asked,
    _open: Open,
}

impl Line {
    /// None: the account has ended the connection.
    async fn act(&mut self) -> Option<Act> {
        match self.script.pop_front() {
            Some(act) => Some(act),
            None => match tokio::time::timeout(self.keep_alive, self.acts.recv()).await {
                Ok(act) => act,
                Err(_) => Some(Act::Bytes(b"\r\n".to_vec())),
            },
        }
    }
}

async fn next(line: Option<Line>) -> Option<(io::Result<Bytes>, Option<Line>)> {
    let mut line = line?;
    loop {
        let bytes = match line.act().await? {
            Act::Bytes(bytes) => bytes,
            Act::Line(text) => format!("{text}\r\n").into_bytes(),
            Act::Post(post) => {
                let Some(text) = message(&line._open.shared.lock().unwrap(), &post, &line.asked) else { continue };
                line._open.shared.lock().unwrap().billed += 1;
                format!("{text}\r\n").into_bytes()
            }
            Act::Wait(time) => {
                tokio::time::sleep(time).await;
                continue;
            }
            Act::Stall => std::future::pending().await,
            Act::End => return None,
            Act::Cut => return Some((Err(io::Error::other("cut")), None)),
            Act::OperationalDisconnect => {
                let text = format!("{}\r\n", operational_disconnect());
                return Some((Ok(text.into()), None));
            }
        };
        return Some((Ok(bytes.into()), Some(line)));
    }
}

/// The post as a message of the stream; none when no rule matches.
pub fn message(world: &World, post: &FakePost, asked: &Asked) -> Option<Value> {
    let rules: Vec<Value> = world
        .rules
        .iter()
        .filter(|rule| matches(&rule.value, post))
        .map(|rule| {
            let mut named = json!({"id": rule.id.to_string()});
            if let Some(tag) = &rule.tag {
                named["tag"] = json!(tag);
            }
            named
        })
        .collect();
    if rules.is_empty() {
        return None;
    }
    let mut message = json!({"data": post.json(asked), "matching_rules": rules});
    let includes = includes(world, &[post], asked);
    if includes != json!({}) {
        message["includes"] = includes;
    }
    Some(message)
}

pub fn operational_disconnect() -> Value {
    json!({"errors": [{
        "title": "operational-disconnect", "disconnect_type": "UpstreamOperationalDisconnect",
        "detail": "This stream has been disconnected upstream for operational reasons.",
        "type": "https://api.x.com/2/problems/operational-disconnect",
    }]})
}
