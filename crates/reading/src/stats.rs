//! Confidence bounds of proportions and counts. Pure functions below everything else: rules, notifications and the lab use
//! them.
//!
//! `confidence` is in `(0, 1)`. A lower bound is one-sided, because a rule asks whether the true value is above a threshold;
//! an interval is two-sided, because it is shown to people.

use statrs::distribution::{Beta, Binomial, ContinuousCDF, DiscreteCDF, Gamma, Normal, StudentsT};

/// From this number of trials on, [`wilson_lower`] is close enough to the exact [`clopper_pearson_lower`].
const MIN_WILSON_TRIALS: f64 = 100.0;

/// The 97.5 % quantile of the normal distribution: 2.5 % lie beyond it on either side.
const Z_95: f64 = 1.959_963_984_540_054;

/// Lower bound of a proportion of which `k` of `n` trials are a sample: [`clopper_pearson_lower`] for fewer than 100 trials,
/// [`wilson_lower`] otherwise. 0 without trials or successes.
///
/// Correlated trials count as fewer, so `k` and `n` need not be integers.
pub fn proportion_lower(k: f64, n: f64, confidence: f64) -> f64 {
    if n <= 0.0 || k <= 0.0 {
        0.0
    } else if n < MIN_WILSON_TRIALS {
        clopper_pearson_lower(k, n, confidence)
    } else {
        wilson_lower(k, n, confidence)
    }
}

/// One-sided lower bound of Wilson's score interval, for `k` of `n` trials with `n > 0`: the smallest proportion that a score
/// test does not reject.
///
/// With `p = k / n` and the normal quantile `z`:
/// `(p + z²/2n - z √(p (1 - p) / n + z²/4n²)) / (1 + z²/n)`.
///
/// E. B. Wilson, "Probable inference, the law of succession, and statistical inference", Journal of the American Statistical
/// Association 22 (1927), 209-212.
pub fn wilson_lower(k: f64, n: f64, confidence: f64) -> f64 {
    let z = normal_quantile(confidence);
    let (centre, spread, scale) = wilson_terms(k, n, z);
    ((centre - spread) / scale).max(0.0)
}

/// Two-sided 95 % score interval of Wilson (1927), for `k` of `n` trials; `[0, 1]` without trials. For the formula see
/// [`wilson_lower`].
pub fn wilson_interval(k: u64, n: u64) -> [f64; 2] {
    if n == 0 {
        return [0.0, 1.0];
    }
    let (centre, spread, scale) = wilson_terms(k as f64, n as f64, Z_95);
    [((centre - spread) / scale).max(0.0), ((centre + spread) / scale).min(1.0)]
}

/// Centre, half width and common denominator of Wilson's interval.
fn wilson_terms(k: f64, n: f64, z: f64) -> (f64, f64, f64) {
    let p = k / n;
    let centre = p + z * z / (2.0 * n);
    let spread = z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
    (centre, spread, 1.0 + z * z / n)
}

/// One-sided lower bound of the exact interval, for `k` of `n` trials with `0 < k <= n`: the `1 - confidence` quantile of
/// Beta(k, n - k + 1).
///
/// C. J. Clopper and E. S. Pearson, "The use of confidence or fiducial limits illustrated in the case of the binomial",
/// Biometrika 26 (1934), 404-413.
pub fn clopper_pearson_lower(k: f64, n: f64, confidence: f64) -> f64 {
    Beta::new(k, n - k + 1.0).map_or(0.0, |beta| beta.inverse_cdf(1.0 - confidence))
}

/// The chance of at least `wins` in `wins + losses` fair draws: the one-sided exact sign test (McNemar 1947).
pub fn sign_test(wins: u64, losses: u64) -> f64 {
    let Some(fewer) = wins.checked_sub(1) else { return 1.0 };
    Binomial::new(0.5, wins + losses).map_or(1.0, |draws| draws.sf(fewer))
}

/// One-sided lower bound of a Poisson mean of which the count `k` is a sample, at least 0: `(√k - z/2)²`.
///
/// The square root stabilises the variance: F. J. Anscombe, "The transformation of Poisson, binomial and negative-binomial
/// data", Biometrika 35 (1948), 246-254.
pub fn poisson_lower(k: f64, confidence: f64) -> f64 {
    (k.sqrt() - normal_quantile(confidence) / 2.0).max(0.0).powi(2)
}

/// Two-sided 95 % interval of a Poisson mean of which the count `k` is a sample: quantiles of Gamma(k, 1) and Gamma(k + 1, 1).
///
/// F. Garwood, "Fiducial limits for the Poisson distribution", Biometrika 28 (1936), 437-442.
pub fn poisson_interval(k: u64) -> [f64; 2] {
    let quantile = |shape: f64, at: f64| Gamma::new(shape, 1.0).map_or(shape, |gamma| gamma.inverse_cdf(at));
    let k = k as f64;
    [if k > 0.0 { quantile(k, 0.025) } else { 0.0 }, quantile(k + 1.0, 0.975)]
}

