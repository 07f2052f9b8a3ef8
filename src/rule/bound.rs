//! Lower confidence bounds: how low may the truth be, given so few posts? One-sided, as an alert asks "surely above?".

use statrs::distribution::{Beta, ContinuousCDF, Normal};

/// From this many posts on Wilson's interval is close enough to the exact one.
const WILSON_FROM: f64 = 100.0;

/// Lower bound of the share of which `k` of `n` are a sample, at `confidence` in `(0, 1)`: Clopper-Pearson below 100 posts,
/// Wilson above. 0 without posts. Posts that hang together count as fewer, so `k` and `n` need not be whole.
pub(super) fn share(k: f64, n: f64, confidence: f64) -> f64 {
    if n <= 0.0 || k <= 0.0 {
        0.0
    } else if n < WILSON_FROM {
        clopper_pearson(k, n, confidence)
    } else {
        wilson(k, n, confidence)
    }
}

/// Lower bound of the mean of which the count `k` is a sample, at `confidence` in `(0, 1)`: by the variance-stabilising
/// square root (Anscombe 1948), `(sqrt(k) - z/2)^2`. 0 where that is below nothing.
pub(super) fn count(k: u64, confidence: f64) -> f64 {
    (((k as f64).sqrt() - quantile(confidence) / 2.0).max(0.0)).powi(2)
}

/// Wilson 1927: the smallest share that a score test does not reject.
fn wilson(k: f64, n: f64, confidence: f64) -> f64 {
    let z = quantile(confidence);
    let p = k / n;
    let centre = p + z * z / (2.0 * n);
    let spread = z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
    ((centre - spread) / (1.0 + z * z / n)).max(0.0)
}

/// Clopper and Pearson 1934: exact, by the quantile of Beta(k, n - k + 1).
fn clopper_pearson(k: f64, n: f64, confidence: f64) -> f64 {
    Beta::new(k, n - k + 1.0).map_or(0.0, |beta| beta.inverse_cdf(1.0 - confidence))
}

pub(super) fn quantile(confidence: f64) -> f64 {
    Normal::standard().inverse_cdf(confidence)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: f64, wanted: f64) {
        assert!((found - wanted).abs() < 5e-4, "{found} instead of {wanted}");
    }

    /// Wanted values: `scipy.stats.binomtest(k, n, alternative="greater").proportion_ci(confidence, method)`.
    #[test]
    fn bounds_of_a_share_are_those_of_scipy() {
        close(share(8.0, 10.0, 0.95), 0.4931);
        close(share(30.0, 40.0, 0.99), 0.5588);
        close(share(150.0, 200.0, 0.99), 0.6728);
        close(share(700.0, 1_000.0, 0.95), 0.6756);
    }

    #[test]
    fn nothing_seen_proves_nothing() {
        assert_eq!(share(0.0, 0.0, 0.99), 0.0);
        assert_eq!(share(0.0, 50.0, 0.99), 0.0);
        assert_eq!(count(0, 0.99), 0.0);
        close(share(20.0, 20.0, 0.95), 0.05_f64.powf(1.0 / 20.0));
    }

    #[test]
    fn a_bound_lies_below_what_was_seen_and_nears_it_with_more_posts() {
        let mut last = 0.0;
        for n in [10.0, 50.0, 100.0, 500.0, 10_000.0] {
            let bound = share(n * 0.7, n, 0.99);
            assert!(bound < 0.7 && bound > last, "{bound} at {n}");
            last = bound;
        }
    }

    /// Wanted: `scipy.stats.chi2.ppf(0.01, 2 * 100) / 2` = 78.2, the exact bound of a Poisson mean.
    #[test]
    fn the_bound_of_a_count_is_near_the_exact_one() {
        assert!((count(100, 0.99) - 78.2).abs() < 0.8, "{}", count(100, 0.99));
    }
}
