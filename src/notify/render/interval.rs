//! How sure a share is: the Wilson score interval (E. B. Wilson, 1927), two-sided, 95 %.

const Z: f64 = 1.959_963_985;

/// Where the true share surely lies, given `hits` of `total`; none without a count.
pub(super) fn wilson(hits: u64, total: u64) -> Option<(f64, f64)> {
    if total == 0 || hits > total {
        return None;
    }
    let (n, share) = (total as f64, hits as f64 / total as f64);
    let z2 = Z * Z / n;
    let centre = share + z2 / 2.0;
    let spread = Z * (share * (1.0 - share) / n + z2 / (4.0 * n)).sqrt();
    Some((((centre - spread) / (1.0 + z2)).max(0.0), ((centre + spread) / (1.0 + z2)).min(1.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_agrees_with_published_values() {
        // Newcombe 1998, table I: 81 of 263, and 15 of 148.
        let (low, high) = wilson(81, 263).unwrap();
        assert!((low - 0.2553).abs() < 5e-5 && (high - 0.3662).abs() < 5e-5, "{low} {high}");
        let (low, high) = wilson(15, 148).unwrap();
        assert!((low - 0.0624).abs() < 5e-5 && (high - 0.1605).abs() < 5e-5, "{low} {high}");
        assert_eq!((wilson(0, 0), wilson(3, 2)), (None, None));
    }
}
