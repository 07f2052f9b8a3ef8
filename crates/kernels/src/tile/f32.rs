//! Tiles in f32.

use super::{Sums, Tile, declare_tile};

declare_tile!(
    /// Plain Rust.
    Portable, f32, f32 => f32, 4 x 8 x 1, portable
);

/// # Safety
/// As [`Tile::tile`].
#[inline(always)]
unsafe fn portable<const M: usize>(
    rows: *const f32,
    stride: usize,
    panel: *const f32,
    steps: usize,
    sums: &mut Sums<f32>,
) {
    let mut tile = [[0.0_f32; Portable::COLUMNS]; M];
    for step in 0..steps {
        // SAFETY: within the panel, by the caller's promise; an array has the layout of its values.
        let weights = unsafe { *panel.add(step * Portable::COLUMNS).cast::<[f32; Portable::COLUMNS]>() };
        for (m, row) in tile.iter_mut().enumerate() {
            // SAFETY: `m < M` and `step < steps`: within the row, by the caller's promise.
            let value = unsafe { *rows.add(m * stride + step) };
            for (sum, weight) in row.iter_mut().zip(&weights) {
                *sum = if cfg!(target_arch = "aarch64") { value.mul_add(*weight, *sum) } else { *sum + value * weight };
            }
        }
    }
    sums.0[..M * Portable::COLUMNS].copy_from_slice(tile.as_flattened());
}

#[cfg(target_arch = "x86_64")]
pub(crate) use x86::{Avx2, Avx512};

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::{Sums, Tile, declare_tile};

    declare_tile!(
        /// 6 x 16: twelve of sixteen registers hold sums.
        Avx2, f32, f32 => f32, 6 x 16 x 1, avx2
    );

    declare_tile!(
        /// 14 x 32: 28 of 32 registers hold sums.
        Avx512, f32, f32 => f32, 14 x 32 x 1, avx512
    );

    /// # Safety
    /// As [`Tile::tile`].
    #[target_feature(enable = "avx2,fma")]
    unsafe fn avx2<const M: usize>(
        rows: *const f32,
        stride: usize,
        panel: *const f32,
        steps: usize,
        sums: &mut Sums<f32>,
    ) {
        let mut tile = [[_mm256_setzero_ps(); 2]; M];
        for step in 0..steps {
            // SAFETY: two vectors of the panel and one value of each row at this step, by the caller's promise.
            unsafe {
                let left = _mm256_loadu_ps(panel.add(step * 16));
                let right = _mm256_loadu_ps(panel.add(step * 16 + 8));
                for (m, row) in tile.iter_mut().enumerate() {
                    let value = _mm256_broadcast_ss(&*rows.add(m * stride + step));
                    row[0] = _mm256_fmadd_ps(value, left, row[0]);
                    row[1] = _mm256_fmadd_ps(value, right, row[1]);
                }
            }
        }
        for (row, out) in tile.iter().zip(sums.0.as_chunks_mut::<16>().0) {
            // SAFETY: `out` holds the two vectors.
            unsafe {
                _mm256_storeu_ps(out.as_mut_ptr(), row[0]);
                _mm256_storeu_ps(out.as_mut_ptr().add(8), row[1]);
            }
        }
    }

    /// # Safety
    /// As [`Tile::tile`].
    #[target_feature(enable = "avx512f")]
    unsafe fn avx512<const M: usize>(
        rows: *const f32,
        stride: usize,
        panel: *const f32,
        steps: usize,
        sums: &mut Sums<f32>,
    ) {
        let mut tile = [[_mm512_setzero_ps(); 2]; M];
        for step in 0..steps {
            // SAFETY: two vectors of the panel and one value of each row at this step, by the caller's promise.
            unsafe {
                let left = _mm512_loadu_ps(panel.add(step * 32));
                let right = _mm512_loadu_ps(panel.add(step * 32 + 16));
                for (m, row) in tile.iter_mut().enumerate() {
                    let value = _mm512_set1_ps(*rows.add(m * stride + step));
                    row[0] = _mm512_fmadd_ps(value, left, row[0]);
                    row[1] = _mm512_fmadd_ps(value, right, row[1]);
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
