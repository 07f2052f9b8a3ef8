//! Attention of one head over one text, in f32: `softmax(Q K^T) V`. The queries were scaled when their weights were packed.

use std::ops::Range;

use crate::cpu::Isa;
use crate::linear::Output;
use crate::rows::exponentiate;
use crate::tile::{self, MOST_ROWS, Sums, Tile, next_rows};
#[cfg(target_arch = "x86_64")]
use crate::vector::{Avx2, Avx512};
use crate::vector::{Portable, Vector};

/// Buffers of one member.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    /// `K^T` in panels of keys.
    keys: Vec<f32>,
    /// `V` in panels of the head's columns.
    values: Vec<f32>,
    /// Rows of scores, each as long as the padded keys.
    scores: Vec<f32>,
}

/// One head over one text, and where its context goes.
#[derive(Debug)]
pub(crate) struct Head<'a> {
    /// Projections of all tokens, row-major, `stride` values a row.
    pub(crate) projected: &'a [f32],
    pub(crate) stride: usize,
    /// Column of the head's queries; its keys and values are `width` and `2 width` further on.
    pub(crate) column: usize,
    pub(crate) width: usize,
    /// Rows of the text.
    pub(crate) text: Range<usize>,
    /// How many of its first tokens ask; at most its length.
    pub(crate) queries: usize,
    /// The context goes to the rows of the text, in the columns from this one on.
    pub(crate) output: Output<'a>,
    pub(crate) output_column: usize,
}

/// Writes the context of the tokens that ask.
///
/// # Safety
/// Until the team's next barrier no other member touches these columns of these rows, and nobody writes the projections.
/// The processor has `isa`.
pub(crate) unsafe fn attend(isa: Isa, head: &Head<'_>, scratch: &mut Scratch) {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx2,fma")]
        unsafe fn avx2(head: &Head<'_>, scratch: &mut Scratch) {
            // SAFETY: the caller's promise is the same.
            unsafe { attend_with::<tile::f32::Avx2, Avx2>(head, scratch) }
        }
        #[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl")]
        unsafe fn avx512(head: &Head<'_>, scratch: &mut Scratch) {
            // SAFETY: the caller's promise is the same.
            unsafe { attend_with::<tile::f32::Avx512, Avx512>(head, scratch) }
        }
        // SAFETY: the caller's promise is the same.
        match isa {
            Isa::Portable => {}
            Isa::Avx2 | Isa::Avx2Vnni => return unsafe { avx2(head, scratch) },
            Isa::Avx512 | Isa::Avx512Vnni | Isa::Avx512Bf16 => return unsafe { avx512(head, scratch) },
        }
    }
    let _ = isa;
    // SAFETY: the caller's promise is the same.
    unsafe { attend_with::<tile::f32::Portable, Portable>(head, scratch) }
}

