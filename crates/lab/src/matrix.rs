//! [`Matrix`]: rows of features, as a featurizer makes them and an estimator reads them.

/// One row per post.
#[derive(Debug, Clone, PartialEq)]
pub enum Matrix {
    Dense(Dense),
    Sparse(Sparse),
}

/// Every value of every row.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Dense {
    /// Values per row.
    pub width: usize,
    /// Row-major, `[rows, width]`.
    pub values: Vec<f32>,
}

/// Compressed sparse rows: values that are not listed are 0.
#[derive(Debug, Clone, PartialEq)]
pub struct Sparse {
    /// Values per row, listed or not.
    pub width: usize,
    /// Row `i` is listed at `starts[i]..starts[i + 1]`; `rows + 1` values, the first is 0.
    pub starts: Vec<usize>,
    /// Columns, ascending within a row, below `width`.
    pub columns: Vec<u32>,
    /// The value in each of `columns`.
    pub values: Vec<f32>,
}

impl Matrix {
    pub fn rows(&self) -> usize {
        match self {
            Self::Dense(dense) => dense.values.len() / dense.width.max(1),
            Self::Sparse(sparse) => sparse.starts.len().saturating_sub(1),
        }
    }

    pub fn width(&self) -> usize {
        match self {
            Self::Dense(dense) => dense.width,
            Self::Sparse(sparse) => sparse.width,
        }
    }
}

impl Dense {
    pub fn row(&self, index: usize) -> &[f32] {
        self.values.get(index * self.width..(index + 1) * self.width).unwrap_or_default()
    }
}

impl Sparse {
    /// The columns and values of a row.
    pub fn row(&self, index: usize) -> (&[u32], &[f32]) {
        let bounds = self.starts.get(index).zip(self.starts.get(index + 1));
        let Some((&from, &to)) = bounds else { return (&[], &[]) };
        (self.columns.get(from..to).unwrap_or_default(), self.values.get(from..to).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_found_in_either_form() {
        let dense = Dense { width: 2, values: vec![1.0, 2.0, 3.0, 4.0] };
        assert_eq!((dense.row(1), dense.row(2)), (&[3.0, 4.0][..], &[][..]));
        let sparse = Sparse { width: 9, starts: vec![0, 0, 2], columns: vec![3, 8], values: vec![0.5, 1.5] };
        assert_eq!((sparse.row(0), sparse.row(1)), ((&[][..], &[][..]), (&[3, 8][..], &[0.5, 1.5][..])));
        assert_eq!(sparse.row(2), (&[][..], &[][..]));
        assert_eq!((Matrix::Dense(dense).rows(), Matrix::Sparse(sparse).rows()), (2, 2));
    }
}
