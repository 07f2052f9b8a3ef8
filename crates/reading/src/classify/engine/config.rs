//! [`EncoderConfig`]: the `config.json` of a DistilBERT checkpoint in the format of the Hugging Face hub.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::super::ModelError;

/// Dimensions of a DistilBERT, named as in its `config.json`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct EncoderConfig {
    pub(crate) vocab_size: usize,
    pub(crate) dim: usize,
    pub(crate) n_layers: usize,
    pub(crate) n_heads: usize,
    pub(crate) hidden_dim: usize,
    pub(crate) max_position_embeddings: usize,
    #[serde(default)]
    pub(crate) activation: Activation,
    #[serde(default)]
    pub(crate) pad_token_id: u32,
    /// Names of the checkpoint's classes, by row of its classifier.
    #[serde(default)]
    pub(crate) id2label: BTreeMap<String, String>,
    model_type: String,
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

impl EncoderConfig {
    /// Parses and checks; `path` appears in error messages.
    pub(crate) fn parse(path: &Path, bytes: &[u8]) -> Result<Self, ModelError> {
        let error = |reason: String| ModelError::Config { path: path.to_path_buf(), reason };
        let config: Self = serde_json::from_slice(bytes)
            .map_err(|cause| error(format!("not the config.json of a DistilBERT checkpoint: {cause}")))?;
        match config.find_problem() {
            Some(reason) => Err(error(reason)),
            None => Ok(config),
        }
    }

    fn find_problem(&self) -> Option<String> {
        if self.model_type != "distilbert" {
            return Some(format!("model_type is `{}`; expected `distilbert`", self.model_type));
        }
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
        let vocabulary = u32::try_from(self.vocab_size).unwrap_or(u32::MAX);
        (self.pad_token_id >= vocabulary)
            .then(|| format!("pad_token_id is {}; expected less than vocab_size, {vocabulary}", self.pad_token_id))
    }

    pub(crate) fn head_dim(&self) -> usize {
        self.dim / self.n_heads
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
        assert_eq!((config.head_dim(), config.pad_token_id, config.activation), (4, 0, Activation::Gelu));
    }

    #[test]
    fn each_problem_is_named() {
        for (json, expected) in [
            (TINY.replace("HEADS", "3").replace("ACT", "gelu"), "dim is 8; expected a multiple of n_heads, 3"),
            (TINY.replace("HEADS", "0").replace("ACT", "gelu"), "n_heads is 0"),
            (TINY.replace("HEADS", "2").replace("ACT", "swish"), "unknown variant `swish`"),
            (TINY.replace("HEADS", "2").replace("distilbert", "bert").replace("ACT", "gelu"), "model_type is `bert`"),
            (TINY.replace("\"dim\":8,", "").replace("HEADS", "2").replace("ACT", "gelu"), "missing field `dim`"),
        ] {
            let message = parse(&json).unwrap_err();
            assert!(message.starts_with("m/config.json: ") && message.contains(expected), "{message}");
        }
    }
}
