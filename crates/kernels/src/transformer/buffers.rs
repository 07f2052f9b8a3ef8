//! [`Workspace`]: the buffers of one batch. They grow to the largest batch and are used again: nothing is allocated after.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::Transformer;
use crate::attention::Scratch;
use crate::cpu::Isa;
use crate::linear::{Input, Output};
use crate::packed::Format;
use crate::rows::{Quantized, to_bf16, to_int8, to_int8_wide};
use crate::shared::SharedMut;

/// Rows of the feed-forward block that are computed together: what they hold stays in the cache, and so do the weights.
pub(super) const BLOCK: usize = 56;
/// Room between the rows of the inner activations. Without it rows of 1,536 values would share two sets of the cache.
const GAP: usize = 16;

/// One text of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// Its place among the texts of the call.
    pub index: usize,
    /// Its rows.
    pub tokens: Range<usize>,
    /// Set by a visitor: the layers that follow leave it out.
    pub done: bool,
}

/// Buffers for batches of any size.
#[derive(Debug, Default)]
pub struct Workspace {
    hidden: Vec<f32>,
    projected: Vec<f32>,
    context: Vec<f32>,
    attended: Vec<f32>,
    inner: Vec<f32>,
    encoded: EncodedRows,
    inner_encoded: EncodedRows,
    scratch: Vec<Scratch>,
    texts: Vec<Text>,
}

/// Rows in the number format of the products; unused in f32.
#[derive(Debug, Default)]
struct EncodedRows {
    bytes: Vec<u8>,
    words: Vec<u16>,
    quantized: Vec<Quantized>,
}

/// The buffers while a team runs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Buffers<'a> {
    pub(super) hidden: Matrix<'a>,
    pub(super) projected: Matrix<'a>,
    pub(super) context: Matrix<'a>,
    pub(super) attended: Matrix<'a>,
    pub(super) inner: Matrix<'a>,
    pub(super) encoded: Encoded<'a>,
    pub(super) inner_encoded: Encoded<'a>,
    pub(super) scratch: SharedMut<'a, Scratch>,
    pub(super) texts: SharedMut<'a, Text>,
    /// Texts that are not done; the first member changes it between barriers.
    pub(super) live: &'a AtomicUsize,
}

/// A row-major matrix.
#[derive(Debug, Clone, Copy)]
pub(super) struct Matrix<'a> {
    pub(super) values: SharedMut<'a, f32>,
    /// Values of a row, and from one row to the next.
    pub(super) width: usize,
    pub(super) stride: usize,
}

/// Rows of a matrix in the number format of the products.
#[derive(Debug, Clone, Copy)]
pub(super) struct Encoded<'a> {
    format: Format,
    bytes: SharedMut<'a, u8>,
    words: SharedMut<'a, u16>,
    quantized: SharedMut<'a, Quantized>,
    stride: usize,
}

impl Workspace {
    pub fn new() -> Self {
        Self::default()
    }

    /// Prepares a batch of texts with these numbers of tokens and returns its rows, `[tokens, dim]`, for the embeddings.
    pub fn start(&mut self, lengths: impl IntoIterator<Item = (usize, usize)>, dim: usize) -> &mut [f32] {
        self.texts.clear();
        let mut tokens = 0;
        for (index, length) in lengths {
            self.texts.push(Text { index, tokens: tokens..tokens + length, done: false });
            tokens += length;
        }
        grow(&mut self.hidden, tokens * dim, 0.0);
        &mut self.hidden[..tokens * dim]
    }

    pub(super) fn buffers<'a>(
        &'a mut self,
        transformer: &Transformer,
        members: usize,
        live: &'a AtomicUsize,
    ) -> Buffers<'a> {
        let (dim, inner) = (transformer.dimensions.dim, transformer.dimensions.hidden);
        let format = Format::choose(transformer.precision, transformer.isa);
        let tokens = self.texts.last().map_or(0, |text| text.tokens.end);
        live.store(self.texts.len(), Ordering::Relaxed);
        if self.scratch.len() < members {
            self.scratch.resize_with(members, Scratch::default);
        }
        Buffers {
            hidden: matrix(&mut self.hidden, tokens, dim, 0),
            projected: matrix(&mut self.projected, tokens, 3 * dim, 0),
            context: matrix(&mut self.context, tokens, dim, 0),
            attended: matrix(&mut self.attended, tokens, dim, 0),
            inner: matrix(&mut self.inner, tokens.min(BLOCK), inner, GAP),
            encoded: self.encoded.prepare(format, tokens, dim),
            inner_encoded: self.inner_encoded.prepare(format, tokens.min(BLOCK), inner),
            scratch: SharedMut::new(&mut self.scratch),
            texts: SharedMut::new(&mut self.texts),
            live,
        }
    }
}

