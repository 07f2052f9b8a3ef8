//! What stands between the encoder's matrix products, each in one pass and in place: bias with activation, residual
//! with LayerNorm, softmax over the keys of a text. Candle's own are a pass and an allocation for every operator.

use candle_core::{CpuStorage, Error, InplaceOp1, InplaceOp2, Layout, Result};

use super::config::Activation;
use super::math;

/// Adds a bias to every row.
pub(super) struct AddBias<'a>(pub(super) &'a [f32]);

/// Adds a bias to every row, then applies the activation.
pub(super) struct BiasActivation<'a> {
    pub(super) bias: &'a [f32],
    pub(super) activation: Activation,
}

/// LayerNorm: each row to mean 0 and variance 1, then scaled and shifted.
#[derive(Debug)]
pub(super) struct LayerNorm {
    pub(super) gain: Vec<f32>,
    pub(super) shift: Vec<f32>,
}

/// LayerNorm of word embedding + position embedding; rows are position-major, `texts` rows a position.
pub(super) struct EmbedNorm<'a> {
    pub(super) positions: &'a [f32],
    pub(super) texts: usize,
    pub(super) norm: &'a LayerNorm,
}

/// LayerNorm of row + bias + residual; the residual is the second operand.
pub(super) struct ResidualNorm<'a> {
    pub(super) bias: &'a [f32],
    pub(super) norm: &'a LayerNorm,
}

/// Softmax over the last dimension of `[texts, heads, queries, keys]`; keys beyond a text's own length weigh nothing.
pub(super) struct KeySoftmax<'a> {
    pub(super) lengths: &'a [usize],
    /// Rows a text: heads x queries.
    pub(super) rows: usize,
    pub(super) keys: usize,
}

impl LayerNorm {
    /// DistilBERT's own, in every checkpoint.
    const EPSILON: f32 = 1e-12;

    fn apply(&self, row: &mut [f32]) {
        let count = row.len() as f32;
        let mean = math::sum(row) / count;
        let variance = math::squared_distances(row, mean) / count;
        let scale = 1.0 / (variance + Self::EPSILON).sqrt();
        for ((value, gain), shift) in row.iter_mut().zip(&self.gain).zip(&self.shift) {
            *value = (*value - mean) * scale * gain + shift;
        }
    }
}

impl InplaceOp1 for AddBias<'_> {
    fn name(&self) -> &'static str {
        "add-bias"
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> Result<()> {
        for row in values_mut(storage, layout)?.chunks_exact_mut(self.0.len()) {
            add(row, self.0);
        }
        Ok(())
    }
}

impl InplaceOp1 for BiasActivation<'_> {
    fn name(&self) -> &'static str {
        "bias-activation"
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> Result<()> {
        for row in values_mut(storage, layout)?.chunks_exact_mut(self.bias.len()) {
            match self.activation {
                Activation::Gelu => row.iter_mut().zip(self.bias).for_each(|(x, bias)| *x = math::gelu(*x + bias)),
                Activation::Relu => row.iter_mut().zip(self.bias).for_each(|(x, bias)| *x = (*x + bias).max(0.0)),
            }
        }
        Ok(())
    }
}

impl InplaceOp1 for EmbedNorm<'_> {
    fn name(&self) -> &'static str {
        "embed-norm"
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> Result<()> {
        let dim = self.norm.gain.len();
        let rows = values_mut(storage, layout)?.chunks_exact_mut(dim * self.texts);
        for (texts, position) in rows.zip(self.positions.chunks_exact(dim)) {
            for row in texts.chunks_exact_mut(dim) {
                add(row, position);
                self.norm.apply(row);
            }
        }
        Ok(())
    }
}

impl InplaceOp2 for ResidualNorm<'_> {
    fn name(&self) -> &'static str {
        "residual-norm"
    }

    fn cpu_fwd(
        &self,
        storage: &mut CpuStorage,
        layout: &Layout,
        other: &CpuStorage,
        other_layout: &Layout,
    ) -> Result<()> {
        let dim = self.bias.len();
        let residual = values(other, other_layout)?.chunks_exact(dim);
        for (row, residual) in values_mut(storage, layout)?.chunks_exact_mut(dim).zip(residual) {
            add(row, self.bias);
            add(row, residual);
            self.norm.apply(row);
        }
        Ok(())
    }
}

impl InplaceOp1 for KeySoftmax<'_> {
    fn name(&self) -> &'static str {
        "key-softmax"
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> Result<()> {
        let texts = values_mut(storage, layout)?.chunks_exact_mut(self.rows * self.keys);
        for (text, length) in texts.zip(self.lengths) {
            for row in text.chunks_exact_mut(self.keys) {
                let (keys, padding) = row.split_at_mut((*length).min(self.keys));
                softmax(keys);
                padding.fill(0.0);
            }
        }
        Ok(())
    }
}

fn add(row: &mut [f32], other: &[f32]) {
    for (value, other) in row.iter_mut().zip(other) {
        *value += other;
    }
}

fn softmax(row: &mut [f32]) {
    let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    for value in row.iter_mut() {
        *value = math::exp_of_negative(*value - largest);
    }
    let scale = 1.0 / math::sum(row);
    for value in row {
        *value *= scale;
    }
}

fn values<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    match (storage, layout.contiguous_offsets()) {
        (CpuStorage::F32(values), Some((start, end))) => Ok(values.get(start..end).unwrap_or_default()),
        _ => Err(Error::Msg("an operator of the encoder wants contiguous f32".to_owned())),
    }
}

fn values_mut<'a>(storage: &'a mut CpuStorage, layout: &Layout) -> Result<&'a mut [f32]> {
    match (storage, layout.contiguous_offsets()) {
        (CpuStorage::F32(values), Some((start, end))) => Ok(values.get_mut(start..end).unwrap_or_default()),
        _ => Err(Error::Msg("an operator of the encoder wants contiguous f32".to_owned())),
    }
}
