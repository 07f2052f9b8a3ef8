//! [`StandardScaler`]: features to mean 0 and deviation 1 before a fit, and the fitted weights back to the original
//! scale.

/// Below this a feature counts as constant: an encoder's outputs are of size 1 and carry rounding of about 1e-6, and
/// dividing by less would make weights of that rounding.
const MIN_DEVIATION: f64 = 1e-4;

/// Mean and deviation of every feature.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct StandardScaler {
    mean: Vec<f64>,
    deviation: Vec<f64>,
}

impl StandardScaler {
    /// Standardises row-major `[rows, width]` in place. A constant feature becomes 0.
    pub(super) fn fit_transform(features: &mut [f32], width: usize) -> Self {
        let rows = (features.len() / width.max(1)).max(1) as f64;
        let over_rows = |term: &dyn Fn(usize, f64) -> f64| {
            let mut sums = vec![0.0; width];
            for row in features.chunks_exact(width) {
                for (column, (sum, value)) in sums.iter_mut().zip(row).enumerate() {
                    *sum += term(column, f64::from(*value));
                }
            }
            sums.into_iter().map(|sum| sum / rows).collect::<Vec<f64>>()
        };
        let mean = over_rows(&|_, value| value);
        let variance = over_rows(&|column, value| (value - mean[column]).powi(2));
        let divisor = |deviation: f64| if deviation > MIN_DEVIATION { deviation } else { 1.0 };
        let deviation = variance.into_iter().map(|variance: f64| divisor(variance.sqrt())).collect();
        let scaling = Self { mean, deviation };
        for row in features.chunks_exact_mut(width) {
            for (value, (mean, deviation)) in row.iter_mut().zip(scaling.mean.iter().zip(&scaling.deviation)) {
                *value = ((f64::from(*value) - mean) / deviation) as f32;
            }
        }
        scaling
    }

    /// Weights `[classes, width]` and biases for the original features, from parameters for standardised ones:
    /// `V (x - mean) / deviation + b = (V / deviation) x + (b - (V / deviation) mean)`.
    pub(super) fn fold(&self, param: &[f64], classes: usize, width: usize) -> (Vec<f32>, Vec<f32>) {
        let (weights, biases) = param.split_at(classes * width);
        let (mut weight, mut bias) = (Vec::with_capacity(weights.len()), Vec::with_capacity(biases.len()));
        for (row, intercept) in weights.chunks_exact(width).zip(biases) {
            let mut intercept = *intercept;
            for (value, (mean, deviation)) in row.iter().zip(self.mean.iter().zip(&self.deviation)) {
                intercept -= value / deviation * mean;
                weight.push((value / deviation) as f32);
            }
            bias.push(intercept as f32);
        }
        (weight, bias)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folded_weights_give_the_same_logits_on_raw_features() {
        let raw = [1.0_f32, 5.0, 7.0, 3.0, 5.0, -2.0, 8.0, 5.0, 1.0];
        let mut scaled = raw;
        let scaling = StandardScaler::fit_transform(&mut scaled, 3);
        assert_eq!([scaled[1], scaled[4], scaled[7]], [0.0; 3], "a constant feature becomes 0");
        let spread: f32 = [scaled[0], scaled[3], scaled[6]].iter().map(|value| value * value).sum();
        assert!((spread - 3.0).abs() < 1e-5, "{spread}");

        let param = [0.5, -1.0, 2.0, 0.1, 0.2, 0.3, -0.4, 0.0, 1.5, 0.7, -0.2, 0.9];
        let (weight, bias) = scaling.fold(&param, 3, 3);
        for (raw, scaled) in raw.chunks(3).zip(scaled.chunks(3)) {
            for class in 0..3 {
                let apply = |weights: &[f64], row: &[f32]| -> f64 {
                    weights.iter().zip(row).map(|(weight, value)| weight * f64::from(*value)).sum()
                };
                let folded: Vec<f64> = weight[class * 3..][..3].iter().map(|value| f64::from(*value)).collect();
                let ours = apply(&folded, raw) + f64::from(bias[class]);
                let expected = apply(&param[class * 3..][..3], scaled) + param[9 + class];
                assert!((ours - expected).abs() < 1e-5, "{ours} is not {expected}");
            }
        }
    }
}
