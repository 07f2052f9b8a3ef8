//! Faults of features and labels, found before anything is learnt from them.

use rayon::prelude::*;

use crate::matrix::{Dense, Matrix, Sparse};
use vigie_reading::classify::Label;

/// Why an estimator learnt or said nothing. Each message is one line.
#[derive(Debug, thiserror::Error)]
pub enum EstimatorError {
    #[error("no row to learn from")]
    NoRow,
    #[error("{labels} labels for {rows} rows of features: wanted one a row")]
    Labels { labels: usize, rows: usize },
    #[error("rows of {found} features: wanted {wanted}, as in the rows that were learnt from")]
    Width { found: usize, wanted: usize },
    #[error("row {row}, feature {column} is {found}: wanted a finite number")]
    NotFinite { row: usize, column: usize, found: f32 },
    #[error("a malformed matrix: {0}")]
    Malformed(String),
    #[error("{name} is {found}; wanted {wanted}")]
    Setting { name: &'static str, found: String, wanted: &'static str },
    #[error("this vigie was built without LightGBM: cargo build --release --features lightgbm")]
    NoLightGbm,
    #[error(
        "LightGBM's library cannot be loaded ({0}): pip install lightgbm, or name the file in VIGIE_LIGHTGBM_LIBRARY"
    )]
    LightGbmLibrary(String),
    #[error("LightGBM: {0}")]
    LightGbm(String),
}

/// What is wrong with `x` as rows to learn from, `labels` being those of its rows.
pub(super) fn labelled(x: &Matrix, labels: &[Label]) -> Result<(), EstimatorError> {
    if x.rows() == 0 || x.width() == 0 {
        return Err(EstimatorError::NoRow);
    }
    if labels.len() != x.rows() {
        return Err(EstimatorError::Labels { labels: labels.len(), rows: x.rows() });
    }
    rows(x)
}

/// That rows are `wanted` wide.
pub(super) fn width(x: &Matrix, wanted: usize) -> Result<(), EstimatorError> {
    match x.width() {
        found if found == wanted => Ok(()),
        found => Err(EstimatorError::Width { found, wanted }),
    }
}

/// That the parts of `x` fit together and its values are finite.
pub(super) fn rows(x: &Matrix) -> Result<(), EstimatorError> {
    match x {
        Matrix::Dense(dense) => dense_rows(dense),
        Matrix::Sparse(sparse) => sparse_rows(sparse),
    }
}

fn dense_rows(dense: &Dense) -> Result<(), EstimatorError> {
    let Dense { width, values } = dense;
    if values.len() % (*width).max(1) != 0 {
        return Err(EstimatorError::Malformed(format!("{} values in rows of {width}", values.len())));
    }
    match values.par_iter().position_first(|value| !value.is_finite()) {
        None => Ok(()),
        Some(at) => Err(EstimatorError::NotFinite { row: at / width, column: at % width, found: values[at] }),
    }
}

fn sparse_rows(sparse: &Sparse) -> Result<(), EstimatorError> {
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
