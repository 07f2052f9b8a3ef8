//! [`SplitSearch`]: the best split of a node among a random subset of the features.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::RngCore;

use super::bins::{BinnedValues, Bins, SparseBins};
use super::grow::{Counts, OpenNode, RowPosition, SampledRow};

/// The best split so far.
pub(super) struct BestSplit {
    /// Gini gain without the terms that depend on the node alone.
    score: f64,
    pub(super) column: usize,
    /// The last bin that goes below.
    pub(super) bin: usize,
    pub(super) below: Counts,
}

/// The search state of one tree.
pub(super) struct SplitSearch<'a> {
    bins: &'a Bins,
    /// Minimum number of draws on either side.
    min_draws: u32,
    rng: ChaCha8Rng,
    /// All columns, in an order that every node shuffles further.
    columns: Vec<u32>,
    /// Columns tried at a time: the square root of all.
    tried: usize,
    max_bins_used: usize,
    /// `[tried, max_bins_used]`.
    histogram: Vec<Counts>,
    /// By column: its index among those tried, plus 1. For sparse rows only.
    candidate: Vec<u32>,
}

impl<'a> SplitSearch<'a> {
    pub(super) fn new(bins: &'a Bins, min_draws: usize, rng: ChaCha8Rng) -> Self {
        let width = bins.edges.len();
        let tried = (width as f64).sqrt().round().max(1.0) as usize;
        let max_bins_used = bins.edges.iter().map(Vec::len).max().unwrap_or_default() + 1;
        let candidate = if matches!(bins.values, BinnedValues::Sparse { .. }) { vec![0; width] } else { vec![] };
        Self {
            bins,
            min_draws: min_draws.try_into().unwrap_or(u32::MAX),
            rng,
            columns: (0..width as u32).collect(),
            tried,
            max_bins_used,
            histogram: vec![[0; 3]; tried * max_bins_used],
            candidate,
        }
    }

    /// The best split of the node with the rows `sample`; `None` if no column splits it.
    pub(super) fn best(
        &mut self,
        node: &OpenNode,
        sample: &[SampledRow],
        positions: &[RowPosition],
    ) -> Option<BestSplit> {
        let rows = NodeRows { node, sample, positions };
        let mut columns = std::mem::take(&mut self.columns);
        let sparse = matches!(self.bins.values, BinnedValues::Sparse { .. });
        let best = self.among(&rows, &mut columns, if sparse { 1 } else { usize::MAX });
        self.columns = columns;
        match (best, &self.bins.values) {
            // Most columns of sparse rows are 0 in all rows of a small node: try those that are not.
            (None, BinnedValues::Sparse { by_row, .. }) => {
                self.among(&rows, &mut occurring(sample, by_row), usize::MAX)
            }
            (best, _) => best,
        }
    }

    /// The best split by columns drawn from `columns`. As in scikit-learn, other columns are drawn if none of those can
    /// split the node, here up to `rounds` times.
    fn among(&mut self, rows: &NodeRows<'_>, columns: &mut [u32], rounds: usize) -> Option<BestSplit> {
        let mut rest = columns;
        for _ in 0..rounds {
            if rest.is_empty() {
                return None;
            }
            let count = self.tried.min(rest.len());
            for at in 0..count {
                let other = at + below(rest.len() - at, &mut self.rng);
                rest.swap(at, other);
            }
            let (tried, others) = rest.split_at_mut(count);
            let best = match &self.bins.values {
                BinnedValues::Dense(bins) => self.best_dense(rows, tried, bins),
                BinnedValues::Sparse { by_row, by_column, zero } => {
                    self.histogram[..tried.len() * self.max_bins_used].fill([0; 3]);
                    // Read whichever is shorter: large nodes hold most of a column, small nodes almost none of it.
                    let of_columns: usize = tried.iter().map(|column| by_column.line(*column as usize).0.len()).sum();
                    if of_columns < rows.sample.len() * by_row.mean() {
                        self.count_columns(rows, tried, by_column);
                    } else {
                        self.count_rows(rows, tried, by_row);
                    }
                    self.best_sparse(rows.node.counts, tried, zero)
                }
            };
            if best.is_some() {
                return best;
            }
            rest = others;
        }
        None
    }

