//! Operations on one row of activations: LayerNorm, softmax without its division, and the number formats of the products.

use crate::cpu::{Isa, for_each_isa};
use crate::elementary::exp_nonpositive;
use crate::vector::{Single, Vector};

/// LayerNorm: normalises a row to mean 0 and variance 1, then scales and shifts it.
#[derive(Debug, Clone)]
pub struct LayerNorm {
    pub weight: Vec<f32>,
    pub bias: Vec<f32>,
    /// Added to the variance.
    pub epsilon: f32,
}

impl LayerNorm {
    /// Normalises `row`, which must be as long as the weights.
    pub fn apply(&self, row: &mut [f32]) {
        normalise(Isa::best(), self, row);
    }
}

/// How a row in 8 bits stands for real numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Quantized {
    pub(crate) scale: f32,
    /// A whole number from 0 to 255.
    pub(crate) zero: f32,
}

for_each_isa! {
    /// Normalises `row`, which must be as long as the weights of `norm`.
    pub(crate) fn normalise(norm: &LayerNorm, row: &mut [f32]) = normalise_row
}

for_each_isa! {
    /// A row in 8 bits: `row = scale * (out - zero)`. What `out` has beyond the row becomes 0.
    pub(crate) fn to_int8(row: &[f32], out: &mut [u8], quantized: &mut Quantized) = row_to_int8
}

for_each_isa! {
    /// The same with each value in 16 bits.
    pub(crate) fn to_int8_wide(row: &[f32], out: &mut [u16], quantized: &mut Quantized) = row_to_int8_wide
}

for_each_isa! {
    /// A row in bf16, rounded to nearest, ties to even. What `out` has beyond the row becomes 0.
    pub(crate) fn to_bf16(row: &[f32], out: &mut [u16]) = row_to_bf16
}

/// Starts of the whole vectors of a row, and the places after them.
#[inline(always)]
fn split<V: Vector>(length: usize) -> (impl Iterator<Item = usize>, std::ops::Range<usize>) {
    let whole = length / V::LANES * V::LANES;
    ((0..whole).step_by(V::LANES), whole..length)
}

/// # Safety
/// The processor has the instructions of `V`; so for all functions of this module that have one.
#[inline(always)]
unsafe fn sum<V: Vector>(row: &[f32]) -> f32 {
    let (vectors, rest) = split::<V>(row.len());
    // SAFETY: all reads are within the row.
    unsafe {
        // Two sums: with one each addition would wait for the one before.
        let mut sums = [V::splat(0.0); 2];
        for (index, place) in vectors.enumerate() {
            sums[index % 2] = sums[index % 2] + V::load(row.as_ptr().add(place));
        }
        row[rest].iter().fold((sums[0] + sums[1]).total(), |sum, value| sum + value)
    }
}

/// The smallest and the largest value, and at least 0 between them.
#[inline(always)]
unsafe fn range<V: Vector>(row: &[f32]) -> (f32, f32) {
    let (vectors, rest) = split::<V>(row.len());
    // SAFETY: all reads are within the row.
    unsafe {
        let (mut least, mut most) = (V::splat(0.0), V::splat(0.0));
        for place in vectors {
            let value = V::load(row.as_ptr().add(place));
            (least, most) = (value.least(least), value.most(most));
        }
        let start = (least.least_lane(), most.most_lane());
        row[rest].iter().fold(start, |(least, most), value| (value.min(least), value.max(most)))
    }
}

