//! [`DistilBert`]: the encoder's forward pass on the CPU, in f32. Between `batch` and `pool`.
//!
//! Vectors are kept position-major, `[positions, texts, dim]`, and queries, keys and values of one head side by side:
//! then every product of the attention reads its operands where they lie, and only the context is moved once.

use candle_core::{D, DType, Device, Result, Tensor};

use super::super::ModelError;
use super::batch::Batch;
use super::config::{Activation, EncoderConfig};
use vigie_kernels::LayerNorm;

use super::ops::{AddBias, BiasActivation, EmbedNorm, KeySoftmax, ResidualNorm};
use super::weights::Weights;

/// A DistilBERT encoder (Sanh et al. 2019), ready to run.
#[derive(Debug)]
pub(crate) struct DistilBert {
    /// `[vocabulary, dim]` in the type it was stored in, the largest table by far; widened as rows are looked up.
    words: Tensor,
    /// Row-major `[max_position_embeddings, dim]`.
    positions: Vec<f32>,
    norm: LayerNorm,
    layers: Vec<Layer>,
    heads: usize,
    dim: usize,
}

#[derive(Debug)]
struct Layer {
    /// To `[heads, (query, key, value), head_dim]`, the queries already divided by the root of `head_dim`.
    qkv: Linear,
    out: Linear,
    attention_norm: LayerNorm,
    up: Linear,
    activation: Activation,
    down: Linear,
    output_norm: LayerNorm,
}

#[derive(Debug)]
struct Linear {
    /// `[inputs, outputs]`
    weight: Tensor,
    bias: Vec<f32>,
}

impl DistilBert {
    pub(crate) fn take(weights: &mut Weights, config: &EncoderConfig) -> std::result::Result<Self, ModelError> {
        let (dim, positions) = (config.dim, config.max_position_embeddings);
        Ok(Self {
            words: weights.take("embeddings.word_embeddings.weight", &[config.vocab_size, dim])?,
            positions: weights.take_values("embeddings.position_embeddings.weight", &[positions, dim])?,
            norm: take_norm(weights, "embeddings.LayerNorm", dim)?,
            layers: (0..config.n_layers)
                .map(|index| Layer::take(weights, config, index))
                .collect::<std::result::Result<_, _>>()?,
            heads: config.n_heads,
            dim,
        })
    }

    pub(crate) fn dim(&self) -> usize {
        self.dim
    }

    /// How many layers follow the embeddings.
    pub(crate) fn depth(&self) -> usize {
        self.layers.len()
    }

    /// The vectors that leave each of the layers `kept` (ascending; 0 stands for the embeddings), each row-major
    /// `[positions, texts, dim]`.
    pub(crate) fn forward(&self, batch: &Batch, kept: &[usize]) -> Result<Vec<Vec<f32>>> {
        let texts = batch.lengths.len();
        let ids = Tensor::from_slice(&batch.ids, batch.ids.len(), &Device::Cpu)?;
        let mut hidden = self.words.index_select(&ids, 0)?.to_dtype(DType::F32)?;
        hidden.inplace_op1(&EmbedNorm { positions: &self.positions, texts, norm: &self.norm })?;
        let mut vectors = Vec::with_capacity(kept.len());
        for depth in 0..=self.layers.len() {
            if let Some(layer) = depth.checked_sub(1).and_then(|index| self.layers.get(index)) {
                hidden = self.layer(layer, &hidden, batch)?;
            }
            if kept.contains(&depth) {
                vectors.push(hidden.flatten_all()?.to_vec1()?);
            }
        }
        Ok(vectors)
    }

    fn layer(&self, layer: &Layer, hidden: &Tensor, batch: &Batch) -> Result<Tensor> {
        let context = self.attend(&layer.qkv, hidden, batch)?;
        let attended = layer.out.product(&context)?;
        attended.inplace_op2(hidden, &ResidualNorm { bias: &layer.out.bias, norm: &layer.attention_norm })?;
        layer.feed_forward(&attended)
    }