/// # Safety
/// As [`attend`]; the processor has the instructions of `T`.
#[inline(always)]
unsafe fn attend_with<T: Tile<Activation = f32, Weight = f32, Sum = f32>, V: Vector>(
    head: &Head<'_>,
    scratch: &mut Scratch,
) {
    let Head { text, queries, output, output_column, .. } = head;
    let (length, width) = (text.len(), head.width);
    if length == 0 {
        return;
    }
    let padded_keys = length.next_multiple_of(T::COLUMNS);
    let padded_width = width.next_multiple_of(T::COLUMNS);
    grow(&mut scratch.keys, padded_keys * width);
    grow(&mut scratch.values, padded_width * length);
    grow(&mut scratch.scores, MOST_ROWS * padded_keys);
    let (keys, values, scores) = (&mut scratch.keys[..], &mut scratch.values[..], &mut scratch.scores[..]);
    let row = |part: usize, index: usize| {
        let first = (text.start + index) * head.stride + head.column + part * width;
        &head.projected[first..first + width]
    };
    // SAFETY: the caller's promise.
    unsafe { pack_transposed::<V>(|index| row(1, index), length, width, T::COLUMNS, keys) };
    pack((0..length).map(|index| row(2, index)), length, T::COLUMNS, values);

    let mut sums = Sums::new();
    let mut inverses = [0.0_f32; MOST_ROWS];
    let mut first = 0;
    while first < *queries {
        let count = next_rows(queries - first, T::ROWS);
        let query = &head.projected[(text.start + first) * head.stride + head.column..];
        assert!((count - 1) * head.stride + width <= query.len(), "too few rows of queries");
        for panel in 0..padded_keys / T::COLUMNS {
            let panel_keys = &keys[panel * width * T::COLUMNS..(panel + 1) * width * T::COLUMNS];
            // SAFETY: the assertion above and this slice keep the tile within the queries and the panel.
            unsafe { tile::tile::<T>(count, query.as_ptr(), head.stride, panel_keys.as_ptr(), width, &mut sums) };
            for (scores, sums) in scores.chunks_exact_mut(padded_keys).zip(sums.0.chunks_exact(T::COLUMNS)).take(count)
            {
                scores[panel * T::COLUMNS..(panel + 1) * T::COLUMNS].copy_from_slice(sums);
            }
        }
        for (scores, inverse) in scores.chunks_exact_mut(padded_keys).zip(&mut inverses).take(count) {
            // SAFETY: the caller's promise; the padded keys are whole vectors.
            *inverse = unsafe { exponentiate::<V>(scores, length) };
        }
        for panel in 0..padded_width / T::COLUMNS {
            let panel_values = &values[panel * length * T::COLUMNS..(panel + 1) * length * T::COLUMNS];
            // SAFETY: there are `count` rows of scores, each at least `length` long; the slice is the panel.
            unsafe {
                tile::tile::<T>(count, scores.as_ptr(), padded_keys, panel_values.as_ptr(), length, &mut sums);
            }
            let from = panel * T::COLUMNS;
            let columns = T::COLUMNS.min(width - from);
            for (index, sums) in sums.0.chunks_exact(T::COLUMNS).take(count).enumerate() {
                let start = (text.start + first + index) * output.stride + output_column + from;
                // SAFETY: this head's columns of this text are this member's, by the caller's promise.
                let out = unsafe { output.values.slice_mut(start..start + columns) };
                for (out, sum) in out.iter_mut().zip(sums) {
                    *out = sum * inverses[index];
                }
            }
        }
        first += count;
    }
}

/// Makes sure that the buffer is long enough; what it holds is overwritten.
fn grow(buffer: &mut Vec<f32>, length: usize) {
    if buffer.len() < length {
        buffer.resize(length, 0.0);
    }
}

/// Panels of rows: `out[row / columns][place][row % columns]`. What pads the last panel may be anything finite: its scores
/// are not used.
///
/// # Safety
/// The processor has the instructions of `V`. There is a row, and each is `width` long; `out` holds the panels.
#[inline(always)]
unsafe fn pack_transposed<'a, V: Vector>(
    rows: impl Fn(usize) -> &'a [f32],
    count: usize,
    width: usize,
    columns: usize,
    out: &mut [f32],
) {
    let squares = width / V::LANES * V::LANES;
    assert!(count.next_multiple_of(columns) * width <= out.len(), "too little room for the keys");
    for first in (0..count).step_by(V::LANES) {
        let to = first / columns * width * columns + first % columns;
        // A square that reaches beyond the last row takes that row again.
        let mut starts = [std::ptr::null(); 16];
        for (lane, start) in starts.iter_mut().enumerate().take(V::LANES) {
            *start = rows((first + lane).min(count - 1)).as_ptr();
        }
        for place in (0..squares).step_by(V::LANES) {
            // SAFETY: the square is within the rows and, as panels are whole vectors wide, within its panel.
            unsafe {
                let starts = starts.map(|start| if start.is_null() { start } else { start.add(place) });
                V::transpose(&starts, out.as_mut_ptr().add(to + place * columns), columns);
            }
        }
        for lane in 0..V::LANES.min(count - first) {
            for (place, value) in rows(first + lane).iter().enumerate().skip(squares) {
                out[to + place * columns + lane] = *value;
            }
        }
    }
}

/// Panels of columns: `out[place / columns][row][place % columns]`.
#[inline(always)]
fn pack<'a>(rows: impl Iterator<Item = &'a [f32]>, count: usize, columns: usize, out: &mut [f32]) {
    for (index, row) in rows.enumerate() {
        for (panel, part) in row.chunks(columns).enumerate() {
            let start = (panel * count + index) * columns;
            out[start..start + part.len()].copy_from_slice(part);
        }
    }
}
