//! Elementary functions for the encoder, written without branches or calls so that the compiler vectorises the loops.
//!
//! No fused multiply-add: without a CPU feature enabled at build time it would be a library call.

/// `exp(x)` for `x <= 0`, to about 2 units in the last place; 0 below the smallest normal number.
///
/// `2^n 2^f` with integer `n`: `n` is read from the low bits of `x log2(e) + 1.5 * 2^23`, and `2^f` is the Taylor
/// polynomial of `e^r`, `r = f ln 2`, with `|r| <= 0.35`.
pub fn exp_nonpositive(x: f32) -> f32 {
    const SHIFT: f32 = 12_582_912.0; // 1.5 * 2^23
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    let clamped = if x > -87.0 { x } else { -87.0 };
    let shifted = clamped * std::f32::consts::LOG2_E + SHIFT;
    let n = shifted - SHIFT;
    let r = clamped - n * LN_2_HIGH - n * LN_2_LOW;
    let series = 1.0 + r * (1.0 + r * (0.5 + r * (1.0 / 6.0 + r * (1.0 / 24.0 + r * (1.0 / 120.0 + r / 720.0)))));
    let power = f32::from_bits((shifted.to_bits() << 23).wrapping_add(1.0_f32.to_bits()));
    if x > -87.0 { series * power } else { 0.0 }
}

/// Error function, to within 3e-7: the rational approximation on `[-4, 4]` used by Eigen and XLA.
fn erf(x: f32) -> f32 {
    let x = x.clamp(-4.0, 4.0);
    let s = x * x;
    let mut p = -2.726_142_4e-10_f32;
    for coefficient in
        [2.770_681_4e-8, -2.101_024e-6, -5.692_506_4e-5, -7.349_906_3e-4, -2.954_6e-3, -1.609_603_3e-2_f32]
    {
        p = p * s + coefficient;
    }
    let mut q = -1.456_607_2e-5_f32;
    for coefficient in [-2.133_740_6e-4, -1.682_827e-3, -7.373_329e-3, -1.426_473_9e-2_f32] {
        q = q * s + coefficient;
    }
    x * p / q
}

/// GELU with the error function, `x/2 (1 + erf(x / sqrt 2))` (Hendrycks and Gimpel 2016), as Hugging Face's "gelu".
pub fn gelu(x: f32) -> f32 {
    0.5 * x * (1.0 + erf(x * std::f32::consts::FRAC_1_SQRT_2))
}

/// Sum in eight lanes: with a single running sum each addition would wait for the one before.
pub fn sum(values: &[f32]) -> f32 {
    fold(values, |value| value)
}

/// Sum of squared distances from `centre`.
pub fn sum_sq_dev(values: &[f32], centre: f32) -> f32 {
    fold(values, |value| (value - centre) * (value - centre))
}

fn fold(values: &[f32], term: impl Fn(f32) -> f32) -> f32 {
    let (blocks, rest) = values.as_chunks::<8>();
    let mut lanes = [0.0_f32; 8];
    for block in blocks {
        for (lane, value) in lanes.iter_mut().zip(block) {
            *lane += term(*value);
        }
    }
    lanes.iter().sum::<f32>() + rest.iter().map(|value| term(*value)).sum::<f32>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use statrs::function::erf::erf as exact_erf;

    #[test]
    fn exp_matches_the_library() {
        for step in 0..20_000 {
            let x = -0.005 * step as f32;
            let (found, expected) = (exp_nonpositive(x), x.exp());
            assert!((found - expected).abs() <= 3e-7 * expected + 1e-37, "exp({x}) = {found}, not {expected}");
        }
        assert_eq!(exp_nonpositive(f32::NEG_INFINITY), 0.0);
        assert_eq!(exp_nonpositive(0.0), 1.0);
    }

    #[test]
    fn gelu_matches_the_error_function() {
        for step in -8_000..8_000 {
            let x = 0.00125 * step as f32;
            let expected = 0.5 * f64::from(x) * (1.0 + exact_erf(f64::from(x) / std::f64::consts::SQRT_2));
            assert!((f64::from(gelu(x)) - expected).abs() < 1e-6, "gelu({x}) = {}, not {expected}", gelu(x));
        }
        assert!((gelu(1000.0) - 1000.0).abs() < 1e-3 && gelu(-1000.0).abs() < 1e-3);
    }

    #[test]
    fn all_lanes_and_the_remainder_are_summed() {
        let values: Vec<f32> = (1..=19_u8).map(f32::from).collect();
        assert_eq!(sum(&values), 190.0);
        assert_eq!(sum_sq_dev(&values, 10.0), 570.0);
    }
}
