//! Elementary functions of the encoder, on vectors, without branches.

use crate::vector::Vector;

/// The polynomial whose coefficients are given from the highest power down.
#[inline(always)]
fn polynomial<V: Vector, const N: usize>(x: V, coefficients: [f32; N]) -> V {
    let mut sum = x.same(coefficients[0]);
    for coefficient in &coefficients[1..] {
        sum = sum.fused(x, x.same(*coefficient));
    }
    sum
}

/// `exp(x)` for `x <= 0`, to about 2 units in the last place; what is below `exp(-87)` becomes that, 1.6e-38.
///
/// `2^n 2^f` with integer `n`: `n` is read from the low bits of `x log2(e) + 1.5 * 2^23`, and `2^f` is the Taylor
/// polynomial of `e^r`, `r = f ln 2`, with `|r| <= 0.35`.
#[inline(always)]
pub(crate) fn exp_nonpositive<V: Vector>(x: V) -> V {
    const SHIFT: f32 = 12_582_912.0; // 1.5 * 2^23
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    const SERIES: [f32; 7] = [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0];
    let x = x.most(x.same(-87.0));
    let shifted = x.fused(x.same(std::f32::consts::LOG2_E), x.same(SHIFT));
    let n = shifted - x.same(SHIFT);
    let r = n.fused(x.same(-LN_2_LOW), n.fused(x.same(-LN_2_HIGH), x));
    polynomial::<V, 7>(r, SERIES) * shifted.power_of_two()
}

/// Error function, to within 3e-7: the rational approximation on `[-4, 4]` used by Eigen and XLA.
#[inline(always)]
fn erf<V: Vector>(x: V) -> V {
    const ABOVE: [f32; 7] = [
        -2.726_142_4e-10,
        2.770_681_4e-8,
        -2.101_024e-6,
        -5.692_506_4e-5,
        -7.349_906_3e-4,
        -2.954_6e-3,
        -1.609_603_3e-2,
    ];
    const BELOW: [f32; 5] = [-1.456_607_2e-5, -2.133_740_6e-4, -1.682_827e-3, -7.373_329e-3, -1.426_473_9e-2];
    let x = x.least(x.same(4.0)).most(x.same(-4.0));
    let square = x * x;
    x * polynomial::<V, 7>(square, ABOVE) / polynomial::<V, 5>(square, BELOW)
}

/// GELU with the error function, `x/2 (1 + erf(x / sqrt 2))` (Hendrycks and Gimpel 2016), as Hugging Face's "gelu".
#[inline(always)]
pub(crate) fn gelu<V: Vector>(x: V) -> V {
    let half = x * x.same(0.5);
    half.fused(erf(x * x.same(std::f32::consts::FRAC_1_SQRT_2)), half)
}

/// The same to within 2e-4, for products in 8 bits, whose steps are far larger. It has no division.
///
/// `x (1/2 + t P(t^2))` with `t` limited to `[-4, 4]`; `P` has the least largest error of its degree, found by Lawson's
/// iteration of least squares on 4,000 points.
#[inline(always)]
pub(crate) fn gelu_coarse<V: Vector>(x: V) -> V {
    const P: [f32; 7] =
        [2.278_021e-8, -1.598_540_3e-6, 4.795_430_5e-5, -8.140_039e-4, 8.772_333e-3, -6.457_299e-2, 3.978_832_7e-1];
    let t = x.least(x.same(4.0)).most(x.same(-4.0));
    x * t.fused(polynomial::<V, 7>(t * t, P), x.same(0.5))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vector::{Lanes, Single};
    use statrs::function::erf::erf as exact_erf;

    fn one(function: fn(Single) -> Single, x: f32) -> f32 {
        function(Lanes([x])).0[0]
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri's own exp is off by random bits")]
    fn exp_matches_the_library() {
        for step in 0..17_000 {
            let x = -0.005 * step as f32;
            let (found, expected) = (one(exp_nonpositive, x), x.exp());
            assert!((found - expected).abs() <= 3e-7 * expected + 1e-37, "exp({x}) = {found}, not {expected}");
        }
        assert!(one(exp_nonpositive, f32::NEG_INFINITY) < 2e-38);
        assert_eq!(one(exp_nonpositive, 0.0), 1.0);
    }

    #[test]
    #[cfg_attr(miri, ignore = "takes minutes under Miri and has no pointers")]
    fn both_gelus_match_the_error_function() {
        for step in -8_000..8_000 {
            let x = 0.00125 * step as f32;
            let expected = 0.5 * f64::from(x) * (1.0 + exact_erf(f64::from(x) / std::f64::consts::SQRT_2));
            let (fine, coarse) = (f64::from(one(gelu, x)), f64::from(one(gelu_coarse, x)));
            assert!((fine - expected).abs() < 1e-6_f64.max(3e-7 * expected), "gelu({x}) = {fine}, not {expected}");
            assert!((coarse - expected).abs() < 2e-4, "gelu({x}) = {coarse}, not {expected}");
        }
        assert!((one(gelu, 1000.0) - 1000.0).abs() < 1e-3 && one(gelu, -1000.0).abs() < 1e-3);
    }
}
