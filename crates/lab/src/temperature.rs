//! The temperature that calibrates a head's probabilities: fitted on rows that the head has not seen, then folded into
//! its weights.

/// Far from any temperature that a fitted head needs.
const MIN_TEMPERATURE: f64 = 0.05;
const MAX_TEMPERATURE: f64 = 20.0;
/// Bisection steps: to the last bits of a double.
const STEPS: usize = 60;

/// A head's logits for the rows of one dump.
#[derive(Debug, Clone, Default)]
pub(super) struct Logits {
    pub classes: usize,
    /// Row-major, `[rows, classes]`.
    pub values: Vec<f32>,
    /// The class of each row.
    pub targets: Vec<usize>,
    /// The classes that the dump uses, one bit each.
    pub among: u32,
}

impl Logits {
    /// Mean over the rows of `-ln softmax(logits * by)[class]`, and its slope in `by`.
    fn loss(&self, by: f64) -> (f64, f64) {
        let known = |class: &usize| (self.among >> class) & 1 == 1;
        let (mut loss, mut slope) = (0.0, 0.0);
        for (row, target) in self.values.chunks_exact(self.classes.max(1)).zip(&self.targets) {
            let among: Vec<f64> =
                row.iter().enumerate().filter(|(class, _)| known(class)).map(|(_, value)| f64::from(*value)).collect();
            let own = row.get(*target).copied().map_or(0.0, f64::from);
            let largest = among.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let weights = among.iter().map(|value| ((value - largest) * by).exp());
            let sum: f64 = weights.clone().sum();
            let mean = weights.zip(&among).map(|(weight, value)| weight * value).sum::<f64>() / sum;
            loss += sum.ln() + (largest - own) * by;
            slope += mean - own;
        }
        let rows = self.targets.len().max(1) as f64;
        (loss / rows, slope / rows)
    }
}

/// The mean negative log-likelihood at `temperature`; every dump weighs the same.
pub(super) fn log_loss(sets: &[Logits], temperature: f64) -> f64 {
    sets.iter().map(|set| set.loss(1.0 / temperature).0).sum::<f64>() / sets.len().max(1) as f64
}

/// The temperature (Guo et al. 2017: logits are divided by it) with the lowest [`log_loss`]; 1 without rows.
///
/// The loss is convex in the inverse of the temperature, so bisection on its slope finds the minimum.
pub(super) fn best_temperature(sets: &[Logits]) -> f64 {
    if sets.iter().all(|set| set.targets.is_empty()) {
        return 1.0;
    }
    let slope = |by: f64| sets.iter().map(|set| set.loss(by).1).sum::<f64>();
    let (mut low, mut high) = (1.0 / MAX_TEMPERATURE, 1.0 / MIN_TEMPERATURE);
    for _ in 0..STEPS {
        let middle = 0.5 * (low + high);
        if slope(middle) < 0.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
    2.0 / (low + high)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sets() -> [Logits; 2] {
        let value = |i: usize| ((i * 37 + 11) % 29) as f32 / 4.0 - 3.0;
        let three = Logits {
            classes: 3,
            values: (0..36).map(value).collect(),
            targets: (0..12).map(|i| if i % 4 == 0 { i % 3 } else { best(&value, i, &[0, 1, 2]) }).collect(),
            among: 0b111,
        };
        let two = Logits {
            classes: 3,
            values: (0..24).map(|i| value(i + 50)).collect(),
            targets: (0..8).map(|i| if i % 3 == 0 { 2 } else { best(&|at| value(at + 50), i, &[0, 2]) }).collect(),
            among: 0b101,
        };
        [three, two]
    }

    fn best(value: &dyn Fn(usize) -> f32, row: usize, among: &[usize]) -> usize {
        *among.iter().max_by(|a, b| value(row * 3 + **a).total_cmp(&value(row * 3 + **b))).unwrap()
    }

    /// scipy 1.17.1: `minimize_scalar(f, bounds=(0.05, 20), method="bounded", options={"xatol": 1e-10})` on the same
    /// rows, with `f(t) = mean over both sets of mean(-log_softmax(z[:, among] / t)[target])`.
    #[test]
    fn the_temperature_matches_scipy() {
        let sets = sets();
        let temperature = best_temperature(&sets);
        assert!((temperature - 1.387798556).abs() < 1e-6, "{temperature}");
        assert!((log_loss(&sets, temperature) - 0.415015097272).abs() < 1e-9, "{}", log_loss(&sets, temperature));
        assert!((log_loss(&sets, 1.0) - 0.445085650557).abs() < 1e-9, "{}", log_loss(&sets, 1.0));
    }

    #[test]
    fn a_head_that_is_always_right_stays_within_bounds_and_no_rows_change_nothing() {
        let sure = Logits { classes: 2, values: vec![1.0, 0.0], targets: vec![0], among: 0b11 };
        assert!((best_temperature(std::slice::from_ref(&sure)) - MIN_TEMPERATURE).abs() < 1e-9);
        let wrong = Logits { targets: vec![1], ..sure };
        assert!((best_temperature(&[wrong]) - MAX_TEMPERATURE).abs() < 1e-6);
        assert!((best_temperature(&[Logits::default()]) - 1.0).abs() < f64::EPSILON);
    }
}
