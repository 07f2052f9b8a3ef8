//! A file in a temporary directory, with its tracker.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};

use super::super::checkpoint::FileCheckpoint;
use super::super::rotation::{RotationTracker, TailStep};
use super::super::{Config, FileTail, TailLayout, build_tail};
use crate::post::Post;
use crate::post::{ComplianceEvent, RejectedRecord};
use crate::source::Cursor;

pub(super) struct Kit {
    _dir: tempfile::TempDir,
    pub(super) path: PathBuf,
    pub(super) config: Config,
    tracker: RotationTracker,
    committed: Option<Cursor>,
    now: Timestamp,
    pub(super) posts: Vec<Post>,
    pub(super) rejected: Vec<RejectedRecord>,
    pub(super) compliance: Vec<ComplianceEvent>,
}

/// A line of JSON with a post.
pub(super) fn json(id: u64) -> String {
    format!("{{\"id\":\"{id}\",\"created_at\":\"2026-01-02T03:04:05Z\",\"text\":\"hello {id}\"}}\n")
}

pub(super) fn lines(ids: impl Iterator<Item = u64>) -> String {
    ids.map(json).collect()
}

impl Kit {
    pub(super) fn new(layout: TailLayout) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("posts");
        let config = Config {
            name: "desk".into(),
            path: path.clone(),
            layout,
            topic: Some("Air Paradis".into()),
            columns: crate::dump::Columns::default(),
            delimiter: None,
            quote: None,
            escape: None,
            header: crate::dump::Header::Auto,
            skip_lines: 0,
            encoding: crate::dump::Encoding::Auto,
            time_format: None,
            time_zone: None,
            poll: SignedDuration::from_millis(500),
            stalled_after: None,
        };
        let tracker = RotationTracker::new(config.clone(), None);
        let now = Timestamp::from_second(1_000_000).unwrap();
        Self {
            _dir: dir,
            path,
            config,
            tracker,
            committed: None,
            now,
            posts: Vec::new(),
            rejected: Vec::new(),
            compliance: Vec::new(),
        }
    }

    /// Changes the configuration before the first step.
    pub(super) fn configure(&mut self, change: impl FnOnce(&mut Config)) {
        change(&mut self.config);
        self.tracker = RotationTracker::new(self.config.clone(), None);
    }

    /// Runs one step and commits its batch.
    pub(super) fn step(&mut self) -> TailStep {
        let step = self.step_uncommitted();
        if let Some(cursor) = &step.batch.cursor {
            self.committed = Some(cursor.clone());
        }
        step
    }

    pub(super) fn step_uncommitted(&mut self) -> TailStep {
        let step = self.tracker.step(self.now);
        self.posts.extend(step.batch.posts.iter().cloned());
        self.rejected.extend(step.batch.rejected.iter().cloned());
        self.compliance.extend(step.batch.compliance.iter().cloned());
        step
    }

    /// Runs steps until nothing new is read. Returns the IDs of the posts.
    pub(super) fn drain(&mut self) -> Vec<String> {
        let mut ids = Vec::new();
        let mut idle = 0;
        while idle < 3 {
            let step = self.step();
            idle = if step.more || !step.batch.posts.is_empty() { 0 } else { idle + 1 };
            ids.extend(step.batch.posts.into_iter().map(|post| post.id));
        }
        ids
    }

    /// Starts a new tracker from the committed cursor.
    pub(super) fn restart(&mut self) {
        let checkpoint = self.committed.as_ref().map(|cursor| cursor.read::<FileCheckpoint>().unwrap());
        self.tracker = RotationTracker::new(self.config.clone(), checkpoint);
    }

    /// The source as the daemon runs it.
    pub(super) fn source(&self, cursor: Option<&Cursor>) -> Result<FileTail, String> {
        build_tail(&self.config, cursor)
    }

    pub(super) fn pass_seconds(&mut self, seconds: i64) {
        self.now += SignedDuration::from_secs(seconds);
    }

    pub(super) fn append(&self, text: &str) {
        append(&self.path, text);
    }

    /// Appends to a rotated file.
    pub(super) fn append_to(&self, number: u32, text: &str) {
        append(&self.numbered(number), text);
    }

    pub(super) fn numbered(&self, number: u32) -> PathBuf {
        self.path.with_file_name(format!("posts.{number}"))
    }

    /// Rotates as logrotate does, and keeps every file.
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