/// How the rate of a period differs from those of earlier ones.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RateDifference {
    /// The common rate of the earlier periods, in `[0, 1]`.
    pub before: f64,
    /// The rate of the period less `before`.
    pub difference: f64,
    /// The two-sided test at 95 % finds a difference.
    pub is_beyond_chance: bool,
    /// The periods are too few to tell how much the rate moves from one to the next: only the number of trials was considered.
    pub is_swing_unknown: bool,
}

/// Periods from which their own variation is estimated.
const MIN_SWING_PERIODS: usize = 3;

/// Compares `k` of `n` trials of a period with those of earlier periods. `None` without trials on either side.
///
/// From three earlier periods on the test is quasi-binomial: the rate moves more from period to period than independent trials
/// would, so the variance is multiplied by the Pearson dispersion of the earlier periods (at least 1), and the quantile is that of
/// Student's t. With fewer it is the plain comparison of two proportions.
///
/// P. McCullagh and J. A. Nelder, "Generalized Linear Models" (1989), section 4.5.
pub fn compare_with_earlier((k, n): (f64, f64), earlier: &[(f64, f64)]) -> Option<RateDifference> {
    let counted: Vec<(f64, f64)> = earlier.iter().copied().filter(|(_, n)| *n > 0.0).collect();
    let (k0, n0) = counted.iter().fold((0.0, 0.0), |sum, (k, n)| (sum.0 + k, sum.1 + n));
    if n <= 0.0 || n0 <= 0.0 {
        return None;
    }
    let (before, rate, pooled) = (k0 / n0, k / n, (k + k0) / (n + n0));
    let is_swing_unknown = counted.len() < MIN_SWING_PERIODS;
    let freedom = counted.len() as f64 - 1.0;
    let spread = |p: f64| (p * (1.0 - p)).max(f64::MIN_POSITIVE);
    let pearson: f64 = counted.iter().map(|(k, n)| (k - n * before).powi(2) / (n * spread(before))).sum();
    let (dispersion, quantile) = match is_swing_unknown {
        true => (1.0, Z_95),
        false => {
            ((pearson / freedom).max(1.0), StudentsT::new(0.0, 1.0, freedom).map_or(Z_95, |t| t.inverse_cdf(0.975)))
        }
    };
    let error = (dispersion * spread(pooled) * (1.0 / n + 1.0 / n0)).sqrt();
    let difference = rate - before;
    Some(RateDifference { before, difference, is_beyond_chance: difference.abs() > quantile * error, is_swing_unknown })
}

/// How much one of `n` correlated observations weighs against an independent one, in `(0, 1]`: the inverse of the design effect
/// of a cluster, `1 / (1 + (n - 1) correlation)`.
///
/// L. Kish, "Survey Sampling" (1965), section 5.4.
pub fn cluster_weight(n: f64, correlation: f64) -> f64 {
    1.0 / (1.0 + (n - 1.0).max(0.0) * correlation)
}

