//! [`Grower`]: one tree, from a bootstrap sample to its leaves.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use super::RandomForest;
use super::bins::{Bins, Values};
use super::split::{Best, Search, below};
use vigie_reading::classify::Label;

/// Nodes by index, the root first.
pub(super) type Tree = Vec<Node>;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    /// Shares of the classes, in the order of [`Label::ALL`].
    Leaf([f32; 3]),
    /// To the first child where the value does not exceed the threshold.
    Split { column: u32, threshold: f32, children: [u32; 2] },
}

/// Draws a class.
pub(super) type Counts = [u32; 3];

/// What all trees of a forest share.
pub(super) struct Grower<'a> {
    settings: &'a RandomForest,
    bins: &'a Bins,
    labels: &'a [Label],
}

/// A row of the bootstrap sample.
#[derive(Debug, Clone, Copy)]
pub(super) struct Drawn {
    pub(super) row: u32,
    pub(super) class: u8,
    pub(super) times: u8,
}

/// Where a row is, for who comes by its column. Rows that were not drawn are nowhere.
#[derive(Debug, Clone, Copy)]
pub(super) struct Whereabouts {
    pub(super) node: u32,
    pub(super) class: u8,
    pub(super) times: u8,
    /// While its node is parted: it goes to the other side than rows that have 0 in the column.
    parted: bool,
}

const NOWHERE: Whereabouts = Whereabouts { node: u32::MAX, class: 0, times: 0, parted: false };

/// A node that is yet to be split: its rows stand together.
pub(super) struct Open {
    pub(super) node: u32,
    from: usize,
    to: usize,
    depth: usize,
    pub(super) counts: Counts,
}

/// What one tree needs while it grows.
struct Growing<'a> {
    grower: &'a Grower<'a>,
    search: Search<'a>,
    drawn: Vec<Drawn>,
    /// Rows of the upper child, while a node is parted.
    above: Vec<Drawn>,
    /// By row; of sparse rows only.
    whereabouts: Vec<Whereabouts>,
}

impl<'a> Grower<'a> {
    pub(super) fn new(settings: &'a RandomForest, bins: &'a Bins, labels: &'a [Label]) -> Self {
        Self { settings, bins, labels }
    }

    /// The tree of this number.
    pub(super) fn grow(&self, tree: u64) -> Tree {
        let mut rng = ChaCha8Rng::seed_from_u64(self.settings.seed);
        rng.set_stream(tree);
        let drawn = self.bootstrap(&mut rng);
        let mut whereabouts = Vec::new();
        if matches!(self.bins.values, Values::Sparse { .. }) {
            whereabouts.resize(self.bins.rows, NOWHERE);
            for Drawn { row, class, times } in drawn.iter().copied() {
                whereabouts[row as usize] = Whereabouts { node: 0, class, times, parted: false };
            }
        }
        let search = Search::new(self.bins, self.settings.min_samples_leaf, rng);
        let above = Vec::with_capacity(drawn.len());
        Growing { grower: self, search, above, drawn, whereabouts }.grow()
    }

    /// As many draws as rows, with replacement; in the order of the rows.
    fn bootstrap(&self, rng: &mut ChaCha8Rng) -> Vec<Drawn> {
        let mut times = vec![0_u8; self.bins.rows];
        for _ in 0..times.len() {
            let row = below(times.len(), rng);
            times[row] = times[row].saturating_add(1);
        }
        let drawn = times.into_iter().zip(self.labels).enumerate().filter(|(_, (times, _))| *times > 0);
        drawn.map(|(row, (times, label))| Drawn { row: row as u32, class: *label as u8, times }).collect()
    }
}

impl Growing<'_> {
    fn grow(mut self) -> Tree {
        let root = Open { node: 0, from: 0, to: self.drawn.len(), depth: 0, counts: count(&self.drawn) };
        let mut tree = vec![Node::Leaf(shares(root.counts))];
        let mut open = vec![root];
        while let Some(node) = open.pop() {
            let rows = &self.drawn[node.from..node.to];
            let Some(best) = self.may_split(&node).then(|| self.search.best(&node, rows, &self.whereabouts)).flatten()
            else {
                continue;
            };
            let children = [tree.len() as u32, tree.len() as u32 + 1];
            let middle = self.part(&node, &best, children);
            let above = [0, 1, 2].map(|class| node.counts[class] - best.below[class]);
            let threshold = self.grower.bins.edges[best.column][best.bin];
            tree[node.node as usize] = Node::Split { column: best.column as u32, threshold, children };
            let sides = [(node.from, middle, best.below), (middle, node.to, above)];
            for (child, (from, to, counts)) in children.into_iter().zip(sides) {
                tree.push(Node::Leaf(shares(counts)));
                open.push(Open { node: child, from, to, depth: node.depth + 1, counts });
            }
        }
        tree
    }

    fn may_split(&self, node: &Open) -> bool {
        let RandomForest { max_depth, min_samples_leaf, .. } = self.grower.settings;
        let total: u32 = node.counts.iter().sum();
        let pure = node.counts.contains(&total);
        !pure && max_depth.is_none_or(|depth| node.depth < depth) && total as usize >= 2 * min_samples_leaf
    }

    /// Moves the node's rows that go below to its front, both sides in their order; gives where the others begin.
    fn part(&mut self, node: &Open, best: &Best, children: [u32; 2]) -> usize {
        let bins = self.grower.bins;
        match &bins.values {
            Values::Dense(values) => {
                let values = &values[best.column * bins.rows..(best.column + 1) * bins.rows];
                self.part_by(node, |row, _| usize::from(values[row]) > best.bin)
            }
            Values::Sparse { by_column, zero, .. } => {
                let zero_above = usize::from(zero[best.column]) > best.bin;
                let (rows, bins) = by_column.line(best.column);
                for (row, bin) in rows.iter().zip(bins) {
                    let whereabouts = &mut self.whereabouts[*row as usize];
                    whereabouts.parted = whereabouts.node == node.node && (usize::from(*bin) > best.bin) != zero_above;
                }
                self.part_by(node, |row, whereabouts| {
                    let whereabouts = &mut whereabouts[row];
                    let above = whereabouts.parted != zero_above;
                    whereabouts.node = children[usize::from(above)];
                    whereabouts.parted = false;
                    above
                })
            }
        }
    }

    fn part_by(&mut self, node: &Open, above: impl Fn(usize, &mut [Whereabouts]) -> bool) -> usize {
        self.above.clear();
        let mut middle = node.from;
        for at in node.from..node.to {
            let drawn = self.drawn[at];
            if above(drawn.row as usize, &mut self.whereabouts) {
                self.above.push(drawn);
            } else {
                self.drawn[middle] = drawn;
                middle += 1;
            }
        }
        self.drawn[middle..node.to].copy_from_slice(&self.above);
        middle
    }
}

fn count(drawn: &[Drawn]) -> Counts {
    let mut counts = [0; 3];
    for drawn in drawn {
        counts[usize::from(drawn.class)] += u32::from(drawn.times);
    }
    counts
}

fn shares(counts: Counts) -> [f32; 3] {
    let total = counts.iter().sum::<u32>().max(1) as f32;
    counts.map(|count| count as f32 / total)
}
