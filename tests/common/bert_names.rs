//! What a BERT or RoBERTa calls the tensors of a DistilBERT.

const NAMES: [(&str, &str); 9] = [
    ("transformer.layer.", "encoder.layer."),
    ("attention.q_lin", "attention.self.query"),
    ("attention.k_lin", "attention.self.key"),
    ("attention.v_lin", "attention.self.value"),
    ("attention.out_lin", "attention.output.dense"),
    ("sa_layer_norm", "attention.output.LayerNorm"),
    ("ffn.lin1", "intermediate.dense"),
    ("ffn.lin2", "output.dense"),
    ("output_layer_norm", "output.LayerNorm"),
];

/// The name of a tensor of the encoder, behind `prefix` instead of `distilbert.`; other names stay.
pub(crate) fn bert_name(name: &str, prefix: &str) -> String {
    match name.strip_prefix("distilbert.") {
        Some(name) => {
            prefix.to_owned() + &NAMES.iter().fold(name.to_owned(), |name, (from, to)| name.replace(from, to))
        }
        None => name.to_owned(),
    }
}