    fn best_dense(&mut self, rows: &NodeRows<'_>, tried: &[u32], bins: &[u8]) -> Option<BestSplit> {
        let mut best = None;
        for column in tried {
            let column = *column as usize;
            let of_column = &bins[column * self.bins.rows..(column + 1) * self.bins.rows];
            let histogram = &mut self.histogram[..self.bins.edges[column].len() + 1];
            histogram.fill([0; 3]);
            for sample in rows.sample {
                histogram[usize::from(of_column[sample.row as usize])][usize::from(sample.class)] +=
                    u32::from(sample.times);
            }
            update_best(&mut best, histogram, rows.node.counts, self.min_draws, column);
        }
        best
    }

    fn count_columns(&mut self, rows: &NodeRows<'_>, tried: &[u32], by_column: &SparseBins) {
        for (histogram, column) in self.histogram.chunks_exact_mut(self.max_bins_used).zip(tried) {
            let (listed, bins) = by_column.line(*column as usize);
            for (row, bin) in listed.iter().zip(bins) {
                let RowPosition { node, class, times, .. } = rows.positions[*row as usize];
                if node == rows.node.node {
                    histogram[usize::from(*bin)][usize::from(class)] += u32::from(times);
                }
            }
        }
    }

    fn count_rows(&mut self, rows: &NodeRows<'_>, tried: &[u32], by_row: &SparseBins) {
        for (index, column) in tried.iter().enumerate() {
            self.candidate[*column as usize] = index as u32 + 1;
        }
        for sample in rows.sample {
            let (columns, bins) = by_row.line(sample.row as usize);
            for (column, bin) in columns.iter().zip(bins) {
                if let Some(index) = self.candidate[*column as usize].checked_sub(1) {
                    let counts = &mut self.histogram[index as usize * self.max_bins_used + usize::from(*bin)];
                    counts[usize::from(sample.class)] += u32::from(sample.times);
                }
            }
        }
        for column in tried {
            self.candidate[*column as usize] = 0;
        }
    }

    /// The best split by the histograms of the listed values; rows that do not list a column have 0 there.
    fn best_sparse(&mut self, whole: Counts, tried: &[u32], zero: &[u8]) -> Option<BestSplit> {
        let mut best = None;
        for (histogram, column) in self.histogram.chunks_exact_mut(self.max_bins_used).zip(tried) {
            let column = *column as usize;
            let histogram = &mut histogram[..self.bins.edges[column].len() + 1];
            for class in 0..3 {
                let listed: u32 = histogram.iter().map(|counts| counts[class]).sum();
                histogram[usize::from(zero[column])][class] += whole[class] - listed;
            }
            update_best(&mut best, histogram, whole, self.min_draws, column);
        }
        best
    }
}

/// The rows of a node, in order and by position.
struct NodeRows<'a> {
    node: &'a OpenNode,
    sample: &'a [SampledRow],
    positions: &'a [RowPosition],
}

/// The columns that any of the rows list, ascending.
fn occurring(sample: &[SampledRow], by_row: &SparseBins) -> Vec<u32> {
    let mut occurring: Vec<u32> =
        sample.iter().flat_map(|sample| by_row.line(sample.row as usize).0).copied().collect();
    occurring.sort_unstable();
    occurring.dedup();
    occurring
}

/// Replaces `best` with the best split of `column` if that is better; of equal ones, the first found stays.
///
/// The lower the weighted sum of both sides' Gini impurities `1 - sum_c (n_c / n)^2`, the greater `sum_c n_c^2 / n` of
/// both.
fn update_best(best: &mut Option<BestSplit>, histogram: &[Counts], whole: Counts, min_draws: u32, column: usize) {
    let mut below = [0; 3];
    for (bin, counts) in histogram.iter().enumerate().take(histogram.len().saturating_sub(1)) {
        if *counts == [0; 3] {
            continue;
        }
        let above = [0, 1, 2].map(|class| {
            below[class] += counts[class];
            whole[class] - below[class]
        });
        let (count_below, count_above): (u32, u32) = (below.iter().sum(), above.iter().sum());
        if count_above < min_draws {
            return;
        }
        if count_below < min_draws {
            continue;
        }
        let score = squares(below) / f64::from(count_below) + squares(above) / f64::from(count_above);
        if best.as_ref().is_none_or(|best| score > best.score) {
            *best = Some(BestSplit { score, column, bin, below });
        }
    }
}

fn squares(counts: Counts) -> f64 {
    counts.iter().map(|count| f64::from(*count) * f64::from(*count)).sum()
}

/// A number below `limit`, which is below 2^32; uniform within 1 in 2^32.
pub(super) fn below(limit: usize, rng: &mut ChaCha8Rng) -> usize {
    ((u64::from(rng.next_u32()) * limit as u64) >> 32) as usize
}
