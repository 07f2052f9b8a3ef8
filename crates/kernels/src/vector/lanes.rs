//! [`Lanes`]: plain Rust, for every processor and for what is left at the end of a row.

use std::ops::{Add, Div, Mul, Sub};

use super::Vector;

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
