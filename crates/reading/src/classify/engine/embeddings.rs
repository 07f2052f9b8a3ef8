//! [`Embeddings`]: token ids to the rows that the first layer reads. Between `batch` and the layers.

use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};
use safetensors::Dtype;
use vigie_kernels::LayerNorm;

use super::super::ModelError;
use super::config::EncoderConfig;
use super::names::Names;
use super::weights::Weights;

/// Word, position and type embeddings with their LayerNorm.
#[derive(Debug)]
pub(crate) struct Embeddings {
    words: Table,
    /// Row-major `[positions, dim]`; the row of token type 0 is added to each.
    positions: Vec<f32>,
    norm: LayerNorm,
    dim: usize,
}

/// The table of the vocabulary in its stored type, because it is the largest by far; rows become f32 on look-up.
#[derive(Debug)]
enum Table {
    F32(Vec<f32>),
    F16(Vec<f16>),
    Bf16(Vec<bf16>),
    /// One scale a row.
    Int8(Vec<i8>, Vec<f32>),
}

impl Embeddings {
    pub(crate) fn load(weights: &mut Weights, config: &EncoderConfig, names: &Names) -> Result<Self, ModelError> {
        let (dim, rows) = (config.dim, config.max_position_embeddings);
        let words = Table::load(weights, names.words, &[config.vocab_size, dim])?;
        let table = weights.take_values(names.positions, &[rows, dim])?;
        // The first positions of a RoBERTa are those of padding.
        let mut positions = table.get(config.first_position() * dim..).unwrap_or_default().to_vec();
        if let Some(types) = names.types {
            let types = weights.take_values(types, &[config.type_vocab_size, dim])?;
            for row in positions.chunks_exact_mut(dim) {
                row.iter_mut().zip(&types).for_each(|(value, other)| *value += other);
            }
        }
        Ok(Self { words, positions, norm: weights.take_norm(names.norm, config)?, dim })
    }

    /// Writes the row of each token of one text, in order; `out` is row-major `[tokens, dim]`.
    pub(crate) fn write(&self, ids: &[u32], out: &mut [f32]) {
        let positions = self.positions.chunks_exact(self.dim);
        for ((id, row), position) in ids.iter().zip(out.chunks_exact_mut(self.dim)).zip(positions) {
            self.words.copy_row(*id as usize, row);
            row.iter_mut().zip(position).for_each(|(value, position)| *value += position);
            self.norm.apply(row);
        }
    }
}

impl Table {
    fn load(weights: &mut Weights, name: &str, shape: &[usize]) -> Result<Self, ModelError> {
        if let Some((values, scales)) = weights.take_int8(name, shape)? {
            return Ok(Self::Int8(values, scales));
        }
        let tensor = weights.take_tensor(name, shape)?;
        Ok(match tensor.dtype() {
            Dtype::F16 => Self::F16(tensor.f16()),
            Dtype::BF16 => Self::Bf16(tensor.bf16()),
            _ => Self::F32(tensor.f32()),
        })
    }

    /// The tokenizer was checked against the vocabulary: a row that is not there keeps what `out` holds.
    fn copy_row(&self, row: usize, out: &mut [f32]) {
        let range = row * out.len()..(row + 1) * out.len();
        match self {
            Self::F32(values) => values.get(range).into_iter().for_each(|row| out.copy_from_slice(row)),
            Self::F16(values) => values.get(range).into_iter().for_each(|row| row.convert_to_f32_slice(out)),
            Self::Bf16(values) => values.get(range).into_iter().for_each(|row| row.convert_to_f32_slice(out)),
            Self::Int8(values, scales) => {
                let scale = scales.get(row).copied().unwrap_or_default();
                let row = values.get(range).unwrap_or_default();
                out.iter_mut().zip(row).for_each(|(out, value)| *out = scale * f32::from(*value));
            }
        }
    }
}
