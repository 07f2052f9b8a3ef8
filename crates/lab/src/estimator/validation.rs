//! Checks of features and labels before anything is fitted to them.

use rayon::prelude::*;

use crate::matrix::{Dense, Matrix, Sparse};
use vigie_reading::classify::Label;

/// Why an estimator could not fit or predict. Each message is one line.
#[derive(Debug, thiserror::Error)]
pub enum EstimatorError {
    #[error("no training rows")]
    NoRow,
    #[error("{labels} labels for {rows} rows of features; expected one per row")]
    Labels { labels: usize, rows: usize },
    #[error("rows of {found} features; expected {expected}, as in the training rows")]
    Width { found: usize, expected: usize },
    #[error("row {row}, feature {column} is {found}; expected a finite number")]
    NotFinite { row: usize, column: usize, found: f32 },
    #[error("a malformed matrix: {0}")]
    Malformed(String),
    #[error("{name} is {found}; expected {expected}")]
    Setting { name: &'static str, found: String, expected: &'static str },
    #[error("this vigie was built without LightGBM: cargo build --release --features lightgbm")]
    NoLightGbm,
    #[error(
        "LightGBM's library cannot be loaded ({0}): pip install lightgbm, or name the file in VIGIE_LIGHTGBM_LIBRARY"
    )]
    LightGbmLibrary(String),
    #[error("LightGBM: {0}")]
    LightGbm(String),
}

/// Checks `x` as training rows, with one label per row.
pub(super) fn check_labelled(x: &Matrix, labels: &[Label]) -> Result<(), EstimatorError> {
    if x.rows() == 0 || x.width() == 0 {
        return Err(EstimatorError::NoRow);
    }
    if labels.len() != x.rows() {
        return Err(EstimatorError::Labels { labels: labels.len(), rows: x.rows() });
    }
    check_rows(x)
}

/// Checks that rows are `expected` wide.
pub(super) fn check_width(x: &Matrix, expected: usize) -> Result<(), EstimatorError> {
    match x.width() {
        found if found == expected => Ok(()),
        found => Err(EstimatorError::Width { found, expected }),
    }
}

/// Checks that the parts of `x` are consistent and its values finite.
pub(super) fn check_rows(x: &Matrix) -> Result<(), EstimatorError> {
    match x {
        Matrix::Dense(dense) => check_dense(dense),
        Matrix::Sparse(sparse) => check_sparse(sparse),
    }
}

fn check_dense(dense: &Dense) -> Result<(), EstimatorError> {
    let Dense { width, values } = dense;
    if values.len() % (*width).max(1) != 0 {
        return Err(EstimatorError::Malformed(format!("{} values in rows of {width}", values.len())));
    }
    match values.par_iter().position_first(|value| !value.is_finite()) {
        None => Ok(()),
        Some(at) => Err(EstimatorError::NotFinite { row: at / width, column: at % width, found: values[at] }),
    }
}

fn check_sparse(sparse: &Sparse) -> Result<(), EstimatorError> {
    let Sparse { width, starts, columns, values } = sparse;
    let malformed = |what: String| Err(EstimatorError::Malformed(what));
    let listed = values.len();
    if columns.len() != listed {
        return malformed(format!("{} columns for {listed} values", columns.len()));
    }
    if starts.first() != Some(&0) || starts.last() != Some(&listed) || !starts.is_sorted() {
        return malformed(format!("the rows do not start in order, from 0 to {listed}"));
    }
    for row in 0..starts.len() - 1 {
        let (columns, values) = sparse.row(row);
        if !columns.is_sorted_by(|one, next| one < next) || columns.last().is_some_and(|last| *last as usize >= *width)
        {
            return malformed(format!("the columns of row {row} are not ascending and below {width}"));
        }
        if let Some((column, found)) = columns.iter().zip(values).find(|(_, value)| !value.is_finite()) {
            return Err(EstimatorError::NotFinite { row, column: *column as usize, found: *found });
        }
    }
    Ok(())
}
