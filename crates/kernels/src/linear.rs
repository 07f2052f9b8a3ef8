//! [`Linear`]: one layer of weights, packed once, and its product with rows of activations. What follows a product (bias,
//! activation, residual) is computed while its sums are in the cache.

use std::ops::Range;

use crate::cpu::{Isa, Precision};
use crate::elementary::{gelu, gelu_coarse};
use crate::packed::{Columns, Packed};
use crate::rows::Quantized;
use crate::shared::SharedMut;
use crate::tile::{self, MOST_COLUMNS, Sums, Tile, next_rows};
#[cfg(target_arch = "x86_64")]
use crate::vector::{Avx2, Avx512};
use crate::vector::{Portable, Vector};

/// Nonlinearity between the two layers of the feed-forward block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// With the error function, as Hugging Face's "gelu".
    Gelu,
    Relu,
}

/// A layer as it is stored: row-major `[outputs, inputs]`.
#[derive(Debug, Clone)]
pub struct LinearWeights {
    pub weights: Vec<f32>,
    pub bias: Vec<f32>,
}

/// A packed layer.
#[derive(Debug)]
pub(crate) struct Linear {
    isa: Isa,
    packed: Packed,
    /// Padded to whole panels.
    bias: Vec<f32>,
    outputs: usize,
}

/// Rows of activations in the number format of a layer's product.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Input<'a> {
    F32 {
        values: &'a [f32],
        stride: usize,
    },
    Bf16 {
        values: &'a [u16],
        stride: usize,
    },
    Int8 {
        values: &'a [u8],
        stride: usize,
        quantized: &'a [Quantized],
    },
    #[cfg_attr(not(target_arch = "x86_64"), allow(dead_code, reason = "only AVX2 has a use for it"))]
    Int8Wide {
        values: &'a [u16],
        stride: usize,
        quantized: &'a [Quantized],
    },
}

/// What is done with the sums of a product and its bias.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Finish<'a> {
    Bias,
    Activate(Activation),
    /// Adds this row-major matrix, with the stride of the output.
    Add(&'a [f32]),
}

/// Where a product goes: row-major, `stride` values a row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output<'a> {
    pub(crate) values: SharedMut<'a, f32>,
    pub(crate) stride: usize,
}

impl Linear {
    /// # Panics
    /// When the processor does not have `isa`: everything that follows relies on it.
    pub(crate) fn pack(layer: &LinearWeights, precision: Precision, isa: Isa) -> Self {
        assert!(isa.is_available(), "this processor does not have {}", isa.name());
        let outputs = layer.bias.len();
        let packed = Packed::pack(&layer.weights, outputs, precision, isa);
        let mut bias = layer.bias.clone();
        bias.resize(outputs.next_multiple_of(packed.columns()), 0.0);
        Self { isa, packed, bias, outputs }
    }

    /// Panels of outputs: the pieces into which a team divides a product.
    pub(crate) fn panels(&self) -> usize {
        self.outputs.div_ceil(self.packed.columns())
    }

