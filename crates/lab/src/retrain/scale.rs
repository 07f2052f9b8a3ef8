//! [`ReferenceScale`]: features in units of what is usual among ordinary posts. Between the encoder and the fit.
//!
//! The vectors of an encoder have a large part in common: without this, a correction of one post would move the label of every
//! post.

/// Rows below which the spread of a feature says little; then features are only brought to a length of about one.
const MIN_ROWS: usize = 200;
/// As in [`crate::standard_scaler`]: a feature that varies less is constant.
const MIN_DEVIATION: f64 = 1e-4;

/// Maps a vector `x` to `(x - mean) * factor`, and a constant 1 for the intercept.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ReferenceScale {
    mean: Vec<f64>,
    factor: Vec<f64>,
}

impl ReferenceScale {
    /// Of reference rows of `width` features: each feature gets mean 0 and the same spread, and a row a squared length of about
    /// one, so that one correction moves its own logits by about one.
    pub(super) fn fit<'a>(rows: &(impl Iterator<Item = &'a [f32]> + Clone), width: usize) -> Self {
        let count = rows.clone().count();
        let over_rows = |term: &dyn Fn(usize, f64) -> f64| {
            let mut sums = vec![0.0; width];
            for row in rows.clone() {
                for (column, (sum, value)) in sums.iter_mut().zip(row).enumerate() {
                    *sum += term(column, f64::from(*value));
                }
            }
            sums.into_iter().map(|sum| sum / count.max(1) as f64).collect::<Vec<f64>>()
        };
        if count < MIN_ROWS {
            let length: f64 = over_rows(&|_, value| value * value).iter().sum::<f64>().sqrt();
            // Without a row nothing is known of their length.
            let factor = if length > MIN_DEVIATION { 1.0 / length } else { 1.0 };
            return Self { mean: vec![0.0; width], factor: vec![factor; width] };
        }
        let mean = over_rows(&|_, value| value);
        let at = |column: usize| mean.get(column).copied().unwrap_or_default();
        let variance = over_rows(&|column, value| (value - at(column)).powi(2));
        let scaled = |variance: f64| {
            let deviation = variance.sqrt();
            // A constant feature says nothing.
            if deviation > MIN_DEVIATION { 1.0 / (deviation * (width as f64).sqrt()) } else { 0.0 }
        };
        Self { factor: variance.into_iter().map(scaled).collect(), mean }
    }

    /// The scaled row and its constant.
    pub(super) fn apply(&self, row: &[f32]) -> impl Iterator<Item = f32> {
        let scaled = row.iter().zip(self.mean.iter().zip(&self.factor));
        let scaled = scaled.map(|(value, (mean, factor))| ((f64::from(*value) - mean) * factor) as f32);
        scaled.chain(std::iter::once(1.0))
    }

    /// What a change of the parameters `[classes, width + 1]` of scaled rows means for weights `[classes, width]` and biases
    /// of the original ones.
    pub(super) fn unscale(&self, change: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let width = self.factor.len();
        let (mut weights, mut biases) = (Vec::new(), Vec::new());
        for row in change.chunks_exact(width + 1) {
            let (row, intercept) = row.split_at(width);
            let mut bias = intercept.iter().sum::<f64>();
            for (value, (mean, factor)) in row.iter().zip(self.mean.iter().zip(&self.factor)) {
                weights.push(value * factor);
                bias -= value * factor * mean;
            }
            biases.push(bias);
        }
        (weights, biases)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<Vec<f32>> {
        (0..300).map(|i| vec![5.0 + (i % 7) as f32, -3.0 + (i % 11) as f32 / 5.0, 2.0]).collect()
    }

    #[test]
    fn ordinary_rows_have_length_one_and_a_constant_feature_none() {
        let rows = rows();
        let scale = ReferenceScale::fit(&rows.iter().map(Vec::as_slice), 3);
        let squares = rows.iter().map(|row| scale.apply(row).take(3).map(|value| value * value).sum::<f32>());
        let mean = squares.sum::<f32>() / 300.0;
        assert!((mean - 2.0 / 3.0).abs() < 1e-3, "two of three features vary: {mean}");
        assert_eq!(scale.apply(&rows[0]).skip(2).collect::<Vec<_>>(), [0.0, 1.0]);
    }

    #[test]
    fn without_rows_nothing_is_scaled() {
        let none: [&[f32]; 0] = [];
        let scale = ReferenceScale::fit(&none.into_iter(), 2);
        assert_eq!(scale.apply(&[3.0, -4.0]).collect::<Vec<_>>(), [3.0, -4.0, 1.0]);
    }

    #[test]
    fn a_change_means_the_same_before_and_after() {
        let rows = rows();
        for rows in [&rows[..], &rows[..5]] {
            let scale = ReferenceScale::fit(&rows.iter().map(Vec::as_slice), 3);
            let change = [0.3, -1.0, 0.5, 0.25, 2.0, 0.0, 1.0, -0.5];
            let (weights, biases) = scale.unscale(&change);
            for row in rows {
                let scaled: Vec<f32> = scale.apply(row).collect();
                for class in 0..2 {
                    let dot = |a: &[f64], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * f64::from(*b)).sum::<f64>();
                    let expected = dot(&change[class * 4..class * 4 + 4], &scaled);
                    let found = dot(&weights[class * 3..class * 3 + 3], row) + biases[class];
                    assert!((found - expected).abs() < 1e-4, "{found} {expected}");
                }
            }
        }
    }
}