/// Quantile of the standard normal distribution.
fn normal_quantile(confidence: f64) -> f64 {
    Normal::standard().inverse_cdf(confidence)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_near(found: f64, expected: f64) {
        assert!((found - expected).abs() < 5e-4, "{found} instead of {expected}");
    }

    /// Expected: `scipy.stats.binomtest(k, n, alternative="greater").proportion_ci(confidence, method)`.
    #[test]
    fn lower_bounds_of_a_proportion_match_scipy() {
        assert_near(clopper_pearson_lower(8.0, 10.0, 0.95), 0.4931);
        assert_near(clopper_pearson_lower(30.0, 40.0, 0.99), 0.5588);
        assert_near(wilson_lower(150.0, 200.0, 0.99), 0.6728);
        assert_near(wilson_lower(700.0, 1_000.0, 0.95), 0.6756);
    }

    #[test]
    fn few_trials_use_the_exact_bound_and_many_use_wilsons() {
        assert_eq!(proportion_lower(50.0, 99.0, 0.99), clopper_pearson_lower(50.0, 99.0, 0.99));
        assert_eq!(proportion_lower(50.0, 100.0, 0.99), wilson_lower(50.0, 100.0, 0.99));
        assert_ne!(proportion_lower(50.0, 99.0, 0.99), wilson_lower(50.0, 99.0, 0.99));
    }

    #[test]
    fn without_successes_the_lower_bound_is_zero() {
        assert_eq!(proportion_lower(0.0, 0.0, 0.99), 0.0);
        assert_eq!(proportion_lower(0.0, 50.0, 0.99), 0.0);
        assert_eq!(poisson_lower(0.0, 0.99), 0.0);
        assert_near(proportion_lower(20.0, 20.0, 0.95), 0.05_f64.powf(1.0 / 20.0));
    }

    #[test]
    fn a_lower_bound_is_below_the_estimate_and_approaches_it_with_more_trials() {
        let mut last = 0.0;
        for n in [10.0, 50.0, 100.0, 500.0, 10_000.0] {
            let bound = proportion_lower(n * 0.7, n, 0.99);
            assert!(bound < 0.7 && bound > last, "{bound} at {n}");
            last = bound;
        }
    }

    /// Expected: `scipy.stats.chi2.ppf(0.01, 2 * 100) / 2` = 78.2, the exact bound of a Poisson mean.
    #[test]
    fn the_lower_bound_of_a_count_is_near_the_exact_one() {
        assert!((poisson_lower(100.0, 0.99) - 78.2).abs() < 0.8, "{}", poisson_lower(100.0, 0.99));
    }

    /// Expected: `scipy.stats.chi2.ppf([0.025], 2 * k) / 2` and `chi2.ppf([0.975], 2 * k + 2) / 2`.
    #[test]
    fn the_interval_of_a_count_is_the_exact_one() {
        for (k, [lower, upper]) in [(0, [0.0, 3.6889]), (3, [0.6187, 8.7673]), (20, [12.2165, 30.8884])] {
            let found = poisson_interval(k);
            assert_near(found[0], lower);
            assert_near(found[1], upper);
        }
    }

    #[test]
    fn a_rate_is_compared_with_the_swing_of_earlier_periods() {
        // Two proportions, by hand: 0.60 - 0.50 over an error of sqrt(0.525 x 0.475 x (1/100 + 1/300)) = 0.05766 gives z = 1.73.
        let two = compare_with_earlier((60.0, 100.0), &[(150.0, 300.0)]).unwrap();
        assert!((two.difference - 0.1).abs() < 1e-12 && two.before == 0.5 && two.is_swing_unknown);
        assert!(!two.is_beyond_chance);
        assert!(compare_with_earlier((62.0, 100.0), &[(150.0, 300.0)]).unwrap().is_beyond_chance, "z = 2.08");
        // Steady weeks of 1,000 posts: five points more are beyond chance, with t(3) = 3.18 and an error of 1.77 points.
        let steady = [(500.0, 1_000.0), (505.0, 1_000.0), (495.0, 1_000.0), (500.0, 1_000.0)];
        let after = |k: f64, earlier: &[(f64, f64)]| compare_with_earlier((k, 1_000.0), earlier).unwrap();
        assert!(!after(550.0, &steady).is_beyond_chance && after(560.0, &steady).is_beyond_chance);
        // Weeks that swing by ten points: the same six points are as usual.
        let swinging = [(400.0, 1_000.0), (600.0, 1_000.0), (450.0, 1_000.0), (550.0, 1_000.0)];
        let swung = after(560.0, &swinging);
        assert!(!swung.is_beyond_chance && !swung.is_swing_unknown && (swung.difference - 0.06).abs() < 1e-12);
        assert!(after(950.0, &swinging).is_beyond_chance);
        assert_eq!(compare_with_earlier((1.0, 2.0), &[(0.0, 0.0)]), None);
        assert_eq!(compare_with_earlier((0.0, 0.0), &[(1.0, 2.0)]), None);
        // All or nothing on both sides is no difference, and no division by zero.
        assert!(!compare_with_earlier((5.0, 5.0), &[(9.0, 9.0)]).unwrap().is_beyond_chance);
    }

    /// Expected: the formula in Python's doubles; the last two from Newcombe 1998, table I, "Two-sided confidence intervals
    /// for the single proportion".
    #[test]
    fn wilson_intervals_match_the_formula_and_published_values() {
        for ((k, n), expected, tolerance) in [
            ((3_852, 4_998), [0.758_848_6, 0.782_152_1], 1e-6),
            ((0, 10), [0.0, 0.277_532_8], 1e-6),
            ((10, 10), [0.722_467_2, 1.0], 1e-6),
            ((5, 10), [0.236_593_1, 0.763_406_9], 1e-6),
            ((81, 263), [0.2553, 0.3662], 5e-5),
            ((15, 148), [0.0624, 0.1605], 5e-5),
        ] {
            let found = wilson_interval(k, n);
            let is_near = |index: usize| (found[index] - expected[index]).abs() < tolerance;
            assert!(is_near(0) && is_near(1), "{k} of {n}: {found:?} is not {expected:?}");
        }
        assert_eq!(wilson_interval(0, 0), [0.0, 1.0]);
    }
}
