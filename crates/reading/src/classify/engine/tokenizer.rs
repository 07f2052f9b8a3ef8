//! [`Tokenize`]: texts to token ids by the model's own `tokenizer.json`, cut at the model's limit. Before `batch`.

use std::path::Path;

use rayon::prelude::*;
use tokenizers::utils::truncation::TruncationParams;
use tokenizers::{PostProcessor, Tokenizer};

use super::super::ModelError;
use super::config::EncoderConfig;

/// A tokenizer that fits its encoder.
#[derive(Debug)]
pub(crate) struct Tokenize(Tokenizer);

impl Tokenize {
    /// `path` is for messages.
    pub(crate) fn parse(
        path: &Path,
        bytes: &[u8],
        config: &EncoderConfig,
        max_tokens: usize,
    ) -> Result<Self, ModelError> {
        let fault = |reason: String| ModelError::Tokenizer { path: path.to_path_buf(), reason };
        let mut tokenizer =
            Tokenizer::from_bytes(bytes).map_err(|error| fault(format!("not a tokenizer.json: {error}")))?;
        let largest = tokenizer.get_vocab(true).into_values().max().unwrap_or(0) as usize;
        if largest >= config.vocab_size {
            let size = config.vocab_size;
            return Err(fault(format!("has token {largest} where config.json counts {size}: they are of two models")));
        }
        let special = tokenizer.get_post_processor().map_or(0, |processor| processor.added_tokens(false));
        let limit = config.max_position_embeddings;
        if max_tokens <= special || max_tokens > limit {
            return Err(fault(format!("cut at {max_tokens} tokens; wanted more than {special} and at most {limit}")));
        }
        let truncation = TruncationParams { max_length: max_tokens, ..TruncationParams::default() };
        tokenizer.with_padding(None).with_truncation(Some(truncation)).map_err(|error| fault(error.to_string()))?;
        Ok(Self(tokenizer))
    }

    /// The token ids of each text, special tokens included.
    pub(crate) fn ids(&self, texts: &[&str]) -> Result<Vec<Vec<u32>>, ModelError> {
        let encode = |text: &&str| self.0.encode_fast(*text, true).map(|encoding| encoding.get_ids().to_vec());
        let ids: Result<Vec<_>, _> = texts.par_iter().map(encode).collect();
        ids.map_err(|error| ModelError::Forward(format!("the tokenizer failed: {error}")))
    }
}