    /// Computes `count` rows of the outputs in `panels`.
    ///
    /// # Safety
    /// Until the team's next barrier no other member touches the columns of these panels in `output`, and nobody writes the
    /// input or what [`Finish`] borrows.
    ///
    /// # Panics
    /// When the input has fewer rows, or another number format than the layer.
    pub(crate) unsafe fn run(
        &self,
        input: Input<'_>,
        count: usize,
        panels: Range<usize>,
        finish: Finish<'_>,
        output: Output<'_>,
    ) {
        #[cfg(target_arch = "x86_64")]
        use crate::packed::Path;
        macro_rules! go {
            ($isa:ident, $tile:ty, $rows:expr, $stride:expr, $weights:expr, $to_real:expr) => {{
                let product =
                    Product::<$tile> { rows: $rows, stride: $stride, weights: $weights, steps: self.packed.steps() };
                product.check(count, panels.end);
                let job = Job { product, to_real: $to_real, bias: &self.bias, outputs: self.outputs, finish, output };
                // SAFETY: `pack` found that the processor has the path; the rest is this function's promise.
                unsafe { $isa(&job, count, panels) }
            }};
        }
        let weights = &self.packed;
        match (input, self.packed.path()) {
            (Input::F32 { values, stride }, path) => match path {
                #[cfg(target_arch = "x86_64")]
                Path::Avx2 => go!(avx2, tile::f32::Avx2, values, stride, weights.f32(), Real),
                #[cfg(target_arch = "x86_64")]
                Path::Avx512 => go!(avx512, tile::f32::Avx512, values, stride, weights.f32(), Real),
                _ => go!(portable, tile::f32::Portable, values, stride, weights.f32(), Real),
            },
            (Input::Bf16 { values, stride }, path) => match path {
                #[cfg(target_arch = "x86_64")]
                Path::Avx512 => go!(avx512, tile::bf16::Avx512, values, stride, weights.bf16(), Real),
                _ => go!(portable, tile::bf16::Portable, values, stride, weights.bf16(), Real),
            },
            (Input::Int8 { values, stride, quantized }, path) => {
                let (weights, columns) = weights.int8();
                let to_real = Scaled { rows: quantized, columns };
                match path {
                    #[cfg(target_arch = "x86_64")]
                    Path::Avx2Vnni => go!(avx2, tile::int8::Avx2Vnni, values, stride, weights, to_real),
                    #[cfg(target_arch = "x86_64")]
                    Path::Avx512 => go!(avx512, tile::int8::Avx512Vnni, values, stride, weights, to_real),
                    _ => go!(portable, tile::int8::Portable, values, stride, weights, to_real),
                }
            }
            #[cfg(target_arch = "x86_64")]
            (Input::Int8Wide { values, stride, quantized }, _) => {
                let (weights, columns) = weights.int8_wide();
                go!(avx2, tile::int8::Avx2, values, stride, weights, Scaled { rows: quantized, columns });
            }
            #[cfg(not(target_arch = "x86_64"))]
            (Input::Int8Wide { .. }, _) => unreachable!("only AVX2 has a use for it"),
        }
        debug_assert!(self.isa.is_available());
    }
}

/// Operands of a product.
struct Product<'a, T: Tile> {
    rows: &'a [T::Activation],
    stride: usize,
    weights: &'a [T::Weight],
    steps: usize,
}

struct Job<'a, T: Tile, R> {
    product: Product<'a, T>,
    to_real: R,
    bias: &'a [f32],
    outputs: usize,
    finish: Finish<'a>,
    output: Output<'a>,
}

impl<T: Tile> Product<'_, T> {
    /// Keeps a wrong shape from being unsound.
    fn check(&self, count: usize, panels: usize) {
        let depth = self.steps * T::STEP;
        assert!(count == 0 || (count - 1) * self.stride + depth <= self.rows.len(), "too few rows of activations");
        assert!(panels * depth * T::COLUMNS <= self.weights.len(), "too few panels of weights");
    }
}

/// From the sums of a tile to real numbers.
trait ToReal<S> {
    /// Whether the product is so coarse that what follows may be.
    const IS_COARSE: bool;

    /// Lanes from `column` of a row of the input.
    ///
    /// # Safety
    /// The processor has the instructions of `V`; the sums and the columns are there.
    unsafe fn to_real<V: Vector>(&self, row: usize, column: usize, sums: *const S) -> V;
}

/// The sums are real numbers.
struct Real;

/// The sums are integers: `row scale * column scale * (sum - zero point * sum of the column's weights)`.
struct Scaled<'a> {
    rows: &'a [Quantized],
    columns: &'a Columns,
}

impl ToReal<f32> for Real {
    const IS_COARSE: bool = false;

    #[inline(always)]
    unsafe fn to_real<V: Vector>(&self, _: usize, _: usize, sums: *const f32) -> V {
        // SAFETY: the caller's promise.
        unsafe { V::load(sums) }
    }
}

impl ToReal<i32> for Scaled<'_> {
    const IS_COARSE: bool = true;

    #[inline(always)]
    unsafe fn to_real<V: Vector>(&self, row: usize, column: usize, sums: *const i32) -> V {
        let Quantized { scale, zero } = self.rows[row];
        // SAFETY: the caller's promise; scales and sums are padded to whole panels.
        unsafe {
            let weights = V::load(self.columns.sums.as_ptr().add(column));
            let sum = weights.fused(V::splat(-zero), V::load_i32(sums));
            sum * (V::load(self.columns.scales.as_ptr().add(column)) * V::splat(scale))
        }
    }
}

/// # Safety
/// The processor has AVX2, FMA and the instructions of `T`; and as [`Linear::run`].
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn avx2<T: Tile, R: ToReal<T::Sum>>(job: &Job<'_, T, R>, count: usize, panels: Range<usize>) {
    // SAFETY: the caller's promise is the same.
    unsafe { multiply::<T, R, Avx2>(job, count, panels) }
}

