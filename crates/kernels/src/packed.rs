//! [`Packed`]: the weights of a layer in the order in which the tiles read them, and the path they are packed for.

use rayon::prelude::*;

use crate::cpu::{Isa, Precision};
use crate::tile::Tile;
use crate::tile::int8::MAX_WEIGHT;
use crate::tile::{bf16, f32, int8};
use crate::vector::round_to_bf16;

/// Which instructions the product uses. The number format comes with the weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Path {
    Portable,
    Avx2,
    Avx2Vnni,
    Avx512,
}

/// How activations and weights are stored for the products.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    F32,
    Bf16,
    Int8,
    /// 8-bit values in 16 bits.
    Int8Wide,
}

impl Format {
    pub(crate) fn choose(precision: Precision, isa: Isa) -> Self {
        match precision {
            Precision::F32 => Self::F32,
            Precision::Bf16 => Self::Bf16,
            Precision::Int8 if Path::choose(precision, isa) == Path::Avx2 => Self::Int8Wide,
            Precision::Int8 => Self::Int8,
        }
    }

    /// Values of the depth that a product takes together.
    pub(crate) fn step(self) -> usize {
        match self {
            Self::F32 => f32::Portable::STEP,
            Self::Bf16 | Self::Int8Wide => bf16::Portable::STEP,
            Self::Int8 => int8::Portable::STEP,
        }
    }
}

impl Path {
    fn choose(precision: Precision, isa: Isa) -> Self {
        match (precision, isa) {
            (_, Isa::Portable) => Self::Portable,
            (Precision::Bf16, Isa::Avx512Bf16) => Self::Avx512,
            (Precision::Bf16, _) => Self::Portable,
            (Precision::F32, Isa::Avx2 | Isa::Avx2Vnni) => Self::Avx2,
            (Precision::F32, _) => Self::Avx512,
            (Precision::Int8, Isa::Avx2Vnni) => Self::Avx2Vnni,
            (Precision::Int8, Isa::Avx512Vnni | Isa::Avx512Bf16) => Self::Avx512,
            (Precision::Int8, Isa::Avx2 | Isa::Avx512) => Self::Avx2,
        }
    }

    fn columns(self) -> usize {
        match self {
            Self::Portable => f32::Portable::COLUMNS,
            Self::Avx2 | Self::Avx2Vnni => 16,
            Self::Avx512 => 32,
        }
    }
}

#[derive(Debug)]
enum Weights {
    F32(Vec<f32>),
    Bf16(Vec<u16>),
    Int8(Vec<i8>, Columns),
    #[cfg_attr(not(target_arch = "x86_64"), allow(dead_code, reason = "only AVX2 has a use for it"))]
    Int8Wide(Vec<i16>, Columns),
}

/// What turns the sums of 8-bit products into real numbers, padded to whole panels.
#[derive(Debug)]
pub(crate) struct Columns {
    /// What a weight of 1 in this column stands for.
    pub(crate) scales: Vec<f32>,
    /// The sum of the column's weights, a whole number.
    pub(crate) sums: Vec<f32>,
}

/// Panels of columns, each `[steps, columns, values of a step]`.
#[derive(Debug)]
pub(crate) struct Packed {
    path: Path,
    steps: usize,
    weights: Weights,
}

impl Packed {
    /// Packs row-major weights `[outputs, inputs]`.
    pub(crate) fn pack(weights: &[f32], outputs: usize, precision: Precision, isa: Isa) -> Self {
        let path = Path::choose(precision, isa);
        let inputs = weights.len() / outputs.max(1);
        let columns: Vec<&[f32]> = weights.chunks_exact(inputs.max(1)).collect();
        let format = Format::choose(precision, isa);
        let (width, step) = (path.columns(), format.step());
        let weights = match format {
            Format::F32 => Weights::F32(panels(&columns, width, step, |_, value| value)),
            Format::Bf16 => Weights::Bf16(panels(&columns, width, step, |_, value| round_to_bf16(value))),
            Format::Int8 => {
                let (rounding, sums) = quantize(&columns, width);
                Weights::Int8(panels(&columns, width, step, |column, value| rounding(column, value) as i8), sums)
            }
            Format::Int8Wide => {
                let (rounding, sums) = quantize(&columns, width);
                Weights::Int8Wide(panels(&columns, width, step, |column, value| rounding(column, value) as i16), sums)
            }
        };
        Self { path, steps: inputs.div_ceil(step), weights }
    }