impl EncodedRows {
    fn prepare(&mut self, format: Format, rows: usize, width: usize) -> Encoded<'_> {
        let stride = width.next_multiple_of(format.step());
        match format {
            Format::F32 => {}
            Format::Bf16 | Format::Int8Wide => grow(&mut self.words, rows * stride, 0),
            Format::Int8 => grow(&mut self.bytes, rows * stride, 0),
        }
        grow(&mut self.quantized, rows, Quantized::default());
        Encoded {
            format,
            bytes: SharedMut::new(&mut self.bytes),
            words: SharedMut::new(&mut self.words),
            quantized: SharedMut::new(&mut self.quantized),
            stride,
        }
    }
}

impl<'a> Matrix<'a> {
    /// # Safety
    /// Until the team's next barrier nobody writes the matrix.
    pub(super) unsafe fn read(&self, rows: usize) -> &'a [f32] {
        // SAFETY: the caller's promise.
        unsafe { self.values.slice(0..rows * self.stride) }
    }

    /// # Safety
    /// Until the team's next barrier no other member touches this row, and the caller holds no other slice of it.
    pub(super) unsafe fn row_mut(&self, row: usize) -> &'a mut [f32] {
        // SAFETY: the caller's promise.
        unsafe { self.values.slice_mut(row * self.stride..row * self.stride + self.width) }
    }

    pub(super) fn output(&self) -> Output<'a> {
        Output { values: self.values, stride: self.stride }
    }

    /// The matrix from `row` on.
    pub(super) fn output_from(&self, row: usize) -> Output<'a> {
        Output { values: self.values.skip(row * self.stride), stride: self.stride }
    }
}

impl<'a> Encoded<'a> {
    /// Converts a row; does nothing in f32.
    ///
    /// # Safety
    /// Until the team's next barrier no other member touches this row.
    pub(super) unsafe fn write(&self, isa: Isa, row: usize, values: &[f32]) {
        let range = row * self.stride..(row + 1) * self.stride;
        // SAFETY: the caller's promise, for each slice below.
        unsafe {
            let quantized = || &mut self.quantized.slice_mut(row..row + 1)[0];
            match self.format {
                Format::F32 => {}
                Format::Bf16 => to_bf16(isa, values, self.words.slice_mut(range)),
                Format::Int8 => to_int8(isa, values, self.bytes.slice_mut(range), quantized()),
                Format::Int8Wide => to_int8_wide(isa, values, self.words.slice_mut(range), quantized()),
            }
        }
    }

    /// Rows from `first`, as the input of a product; in f32 they are those of `matrix`.
    ///
    /// # Safety
    /// Until the team's next barrier nobody writes these rows, nor the matrix.
    pub(super) unsafe fn input(&self, matrix: &Matrix<'a>, first: usize, count: usize) -> Input<'a> {
        let range = first * self.stride..(first + count) * self.stride;
        // SAFETY: the caller's promise.
        unsafe {
            let (stride, quantized) = (self.stride, self.quantized.slice(first..first + count));
            match self.format {
                Format::F32 => Input::F32 {
                    values: matrix.values.slice(first * matrix.stride..(first + count) * matrix.stride),
                    stride: matrix.stride,
                },
                Format::Bf16 => Input::Bf16 { values: self.words.slice(range), stride },
                Format::Int8 => Input::Int8 { values: self.bytes.slice(range), stride, quantized },
                Format::Int8Wide => Input::Int8Wide { values: self.words.slice(range), stride, quantized },
            }
        }
    }
}

fn matrix(buffer: &mut Vec<f32>, rows: usize, width: usize, gap: usize) -> Matrix<'_> {
    grow(buffer, rows * (width + gap), 0.0);
    Matrix { values: SharedMut::new(buffer), width, stride: width + gap }
}

fn grow<T: Clone>(buffer: &mut Vec<T>, length: usize, value: T) {
    if buffer.len() < length {
        buffer.resize(length, value);
    }
}