/// # Safety
/// The processor has AVX-512 and the instructions of `T`; and as [`Linear::run`].
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl")]
unsafe fn avx512<T: Tile, R: ToReal<T::Sum>>(job: &Job<'_, T, R>, count: usize, panels: Range<usize>) {
    // SAFETY: the caller's promise is the same.
    unsafe { multiply::<T, R, Avx512>(job, count, panels) }
}

/// # Safety
/// As [`Linear::run`].
unsafe fn portable<T: Tile, R: ToReal<T::Sum>>(job: &Job<'_, T, R>, count: usize, panels: Range<usize>) {
    // SAFETY: the caller's promise is the same.
    unsafe { multiply::<T, R, Portable>(job, count, panels) }
}

/// # Safety
/// As [`avx2`], and the processor has the instructions of `V`.
#[inline(always)]
unsafe fn multiply<T: Tile, R: ToReal<T::Sum>, V: Vector>(job: &Job<'_, T, R>, count: usize, panels: Range<usize>) {
    let Product { rows, stride, weights, steps } = job.product;
    let mut sums = Sums::new();
    for panel in panels {
        let weights = &weights[panel * steps * T::STEP * T::COLUMNS..];
        let mut row = 0;
        while row < count {
            let tile_rows = next_rows(count - row, T::ROWS);
            let values = rows[row * stride..].as_ptr();
            // SAFETY: `Product::check` found that the rows and panels are there.
            unsafe {
                tile::tile::<T>(tile_rows, values, stride, weights.as_ptr(), steps, &mut sums);
                finish::<T, R, V>(job, row, tile_rows, panel * T::COLUMNS, &sums);
            }
            row += tile_rows;
        }
    }
}

/// Rows from `row` and columns from `first` of the output, out of the sums of a tile.
///
/// # Safety
/// As [`multiply`].
#[inline(always)]
unsafe fn finish<T: Tile, R: ToReal<T::Sum>, V: Vector>(
    job: &Job<'_, T, R>,
    row: usize,
    count: usize,
    first: usize,
    sums: &Sums<T::Sum>,
) {
    const { assert!(T::COLUMNS.is_multiple_of(V::LANES) && T::COLUMNS <= MOST_COLUMNS) };
    let width = T::COLUMNS.min(job.outputs - first);
    // SAFETY: biases, scales and sums are padded to whole panels, and the output's columns are this member's. The last panel
    // may be narrower than a tile: its row is made in a buffer then.
    unsafe {
        macro_rules! rows {
            (|$value:ident, $place:ident| $finished:expr) => {
                for index in 0..count {
                    let start = (row + index) * job.output.stride + first;
                    let out = job.output.values.slice_mut(start..start + width);
                    let mut buffer = [0.0_f32; MOST_COLUMNS];
                    let to = if width == T::COLUMNS { out.as_mut_ptr() } else { buffer.as_mut_ptr() };
                    for column in (0..T::COLUMNS).step_by(V::LANES) {
                        let sums = sums.0.as_ptr().add(index * T::COLUMNS + column);
                        let real: V = job.to_real.to_real(row + index, first + column, sums);
                        let $value = real + V::load(job.bias.as_ptr().add(first + column));
                        let $place = start + column;
                        $finished.store(to.add(column));
                    }
                    if width < T::COLUMNS {
                        out.copy_from_slice(&buffer[..width]);
                    }
                }
            };
        }
        match job.finish {
            Finish::Bias => rows!(|value, _place| value),
            Finish::Activate(Activation::Gelu) if R::IS_COARSE => rows!(|value, _place| gelu_coarse(value)),
            Finish::Activate(Activation::Gelu) => rows!(|value, _place| gelu(value)),
            Finish::Activate(Activation::Relu) => rows!(|value, _place| value.most(value.same(0.0))),
            Finish::Add(residual) if width == T::COLUMNS => {
                let end = (row + count - 1) * job.output.stride + first + width;
                assert!(end <= residual.len(), "too few rows to add");
                rows!(|value, place| value + V::load(residual.as_ptr().add(place)));
            }
            // A narrow panel: the vectors would reach beyond its rows.
            Finish::Add(residual) => {
                rows!(|value, _place| value);
                for index in 0..count {
                    let start = (row + index) * job.output.stride + first;
                    let out = job.output.values.slice_mut(start..start + width);
                    out.iter_mut().zip(&residual[start..start + width]).for_each(|(value, other)| *value += other);
                }
            }
        }
    }
}
