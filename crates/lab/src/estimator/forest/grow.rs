//! [`TreeGrower`]: grows one tree, from a bootstrap sample to its leaves.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use super::RandomForest;
use super::bins::{BinnedValues, Bins};
use super::split::{BestSplit, SplitSearch, below};
use vigie_reading::classify::Label;

/// Nodes by index, the root first.
pub(super) type Tree = Vec<Node>;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    /// Class shares, in the order of [`Label::ALL`].
    Leaf([f32; 3]),
    /// Goes to the first child if the value does not exceed the threshold.
    Split { column: u32, threshold: f32, children: [u32; 2] },
}

/// Draws per class.
pub(super) type Counts = [u32; 3];

/// What all trees of a forest share.
pub(super) struct TreeGrower<'a> {
    settings: &'a RandomForest,
    bins: &'a Bins,
    labels: &'a [Label],
}

/// A row of the bootstrap sample.
#[derive(Debug, Clone, Copy)]
pub(super) struct SampledRow {
    pub(super) row: u32,
    pub(super) class: u8,
    pub(super) times: u8,
}

/// Where a row is in the tree, for look-ups by column. Rows outside the sample are nowhere.
#[derive(Debug, Clone, Copy)]
pub(super) struct RowPosition {
    pub(super) node: u32,
    pub(super) class: u8,
    pub(super) times: u8,
    /// While its node is partitioned: it goes to the other side than rows that have 0 in the column.
    other_side: bool,
}

const NOT_SAMPLED: RowPosition = RowPosition { node: u32::MAX, class: 0, times: 0, other_side: false };

/// A node still to be split; its rows are contiguous.
pub(super) struct OpenNode {
    pub(super) node: u32,
    from: usize,
    to: usize,
    depth: usize,
    pub(super) counts: Counts,
}

/// The state of one tree while it grows.
struct TreeBuilder<'a> {
    grower: &'a TreeGrower<'a>,
    search: SplitSearch<'a>,
    sample: Vec<SampledRow>,
    /// Rows of the upper child while a node is partitioned.
    above: Vec<SampledRow>,
    /// By row; for sparse rows only.
    positions: Vec<RowPosition>,
}

impl<'a> TreeGrower<'a> {
    pub(super) fn new(settings: &'a RandomForest, bins: &'a Bins, labels: &'a [Label]) -> Self {
        Self { settings, bins, labels }
    }

    /// Grows tree number `tree`.
    pub(super) fn grow(&self, tree: u64) -> Tree {
        let mut rng = ChaCha8Rng::seed_from_u64(self.settings.seed);
        rng.set_stream(tree);
        let sample = self.bootstrap(&mut rng);
        let mut positions = Vec::new();
        if matches!(self.bins.values, BinnedValues::Sparse { .. }) {
            positions.resize(self.bins.rows, NOT_SAMPLED);
            for SampledRow { row, class, times } in sample.iter().copied() {
                positions[row as usize] = RowPosition { node: 0, class, times, other_side: false };
            }
        }
        let search = SplitSearch::new(self.bins, self.settings.min_samples_leaf, rng);
        let above = Vec::with_capacity(sample.len());
        TreeBuilder { grower: self, search, above, sample, positions }.grow()
    }

    /// As many draws as rows, with replacement; in row order.
    fn bootstrap(&self, rng: &mut ChaCha8Rng) -> Vec<SampledRow> {
        let mut times = vec![0_u8; self.bins.rows];
        for _ in 0..times.len() {
            let row = below(times.len(), rng);
            times[row] = times[row].saturating_add(1);
        }
        let sample = times.into_iter().zip(self.labels).enumerate().filter(|(_, (times, _))| *times > 0);
        sample.map(|(row, (times, label))| SampledRow { row: row as u32, class: *label as u8, times }).collect()
    }
}

impl TreeBuilder<'_> {
    fn grow(mut self) -> Tree {
        let root = OpenNode { node: 0, from: 0, to: self.sample.len(), depth: 0, counts: count(&self.sample) };
        let mut tree = vec![Node::Leaf(shares(root.counts))];
        let mut open = vec![root];
        while let Some(node) = open.pop() {
            let rows = &self.sample[node.from..node.to];
            let Some(best) = self.may_split(&node).then(|| self.search.best(&node, rows, &self.positions)).flatten()
            else {
                continue;
            };
            let children = [tree.len() as u32, tree.len() as u32 + 1];
            let middle = self.partition(&node, &best, children);
            let above = [0, 1, 2].map(|class| node.counts[class] - best.below[class]);
            let threshold = self.grower.bins.edges[best.column][best.bin];
            tree[node.node as usize] = Node::Split { column: best.column as u32, threshold, children };
            let sides = [(node.from, middle, best.below), (middle, node.to, above)];
            for (child, (from, to, counts)) in children.into_iter().zip(sides) {
                tree.push(Node::Leaf(shares(counts)));
                open.push(OpenNode { node: child, from, to, depth: node.depth + 1, counts });
            }
        }
        tree
    }

    fn may_split(&self, node: &OpenNode) -> bool {
        let RandomForest { max_depth, min_samples_leaf, .. } = self.grower.settings;
        let total: u32 = node.counts.iter().sum();
        let pure = node.counts.contains(&total);
        !pure && max_depth.is_none_or(|depth| node.depth < depth) && total as usize >= 2 * min_samples_leaf
    }

    /// Moves the node's rows that go below to its front and keeps the order on both sides; returns where the others
    /// begin.
    fn partition(&mut self, node: &OpenNode, best: &BestSplit, children: [u32; 2]) -> usize {
        let bins = self.grower.bins;
        match &bins.values {
            BinnedValues::Dense(values) => {
                let values = &values[best.column * bins.rows..(best.column + 1) * bins.rows];
                self.partition_by(node, |row, _| usize::from(values[row]) > best.bin)
            }
            BinnedValues::Sparse { by_column, zero, .. } => {
                let zero_above = usize::from(zero[best.column]) > best.bin;
                let (rows, bins) = by_column.line(best.column);
                for (row, bin) in rows.iter().zip(bins) {
                    let positions = &mut self.positions[*row as usize];
                    positions.other_side = positions.node == node.node && (usize::from(*bin) > best.bin) != zero_above;
                }
                self.partition_by(node, |row, positions| {
                    let positions = &mut positions[row];
                    let above = positions.other_side != zero_above;
                    positions.node = children[usize::from(above)];
                    positions.other_side = false;
                    above
                })
            }
        }
    }

    fn partition_by(&mut self, node: &OpenNode, above: impl Fn(usize, &mut [RowPosition]) -> bool) -> usize {
        self.above.clear();
        let mut middle = node.from;
        for at in node.from..node.to {
            let sample = self.sample[at];
            if above(sample.row as usize, &mut self.positions) {
                self.above.push(sample);
            } else {
                self.sample[middle] = sample;
                middle += 1;
            }
        }
        self.sample[middle..node.to].copy_from_slice(&self.above);
        middle
    }
}

fn count(sample: &[SampledRow]) -> Counts {
    let mut counts = [0; 3];
    for sample in sample {
        counts[usize::from(sample.class)] += u32::from(sample.times);
    }
    counts
}

fn shares(counts: Counts) -> [f32; 3] {
    let total = counts.iter().sum::<u32>().max(1) as f32;
    counts.map(|count| count as f32 / total)
}