#[inline(always)]
unsafe fn normalise_row<V: Vector>(norm: &LayerNorm, row: &mut [f32]) {
    assert!(row.len() == norm.weight.len() && row.len() == norm.bias.len(), "a row of {} values", row.len());
    let (places, count) = (row.len(), row.len() as f32);
    // SAFETY: the three slices are equally long, and all places are within them. `row` is not used once `at` is taken.
    unsafe {
        let mean = sum::<V>(row) / count;
        let at = row.as_mut_ptr();
        let centre = V::splat(mean);
        let mut squares = V::splat(0.0);
        let (vectors, rest) = split::<V>(places);
        for place in vectors {
            let distance = V::load(at.add(place)) - centre;
            distance.store(at.add(place));
            squares = distance.fused(distance, squares);
        }
        let mut squares = squares.total();
        for place in rest {
            let distance = *at.add(place) - mean;
            *at.add(place) = distance;
            squares += distance * distance;
        }
        let scale = 1.0 / (squares / count + norm.epsilon).sqrt();
        let (weight, bias) = (norm.weight.as_ptr(), norm.bias.as_ptr());
        let (vectors, rest) = split::<V>(places);
        for place in vectors {
            let scaled = V::load(at.add(place)) * V::splat(scale);
            scaled.fused(V::load(weight.add(place)), V::load(bias.add(place))).store(at.add(place));
        }
        for place in rest {
            *at.add(place) = *at.add(place) * scale * *weight.add(place) + *bias.add(place);
        }
    }
}

#[inline(always)]
unsafe fn row_to_int8<V: Vector>(row: &[f32], out: &mut [u8], quantized: &mut Quantized) {
    // SAFETY: the caller's promise; the places are within `out`.
    *quantized = unsafe {
        quantize::<V, u8>(row, out, |value, to| value.store_low_bytes(to), |value, to| value.store_low_bytes(to))
    };
}

#[inline(always)]
unsafe fn row_to_int8_wide<V: Vector>(row: &[f32], out: &mut [u16], quantized: &mut Quantized) {
    // SAFETY: the caller's promise; the places are within `out`.
    *quantized = unsafe {
        quantize::<V, u16>(row, out, |value, to| value.store_low_words(to), |value, to| value.store_low_words(to))
    };
}

#[inline(always)]
unsafe fn quantize<V: Vector, T: Copy + Default>(
    row: &[f32],
    out: &mut [T],
    store: impl Fn(V, *mut T),
    store_single: impl Fn(Single, *mut T),
) -> Quantized {
    /// 1.5 * 2^23: the low bits of `x + SHIFT` are `x` rounded to an integer.
    const SHIFT: f32 = 12_582_912.0;
    let (out, padding) = out.split_at_mut(row.len());
    padding.fill(T::default());
    // SAFETY: both slices are equally long, and all places are within them.
    unsafe {
        let (least, most) = range::<V>(row);
        let scale = (most - least) / 255.0;
        // A row of zeros is exact with any scale.
        let inverse = if scale > 0.0 { 1.0 / scale } else { 0.0 };
        let zero = (-least * inverse + SHIFT) - SHIFT;
        let (vectors, rest) = split::<V>(row.len());
        for place in vectors {
            let real = V::load(row.as_ptr().add(place)).fused(V::splat(inverse), V::splat(zero));
            // Rounding the zero point can take the largest value half a step too high.
            store(real.least(V::splat(255.0)) + V::splat(SHIFT), out.as_mut_ptr().add(place));
        }
        for place in rest {
            let real = Single::load(row.as_ptr().add(place)).fused(Single::splat(inverse), Single::splat(zero));
            store_single(real.least(Single::splat(255.0)) + Single::splat(SHIFT), out.as_mut_ptr().add(place));
        }
        Quantized { scale, zero }
    }
}

#[inline(always)]
unsafe fn row_to_bf16<V: Vector>(row: &[f32], out: &mut [u16]) {
    let (out, padding) = out.split_at_mut(row.len());
    padding.fill(0);
    let (vectors, rest) = split::<V>(row.len());
    // SAFETY: both slices are equally long, and all places are within them.
    unsafe {
        for place in vectors {
            V::load(row.as_ptr().add(place)).store_bf16(out.as_mut_ptr().add(place));
        }
        for place in rest {
            Single::load(row.as_ptr().add(place)).store_bf16(out.as_mut_ptr().add(place));
        }
    }
}

