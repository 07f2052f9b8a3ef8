//! The innermost loops: a small tile of a matrix product, once for each number format and instruction set.
//!
//! A tile multiplies up to `ROWS` rows of activations with one panel of `COLUMNS` packed columns over the whole depth, and
//! keeps its sums in registers. Activations are read row by row; a panel holds, for each step of the depth, the values of
//! all its columns one after another.

pub(crate) mod bf16;
pub(crate) mod f32;
pub(crate) mod int8;

/// Most rows and columns of a tile, over all paths.
pub(crate) const MOST_ROWS: usize = 14;
pub(crate) const MOST_COLUMNS: usize = 32;

/// Sums of a tile, row by row: `sums[row * columns + column]`, where `columns` is the path's.
#[repr(C, align(64))]
pub(crate) struct Sums<S>(pub(crate) [S; MOST_ROWS * MOST_COLUMNS]);

/// One path: a number format on an instruction set.
pub(crate) trait Tile {
    /// One value of the activations.
    type Activation: Copy;
    /// One value of the packed weights.
    type Weight: Copy + Default;
    type Sum: Copy + Default;
    /// Most rows of a tile.
    const ROWS: usize;
    /// Columns of a panel.
    const COLUMNS: usize;
    /// Values of the depth that one instruction takes together; rows and panels are padded to a multiple of it.
    const STEP: usize;

    /// Writes `M` rows of [`Sums`] for `steps` steps.
    ///
    /// # Safety
    /// - The processor has the instructions of this path.
    /// - `M` is 1 to [`Tile::ROWS`].
    /// - `rows + m * stride` can be read for `steps * STEP` values, for each `m` below `M`.
    /// - `panel` can be read for `steps * STEP * COLUMNS` values.
    unsafe fn tile<const M: usize>(
        rows: *const Self::Activation,
        stride: usize,
        panel: *const Self::Weight,
        steps: usize,
        sums: &mut Sums<Self::Sum>,
    );
}

/// Declares a path: `name, activation, weight => sum, rows x columns x step, function`.
macro_rules! declare_tile {
    (
        $(#[$doc:meta])*
        $name:ident, $activation:ty, $weight:ty => $sum:ty, $rows:literal x $columns:literal x $step:literal, $tile:ident
    ) => {
        $(#[$doc])*
        pub(crate) struct $name;

        impl Tile for $name {
            type Activation = $activation;
            type Weight = $weight;
            type Sum = $sum;
            const ROWS: usize = $rows;
            const COLUMNS: usize = $columns;
            const STEP: usize = $step;

            #[inline(always)]
            unsafe fn tile<const M: usize>(
                rows: *const $activation,
                stride: usize,
                panel: *const $weight,
                steps: usize,
                sums: &mut Sums<$sum>,
            ) {
                // SAFETY: the caller's promise is the same.
                unsafe { $tile::<M>(rows, stride, panel, steps, sums) }
            }
        }
    };
}
use declare_tile;

/// [`Tile::tile`] for a number of rows known at run time.
///
/// # Safety
/// As [`Tile::tile`], with `count` for `M`.
#[inline(always)]
pub(crate) unsafe fn tile<T: Tile>(
    count: usize,
    rows: *const T::Activation,
    stride: usize,
    panel: *const T::Weight,
    steps: usize,
    sums: &mut Sums<T::Sum>,
) {
    macro_rules! choose {
        ($($rows:literal)*) => {
            match count {
                // SAFETY: the caller's promise; a count above `ROWS` would break it, so those arms are not compiled in.
                $($rows if $rows <= T::ROWS => unsafe { T::tile::<$rows>(rows, stride, panel, steps, sums) },)*
                _ => debug_assert!(false, "{count} rows in a tile of {}", T::ROWS),
            }
        };
    }
    choose!(1 2 3 4 5 6 7 8 9 10 11 12 13 14);
}

/// Rows of the next tile when `left` rows are left: as even as possible, because a tile of few rows is slow.
#[inline(always)]
pub(crate) fn next_rows(left: usize, most: usize) -> usize {
    left.div_ceil(left.div_ceil(most).max(1))
}

impl<S: Copy + Default> Sums<S> {
    pub(crate) fn new() -> Self {
        Self([S::default(); MOST_ROWS * MOST_COLUMNS])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_shared_out_evenly() {
        let mut left = 27;
        let mut tiles = Vec::new();
        while left > 0 {
            let rows = next_rows(left, 14);
            tiles.push(rows);
            left -= rows;
        }
        assert_eq!(tiles, [14, 13]);
        assert_eq!((next_rows(15, 14), next_rows(6, 6), next_rows(13, 6)), (8, 6, 5));
    }
}
