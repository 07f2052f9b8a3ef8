//! [`EncoderConfig`]: the `config.json` of a checkpoint in the format of the Hugging Face hub, which names the architecture.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::super::ModelError;
use super::names;
use super::names::Names;

/// Dimensions of an encoder, named as in the `config.json` of a DistilBERT; BERT and RoBERTa have other names for some.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct EncoderConfig {
    pub(crate) vocab_size: usize,
    #[serde(alias = "hidden_size")]
    pub(crate) dim: usize,
    #[serde(alias = "num_hidden_layers")]
    pub(crate) n_layers: usize,
    #[serde(alias = "num_attention_heads")]
    pub(crate) n_heads: usize,
    #[serde(alias = "intermediate_size")]
    pub(crate) hidden_dim: usize,
    pub(crate) max_position_embeddings: usize,
    #[serde(default, alias = "hidden_act")]
    pub(crate) activation: Activation,
    /// Rows of the table of token types, of which only the first is used.
    #[serde(default = "two")]
    pub(crate) type_vocab_size: usize,
    #[serde(default = "small")]
    pub(crate) layer_norm_eps: f32,
    /// Read for its check only.
    #[serde(default, rename = "position_embedding_type")]
    _positions: PositionEmbeddings,
    pad_token_id: Option<u32>,
    /// Names of the checkpoint's classes, by row of its classifier.
    #[serde(default)]
    pub(crate) id2label: BTreeMap<String, String>,
    model_type: Architecture,
}

/// Architectures that differ only in the names of their tensors, their positions and their heads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Architecture {
    DistilBert,
    Bert,
    Roberta,
    #[serde(rename = "xlm-roberta")]
    XlmRoberta,
}

/// How a position enters the encoder. Only the table is supported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum PositionEmbeddings {
    #[default]
    Absolute,
}

fn two() -> usize {
    2
}

/// The value in every DistilBERT and BERT.
fn small() -> f32 {
    1e-12
}

/// Nonlinearity between the two layers of the feed-forward block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Activation {
    /// With the error function, as Hugging Face's "gelu".
    #[default]
    Gelu,
    Relu,
}

impl From<Activation> for vigie_kernels::Activation {
    fn from(activation: Activation) -> Self {
        match activation {
            Activation::Gelu => Self::Gelu,
            Activation::Relu => Self::Relu,
        }
    }
}

impl EncoderConfig {
    /// Parses and checks; `path` appears in error messages.
    pub(crate) fn parse(path: &Path, bytes: &[u8]) -> Result<Self, ModelError> {
        let error = |reason: String| ModelError::Config { path: path.to_path_buf(), reason };
        let config: Self = serde_json::from_slice(bytes).map_err(|cause| {
            error(format!("not the config.json of a DistilBERT, BERT, RoBERTa or XLM-RoBERTa checkpoint: {cause}"))
        })?;
        match config.find_problem() {
            Some(reason) => Err(error(reason)),
            None => Ok(config),
        }
    }

    fn find_problem(&self) -> Option<String> {
        let sizes = [
            ("vocab_size", self.vocab_size),
            ("dim", self.dim),
            ("n_heads", self.n_heads),
            ("hidden_dim", self.hidden_dim),
            ("max_position_embeddings", self.max_position_embeddings),
        ];
        if let Some((field, _)) = sizes.iter().find(|(_, size)| *size == 0) {
            return Some(format!("{field} is 0; expected at least 1"));
        }
        if !self.dim.is_multiple_of(self.n_heads) {
            return Some(format!("dim is {}; expected a multiple of n_heads, {}", self.dim, self.n_heads));
        }
        if self.type_vocab_size == 0 || self.layer_norm_eps.is_nan() || self.layer_norm_eps <= 0.0 {
            return Some("type_vocab_size and layer_norm_eps must be more than 0".to_owned());
        }
        if self.first_position() >= self.max_position_embeddings {
            let (rows, padding) = (self.max_position_embeddings, self.padding());
            return Some(format!(
                "max_position_embeddings is {rows}; expected more than pad_token_id + 1, {padding} + 1"
            ));
        }
        let vocabulary = u32::try_from(self.vocab_size).unwrap_or(u32::MAX);
        (self.padding() >= vocabulary)
            .then(|| format!("pad_token_id is {}; expected less than vocab_size, {vocabulary}", self.padding()))
    }