    /// `softmax(Q K^T / sqrt(head_dim)) V` for every text and head, back in the layout of `hidden`.
    fn attend(&self, qkv: &Linear, hidden: &Tensor, batch: &Batch) -> Result<Tensor> {
        let (texts, length) = (batch.lengths.len(), batch.length);
        let projected = qkv.product(hidden)?;
        projected.inplace_op1(&AddBias(&qkv.bias))?;
        let projected = projected.reshape((length, texts * self.heads, 3, self.dim / self.heads))?;
        let part = |index: usize| projected.narrow(2, index, 1)?.squeeze(2)?.transpose(0, 1);
        let scores = part(0)?.matmul(&part(1)?.transpose(D::Minus1, D::Minus2)?)?;
        scores.inplace_op1(&KeySoftmax { lengths: &batch.lengths, rows: self.heads * length, keys: length })?;
        let context = scores.matmul(&part(2)?)?;
        context.transpose(0, 1)?.reshape((length * texts, self.dim))
    }
}

impl Layer {
    fn take(weights: &mut Weights, config: &EncoderConfig, index: usize) -> std::result::Result<Self, ModelError> {
        let (dim, hidden) = (config.dim, config.hidden_dim);
        let name = |part: &str| format!("transformer.layer.{index}.{part}");
        Ok(Self {
            qkv: take_qkv(weights, &name("attention"), config)?,
            out: Linear::take(weights, &name("attention.out_lin"), dim, dim)?,
            attention_norm: take_norm(weights, &name("sa_layer_norm"), dim)?,
            up: Linear::take(weights, &name("ffn.lin1"), hidden, dim)?,
            activation: config.activation,
            down: Linear::take(weights, &name("ffn.lin2"), dim, hidden)?,
            output_norm: take_norm(weights, &name("output_layer_norm"), dim)?,
        })
    }

    fn feed_forward(&self, attended: &Tensor) -> Result<Tensor> {
        let inner = self.up.product(attended)?;
        inner.inplace_op1(&BiasActivation { bias: &self.up.bias, activation: self.activation })?;
        let output = self.down.product(&inner)?;
        output.inplace_op2(attended, &ResidualNorm { bias: &self.down.bias, norm: &self.output_norm })?;
        Ok(output)
    }
}

impl Linear {
    fn take(weights: &mut Weights, name: &str, outputs: usize, inputs: usize) -> std::result::Result<Self, ModelError> {
        let weight = weights.take(&format!("{name}.weight"), &[outputs, inputs])?.to_dtype(DType::F32)?;
        Ok(Self { weight: weight.t()?, bias: weights.take_values(&format!("{name}.bias"), &[outputs])? })
    }

    /// Without the bias, which the operator that follows adds.
    fn product(&self, rows: &Tensor) -> Result<Tensor> {
        rows.matmul(&self.weight)
    }
}

fn take_norm(weights: &mut Weights, name: &str, dim: usize) -> std::result::Result<LayerNorm, ModelError> {
    Ok(LayerNorm {
        gain: weights.take_values(&format!("{name}.weight"), &[dim])?,
        shift: weights.take_values(&format!("{name}.bias"), &[dim])?,
    })
}

/// One projection to queries, keys and values, its rows sorted by head.
fn take_qkv(weights: &mut Weights, name: &str, config: &EncoderConfig) -> std::result::Result<Linear, ModelError> {
    let (dim, heads, head_dim) = (config.dim, config.n_heads, config.head_dim());
    let (mut rows, mut biases) = (Vec::with_capacity(3), Vec::with_capacity(3));
    for (part, scale) in [("q_lin", 1.0 / (head_dim as f64).sqrt()), ("k_lin", 1.0), ("v_lin", 1.0)] {
        let linear = Linear::take(weights, &format!("{name}.{part}"), dim, dim)?;
        let bias = Tensor::new(linear.bias, &Device::Cpu)?;
        rows.push((linear.weight.t()? * scale)?.reshape((heads, head_dim, dim))?);
        biases.push((bias * scale)?.reshape((heads, head_dim))?);
    }
    Ok(Linear {
        weight: Tensor::cat(&rows, 1)?.reshape((3 * dim, dim))?.t()?,
        bias: Tensor::cat(&biases, 1)?.flatten_all()?.to_vec1()?,
    })
}
