//! [`Search`]: the best split of a node among a random few of the features.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::RngCore;

use super::bins::{Bins, Lines, Values};
use super::grow::{Counts, Drawn, Open, Whereabouts};

/// The best split so far.
pub(super) struct Best {
    /// Gini's gain but for what depends on the node alone.
    score: f64,
    pub(super) column: usize,
    /// The last bin that goes below.
    pub(super) bin: usize,
    pub(super) below: Counts,
}

/// What splits are sought with, tree by tree.
pub(super) struct Search<'a> {
    bins: &'a Bins,
    /// Fewest draws on either side.
    least: u32,
    rng: ChaCha8Rng,
    /// All columns, in an order that every node shuffles further.
    columns: Vec<u32>,
    /// Columns that are tried at a time: the square root of all.
    tried: usize,
    most_bins: usize,
    /// `[tried, most_bins]`.
    histogram: Vec<Counts>,
    /// By column: its place among those tried, plus 1. Sparse rows only.
    place: Vec<u32>,
}

impl<'a> Search<'a> {
    pub(super) fn new(bins: &'a Bins, least: usize, rng: ChaCha8Rng) -> Self {
        let width = bins.edges.len();
        let tried = (width as f64).sqrt().round().max(1.0) as usize;
        let most_bins = bins.edges.iter().map(Vec::len).max().unwrap_or_default() + 1;
        let place = if matches!(bins.values, Values::Sparse { .. }) { vec![0; width] } else { vec![] };
        Self {
            bins,
            least: least.try_into().unwrap_or(u32::MAX),
            rng,
            columns: (0..width as u32).collect(),
            tried,
            most_bins,
            histogram: vec![[0; 3]; tried * most_bins],
            place,
        }
    }

    /// `None` where no column splits the node, whose rows are `drawn`.
    pub(super) fn best(&mut self, node: &Open, drawn: &[Drawn], whereabouts: &[Whereabouts]) -> Option<Best> {
        let rows = Rows { node, drawn, whereabouts };
        let mut columns = std::mem::take(&mut self.columns);
        let sparse = matches!(self.bins.values, Values::Sparse { .. });
        let best = self.among(&rows, &mut columns, if sparse { 1 } else { usize::MAX });
        self.columns = columns;
        match (best, &self.bins.values) {
            // Most columns of sparse rows are 0 in all of a small node: on with those that are not.
            (None, Values::Sparse { by_row, .. }) => self.among(&rows, &mut occurring(drawn, by_row), usize::MAX),
            (best, _) => best,
        }
    }

