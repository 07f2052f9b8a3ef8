//! [`Bins`]: features as small integers, so that the best split of a node is found by counting.

use rayon::prelude::*;

use crate::matrix::{Dense, Matrix, Sparse};

/// For the non-zero values of a sparse feature: most features only say that the word is there.
const MAX_SPARSE_BINS: usize = 8;

/// All rows, binned.
pub(super) struct Bins {
    /// By column: the upper edges of all bins but the last, ascending. A value is in the first bin whose edge is not
    /// below it.
    pub(super) edges: Vec<Vec<f32>>,
    pub(super) rows: usize,
    pub(super) values: BinnedValues,
}

pub(super) enum BinnedValues {
    /// Column-major, `[width, rows]`.
    Dense(Vec<u8>),
    Sparse {
        by_row: SparseBins,
        by_column: SparseBins,
        /// The bin that 0 is in, by column.
        zero: Vec<u8>,
    },
}

/// Listed bins: by row with their columns, or by column with their rows.
pub(super) struct SparseBins {
    starts: Vec<usize>,
    across: Vec<u32>,
    bins: Vec<u8>,
}

impl SparseBins {
    /// The positions of a line's bins, and the bins.
    pub(super) fn line(&self, index: usize) -> (&[u32], &[u8]) {
        let (from, to) = (self.starts[index], self.starts[index + 1]);
        (&self.across[from..to], &self.bins[from..to])
    }

    /// Mean number of bins per line, rounded down.
    pub(super) fn mean(&self) -> usize {
        self.bins.len() / (self.starts.len() - 1)
    }

    /// The same bins by the other axis, which has `width` lines.
    fn transpose(&self, width: usize) -> Self {
        let mut starts = vec![0; width + 1];
        for at in &self.across {
            starts[*at as usize + 1] += 1;
        }
        for line in 0..width {
            starts[line + 1] += starts[line];
        }
        let (mut next, mut across, mut bins) = (starts.clone(), vec![0; self.across.len()], vec![0; self.bins.len()]);
        for index in 0..self.starts.len() - 1 {
            let (lines, of_line) = self.line(index);
            for (line, bin) in lines.iter().zip(of_line) {
                let at = &mut next[*line as usize];
                (across[*at], bins[*at]) = (index as u32, *bin);
                *at += 1;
            }
        }
        Self { starts, across, bins }
    }
}

impl Bins {
    /// At most `max_bins` bins per feature, 2 to 256, with about as many rows each.
    pub(super) fn build(x: &Matrix, max_bins: usize) -> Self {
        match x {
            Matrix::Dense(dense) => Self::from_dense(dense, max_bins),
            Matrix::Sparse(sparse) => Self::from_sparse(sparse, max_bins.min(MAX_SPARSE_BINS)),
        }
    }

    fn from_dense(dense: &Dense, max_bins: usize) -> Self {
        let Dense { width, values } = dense;
        let binned = (0..*width).into_par_iter().map(|column| {
            let values: Vec<f32> = values.iter().skip(column).step_by(*width).copied().collect();
            let edges = edges(values.clone(), max_bins);
            let bins: Vec<u8> = values.iter().map(|value| bin(&edges, *value)).collect();
            (edges, bins)
        });
        let (edges, bins): (Vec<_>, Vec<_>) = binned.unzip();
        Self { edges, rows: values.len() / width, values: BinnedValues::Dense(bins.concat()) }
    }

    fn from_sparse(sparse: &Sparse, max_bins: usize) -> Self {
        let rows = sparse.starts.len() - 1;
        let mut by_column = vec![Vec::new(); sparse.width];
        for (column, value) in sparse.columns.iter().zip(&sparse.values) {
            if *value != 0.0 {
                by_column[*column as usize].push(*value);
            }
        }
        let edges: Vec<Vec<f32>> =
            by_column.into_par_iter().map(|values| edges_around_0(values, rows, max_bins)).collect();
        let listed = sparse.columns.iter().zip(&sparse.values);
        let bins = listed.map(|(column, value)| bin(&edges[*column as usize], *value)).collect();
        let zero = edges.iter().map(|edges| bin(edges, 0.0)).collect();
        let by_row = SparseBins { starts: sparse.starts.clone(), across: sparse.columns.clone(), bins };
        let by_column = by_row.transpose(sparse.width);
        Self { edges, rows, values: BinnedValues::Sparse { by_row, by_column, zero } }
    }
}

