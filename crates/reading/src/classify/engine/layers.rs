//! Loads the layers of a checkpoint into a [`Transformer`], one at a time, so that only one is in memory unpacked.

use vigie_kernels::{Dimensions, Isa, LayerWeights, LinearWeights, Precision, Transformer};

use super::super::ModelError;
use super::config::EncoderConfig;
use super::names::Names;
use super::weights::Weights;

/// Packs every layer for `precision` on the best instructions of this processor.
pub(crate) fn load(
    weights: &mut Weights,
    config: &EncoderConfig,
    names: &Names,
    precision: Precision,
) -> Result<Transformer, ModelError> {
    let dimensions = Dimensions {
        dim: config.dim,
        heads: config.n_heads,
        hidden: config.hidden_dim,
        activation: config.activation.into(),
    };
    let mut transformer = Transformer::new(dimensions, precision, Isa::best());
    for index in 0..config.n_layers {
        transformer.push(&load_layer(weights, config, names, index)?);
    }
    Ok(transformer)
}

fn load_layer(
    weights: &mut Weights,
    config: &EncoderConfig,
    names: &Names,
    index: usize,
) -> Result<LayerWeights, ModelError> {
    let (dim, hidden) = (config.dim, config.hidden_dim);
    let name = |part: &str| names.of_layer(index, part);
    Ok(LayerWeights {
        qkv: load_qkv(weights, config, &[name(names.query), name(names.key), name(names.value)])?,
        out: load_linear(weights, &name(names.out), dim, dim)?,
        attention_norm: weights.take_norm(&name(names.attention_norm), config)?,
        up: load_linear(weights, &name(names.up), hidden, dim)?,
        down: load_linear(weights, &name(names.down), dim, hidden)?,
        output_norm: weights.take_norm(&name(names.output_norm), config)?,
    })
}

fn load_linear(weights: &mut Weights, name: &str, outputs: usize, inputs: usize) -> Result<LinearWeights, ModelError> {
    Ok(LinearWeights {
        weights: weights.take_values(&format!("{name}.weight"), &[outputs, inputs])?,
        bias: weights.take_values(&format!("{name}.bias"), &[outputs])?,
    })
}

/// One projection to queries, keys and values, its outputs sorted by head.
fn load_qkv(weights: &mut Weights, config: &EncoderConfig, names: &[String; 3]) -> Result<LinearWeights, ModelError> {
    let (dim, width) = (config.dim, config.head_dim());
    let mut joined = LinearWeights { weights: vec![0.0; 3 * dim * dim], bias: vec![0.0; 3 * dim] };
    let scales = [1.0 / (width as f32).sqrt(), 1.0, 1.0];
    for (part, (name, scale)) in names.iter().zip(scales).enumerate() {
        let linear = load_linear(weights, name, dim, dim)?;
        let rows = linear.weights.chunks_exact(width * dim).zip(linear.bias.chunks_exact(width));
        for (head, (rows, bias)) in rows.enumerate() {
            let first = (3 * head + part) * width;
            copy_scaled(rows, scale, &mut joined.weights[first * dim..(first + width) * dim]);
            copy_scaled(bias, scale, &mut joined.bias[first..first + width]);
        }
    }
    Ok(joined)
}

fn copy_scaled(values: &[f32], scale: f32, out: &mut [f32]) {
    out.iter_mut().zip(values).for_each(|(out, value)| *out = value * scale);
}
