//! Tiles in 8-bit integers: unsigned activations, signed weights, exact sums in i32. Every path gives the same sums.
//!
//! Without VNNI the values are kept in 16 bits and multiplied by `vpmaddwd`. `vpmaddubsw` would take 8 bits, but its sums of
//! two products saturate at 16 bits: one of the factors would have to do with 7. On Zen both do 32 products a cycle.

use super::{Sums, Tile, declare_tile};

/// Largest weight in 8 bits, either sign. Stored weights have it too, so that they are packed without another rounding.
pub const MAX_WEIGHT: i8 = 127;

declare_tile!(
    /// Plain Rust.
    Portable, u8, i8 => i32, 4 x 8 x 4, portable
);

/// # Safety
/// As [`Tile::tile`].
#[inline(always)]
unsafe fn portable<const M: usize>(
    rows: *const u8,
    stride: usize,
    panel: *const i8,
    steps: usize,
    sums: &mut Sums<i32>,
) {
    let mut tile = [[0_i32; Portable::COLUMNS]; M];
    for step in 0..steps {
        // SAFETY: one step of the panel, by the caller's promise; an array has the layout of its values.
        let weights = unsafe { *panel.add(step * 4 * Portable::COLUMNS).cast::<[[i8; 4]; Portable::COLUMNS]>() };
        for (m, row) in tile.iter_mut().enumerate() {
            // SAFETY: four values of the row at this step, by the caller's promise.
            let values = unsafe { *rows.add(m * stride + step * 4).cast::<[u8; 4]>() };
            for (sum, weight) in row.iter_mut().zip(&weights) {
                for (value, weight) in values.iter().zip(weight) {
                    *sum += i32::from(*value) * i32::from(*weight);
                }
            }
        }
    }
    sums.0[..M * Portable::COLUMNS].copy_from_slice(tile.as_flattened());
}

#[cfg(target_arch = "x86_64")]
pub(crate) use x86::{Avx2, Avx2Vnni, Avx512Vnni};

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::{Sums, Tile, declare_tile};

    declare_tile!(
        /// 6 x 16 by `vpmaddwd`, on values in 16 bits.
        Avx2, u16, i16 => i32, 6 x 16 x 2, avx2
    );
    declare_tile!(
        /// 6 x 16 by `vpdpbusd`.
        Avx2Vnni, u8, i8 => i32, 6 x 16 x 4, avx2_vnni
    );
    declare_tile!(
        /// 14 x 32 by `vpdpbusd`.
        Avx512Vnni, u8, i8 => i32, 14 x 32 x 4, avx512_vnni
    );

    macro_rules! tile_256 {
        ($name:ident, $activation:ty, $weight:ty, $step:literal, $features:literal, $accumulate:ident) => {
            /// # Safety
            /// As [`Tile::tile`].
            #[target_feature(enable = $features)]
            unsafe fn $name<const M: usize>(
                rows: *const $activation,
                stride: usize,
                panel: *const $weight,
                steps: usize,
                sums: &mut Sums<i32>,
            ) {
                let mut tile = [[_mm256_setzero_si256(); 2]; M];
                for step in 0..steps {
                    // SAFETY: two vectors of the panel and one step of each row, four bytes, by the caller's promise; the
                    // loads need no alignment.
                    unsafe {
                        let weights = panel.add(step * 16 * $step).cast::<__m256i>();
                        let (left, right) = (_mm256_loadu_si256(weights), _mm256_loadu_si256(weights.add(1)));
                        for (m, row) in tile.iter_mut().enumerate() {
                            let values = rows.add(m * stride + step * $step).cast::<i32>().read_unaligned();
                            let values = _mm256_set1_epi32(values);
                            row[0] = $accumulate(row[0], values, left);
                            row[1] = $accumulate(row[1], values, right);
                        }
                    }
                }
                for (row, out) in tile.iter().zip(sums.0.as_chunks_mut::<16>().0) {
                    let out = out.as_mut_ptr().cast::<__m256i>();
                    // SAFETY: `out` holds the two vectors; the stores need no alignment.
                    unsafe {
                        _mm256_storeu_si256(out, row[0]);
                        _mm256_storeu_si256(out.add(1), row[1]);
                    }
                }
            }
        };
    }

    /// `sum + values . weights`, two products a lane. Activations are below 256, so that their sign bit is never set.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn multiply_add(sum: __m256i, values: __m256i, weights: __m256i) -> __m256i {
        _mm256_add_epi32(sum, _mm256_madd_epi16(values, weights))
    }

    tile_256!(avx2, u16, i16, 2, "avx2", multiply_add);
    tile_256!(avx2_vnni, u8, i8, 4, "avx2,avxvnni", _mm256_dpbusd_avx_epi32);

    /// # Safety
    /// As [`Tile::tile`].
    #[target_feature(enable = "avx512f,avx512vnni")]
    unsafe fn avx512_vnni<const M: usize>(
        rows: *const u8,
        stride: usize,
        panel: *const i8,
        steps: usize,
        sums: &mut Sums<i32>,
    ) {
        let mut tile = [[_mm512_setzero_si512(); 2]; M];
        for step in 0..steps {
            // SAFETY: two vectors of the panel and four values of each row at this step, by the caller's promise; the
            // loads need no alignment.
            unsafe {
                let weights = panel.add(step * 128).cast::<__m512i>();
                let (left, right) = (_mm512_loadu_si512(weights), _mm512_loadu_si512(weights.add(1)));
                for (m, row) in tile.iter_mut().enumerate() {
                    let four = rows.add(m * stride + step * 4).cast::<i32>().read_unaligned();
                    let values = _mm512_set1_epi32(four);
                    row[0] = _mm512_dpbusd_epi32(row[0], values, left);
                    row[1] = _mm512_dpbusd_epi32(row[1], values, right);
                }
            }
        }
        for (row, out) in tile.iter().zip(sums.0.as_chunks_mut::<32>().0) {
            let out = out.as_mut_ptr().cast::<__m512i>();
            // SAFETY: `out` holds the two vectors; the stores need no alignment.
            unsafe {
                _mm512_storeu_si512(out, row[0]);
                _mm512_storeu_si512(out.add(1), row[1]);
            }
        }
    }
}
