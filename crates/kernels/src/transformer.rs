//! [`Transformer`]: the layers of a BERT-like encoder over packed sequences: the tokens of all texts, one after another,
//! without padding. What a token becomes does not depend on the other texts, on the number of threads or on their order.

mod buffers;
mod run;

pub use buffers::{Text, Workspace};
pub use run::{Plan, Visit};

use crate::cpu::{Isa, Precision};
use crate::linear::{Activation, Linear, LinearWeights};
use crate::rows::LayerNorm;

/// Dimensions that all layers share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dimensions {
    /// Values a token.
    pub dim: usize,
    /// Attention heads; divides `dim`.
    pub heads: usize,
    /// Values a token between the two layers of the feed-forward block.
    pub hidden: usize,
    pub activation: Activation,
}

/// One layer as it is stored.
#[derive(Debug)]
pub struct LayerWeights {
    /// Queries, keys and values of each head one after another: `[heads, 3, dim / heads]` outputs. The queries are already
    /// divided by the root of `dim / heads`.
    pub qkv: LinearWeights,
    pub out: LinearWeights,
    pub attention_norm: LayerNorm,
    pub up: LinearWeights,
    pub down: LinearWeights,
    pub output_norm: LayerNorm,
}

#[derive(Debug)]
struct Layer {
    qkv: Linear,
    out: Linear,
    attention_norm: LayerNorm,
    up: Linear,
    down: Linear,
    output_norm: LayerNorm,
}

/// The layers, packed for one precision on one instruction set.
#[derive(Debug)]
pub struct Transformer {
    dimensions: Dimensions,
    precision: Precision,
    isa: Isa,
    layers: Vec<Layer>,
}

impl Transformer {
    /// Without layers yet: [`Transformer::push`] adds them one by one, so that only one has to be in memory unpacked.
    ///
    /// # Panics
    /// When the processor does not have `isa`.
    pub fn new(dimensions: Dimensions, precision: Precision, isa: Isa) -> Self {
        assert!(isa.is_available(), "this processor does not have {}", isa.name());
        Self { dimensions, precision, isa, layers: Vec::new() }
    }

    /// Adds the next layer.
    ///
    /// # Panics
    /// When its shapes are not those of the dimensions.
    pub fn push(&mut self, layer: &LayerWeights) {
        let Dimensions { dim, hidden, .. } = self.dimensions;
        for (weights, inputs, outputs) in
            [(&layer.qkv, dim, 3 * dim), (&layer.out, dim, dim), (&layer.up, dim, hidden), (&layer.down, hidden, dim)]
        {
            assert!(weights.bias.len() == outputs && weights.weights.len() == inputs * outputs, "shape of a layer");
        }
        for norm in [&layer.attention_norm, &layer.output_norm] {
            assert!(norm.weight.len() == dim && norm.bias.len() == dim, "shape of a LayerNorm");
        }
        let pack = |weights| Linear::pack(weights, self.precision, self.isa);
        self.layers.push(Layer {
            qkv: pack(&layer.qkv),
            out: pack(&layer.out),
            attention_norm: layer.attention_norm.clone(),
            up: pack(&layer.up),
            down: pack(&layer.down),
            output_norm: layer.output_norm.clone(),
        });
    }

    /// Number of layers.
    pub fn depth(&self) -> usize {
        self.layers.len()
    }

    pub fn precision(&self) -> Precision {
        self.precision
    }

    pub fn isa(&self) -> Isa {
        self.isa
    }
}

#[cfg(test)]
mod tests;
