//! A file in a directory of its own, and its follower.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};

use super::super::checkpoint::Place;
use super::super::rotation::{Follower, Step};
use super::super::{Config, Followed, Layout, followed};
use crate::post::Post;
use crate::post::{Notice, Unusable};
use crate::source::delivery::Cursor;

pub(super) struct Kit {
    _dir: tempfile::TempDir,
    pub(super) path: PathBuf,
    pub(super) config: Config,
    follower: Follower,
    committed: Option<Cursor>,
    now: Timestamp,
    pub(super) posts: Vec<Post>,
    pub(super) unusable: Vec<Unusable>,
    pub(super) notices: Vec<Notice>,
}

/// A line of JSON with a post.
pub(super) fn json(id: u64) -> String {
    format!("{{\"id\":\"{id}\",\"created_at\":\"2026-01-02T03:04:05Z\",\"text\":\"hello {id}\"}}\n")
}

pub(super) fn lines(ids: impl Iterator<Item = u64>) -> String {
    ids.map(json).collect()
}

impl Kit {
    pub(super) fn new(layout: Layout) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("posts");
        let config = Config {
            name: "desk".into(),
            path: path.clone(),
            layout,
            topic: Some("Air Paradis".into()),
            columns: crate::dump::Columns::default(),
            poll: SignedDuration::from_millis(500),
            stalled_after: None,
        };
        let follower = Follower::new(config.clone(), None);
        let now = Timestamp::from_second(1_000_000).unwrap();
        Self {
            _dir: dir,
            path,
            config,
            follower,
            committed: None,
            now,
            posts: Vec::new(),
            unusable: Vec::new(),
            notices: Vec::new(),
        }
    }

    /// One look; what it gives is taken for committed.
    pub(super) fn step(&mut self) -> Step {
        let step = self.step_uncommitted();
        if let Some(cursor) = &step.delivery.cursor {
            self.committed = Some(cursor.clone());
        }
        step
    }

    pub(super) fn step_uncommitted(&mut self) -> Step {
        let step = self.follower.step(self.now);
        self.posts.extend(step.delivery.posts.iter().cloned());
        self.unusable.extend(step.delivery.unusable.iter().cloned());
        self.notices.extend(step.delivery.notices.iter().cloned());
        step
    }

    /// Looks until there is nothing more, and gives the identifiers of the posts.
    pub(super) fn drain(&mut self) -> Vec<String> {
        let mut ids = Vec::new();
        let mut idle = 0;
        while idle < 3 {
            let step = self.step();
            idle = if step.more || !step.delivery.posts.is_empty() { 0 } else { idle + 1 };
            ids.extend(step.delivery.posts.into_iter().map(|post| post.id));
        }
        ids
    }

    /// A new follower, from what was committed.
    pub(super) fn restart(&mut self) {
        let place = self.committed.as_ref().map(|cursor| cursor.read::<Place>().unwrap());
        self.follower = Follower::new(self.config.clone(), place);
    }

    /// The source as the daemon runs it.
    pub(super) fn source(&self, cursor: Option<&Cursor>) -> Result<Followed, String> {
        followed(&self.config, cursor)
    }

    pub(super) fn pass_seconds(&mut self, seconds: i64) {
        self.now += SignedDuration::from_secs(seconds);
    }

    pub(super) fn append(&self, text: &str) {
        append(&self.path, text);
    }

    /// To a file that was rotated.
    pub(super) fn append_to(&self, number: u32, text: &str) {
        append(&self.numbered(number), text);
    }

    pub(super) fn numbered(&self, number: u32) -> PathBuf {
        self.path.with_file_name(format!("posts.{number}"))
    }

    /// As logrotate does, keeping everything.
    pub(super) fn rotate(&self) {
        let last = (1..).find(|number| !self.numbered(*number).exists()).unwrap();
        for number in (1..last).rev() {
            fs::rename(self.numbered(number), self.numbered(number + 1)).unwrap();
        }
        if self.path.exists() {
            fs::rename(&self.path, self.numbered(1)).unwrap();
        }
    }
}

fn append(path: &std::path::Path, text: &str) {
    OpenOptions::new().create(true).append(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
}
