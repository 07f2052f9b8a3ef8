//! The operators between the encoder's matrix products, each in one pass and in place: bias with activation, residual with
//! LayerNorm, softmax over the keys of a text. Candle's operators would take a pass and an allocation each.

use candle_core::{CpuStorage, Error, InplaceOp1, InplaceOp2, Layout, Result};
use vigie_kernels::{LayerNorm, add_assign, gelu, softmax};

use super::config::Activation;

/// Adds a bias to every row.
pub(crate) struct AddBias<'a>(pub(crate) &'a [f32]);

/// Adds a bias to every row, then applies the activation.
pub(crate) struct BiasActivation<'a> {
    pub(crate) bias: &'a [f32],
    pub(crate) activation: Activation,
}

/// LayerNorm of word embedding + position embedding; rows are position-major, `texts` rows per position.
pub(crate) struct EmbedNorm<'a> {
    pub(crate) positions: &'a [f32],
    pub(crate) texts: usize,
    pub(crate) norm: &'a LayerNorm,
}

/// LayerNorm of row + bias + residual; the residual is the second operand.
pub(crate) struct ResidualNorm<'a> {
    pub(crate) bias: &'a [f32],
    pub(crate) norm: &'a LayerNorm,
}

/// Softmax over the last dimension of `[texts, heads, queries, keys]`; keys beyond the text's length get weight 0.
pub(crate) struct KeySoftmax<'a> {
    pub(crate) lengths: &'a [usize],
    /// Rows per text: heads x queries.
    pub(crate) rows: usize,
    pub(crate) keys: usize,
}

impl InplaceOp1 for AddBias<'_> {
    fn name(&self) -> &'static str {
        "add-bias"
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> Result<()> {
        for row in values_mut(storage, layout)?.chunks_exact_mut(self.0.len()) {
            add_assign(row, self.0);
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
                Activation::Gelu => row.iter_mut().zip(self.bias).for_each(|(x, bias)| *x = gelu(*x + bias)),
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
        let dim = self.norm.weight.len();
        let rows = values_mut(storage, layout)?.chunks_exact_mut(dim * self.texts);
        for (texts, position) in rows.zip(self.positions.chunks_exact(dim)) {
            for row in texts.chunks_exact_mut(dim) {
                add_assign(row, position);
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
            add_assign(row, self.bias);
            add_assign(row, residual);
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

fn values<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    match (storage, layout.contiguous_offsets()) {
        (CpuStorage::F32(values), Some((start, end))) => Ok(values.get(start..end).unwrap_or_default()),
        _ => Err(Error::Msg("an operator of the encoder needs contiguous f32".to_owned())),
    }
}

fn values_mut<'a>(storage: &'a mut CpuStorage, layout: &Layout) -> Result<&'a mut [f32]> {
    match (storage, layout.contiguous_offsets()) {
        (CpuStorage::F32(values), Some((start, end))) => Ok(values.get_mut(start..end).unwrap_or_default()),
        _ => Err(Error::Msg("an operator of the encoder needs contiguous f32".to_owned())),
    }
}