    pub(crate) fn head_dim(&self) -> usize {
        self.dim / self.n_heads
    }

    pub(crate) fn architecture(&self) -> Architecture {
        self.model_type
    }

    /// The token of padding; without one in the file, the one that transformers takes.
    pub(crate) fn padding(&self) -> u32 {
        self.pad_token_id.unwrap_or(match self.model_type {
            Architecture::DistilBert | Architecture::Bert => 0,
            Architecture::Roberta | Architecture::XlmRoberta => 1,
        })
    }

    /// The row of the first token's position. RoBERTa counts from after the padding's.
    pub(crate) fn first_position(&self) -> usize {
        match self.model_type {
            Architecture::DistilBert | Architecture::Bert => 0,
            Architecture::Roberta | Architecture::XlmRoberta => self.padding() as usize + 1,
        }
    }

    /// The most tokens that a text can have.
    pub(crate) fn max_tokens(&self) -> usize {
        self.max_position_embeddings - self.first_position()
    }

    pub(crate) fn names(&self) -> &'static Names {
        match self.model_type {
            Architecture::DistilBert => &names::DISTILBERT,
            Architecture::Bert | Architecture::Roberta | Architecture::XlmRoberta => &names::BERT,
        }
    }

    /// Before every tensor of the encoder in a checkpoint that was saved with a head.
    pub(crate) fn prefix(&self) -> &'static str {
        match self.model_type {
            Architecture::DistilBert => "distilbert.",
            Architecture::Bert => "bert.",
            Architecture::Roberta | Architecture::XlmRoberta => "roberta.",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> Result<EncoderConfig, String> {
        EncoderConfig::parse(Path::new("m/config.json"), json.as_bytes()).map_err(|error| error.to_string())
    }

    const TINY: &str = r#"{"model_type":"distilbert","vocab_size":9,"dim":8,"n_layers":1,"n_heads":HEADS,"hidden_dim":4,
        "max_position_embeddings":16,"activation":"ACT"}"#;

    #[test]
    fn the_defaults_are_those_of_hugging_face() {
        let config = parse(&TINY.replace("HEADS", "2").replace("ACT", "gelu")).unwrap();
        assert_eq!((config.head_dim(), config.padding(), config.activation), (4, 0, Activation::Gelu));
    }

    #[test]
    fn the_other_architectures_have_their_own_names() {
        let json = r#"{"model_type":"xlm-roberta","vocab_size":9,"hidden_size":8,"num_hidden_layers":1,
            "num_attention_heads":2,"intermediate_size":4,"max_position_embeddings":16,"hidden_act":"gelu","pad_token_id":1,
            "type_vocab_size":1,"layer_norm_eps":1e-05}"#;
        let config = parse(json).unwrap();
        assert_eq!((config.head_dim(), config.max_tokens(), config.prefix()), (4, 14, "roberta."));
        let relative = json.replace("\"pad", "\"position_embedding_type\":\"relative_key\",\"pad");
        assert!(parse(&relative).unwrap_err().contains("unknown variant `relative_key`"));
        assert!(parse(&json.replace(":16", ":2")).unwrap_err().contains("max_position_embeddings is 2"));
    }

    #[test]
    fn each_problem_is_named() {
        for (json, expected) in [
            (TINY.replace("HEADS", "3").replace("ACT", "gelu"), "dim is 8; expected a multiple of n_heads, 3"),
            (TINY.replace("HEADS", "0").replace("ACT", "gelu"), "n_heads is 0"),
            (TINY.replace("HEADS", "2").replace("ACT", "swish"), "unknown variant `swish`"),
            (TINY.replace("HEADS", "2").replace("distilbert", "gpt2").replace("ACT", "gelu"), "unknown variant `gpt2`"),
            (TINY.replace("\"dim\":8,", "").replace("HEADS", "2").replace("ACT", "gelu"), "missing field `dim`"),
        ] {
            let message = parse(&json).unwrap_err();
            assert!(message.starts_with("m/config.json: ") && message.contains(expected), "{message}");
        }
    }
}