fn bin(edges: &[f32], value: f32) -> u8 {
    edges.partition_point(|edge| *edge < value) as u8
}

/// Between every two values if they are few, otherwise at their quantiles.
fn edges(mut values: Vec<f32>, max_bins: usize) -> Vec<f32> {
    values.sort_unstable_by(f32::total_cmp);
    let steps = values.windows(2).filter(|pair| pair[0] < pair[1]).count();
    let mut edges = Vec::new();
    if steps < max_bins {
        edges.extend(values.windows(2).filter(|pair| pair[0] < pair[1]).map(|pair| middle(pair[0], pair[1])));
    } else {
        for quantile in 1..max_bins {
            let at = quantile * values.len() / max_bins;
            // Equal values stay together: the edge is above the whole run of the value at the quantile.
            let value = values[at - 1];
            let above = values.partition_point(|other| *other <= value);
            if let Some(next) = values.get(above) {
                edges.push(middle(value, *next));
            }
        }
        edges.dedup();
    }
    edges
}

/// Like [`edges`], for the non-zero values of a column of `rows`; the other values are 0. Edges always separate 0.
fn edges_around_0(mut values: Vec<f32>, rows: usize, max_bins: usize) -> Vec<f32> {
    let some_0 = values.len() < rows;
    values.sort_unstable_by(f32::total_cmp);
    let positive = values.partition_point(|value| *value < 0.0);
    let (below, above) =
        (positive.checked_sub(1).and_then(|at| values.get(at)).copied(), values.get(positive).copied());
    let mut edges = edges(values, max_bins);
    if some_0 {
        edges.extend(below.map(|below| middle(below, 0.0)));
        edges.extend(above.map(|above| middle(0.0, above)));
        edges.sort_unstable_by(f32::total_cmp);
        edges.dedup();
    }
    edges
}

/// A value that `low` does not exceed and `high` does.
fn middle(low: f32, high: f32) -> f32 {
    let middle = low + (high - low) / 2.0;
    if middle >= low && middle < high { middle } else { low }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn few_values_get_a_bin_each_and_many_share_them_evenly() {
        assert_eq!(edges(vec![3.0, 1.0, 1.0, 2.0], 4), [1.5, 2.5]);
        assert!(edges(vec![5.0; 9], 4).is_empty());
        let values: Vec<f32> = (0..1000).map(|value| value as f32).collect();
        assert_eq!(edges(values, 4), [249.5, 499.5, 749.5]);
        let mut skewed = vec![0.0; 900];
        skewed.extend((1..=100).map(|value| value as f32));
        assert_eq!(edges(skewed, 4), [0.5], "a run of equal values is not cut");
    }

    #[test]
    fn zero_has_its_own_bin_in_a_sparse_column() {
        assert_eq!(edges_around_0(vec![0.5, -1.0], 9, 8), [-0.5, -0.25, 0.25]);
        assert_eq!(edges_around_0(vec![1.0, 1.0], 9, 8), [0.5]);
        assert!(edges_around_0(vec![1.0, 1.0], 2, 8).is_empty());
    }

    proptest! {
        #[test]
        fn a_value_is_left_of_a_threshold_exactly_if_its_bin_is(
            values in prop::collection::vec(-4.0f32..4.0, 1..200),
            max_bins in 2usize..65,
        ) {
            let edges = edges(values.clone(), max_bins);
            prop_assert!(edges.len() < max_bins && edges.is_sorted_by(|one, next| one < next));
            for value in values {
                for (index, edge) in edges.iter().enumerate() {
                    prop_assert_eq!(usize::from(bin(&edges, value)) <= index, value <= *edge);
                }
            }
        }
    }
}
