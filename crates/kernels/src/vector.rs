//! [`Vector`]: several f32 in a register, with the few operations that the encoder needs. What uses it is generic, is
//! inlined into a function compiled for the instructions, and so becomes code for each of them.
//!
//! Making a vector out of memory or of one number is `unsafe`: it needs the instructions. Whoever holds a vector has them,
//! so its arithmetic is safe.

use std::ops::{Add, Div, Mul, Sub};

/// Lanes of f32.
pub(crate) trait Vector:
    Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self>
{
    const LANES: usize;

    /// # Safety
    /// The processor has the instructions; so for the functions below.
    unsafe fn splat(value: f32) -> Self;

    /// # Safety
    /// `from` can be read for [`Vector::LANES`] values, aligned to one.
    unsafe fn load(from: *const f32) -> Self;

    /// Integers, as real numbers.
    ///
    /// # Safety
    /// As [`Vector::load`].
    unsafe fn load_i32(from: *const i32) -> Self;

    /// # Safety
    /// `to` can be written for [`Vector::LANES`] values, aligned to one.
    unsafe fn store(self, to: *mut f32);

    /// The lowest byte of each lane's bits.
    ///
    /// # Safety
    /// As [`Vector::store`].
    unsafe fn store_low_bytes(self, to: *mut u8);

    /// The lowest two bytes of each lane's bits.
    ///
    /// # Safety
    /// As [`Vector::store`].
    unsafe fn store_low_words(self, to: *mut u16);

    /// Each lane as bf16, rounded to nearest, ties to even.
    ///
    /// # Safety
    /// As [`Vector::store`].
    unsafe fn store_bf16(self, to: *mut u16);

    /// `self * times + plus`
    fn fused(self, times: Self, plus: Self) -> Self;

    /// The smaller of each lane; `other` where `self` is not a number.
    fn least(self, other: Self) -> Self;

    /// The larger of each lane; `other` where `self` is not a number.
    fn most(self, other: Self) -> Self;

    /// `2^n` of lanes that hold `1.5 * 2^23 + n`.
    fn power_of_two(self) -> Self;

    /// Writes a square of values transposed: lane `l` of row `r` of the result is the value `r` of the row at `rows[l]`.
    ///
    /// # Safety
    /// The first [`Vector::LANES`] pointers can be read, and `to + r * stride` be written, for that many values; the
    /// processor has the instructions.
    #[inline(always)]
    unsafe fn transpose(rows: &[*const f32; 16], to: *mut f32, stride: usize) {
        for (lane, row) in rows.iter().enumerate().take(Self::LANES) {
            for place in 0..Self::LANES {
                // SAFETY: the caller's promise.
                unsafe { *to.add(place * stride + lane) = *row.add(place) };
            }
        }
    }

    /// Every lane `value`.
    #[inline(always)]
    fn same(self, value: f32) -> Self {
        // SAFETY: there is a vector, so there are the instructions.
        unsafe { Self::splat(value) }
    }

    /// The lanes, the first `LANES` of the array.
    #[inline(always)]
    fn lanes(self) -> [f32; 16] {
        let mut lanes = [0.0; 16];
        const { assert!(Self::LANES <= 16) };
        // SAFETY: the array is long enough.
        unsafe { self.store(lanes.as_mut_ptr()) };
        lanes
    }

    /// The sum of the lanes, in a tree.
    #[inline(always)]
    fn total(self) -> f32 {
        let mut lanes = self.lanes();
        let mut width = Self::LANES / 2;
        while width > 0 {
            for lane in 0..width {
                lanes[lane] += lanes[lane + width];
            }
            width /= 2;
        }
        lanes[0]
    }

    #[inline(always)]
    fn least_lane(self) -> f32 {
        self.lanes()[..Self::LANES].iter().fold(f32::INFINITY, |least, lane| if *lane < least { *lane } else { least })
    }

    #[inline(always)]
    fn most_lane(self) -> f32 {
        self.lanes()[..Self::LANES].iter().fold(f32::NEG_INFINITY, |most, lane| if *lane > most { *lane } else { most })
    }
}

/// Plain Rust: an array, whose loops the compiler may vectorise. One lane serves what is left at the end of a row.
#[derive(Clone, Copy)]
pub(crate) struct Lanes<const N: usize>(pub(crate) [f32; N]);

/// What is left at the end of a row.
pub(crate) type Single = Lanes<1>;
/// For processors without code here.
pub(crate) type Portable = Lanes<8>;

/// The nearest bf16, ties to even.
#[inline(always)]
pub(crate) fn round_to_bf16(value: f32) -> u16 {
    let bits = value.to_bits();
    (bits.wrapping_add(0x7fff + ((bits >> 16) & 1)) >> 16) as u16
}

impl<const N: usize> Lanes<N> {
    #[inline(always)]
    fn map(self, other: Self, operation: impl Fn(f32, f32) -> f32) -> Self {
        Self(std::array::from_fn(|lane| operation(self.0[lane], other.0[lane])))
    }
}

