//! [`Names`]: how the checkpoints of each architecture call their tensors. An architecture that differs only in names and
//! sizes needs a row here and its `model_type` in `config`.

/// Names without the prefix of the architecture; those of a layer after the prefix of the layer.
#[derive(Debug)]
pub(crate) struct Names {
    pub(crate) words: &'static str,
    pub(crate) positions: &'static str,
    /// The table of token types; none where the architecture has no types.
    pub(crate) types: Option<&'static str>,
    pub(crate) norm: &'static str,
    /// Before the number of a layer.
    layers: &'static str,
    pub(crate) query: &'static str,
    pub(crate) key: &'static str,
    pub(crate) value: &'static str,
    pub(crate) out: &'static str,
    pub(crate) attention_norm: &'static str,
    pub(crate) up: &'static str,
    pub(crate) down: &'static str,
    pub(crate) output_norm: &'static str,
}

impl Names {
    /// The name of a part of a layer.
    pub(crate) fn of_layer(&self, index: usize, part: &str) -> String {
        format!("{}{index}.{part}", self.layers)
    }
}

/// DistilBERT (Sanh et al. 2019).
pub(crate) const DISTILBERT: Names = Names {
    words: "embeddings.word_embeddings.weight",
    positions: "embeddings.position_embeddings.weight",
    types: None,
    norm: "embeddings.LayerNorm",
    layers: "transformer.layer.",
    query: "attention.q_lin",
    key: "attention.k_lin",
    value: "attention.v_lin",
    out: "attention.out_lin",
    attention_norm: "sa_layer_norm",
    up: "ffn.lin1",
    down: "ffn.lin2",
    output_norm: "output_layer_norm",
};

/// BERT (Devlin et al. 2019), RoBERTa (Liu et al. 2019) and XLM-RoBERTa (Conneau et al. 2020).
pub(crate) const BERT: Names = Names {
    words: "embeddings.word_embeddings.weight",
    positions: "embeddings.position_embeddings.weight",
    types: Some("embeddings.token_type_embeddings.weight"),
    norm: "embeddings.LayerNorm",
    layers: "encoder.layer.",
    query: "attention.self.query",
    key: "attention.self.key",
    value: "attention.self.value",
    out: "attention.output.dense",
    attention_norm: "attention.output.LayerNorm",
    up: "intermediate.dense",
    down: "output.dense",
    output_norm: "output.LayerNorm",
};
