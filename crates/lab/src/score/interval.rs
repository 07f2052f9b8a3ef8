//! [`wilson`]: the confidence interval of a share.

/// The 97.5% quantile of the normal distribution.
const Z: f64 = 1.959_963_984_540_054;

/// The 95% interval of Wilson (1927) for the share `part / whole`; `[0, 1]` if `whole` is 0.
pub fn wilson(part: u64, whole: u64) -> [f64; 2] {
    if whole == 0 {
        return [0.0, 1.0];
    }
    let n = whole as f64;
    let share = part as f64 / n;
    let middle = (share + Z * Z / (2.0 * n)) / (1.0 + Z * Z / n);
    let half = Z / (1.0 + Z * Z / n) * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
    [(middle - half).max(0.0), (middle + half).min(1.0)]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The formula in Python's doubles.
    #[test]
    fn intervals_match_the_formula() {
        for ((part, whole), expected) in [
            ((3_852, 4_998), [0.758_848_6, 0.782_152_1]),
            ((0, 10), [0.0, 0.277_532_8]),
            ((10, 10), [0.722_467_2, 1.0]),
            ((5, 10), [0.236_593_1, 0.763_406_9]),
        ] {
            let found = wilson(part, whole);
            let close = |index: usize| (found[index] - expected[index]).abs() < 1e-6;
            assert!(close(0) && close(1), "{part} of {whole}: {found:?} is not {expected:?}");
        }
        assert_eq!(wilson(0, 0), [0.0, 1.0]);
    }
}
