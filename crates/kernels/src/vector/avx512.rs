//! [`Avx512`]: vectors of 512 bits.

use std::arch::x86_64::*;

use super::{Vector, arithmetic};

/// Sixteen lanes.
#[derive(Clone, Copy)]
pub(crate) struct Avx512(__m512);

arithmetic!(Avx512: Add add _mm512_add_ps, Sub sub _mm512_sub_ps, Mul mul _mm512_mul_ps, Div div _mm512_div_ps);

// SAFETY of every block below: the instructions are there, by the promise that made the vector or by the caller's; memory
// is as the caller promises, and needs no alignment beyond that of its values.
impl Vector for Avx512 {
    const LANES: usize = 16;

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        Self(unsafe { _mm512_set1_ps(value) })
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        Self(unsafe { _mm512_loadu_ps(from) })
    }

    #[inline(always)]
    unsafe fn load_i32(from: *const i32) -> Self {
        Self(unsafe { _mm512_cvtepi32_ps(_mm512_loadu_si512(from.cast())) })
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        unsafe { _mm512_storeu_ps(to, self.0) }
    }

    #[inline(always)]
    unsafe fn store_low_bytes(self, to: *mut u8) {
        unsafe { _mm_storeu_si128(to.cast(), _mm512_cvtepi32_epi8(_mm512_castps_si512(self.0))) }
    }

    #[inline(always)]
    unsafe fn store_low_words(self, to: *mut u16) {
        unsafe { _mm256_storeu_si256(to.cast(), _mm512_cvtepi32_epi16(_mm512_castps_si512(self.0))) }
    }

    #[inline(always)]
    unsafe fn store_bf16(self, to: *mut u16) {
        unsafe {
            let bits = _mm512_castps_si512(self.0);
            let odd = _mm512_and_si512(_mm512_srli_epi32::<16>(bits), _mm512_set1_epi32(1));
            let rounded = _mm512_add_epi32(_mm512_add_epi32(bits, _mm512_set1_epi32(0x7fff)), odd);
            _mm256_storeu_si256(to.cast(), _mm512_cvtepi32_epi16(_mm512_srli_epi32::<16>(rounded)));
        }
    }

    #[inline(always)]
    fn fused(self, times: Self, plus: Self) -> Self {
        Self(unsafe { _mm512_fmadd_ps(self.0, times.0, plus.0) })
    }

    #[inline(always)]
    fn least(self, other: Self) -> Self {
        Self(unsafe { _mm512_min_ps(self.0, other.0) })
    }

    #[inline(always)]
    fn most(self, other: Self) -> Self {
        Self(unsafe { _mm512_max_ps(self.0, other.0) })
    }

    #[inline(always)]
    fn power_of_two(self) -> Self {
        let one = 1.0_f32.to_bits().cast_signed();
        Self(unsafe {
            let exponent = _mm512_slli_epi32::<23>(_mm512_castps_si512(self.0));
            _mm512_castsi512_ps(_mm512_add_epi32(exponent, _mm512_set1_epi32(one)))
        })
    }

    /// Pairs, then fours, then eights and sixteens of rows change places.
    #[inline(always)]
    unsafe fn transpose(rows: &[*const f32; 16], to: *mut f32, stride: usize) {
        unsafe {
            let row: [__m512; 16] = std::array::from_fn(|index| _mm512_loadu_ps(rows[index]));
            let mut pairs = row;
            for index in (0..16).step_by(2) {
                pairs[index] = _mm512_unpacklo_ps(row[index], row[index + 1]);
                pairs[index + 1] = _mm512_unpackhi_ps(row[index], row[index + 1]);
            }
            let mut fours = row;
            for first in (0..16).step_by(4) {
                for half in 0..2 {
                    let (low, high) =
                        (_mm512_castps_pd(pairs[first + half]), _mm512_castps_pd(pairs[first + half + 2]));
                    fours[first + 2 * half] = _mm512_castpd_ps(_mm512_unpacklo_pd(low, high));
                    fours[first + 2 * half + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(low, high));
                }
            }
            // `fours[4 * g + c]` holds, in its part `p` of four lanes, column `4 * p + c` of the rows `4 * g` to `4 * g + 3`.
            for column in 0..4 {
                let [a, b, c, d] = [fours[column], fours[column + 4], fours[column + 8], fours[column + 12]];
                let (ab_even, ab_odd) = (_mm512_shuffle_f32x4::<0x88>(a, b), _mm512_shuffle_f32x4::<0xdd>(a, b));
                let (cd_even, cd_odd) = (_mm512_shuffle_f32x4::<0x88>(c, d), _mm512_shuffle_f32x4::<0xdd>(c, d));
                let parts = [
                    _mm512_shuffle_f32x4::<0x88>(ab_even, cd_even),
                    _mm512_shuffle_f32x4::<0x88>(ab_odd, cd_odd),
                    _mm512_shuffle_f32x4::<0xdd>(ab_even, cd_even),
                    _mm512_shuffle_f32x4::<0xdd>(ab_odd, cd_odd),
                ];
                for (part, value) in parts.into_iter().enumerate() {
                    _mm512_storeu_ps(to.add((4 * part + column) * stride), value);
                }
            }
        }
    }

    #[inline(always)]
    fn total(self) -> f32 {
        unsafe { _mm512_reduce_add_ps(self.0) }
    }

    #[inline(always)]
    fn least_lane(self) -> f32 {
        unsafe { _mm512_reduce_min_ps(self.0) }
    }

    #[inline(always)]
    fn most_lane(self) -> f32 {
        unsafe { _mm512_reduce_max_ps(self.0) }
    }
}
