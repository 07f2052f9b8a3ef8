//! [`RandomForest`]: trees grown on bootstrap samples, each split chosen among a random subset of the features (Breiman
//! 2001).
//!
//! An own implementation, because linfa-ensemble 0.8 and smartcore 0.7 scan exact values on one core, read no sparse
//! rows, and vote without probabilities. Here features are binned once into at most 64 bins (`bins`), a split is found
//! in a histogram (`split`), and trees grow in parallel; each tree has its own random stream, so the number of threads
//! changes no bit.

mod bins;
mod grow;
mod split;

use indicatif::ProgressBar;
use rayon::prelude::*;

use super::EstimatorError;
use crate::matrix::Matrix;
use crate::run_record::Params;
use bins::Bins;
use grow::{Node, Tree, TreeGrower};
use vigie_reading::classify::Label;

/// Rows that one task predicts.
const ROWS_PER_TASK: usize = 512;

/// Settings, by scikit-learn's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RandomForest {
    /// Number of trees; at least 1.
    pub n_estimators: usize,
    /// Maximum number of splits from the root to a leaf; `None` grows until every leaf is pure or too small.
    pub max_depth: Option<usize>,
    /// Minimum number of draws of the bootstrap sample in a leaf; at least 1.
    pub min_samples_leaf: usize,
    /// Maximum number of bins per feature, 2 to 256.
    pub max_bins: usize,
    pub seed: u64,
}

impl Default for RandomForest {
    fn default() -> Self {
        Self { n_estimators: 200, max_depth: None, min_samples_leaf: 2, max_bins: 64, seed: 1 }
    }
}

/// Grown trees.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Forest {
    trees: Vec<Tree>,
}

impl RandomForest {
    pub(super) fn params(&self) -> Params {
        let Self { n_estimators, max_depth, min_samples_leaf, max_bins, seed } = self;
        let params = [
            ("n_estimators", n_estimators.to_string()),
            ("criterion", "gini".to_owned()),
            ("max_features", "sqrt".to_owned()),
            ("max_depth", max_depth.map_or("none".to_owned(), |depth| depth.to_string())),
            ("min_samples_leaf", min_samples_leaf.to_string()),
            ("max_bins", max_bins.to_string()),
            ("bootstrap", "true".to_owned()),
            ("random_state", seed.to_string()),
        ];
        params.map(|(name, value)| (name.to_owned(), value)).into()
    }

    pub(super) fn fit(&self, x: &Matrix, labels: &[Label], progress: &ProgressBar) -> Result<Forest, EstimatorError> {
        self.check()?;
        progress.set_length(self.n_estimators as u64);
        progress.set_position(0);
        let bins = Bins::build(x, self.max_bins);
        let grower = TreeGrower::new(self, &bins, labels);
        let grow = |tree| {
            let grown = grower.grow(tree);
            progress.inc(1);
            grown
        };
        Ok(Forest { trees: (0..self.n_estimators as u64).into_par_iter().map(grow).collect() })
    }

    fn check(&self) -> Result<(), EstimatorError> {
        let invalid =
            |name, found: usize, expected| Err(EstimatorError::Setting { name, found: found.to_string(), expected });
        if self.n_estimators == 0 {
            return invalid("n_estimators", 0, "at least 1");
        }
        if self.min_samples_leaf == 0 {
            return invalid("min_samples_leaf", 0, "at least 1");
        }
        if !(2..=256).contains(&self.max_bins) {
            return invalid("max_bins", self.max_bins, "2 to 256");
        }
        Ok(())
    }
}

impl Forest {
    /// The mean of the trees' predictions for each row.
    pub(super) fn predict(&self, x: &Matrix) -> Vec<[f32; 3]> {
        let mut sums = vec![[0.0_f64; 3]; x.rows()];
        sums.par_chunks_mut(ROWS_PER_TASK).enumerate().for_each(|(index, sums)| {
            let mut scratch = vec![0.0; x.width()];
            // Tree by tree: a tree fits the processor's cache, the forest does not.
            for tree in &self.trees {
                for (row, sum) in sums.iter_mut().enumerate() {
                    let shares = match x {
                        Matrix::Dense(dense) => leaf(tree, dense.row(index * ROWS_PER_TASK + row)),
                        Matrix::Sparse(sparse) => {
                            sparse_leaf(tree, sparse.row(index * ROWS_PER_TASK + row), &mut scratch)
                        }
                    };
                    for (sum, share) in sum.iter_mut().zip(shares) {
                        *sum += f64::from(*share);
                    }
                }
            }
        });
        sums.into_iter().map(|sum| sum.map(|sum| (sum / self.trees.len() as f64) as f32)).collect()
    }
}

/// Like [`leaf`], for a sparse row; `scratch` is all 0 before and after.
fn sparse_leaf<'a>(tree: &'a Tree, (columns, values): (&[u32], &[f32]), scratch: &mut [f32]) -> &'a [f32; 3] {
    for (column, value) in columns.iter().zip(values) {
        scratch[*column as usize] = *value;
    }
    let shares = leaf(tree, scratch);
    for column in columns {
        scratch[*column as usize] = 0.0;
    }
    shares
}

/// Class shares in the leaf of `row`.
fn leaf<'a>(tree: &'a Tree, row: &[f32]) -> &'a [f32; 3] {
    let mut at = 0;
    loop {
        match &tree[at] {
            Node::Leaf(shares) => return shares,
            Node::Split { column, threshold, children } => {
                at = children[usize::from(row[*column as usize] > *threshold)] as usize;
            }
        }
    }
}

#[cfg(test)]
mod tests;
