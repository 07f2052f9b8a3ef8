//! [`Avx2`]: vectors of 256 bits.

use std::arch::x86_64::*;

use super::{Vector, arithmetic};

/// Eight lanes.
#[derive(Clone, Copy)]
pub(crate) struct Avx2(__m256);

arithmetic!(Avx2: Add add _mm256_add_ps, Sub sub _mm256_sub_ps, Mul mul _mm256_mul_ps, Div div _mm256_div_ps);

// SAFETY of every block below: the instructions are there, by the promise that made the vector or by the caller's; memory
// is as the caller promises, and needs no alignment beyond that of its values.
impl Vector for Avx2 {
    const LANES: usize = 8;

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        Self(unsafe { _mm256_set1_ps(value) })
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        Self(unsafe { _mm256_loadu_ps(from) })
    }

    #[inline(always)]
    unsafe fn load_i32(from: *const i32) -> Self {
        Self(unsafe { _mm256_cvtepi32_ps(_mm256_loadu_si256(from.cast())) })
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        unsafe { _mm256_storeu_ps(to, self.0) }
    }

    #[inline(always)]
    unsafe fn store_low_bytes(self, to: *mut u8) {
        unsafe {
            let low = _mm256_and_si256(_mm256_castps_si256(self.0), _mm256_set1_epi32(0xff));
            let words = _mm_packus_epi32(_mm256_castsi256_si128(low), _mm256_extracti128_si256::<1>(low));
            _mm_storel_epi64(to.cast(), _mm_packus_epi16(words, words));
        }
    }

    #[inline(always)]
    unsafe fn store_low_words(self, to: *mut u16) {
        unsafe {
            let low = _mm256_and_si256(_mm256_castps_si256(self.0), _mm256_set1_epi32(0xffff));
            let words = _mm_packus_epi32(_mm256_castsi256_si128(low), _mm256_extracti128_si256::<1>(low));
            _mm_storeu_si128(to.cast(), words);
        }
    }

    #[inline(always)]
    unsafe fn store_bf16(self, to: *mut u16) {
        unsafe {
            let bits = _mm256_castps_si256(self.0);
            let odd = _mm256_and_si256(_mm256_srli_epi32::<16>(bits), _mm256_set1_epi32(1));
            let rounded = _mm256_add_epi32(_mm256_add_epi32(bits, _mm256_set1_epi32(0x7fff)), odd);
            let upper = _mm256_srli_epi32::<16>(rounded);
            let words = _mm_packus_epi32(_mm256_castsi256_si128(upper), _mm256_extracti128_si256::<1>(upper));
            _mm_storeu_si128(to.cast(), words);
        }
    }

    /// Pairs, then fours and eights of rows change places.
    #[inline(always)]
    unsafe fn transpose(rows: &[*const f32; 16], to: *mut f32, stride: usize) {
        unsafe {
            let row: [__m256; 8] = std::array::from_fn(|index| _mm256_loadu_ps(rows[index]));
            let mut pairs = row;
            for index in (0..8).step_by(2) {
                pairs[index] = _mm256_unpacklo_ps(row[index], row[index + 1]);
                pairs[index + 1] = _mm256_unpackhi_ps(row[index], row[index + 1]);
            }
            let mut fours = row;
            for first in [0, 4] {
                for half in 0..2 {
                    let (low, high) = (pairs[first + half], pairs[first + half + 2]);
                    fours[first + 2 * half] = _mm256_shuffle_ps::<0x44>(low, high);
                    fours[first + 2 * half + 1] = _mm256_shuffle_ps::<0xee>(low, high);
                }
            }
            for column in 0..4 {
                let (low, high) = (fours[column], fours[column + 4]);
                _mm256_storeu_ps(to.add(column * stride), _mm256_permute2f128_ps::<0x20>(low, high));
                _mm256_storeu_ps(to.add((column + 4) * stride), _mm256_permute2f128_ps::<0x31>(low, high));
            }
        }
    }

    #[inline(always)]
    fn fused(self, times: Self, plus: Self) -> Self {
        Self(unsafe { _mm256_fmadd_ps(self.0, times.0, plus.0) })
    }

    #[inline(always)]
    fn least(self, other: Self) -> Self {
        Self(unsafe { _mm256_min_ps(self.0, other.0) })
    }

    #[inline(always)]
    fn most(self, other: Self) -> Self {
        Self(unsafe { _mm256_max_ps(self.0, other.0) })
    }

    #[inline(always)]
    fn power_of_two(self) -> Self {
        let one = 1.0_f32.to_bits().cast_signed();
        Self(unsafe {
            let exponent = _mm256_slli_epi32::<23>(_mm256_castps_si256(self.0));
            _mm256_castsi256_ps(_mm256_add_epi32(exponent, _mm256_set1_epi32(one)))
        })
    }
}