/// Replaces the first `count` scores of a row by `exp(score - largest)` and the rest by 0. Returns the inverse of their sum,
/// by which the caller scales what it makes of them. A row is a whole number of vectors long.
#[inline(always)]
pub(crate) unsafe fn exponentiate<V: Vector>(row: &mut [f32], count: usize) -> f32 {
    debug_assert!(row.len().is_multiple_of(V::LANES) && count > 0);
    // What is beyond may be anything; as small as can be, it changes neither the largest nor the sum.
    row[count..].fill(f32::NEG_INFINITY);
    let (places, at) = (row.len(), row.as_mut_ptr());
    // SAFETY: all places are within the row, which is not used once `at` is taken.
    unsafe {
        let mut most = V::splat(f32::NEG_INFINITY);
        for place in (0..places).step_by(V::LANES) {
            most = V::load(at.add(place)).most(most);
        }
        let largest = V::splat(most.most_lane());
        let mut sum = V::splat(0.0);
        for place in (0..places).step_by(V::LANES) {
            let value = exp_nonpositive(V::load(at.add(place)) - largest);
            sum = sum + value;
            value.store(at.add(place));
        }
        1.0 / sum.total()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vector::Portable;

    fn sample(count: usize) -> Vec<f32> {
        (0..count).map(|index| ((index * 37 + 11) % 101) as f32 / 25.0 - 1.5).collect()
    }

    fn isas() -> impl Iterator<Item = Isa> {
        Isa::ALL.into_iter().filter(|isa| isa.is_available() && (!cfg!(miri) || *isa == Isa::Portable))
    }

    #[test]
    fn a_normalised_row_has_mean_0_and_variance_1() {
        for count in [1, 7, 16, 37, 384] {
            let norm = LayerNorm { weight: vec![1.0; count], bias: vec![0.0; count], epsilon: 1e-12 };
            for isa in isas() {
                let mut row = sample(count);
                normalise(isa, &norm, &mut row);
                let mean = row.iter().sum::<f32>() / count as f32;
                let variance = row.iter().map(|value| value * value).sum::<f32>() / count as f32;
                assert!(mean.abs() < 1e-5, "{isa:?}, {count}: mean {mean}");
                assert!(count == 1 || (variance - 1.0).abs() < 1e-4, "{isa:?}, {count}: variance {variance}");
            }
        }
    }

    #[test]
    fn eight_bits_are_right_to_half_a_step() {
        for isa in isas() {
            for row in [sample(37), vec![0.0; 5], vec![2.0; 20], vec![-1.0, -3.0], vec![0.5, -0.5], vec![]] {
                let (mut out, mut quantized) = (vec![9; row.len() + 3], Quantized::default());
                to_int8(isa, &row, &mut out, &mut quantized);
                for (value, byte) in row.iter().zip(&out) {
                    let back = quantized.scale * (f32::from(*byte) - quantized.zero);
                    assert!((back - value).abs() <= 0.51 * quantized.scale, "{isa:?}: {value} became {back}");
                }
                assert_eq!(out[row.len()..], [0; 3]);
                let (mut wide, mut other) = (vec![9; row.len() + 3], Quantized::default());
                to_int8_wide(isa, &row, &mut wide, &mut other);
                assert_eq!((wide, other), (out.into_iter().map(u16::from).collect(), quantized));
            }
        }
    }

    #[test]
    fn bf16_rounds_to_the_nearest() {
        for isa in isas() {
            let row = [1.0, -2.5, 1.003_906_2, 1.011_718_8, 3.0e38, 0.0].repeat(5);
            let mut out = [7; 32];
            to_bf16(isa, &row, &mut out);
            assert_eq!(out[24..], [0x3f80, 0xc020, 0x3f80, 0x3f82, 0x7f62, 0, 0, 0], "{isa:?}");
        }
    }

    #[test]
    fn exponentials_leave_the_padding_out() {
        let mut row = [1.0, 2.0, 50.0, f32::NAN, 0.0, 0.0, 0.0, 0.0];
        // SAFETY: plain Rust runs everywhere.
        let inverse = unsafe { exponentiate::<Portable>(&mut row, 2) };
        let first = 1.0 / (1.0 + 1.0_f32.exp());
        assert!((row[0] * inverse - first).abs() < 1e-6 && (row[1] * inverse - 1.0 + first).abs() < 1e-6, "{row:?}");
        assert!(row[2..].iter().all(|value| *value < 1e-37), "{row:?}");
    }
}
