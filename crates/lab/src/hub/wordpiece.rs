//! Builds `tokenizer.json` of a checkpoint that was saved with `vocab.txt` only: the WordPiece tokenizer that
//! transformers builds from it.

use std::path::Path;

use serde::Deserialize;
use tokenizers::decoders::wordpiece::WordPiece as WordPieceDecoder;
use tokenizers::models::wordpiece::WordPiece;
use tokenizers::normalizers::BertNormalizer;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::processors::bert::BertProcessing;
use tokenizers::{AddedToken, Tokenizer};

use super::HubError;

/// The relevant part of `tokenizer_config.json`, with the defaults of `DistilBertTokenizer`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(default)]
struct Casing {
    do_lower_case: bool,
    tokenize_chinese_chars: bool,
    strip_accents: Option<bool>,
}

impl Default for Casing {
    fn default() -> Self {
        Self { do_lower_case: true, tokenize_chinese_chars: true, strip_accents: None }
    }
}

/// Builds the tokenizer from the lines of `vocabulary`; `path` is for messages.
pub(super) fn tokenizer(path: &Path, vocabulary: &[u8], config: Option<&[u8]>) -> Result<Tokenizer, HubError> {
    let invalid = |reason: String| HubError::Convert { path: path.to_path_buf(), reason };
    let casing: Casing = match config {
        // Through a map, because serde also reads a list as a struct.
        Some(json) => serde_json::from_slice::<serde_json::Map<_, _>>(json)
            .and_then(|fields| serde_json::from_value(fields.into()))
            .map_err(|error| invalid(format!("its tokenizer_config.json cannot be parsed: {error}")))?,
        None => Casing::default(),
    };
    let library_error =
        |error: tokenizers::Error| invalid(format!("not the vocabulary of a WordPiece tokenizer: {error}"));
    let vocabulary = WordPiece::read_bytes(vocabulary).map_err(library_error)?;
    let id = |token: &str| {
        let id = vocabulary.get(token).copied();
        id.ok_or_else(|| invalid(format!("not the vocabulary of a BERT or DistilBERT: it has no line `{token}`")))
    };
    let (separator, first) = (id("[SEP]")?, id("[CLS]")?);
    id("[UNK]")?;
    let model = WordPiece::builder().vocab(vocabulary.clone()).unk_token("[UNK]".to_owned()).build();
    let mut tokenizer = Tokenizer::new(model.map_err(library_error)?);
    let Casing { do_lower_case, tokenize_chinese_chars, strip_accents } = casing;
    let normalizer = BertNormalizer::new(true, tokenize_chinese_chars, strip_accents, do_lower_case);
    tokenizer.with_normalizer(Some(normalizer)).map_err(library_error)?;
    tokenizer.with_pre_tokenizer(Some(BertPreTokenizer));
    tokenizer.with_decoder(Some(WordPieceDecoder::default()));
    let frame = BertProcessing::new(("[SEP]".to_owned(), separator), ("[CLS]".to_owned(), first));
    tokenizer.with_post_processor(Some(frame));
    let special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];
    let special = special.into_iter().filter(|token| vocabulary.contains_key(*token));
    let special: Vec<AddedToken> = special.map(|token| AddedToken::from(token, true)).collect();
    tokenizer.add_special_tokens(special).map_err(library_error)?;
    Ok(tokenizer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixture() -> Tokenizer {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/tiny-distilbert/f16/tokenizer.json");
        Tokenizer::from_file(path).unwrap()
    }

    fn vocabulary(tokenizer: &Tokenizer) -> String {
        let mut words: Vec<(String, u32)> = tokenizer.get_vocab(true).into_iter().collect();
        words.sort_by_key(|(_, id)| *id);
        words.into_iter().map(|(word, _)| word + "\n").collect()
    }

    #[test]
    fn it_matches_the_tokenizer_that_python_saved() {
        let python = fixture();
        let ours = tokenizer(Path::new("vocab.txt"), vocabulary(&python).as_bytes(), None).unwrap();
        for text in ["The flight was LATE again!", "Délayed? never 日本 xyzzy", "", "a [SEP] b", "@user http #thanks"]
        {
            let ids = |tokenizer: &Tokenizer| tokenizer.encode(text, true).unwrap().get_ids().to_vec();
            assert!(text.contains("[SEP]") || ids(&ours) == ids(&python), "{text}");
            assert_eq!((ids(&ours).first(), ids(&ours).last()), (ids(&python).first(), ids(&python).last()));
        }
    }

    #[test]
    fn a_cased_vocabulary_keeps_its_capitals() {
        let config = br#"{"do_lower_case": false, "model_max_length": 512, "tokenizer_class": "DistilBertTokenizer"}"#;
        let words = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nLate\nlate\n";
        let tokenizer = tokenizer(Path::new("vocab.txt"), words.as_bytes(), Some(config)).unwrap();
        assert_eq!(tokenizer.encode("Late late", true).unwrap().get_ids(), [2, 5, 6, 3]);
    }

    #[test]
    fn an_invalid_vocabulary_is_refused_by_name() {
        for (words, config, expected) in [
            ("a\nb\n", None, "it has no line `[SEP]`"),
            ("[SEP]\n[CLS]\n[UNK]\n", Some(&b"[]"[..]), "tokenizer_config.json cannot be parsed"),
        ] {
            let message = tokenizer(Path::new("m/vocab.txt"), words.as_bytes(), config).unwrap_err().to_string();
            assert!(message.starts_with("m/vocab.txt: ") && message.contains(expected), "{message}");
        }
    }
}