macro_rules! arithmetic_of_lanes {
    ($($operation:ident $name:ident $symbol:tt),*) => {
        $(impl<const N: usize> $operation for Lanes<N> {
            type Output = Self;
            #[inline(always)]
            fn $name(self, other: Self) -> Self {
                self.map(other, |left, right| left $symbol right)
            }
        })*
    };
}

arithmetic_of_lanes!(Add add +, Sub sub -, Mul mul *, Div div /);

impl<const N: usize> Vector for Lanes<N> {
    const LANES: usize = N;

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        Self([value; N])
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller's promise; an array is aligned as its values.
        Self(unsafe { *from.cast::<[f32; N]>() })
    }

    #[inline(always)]
    unsafe fn load_i32(from: *const i32) -> Self {
        // SAFETY: as above.
        Self(unsafe { *from.cast::<[i32; N]>() }.map(|value| value as f32))
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: as above.
        unsafe { *to.cast::<[f32; N]>() = self.0 };
    }

    #[inline(always)]
    unsafe fn store_low_bytes(self, to: *mut u8) {
        // SAFETY: as above.
        unsafe { *to.cast::<[u8; N]>() = self.0.map(|lane| lane.to_bits() as u8) };
    }

    #[inline(always)]
    unsafe fn store_low_words(self, to: *mut u16) {
        // SAFETY: as above.
        unsafe { *to.cast::<[u16; N]>() = self.0.map(|lane| lane.to_bits() as u16) };
    }

    #[inline(always)]
    unsafe fn store_bf16(self, to: *mut u16) {
        // SAFETY: as above.
        unsafe { *to.cast::<[u16; N]>() = self.0.map(round_to_bf16) };
    }

    #[inline(always)]
    fn fused(self, times: Self, plus: Self) -> Self {
        // Without the instruction in the target, `mul_add` would call a library.
        if cfg!(target_arch = "aarch64") {
            return Self(std::array::from_fn(|lane| self.0[lane].mul_add(times.0[lane], plus.0[lane])));
        }
        self * times + plus
    }

    #[inline(always)]
    fn least(self, other: Self) -> Self {
        self.map(other, |left, right| if left < right { left } else { right })
    }

    #[inline(always)]
    fn most(self, other: Self) -> Self {
        self.map(other, |left, right| if left > right { left } else { right })
    }

    #[inline(always)]
    fn power_of_two(self) -> Self {
        Self(self.0.map(|lane| f32::from_bits((lane.to_bits() << 23).wrapping_add(1.0_f32.to_bits()))))
    }
}

#[cfg(target_arch = "x86_64")]
pub(crate) use x86::{Avx2, Avx512};

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;
    use std::ops::{Add, Div, Mul, Sub};

    use super::Vector;

    /// Eight lanes.
    #[derive(Clone, Copy)]
    pub(crate) struct Avx2(__m256);

    /// Sixteen lanes.
    #[derive(Clone, Copy)]
    pub(crate) struct Avx512(__m512);

    macro_rules! arithmetic {
        ($vector:ident: $($operation:ident $name:ident $instruction:ident),*) => {
            $(impl $operation for $vector {
                type Output = Self;
                #[inline(always)]
                fn $name(self, other: Self) -> Self {
                    // SAFETY: there is a vector, so there are the instructions.
                    Self(unsafe { $instruction(self.0, other.0) })
                }
            })*
        };
    }

    arithmetic!(Avx2: Add add _mm256_add_ps, Sub sub _mm256_sub_ps, Mul mul _mm256_mul_ps, Div div _mm256_div_ps);
    arithmetic!(Avx512: Add add _mm512_add_ps, Sub sub _mm512_sub_ps, Mul mul _mm512_mul_ps, Div div _mm512_div_ps);

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

    // SAFETY of every block below: as above.
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
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<V: Vector>() {
        let square: Vec<f32> = (0..V::LANES * V::LANES).map(|value| value as f32).collect();
        let mut rows = [std::ptr::null(); 16];
        for (row, values) in rows.iter_mut().zip(square.chunks(V::LANES)) {
            *row = values.as_ptr();
        }
        let mut out = vec![0.0; V::LANES * (V::LANES + 3)];
        // SAFETY: the caller found the instructions; the buffers are large enough.
        unsafe { V::transpose(&rows, out.as_mut_ptr(), V::LANES + 3) };
        for (row, values) in out.chunks(V::LANES + 3).enumerate() {
            for (lane, value) in values.iter().enumerate().take(V::LANES) {
                assert_eq!(*value, square[lane * V::LANES + row]);
            }
        }
    }

    #[test]
    fn squares_are_transposed() {
        check::<Portable>();
        check::<Single>();
        #[cfg(all(target_arch = "x86_64", not(miri)))]
        {
            use crate::cpu::Isa;
            if Isa::Avx2.is_available() {
                check::<Avx2>();
            }
            if Isa::Avx512.is_available() {
                check::<Avx512>();
            }
        }
    }
}