    /// The best split by columns drawn from `columns`. As in scikit-learn, where none of those can split the node others are
    /// drawn, here up to `rounds` times.
    fn among(&mut self, rows: &Rows<'_>, columns: &mut [u32], rounds: usize) -> Option<Best> {
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
                Values::Dense(bins) => self.of_dense(rows, tried, bins),
                Values::Sparse { by_row, by_column, zero } => {
                    self.histogram[..tried.len() * self.most_bins].fill([0; 3]);
                    // Whichever reads less: large nodes hold most of a column, small ones next to none of it.
                    let of_columns: usize = tried.iter().map(|column| by_column.line(*column as usize).0.len()).sum();
                    if of_columns < rows.drawn.len() * by_row.mean() {
                        self.count_columns(rows, tried, by_column);
                    } else {
                        self.count_rows(rows, tried, by_row);
                    }
                    self.of_sparse(rows.node.counts, tried, zero)
                }
            };
            if best.is_some() {
                return best;
            }
            rest = others;
        }
        None
    }

    fn of_dense(&mut self, rows: &Rows<'_>, tried: &[u32], bins: &[u8]) -> Option<Best> {
        let mut best = None;
        for column in tried {
            let column = *column as usize;
            let of_column = &bins[column * self.bins.rows..(column + 1) * self.bins.rows];
            let histogram = &mut self.histogram[..self.bins.edges[column].len() + 1];
            histogram.fill([0; 3]);
            for drawn in rows.drawn {
                histogram[usize::from(of_column[drawn.row as usize])][usize::from(drawn.class)] +=
                    u32::from(drawn.times);
            }
            keep_better(&mut best, histogram, rows.node.counts, self.least, column);
        }
        best
    }

    fn count_columns(&mut self, rows: &Rows<'_>, tried: &[u32], by_column: &Lines) {
        for (histogram, column) in self.histogram.chunks_exact_mut(self.most_bins).zip(tried) {
            let (listed, bins) = by_column.line(*column as usize);
            for (row, bin) in listed.iter().zip(bins) {
                let Whereabouts { node, class, times, .. } = rows.whereabouts[*row as usize];
                if node == rows.node.node {
                    histogram[usize::from(*bin)][usize::from(class)] += u32::from(times);
                }
            }
        }
    }

    fn count_rows(&mut self, rows: &Rows<'_>, tried: &[u32], by_row: &Lines) {
        for (index, column) in tried.iter().enumerate() {
            self.place[*column as usize] = index as u32 + 1;
        }
        for drawn in rows.drawn {
            let (columns, bins) = by_row.line(drawn.row as usize);
            for (column, bin) in columns.iter().zip(bins) {
                if let Some(index) = self.place[*column as usize].checked_sub(1) {
                    let counts = &mut self.histogram[index as usize * self.most_bins + usize::from(*bin)];
                    counts[usize::from(drawn.class)] += u32::from(drawn.times);
                }
            }
        }
        for column in tried {
            self.place[*column as usize] = 0;
        }
    }

    /// The best split by the histograms of what is listed; rows that do not list a column have 0 there.
    fn of_sparse(&mut self, whole: Counts, tried: &[u32], zero: &[u8]) -> Option<Best> {
        let mut best = None;
        for (histogram, column) in self.histogram.chunks_exact_mut(self.most_bins).zip(tried) {
            let column = *column as usize;
            let histogram = &mut histogram[..self.bins.edges[column].len() + 1];
            for class in 0..3 {
                let listed: u32 = histogram.iter().map(|counts| counts[class]).sum();
                histogram[usize::from(zero[column])][class] += whole[class] - listed;
            }
            keep_better(&mut best, histogram, whole, self.least, column);
        }
        best
    }
}

/// The rows of a node, in their order and by their whereabouts.
struct Rows<'a> {
    node: &'a Open,
    drawn: &'a [Drawn],
    whereabouts: &'a [Whereabouts],
}

/// The columns that some of the rows list, ascending.
fn occurring(drawn: &[Drawn], by_row: &Lines) -> Vec<u32> {
    let mut occurring: Vec<u32> = drawn.iter().flat_map(|drawn| by_row.line(drawn.row as usize).0).copied().collect();
    occurring.sort_unstable();
    occurring.dedup();
    occurring
}

/// Puts the best split of `column` into `best` where it is better; of two as good, the one found first stays.
///
/// The lower the weighted sum of both sides' Gini impurities `1 - sum_c (n_c / n)^2`, the greater `sum_c n_c^2 / n` of both.
fn keep_better(best: &mut Option<Best>, histogram: &[Counts], whole: Counts, least: u32, column: usize) {
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
        if count_above < least {
            return;
        }
        if count_below < least {
            continue;
        }
        let score = squares(below) / f64::from(count_below) + squares(above) / f64::from(count_above);
        if best.as_ref().is_none_or(|best| score > best.score) {
            *best = Some(Best { score, column, bin, below });
        }
    }
}

fn squares(counts: Counts) -> f64 {
    counts.iter().map(|count| f64::from(*count) * f64::from(*count)).sum()
}

/// A number below `limit`, which is below 2^32: even but for 1 in 2^32.
pub(super) fn below(limit: usize, rng: &mut ChaCha8Rng) -> usize {
    ((u64::from(rng.next_u32()) * limit as u64) >> 32) as usize
}
