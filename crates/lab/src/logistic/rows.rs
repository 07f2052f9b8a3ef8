//! [`FeatureRows`]: features as a logistic regression reads them; dense, or sparse with only the non-zero values
//! listed.

use crate::matrix::Sparse;

/// Rows that one task sums; part of the result's bits.
pub(super) const CHUNK: usize = 1024;
/// Each task over sparse rows has its own gradient, as wide as the vocabulary.
const MAX_SPARSE_TASKS: usize = 16;

/// Rows of features, as they enter the objective.
#[derive(Debug, Clone, Copy)]
pub(crate) enum FeatureRows<'a> {
    Dense {
        width: usize,
        /// FeatureRow-major, `[rows, width]`.
        values: &'a [f32],
    },
    Sparse(&'a Sparse),
}

/// One row.
#[derive(Debug, Clone, Copy)]
pub(crate) enum FeatureRow<'a> {
    Dense(&'a [f32]),
    Sparse(&'a [u32], &'a [f32]),
}

impl<'a> FeatureRows<'a> {
    pub(super) fn width(self) -> usize {
        match self {
            Self::Dense { width, .. } => width,
            Self::Sparse(sparse) => sparse.width,
        }
    }

    pub(crate) fn row(self, index: usize) -> FeatureRow<'a> {
        match self {
            Self::Dense { width, values } => FeatureRow::Dense(&values[index * width..(index + 1) * width]),
            Self::Sparse(sparse) => {
                let (columns, values) = sparse.row(index);
                FeatureRow::Sparse(columns, values)
            }
        }
    }

    /// How many of `rows` one task sums. It depends on the rows alone, so that the bits do not depend on the machine.
    pub(super) fn chunk(self, rows: usize) -> usize {
        match self {
            Self::Dense { .. } => CHUNK,
            Self::Sparse(_) => rows.div_ceil(MAX_SPARSE_TASKS).max(CHUNK),
        }
    }
}

impl FeatureRow<'_> {
    pub(crate) fn dot(self, weights: &[f64]) -> f64 {
        match self {
            Self::Dense(values) => dot(weights, values),
            Self::Sparse(columns, values) => {
                columns.iter().zip(values).map(|(column, value)| weights[*column as usize] * f64::from(*value)).sum()
            }
        }
    }

    /// Adds `factor` times the row to `sums`.
    pub(super) fn add_to(self, sums: &mut [f64], factor: f64) {
        match self {
            Self::Dense(values) => {
                for (sum, value) in sums.iter_mut().zip(values) {
                    *sum += factor * f64::from(*value);
                }
            }
            Self::Sparse(columns, values) => {
                for (column, value) in columns.iter().zip(values) {
                    sums[*column as usize] += factor * f64::from(*value);
                }
            }
        }
    }
}

/// Eight partial sums: a single sum would wait for its previous addition at every step.
pub(crate) fn dot(weights: &[f64], row: &[f32]) -> f64 {
    let (weight_blocks, weight_rest) = weights.as_chunks::<8>();
    let (row_blocks, row_rest) = row.as_chunks::<8>();
    let mut sums = [0.0; 8];
    for (block, values) in weight_blocks.iter().zip(row_blocks) {
        for ((sum, weight), value) in sums.iter_mut().zip(block).zip(values) {
            *sum += weight * f64::from(*value);
        }
    }
    let rest: f64 = weight_rest.iter().zip(row_rest).map(|(weight, value)| weight * f64::from(*value)).sum();
    sums.iter().sum::<f64>() + rest
}
