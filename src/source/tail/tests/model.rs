//! Random sequences of what writers, rotation and restarts do to a file: every complete line comes, and what was
//! committed never comes again.

use std::collections::BTreeSet;
use std::fs;

use proptest::prelude::*;

use super::super::Layout;
use super::kit::{Kit, json};

#[derive(Debug, Clone)]
enum Act {
    /// So many whole lines.
    Append(usize),
    /// The start of a line, which the next append completes.
    Start,
    Rotate,
    /// Renamed, and the writer has not begun a new file.
    Step,
    /// Kills it before what the last step gave is committed.
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
        5 => Just(Act::Step),
        2 => Just(Act::StepAndKill),
        2 => Just(Act::Restart),
        1 => Just(if truncate { Act::Truncate } else { Act::Step }),
    ];
    prop::collection::vec(act, 1..40)
}

/// A writer, and what it wrote.
struct World {
    kit: Kit,
    layout: Layout,
    written: u64,
    /// What is left of a line that was started.
    rest: Option<String>,
    delivered: Vec<String>,
    committed: BTreeSet<String>,
}

impl World {
    fn new(layout: Layout) -> Self {
        let mut kit = Kit::new(layout);
        // An empty file that was seen: before its first commit nobody can know what was there.
        kit.append("");
        assert!(kit.step().delivery.cursor.is_some());
        Self { kit, layout, written: 0, rest: None, delivered: Vec::new(), committed: BTreeSet::new() }
    }

    fn line(&mut self) -> String {
        self.written += 1;
        match self.layout {
            Layout::Jsonl => json(self.written),
            Layout::Csv => format!("{},2026-01-02T03:04:05Z,\"hello\n\"\"{}\"\"\"\r\n", self.written, self.written),
        }
    }

    fn begin_file(&self) {
        if self.layout == Layout::Csv && fs::metadata(&self.kit.path).map_or(0, |file| file.len()) == 0 {
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
            Act::Step => self.step(true),
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
        let ids = step.delivery.posts.into_iter().map(|post| post.id);
        for id in ids {
            assert!(!self.committed.contains(&id), "{id} came again after its commit");
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
        assert!(self.kit.unusable.is_empty(), "{:?}", self.kit.unusable);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn every_line_comes_and_none_again_after_its_commit(acts in acts(false), csv: bool) {
        let mut world = World::new(if csv { Layout::Csv } else { Layout::Jsonl });
        acts.iter().for_each(|act| world.act(act));
        world.settle();
        let wanted: BTreeSet<String> = (1..=world.written).map(|id| id.to_string()).collect();
        prop_assert_eq!(&world.committed, &wanted);
    }

    /// Cutting loses what was not read; it neither stops the source nor spoils what comes after it.
    #[test]
    fn a_cut_spoils_nothing_that_is_written_after_it(acts in acts(true), csv: bool) {
        let mut world = World::new(if csv { Layout::Csv } else { Layout::Jsonl });
        acts.iter().for_each(|act| world.act(act));
        world.finish_line();
        let last = world.written;
        // It sees the cut before more is written than was cut off.
        (0..200).for_each(|_| world.step(true));
        world.act(&Act::Append(3));
        world.settle();
        for id in last + 1..=last + 3 {
            prop_assert!(world.committed.contains(&id.to_string()), "{} of {}", id, world.written);
        }
    }
}
