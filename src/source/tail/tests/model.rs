//! Random sequences of writes, rotations and restarts: every complete line is read, and a committed line is never read
//! again.

use std::collections::BTreeSet;
use std::fs;

use proptest::prelude::*;

use super::super::TailLayout;
use super::kit::{Kit, json};

#[derive(Debug, Clone)]
enum Act {
    /// This many complete lines.
    Append(usize),
    /// The start of a line, which the next append completes.
    Start,
    Rotate,
    /// The file is renamed before the writer starts a new one.
    TailStep,
    /// Restarts before the batch of the last step is committed.
    StepAndKill,
    Restart,
    Truncate,
}

fn acts(truncate: bool) -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        4 => (1_usize..4).prop_map(Act::Append),
        1 => (500_usize..1_100).prop_map(Act::Append),
        1 => Just(Act::Start),
        2 => Just(Act::Rotate),
        5 => Just(Act::TailStep),
        2 => Just(Act::StepAndKill),
        2 => Just(Act::Restart),
        1 => Just(if truncate { Act::Truncate } else { Act::TailStep }),
    ];
    prop::collection::vec(act, 1..40)
}

/// A writer and its lines.
struct World {
    kit: Kit,
    layout: TailLayout,
    written: u64,
    /// The rest of a started line.
    rest: Option<String>,
    delivered: Vec<String>,
    committed: BTreeSet<String>,
}

impl World {
    fn new(layout: TailLayout) -> Self {
        let mut kit = Kit::new(layout);
        // Commits an empty file: before the first commit, the source cannot know earlier files.
        kit.append("");
        assert!(kit.step().batch.cursor.is_some());
        Self { kit, layout, written: 0, rest: None, delivered: Vec::new(), committed: BTreeSet::new() }
    }

    fn line(&mut self) -> String {
        self.written += 1;
        match self.layout {
            TailLayout::Jsonl => json(self.written),
            TailLayout::Csv => format!("{},2026-01-02T03:04:05Z,\"hello\n\"\"{}\"\"\"\r\n", self.written, self.written),
        }
    }

    fn begin_file(&self) {
        if self.layout == TailLayout::Csv && fs::metadata(&self.kit.path).map_or(0, |file| file.len()) == 0 {
            self.kit.append("id,created_at,text\n");
        }
    }

    fn finish_line(&mut self) {
        if let Some(rest) = self.rest.take() {
            self.kit.append(&rest);
        }
    }

    fn act(&mut self, act: &Act) {
        match act {
            Act::Append(count) => {
                self.begin_file();
                self.finish_line();
                let text: String = (0..*count).map(|_| self.line()).collect();
                self.kit.append(&text);
            }
            Act::Start if self.rest.is_none() => {
                self.begin_file();
                let line = self.line();
                let (start, rest) = line.split_at(line.len() / 2);
                self.kit.append(start);
                self.rest = Some(rest.to_owned());
            }
            Act::Start => {}
            Act::Rotate => {
                self.finish_line();
                self.kit.rotate();
            }
            Act::TailStep => self.step(true),
            Act::StepAndKill => {
                self.step(false);
                self.kit.restart();
            }
            Act::Restart => self.kit.restart(),
            Act::Truncate => {
                self.finish_line();
                fs::write(&self.kit.path, "").unwrap();
            }
        }
    }

    fn step(&mut self, commit: bool) {
        let step = if commit { self.kit.step() } else { self.kit.step_uncommitted() };
        let ids = step.batch.posts.into_iter().map(|post| post.id);
        for id in ids {
            assert!(!self.committed.contains(&id), "{id} was read again after its commit");
            if commit {
                self.committed.insert(id.clone());
            }
            self.delivered.push(id);
        }
    }

    fn settle(&mut self) {
        self.finish_line();
        for _ in 0..self.written / 256 + 200 {
            self.step(true);
        }
        assert!(self.kit.rejected.is_empty(), "{:?}", self.kit.rejected);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn every_line_is_read_and_none_again_after_its_commit(acts in acts(false), csv: bool) {
        let mut world = World::new(if csv { TailLayout::Csv } else { TailLayout::Jsonl });
        acts.iter().for_each(|act| world.act(act));
        world.settle();
        let expected: BTreeSet<String> = (1..=world.written).map(|id| id.to_string()).collect();
        prop_assert_eq!(&world.committed, &expected);
    }

    /// A truncation loses unread lines; it neither stops the source nor damages later lines.
    #[test]
    fn a_truncation_damages_no_later_line(acts in acts(true), csv: bool) {
        let mut world = World::new(if csv { TailLayout::Csv } else { TailLayout::Jsonl });
        acts.iter().for_each(|act| world.act(act));
        world.finish_line();
        let last = world.written;
        // The source notices the truncation before the file is as long as before.
        (0..200).for_each(|_| world.step(true));
        world.act(&Act::Append(3));
        world.settle();
        for id in last + 1..=last + 3 {
            prop_assert!(world.committed.contains(&id.to_string()), "{} of {}", id, world.written);
        }
    }
}
