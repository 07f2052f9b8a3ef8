//! [`Vector`]: several f32 in a register, with the few operations that the encoder needs. What uses it is generic, is
//! inlined into a function compiled for the instructions, and so becomes code for each of them.
//!
//! Making a vector out of memory or of one number is `unsafe`: it needs the instructions. With a vector they are there, so its
//! arithmetic is safe.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod lanes;

use std::ops::{Add, Div, Mul, Sub};

#[cfg(target_arch = "x86_64")]
pub(crate) use avx2::Avx2;
#[cfg(target_arch = "x86_64")]
pub(crate) use avx512::Avx512;
#[cfg(test)]
pub(crate) use lanes::Lanes;
pub(crate) use lanes::{Portable, Single, round_to_bf16};

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

/// The four operations of a vector, each by one instruction.
#[cfg(target_arch = "x86_64")]
macro_rules! arithmetic {
    ($vector:ident: $($operation:ident $name:ident $instruction:ident),*) => {
        $(impl std::ops::$operation for $vector {
            type Output = Self;
            #[inline(always)]
            fn $name(self, other: Self) -> Self {
                // SAFETY: there is a vector, so there are the instructions.
                Self(unsafe { $instruction(self.0, other.0) })
            }
        })*
    };
}
#[cfg(target_arch = "x86_64")]
use arithmetic;

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
