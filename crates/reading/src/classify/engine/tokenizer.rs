//! [`Tokenizer`]: texts to token ids with the model's `tokenizer.json`, truncated at the model's limit. Before `batch`.

use std::path::Path;

use rayon::prelude::*;
use tokenizers::utils::truncation::TruncationParams;
use tokenizers::{PostProcessor, Tokenizer as HfTokenizer};

use super::super::ModelError;
use super::config::EncoderConfig;

/// A tokenizer that matches its encoder.
#[derive(Debug)]
pub(crate) struct Tokenizer(HfTokenizer);

impl Tokenizer {
    /// Parses and checks; `path` appears in error messages.
    pub(crate) fn parse(
        path: &Path,
        bytes: &[u8],
        config: &EncoderConfig,
        max_tokens: usize,
    ) -> Result<Self, ModelError> {
        let error = |reason: String| ModelError::Tokenizer { path: path.to_path_buf(), reason };
        let mut tokenizer =
            HfTokenizer::from_bytes(bytes).map_err(|cause| error(format!("not a tokenizer.json: {cause}")))?;
        let largest = tokenizer.get_vocab(true).into_values().max().unwrap_or(0) as usize;
        if largest >= config.vocab_size {
            let size = config.vocab_size;
            return Err(error(format!(
                "has token {largest}, but the vocab_size of config.json is {size}: the files belong to different models"
            )));
        }
        let special = tokenizer.get_post_processor().map_or(0, |processor| processor.added_tokens(false));
        let limit = config.max_tokens();
        if max_tokens <= special || max_tokens > limit {
            return Err(error(format!("max_tokens is {max_tokens}; expected more than {special} and at most {limit}")));
        }
        let truncation = TruncationParams { max_length: max_tokens, ..TruncationParams::default() };
        tokenizer.with_padding(None).with_truncation(Some(truncation)).map_err(|cause| error(cause.to_string()))?;
        Ok(Self(tokenizer))
    }

    /// The token that stands for what is not in the vocabulary; none where there is nothing of the kind.
    pub(crate) fn unknown(&self) -> Option<u32> {
        // Its name in WordPiece, and in SentencePiece's models.
        ["[UNK]", "<unk>"].iter().find_map(|name| self.0.token_to_id(name))
    }

    /// The token ids of each text, special tokens included.
    pub(crate) fn encode(&self, texts: &[&str]) -> Result<Vec<Vec<u32>>, ModelError> {
        self.encode_with(texts, true)
    }

    /// The token ids of each text alone.
    pub(crate) fn encode_plain(&self, texts: &[&str]) -> Result<Vec<Vec<u32>>, ModelError> {
        self.encode_with(texts, false)
    }

    fn encode_with(&self, texts: &[&str], special: bool) -> Result<Vec<Vec<u32>>, ModelError> {
        let encode = |text: &&str| self.0.encode_fast(*text, special).map(|encoding| encoding.get_ids().to_vec());
        let ids: Result<Vec<_>, _> = texts.par_iter().map(encode).collect();
        ids.map_err(|error| ModelError::Forward(format!("the tokenizer failed: {error}")))
    }
}