    pub(crate) fn path(&self) -> Path {
        self.path
    }

    /// Columns of a panel.
    pub(crate) fn columns(&self) -> usize {
        self.path.columns()
    }

    pub(crate) fn steps(&self) -> usize {
        self.steps
    }

    /// # Panics
    /// When the layer is in another number format; so do the next two.
    pub(crate) fn f32(&self) -> &[f32] {
        match &self.weights {
            Weights::F32(weights) => weights,
            _ => unreachable!("the activations are in f32, the layer is not"),
        }
    }

    pub(crate) fn bf16(&self) -> &[u16] {
        match &self.weights {
            Weights::Bf16(weights) => weights,
            _ => unreachable!("the activations are in bf16, the layer is not"),
        }
    }

    pub(crate) fn int8(&self) -> (&[i8], &Columns) {
        match &self.weights {
            Weights::Int8(weights, columns) => (weights, columns),
            _ => unreachable!("the activations are in int8, the layer is not"),
        }
    }

    #[cfg_attr(not(target_arch = "x86_64"), allow(dead_code, reason = "only AVX2 has a use for it"))]
    pub(crate) fn int8_wide(&self) -> (&[i16], &Columns) {
        match &self.weights {
            Weights::Int8Wide(weights, columns) => (weights, columns),
            _ => unreachable!("the activations are in wide int8, the layer is not"),
        }
    }
}

/// How to round a weight of a column, to a whole number within [`MAX_WEIGHT`], and what turns the sums back.
fn quantize(columns: &[&[f32]], width: usize) -> (impl Fn(usize, f32) -> f32, Columns) {
    /// 1.5 * 2^23: adding it leaves no bits for a fraction. `f32::round_ties_even` would call a library.
    const SHIFT: f32 = 12_582_912.0;
    let most = |column: &&[f32]| {
        column.iter().fold(0.0_f32, |most, value| if value.abs() > most { value.abs() } else { most })
    };
    let mut scales: Vec<f32> = columns.par_iter().map(|column| most(column) / f32::from(MAX_WEIGHT)).collect();
    let inverses: Vec<f32> = scales.iter().map(|scale| if *scale > 0.0 { 1.0 / scale } else { 0.0 }).collect();
    let round = move |column: usize, value: f32| (value * inverses[column] + SHIFT) - SHIFT;
    let sum = |(index, column): (usize, &&[f32])| column.iter().map(|value| round(index, *value)).sum();
    let mut sums: Vec<f32> = columns.par_iter().enumerate().map(sum).collect();
    let padded = columns.len().next_multiple_of(width);
    scales.resize(padded, 0.0);
    sums.resize(padded, 0.0);
    (round, Columns { scales, sums })
}

fn panels<T: Copy + Default + Send>(
    columns: &[&[f32]],
    width: usize,
    step: usize,
    convert: impl Fn(usize, f32) -> T + Sync,
) -> Vec<T> {
    let depth = columns.first().map_or(0, |column| column.len()).next_multiple_of(step);
    let mut out = vec![T::default(); columns.len().next_multiple_of(width) * depth];
    if depth == 0 {
        return out;
    }
    let panels = out.par_chunks_exact_mut(width * depth).zip(columns.par_chunks(width)).enumerate();
    panels.for_each(|(panel, (out, columns))| {
        for (index, column) in columns.iter().enumerate() {
            let blocks = out.chunks_exact_mut(width * step).zip(column.chunks(step));
            for (block, values) in blocks {
                let place = &mut block[index * step..][..values.len()];
                place.iter_mut().zip(values).for_each(|(place, value)| {
                    *place = convert(panel * width + index, *value);
                });
            }
        }
    });
    out
}
