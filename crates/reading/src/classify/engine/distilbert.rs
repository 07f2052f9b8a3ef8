//! [`DistilBert`]: the encoder's forward pass on the CPU, in f32. Between `batch` and `pooling`.
//!
//! Vectors are position-major, `[positions, texts, dim]`, and queries, keys and values of one head are adjacent: every
//! matrix product of the attention reads its operands in place, and only the context is copied, once.

use candle_core::{D, DType, Device, Result, Tensor};
use vigie_kernels::LayerNorm;

use super::super::ModelError;
use super::batch::Batch;
use super::config::{Activation, EncoderConfig};
use super::ops::{AddBias, BiasActivation, EmbedNorm, KeySoftmax, ResidualNorm};
use super::weights::Weights;

/// A DistilBERT encoder (Sanh et al. 2019), ready to run.
#[derive(Debug)]
pub(crate) struct DistilBert {
    /// `[vocabulary, dim]` in its stored type, because it is the largest table by far; rows become f32 on look-up.
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
    pub(crate) fn load(weights: &mut Weights, config: &EncoderConfig) -> std::result::Result<Self, ModelError> {
        let (dim, positions) = (config.dim, config.max_position_embeddings);
        Ok(Self {
            words: weights.take_tensor("embeddings.word_embeddings.weight", &[config.vocab_size, dim])?,
            positions: weights.take_values("embeddings.position_embeddings.weight", &[positions, dim])?,
            norm: load_norm(weights, "embeddings.LayerNorm", dim)?,
            layers: (0..config.n_layers)
                .map(|index| Layer::load(weights, config, index))
                .collect::<std::result::Result<_, _>>()?,
            heads: config.n_heads,
            dim,
        })
    }

    pub(crate) fn dim(&self) -> usize {
        self.dim
    }

    /// Number of layers after the embeddings.
    pub(crate) fn depth(&self) -> usize {
        self.layers.len()
    }

    /// The output of each layer in `selected` (ascending; 0 is the embeddings), each row-major `[positions, texts, dim]`.
    pub(crate) fn forward(&self, batch: &Batch, selected: &[usize]) -> Result<Vec<Vec<f32>>> {
        let texts = batch.lengths.len();
        let ids = Tensor::from_slice(&batch.ids, batch.ids.len(), &Device::Cpu)?;
        let mut hidden = self.words.index_select(&ids, 0)?.to_dtype(DType::F32)?;
        hidden.inplace_op1(&EmbedNorm { positions: &self.positions, texts, norm: &self.norm })?;
        let mut vectors = Vec::with_capacity(selected.len());
        for depth in 0..=self.layers.len() {
            if let Some(layer) = depth.checked_sub(1).and_then(|index| self.layers.get(index)) {
                hidden = self.layer(layer, &hidden, batch)?;
            }
            if selected.contains(&depth) {
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
    fn load(weights: &mut Weights, config: &EncoderConfig, index: usize) -> std::result::Result<Self, ModelError> {
        let (dim, hidden) = (config.dim, config.hidden_dim);
        let name = |part: &str| format!("transformer.layer.{index}.{part}");
        Ok(Self {
            qkv: load_qkv(weights, &name("attention"), config)?,
            out: Linear::load(weights, &name("attention.out_lin"), dim, dim)?,
            attention_norm: load_norm(weights, &name("sa_layer_norm"), dim)?,
            up: Linear::load(weights, &name("ffn.lin1"), hidden, dim)?,
            activation: config.activation,
            down: Linear::load(weights, &name("ffn.lin2"), dim, hidden)?,
            output_norm: load_norm(weights, &name("output_layer_norm"), dim)?,
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
    fn load(weights: &mut Weights, name: &str, outputs: usize, inputs: usize) -> std::result::Result<Self, ModelError> {
        let weight = weights.take_tensor(&format!("{name}.weight"), &[outputs, inputs])?.to_dtype(DType::F32)?;
        Ok(Self { weight: weight.t()?, bias: weights.take_values(&format!("{name}.bias"), &[outputs])? })
    }

    /// Without the bias: the next operator adds it.
    fn product(&self, rows: &Tensor) -> Result<Tensor> {
        rows.matmul(&self.weight)
    }
}

fn load_norm(weights: &mut Weights, name: &str, dim: usize) -> std::result::Result<LayerNorm, ModelError> {
    Ok(LayerNorm {
        weight: weights.take_values(&format!("{name}.weight"), &[dim])?,
        bias: weights.take_values(&format!("{name}.bias"), &[dim])?,
    })
}

/// One projection to queries, keys and values, its rows sorted by head.
fn load_qkv(weights: &mut Weights, name: &str, config: &EncoderConfig) -> std::result::Result<Linear, ModelError> {
    let (dim, heads, head_dim) = (config.dim, config.n_heads, config.head_dim());
    let (mut rows, mut biases) = (Vec::with_capacity(3), Vec::with_capacity(3));
    for (part, scale) in [("q_lin", 1.0 / (head_dim as f64).sqrt()), ("k_lin", 1.0), ("v_lin", 1.0)] {
        let linear = Linear::load(weights, &format!("{name}.{part}"), dim, dim)?;
        let bias = Tensor::new(linear.bias, &Device::Cpu)?;
        rows.push((linear.weight.t()? * scale)?.reshape((heads, head_dim, dim))?);
        biases.push((bias * scale)?.reshape((heads, head_dim))?);
    }
    Ok(Linear {
        weight: Tensor::cat(&rows, 1)?.reshape((3 * dim, dim))?.t()?,
        bias: Tensor::cat(&biases, 1)?.flatten_all()?.to_vec1()?,
    })
}
