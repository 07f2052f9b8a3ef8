//! Tiles in bf16, with sums in f32. Two neighbours of the depth are multiplied and added by one instruction.

use super::{Sums, Tile, declare_tile};

declare_tile!(
    /// Plain Rust: what the instruction does, up to the rounding of its sums.
    Portable, u16, u16 => f32, 4 x 8 x 2, portable
);

fn widen(value: u16) -> f32 {
    f32::from_bits(u32::from(value) << 16)
}

/// # Safety
/// As [`Tile::tile`].
#[inline(always)]
unsafe fn portable<const M: usize>(
    rows: *const u16,
    stride: usize,
    panel: *const u16,
    steps: usize,
    sums: &mut Sums<f32>,
) {
    let mut tile = [[0.0_f32; Portable::COLUMNS]; M];
    for step in 0..steps {
        // SAFETY: one step of the panel, by the caller's promise; an array has the layout of its values.
        let weights = unsafe { *panel.add(step * 2 * Portable::COLUMNS).cast::<[[u16; 2]; Portable::COLUMNS]>() };
        for (m, row) in tile.iter_mut().enumerate() {
            // SAFETY: both values are within the row, by the caller's promise.
            let (first, second) = unsafe {
                let values = rows.add(m * stride + step * 2);
                (widen(*values), widen(*values.add(1)))
            };
            for (sum, weight) in row.iter_mut().zip(&weights) {
                *sum += second * widen(weight[1]) + first * widen(weight[0]);
            }
        }
    }
    sums.0[..M * Portable::COLUMNS].copy_from_slice(tile.as_flattened());
}

#[cfg(target_arch = "x86_64")]
pub(crate) use x86::Avx512;

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::{Sums, Tile, declare_tile};

    declare_tile!(
        /// 14 x 32 by `vdpbf16ps`.
        Avx512, u16, u16 => f32, 14 x 32 x 2, avx512
    );

    /// # Safety
    /// As [`Tile::tile`].
    #[target_feature(enable = "avx512f,avx512bf16")]
    unsafe fn avx512<const M: usize>(
        rows: *const u16,
        stride: usize,
        panel: *const u16,
        steps: usize,
        sums: &mut Sums<f32>,
    ) {
        let mut tile = [[_mm512_setzero_ps(); 2]; M];
        for step in 0..steps {
            // SAFETY: two vectors of the panel and two values of each row at this step, by the caller's promise; the
            // loads need no alignment. A vector of bits is a vector of bf16.
            unsafe {
                let weights = panel.add(step * 64).cast::<__m512i>();
                let left: __m512bh = std::mem::transmute(_mm512_loadu_si512(weights));
                let right: __m512bh = std::mem::transmute(_mm512_loadu_si512(weights.add(1)));
                for (m, row) in tile.iter_mut().enumerate() {
                    let pair = rows.add(m * stride + step * 2).cast::<i32>().read_unaligned();
                    let values: __m512bh = std::mem::transmute(_mm512_set1_epi32(pair));
                    row[0] = _mm512_dpbf16_ps(row[0], values, left);
                    row[1] = _mm512_dpbf16_ps(row[1], values, right);
                }
            }
        }
        for (row, out) in tile.iter().zip(sums.0.as_chunks_mut::<32>().0) {
            // SAFETY: `out` holds the two vectors.
            unsafe {
                _mm512_storeu_ps(out.as_mut_ptr(), row[0]);
                _mm512_storeu_ps(out.as_mut_ptr().add(16), row[1]);
            }
        }
    }
}
