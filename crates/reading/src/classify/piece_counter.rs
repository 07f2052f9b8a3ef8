//! [`PieceCounter`]: how many pieces of a text the model's tokenizer knows, and how many it does not. Beside the classifier, and without
//! its weights: what the tokenizer does not know, no model behind it can read.

use std::path::Path;

use super::ModelError;
use super::artifact::files::ModelFiles;
use super::engine::load_tokenizer;
use super::engine::tokenizer::Tokenizer;
use crate::text::{self, Profile};

/// The tokenizer of a model directory.
#[derive(Debug)]
pub struct PieceCounter {
    tokenizer: Tokenizer,
    profile: Profile,
    /// The token that stands for what is not in the vocabulary.
    unknown: u32,
}

/// The pieces of one text, without special tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PieceCounts {
    pub pieces: u64,
    pub unknown: u64,
}

impl PieceCounter {
    /// Reads the tokenizer of the model in `dir`. None where its vocabulary has no token for unknown pieces, as one of bytes.
    ///
    /// # Errors
    /// When a file is missing or damaged.
    pub fn load(dir: &Path) -> Result<Option<Self>, ModelError> {
        let mut files = ModelFiles::open(dir)?;
        let (tokenizer, _, _) = load_tokenizer(&mut files)?;
        let profile = files.manifest().map_or(Profile::Transformer, |manifest| manifest.text_profile);
        Ok(tokenizer.unknown().map(|unknown| Self { tokenizer, profile, unknown }))
    }

    /// The pieces of each text, which is cleaned and cut as for the classifier.
    ///
    /// # Errors
    /// When the tokenizer fails.
    pub fn count(&self, texts: &[&str]) -> Result<Vec<PieceCounts>, ModelError> {
        let cleaned: Vec<String> = texts.iter().map(|text| text::clean(self.profile, text)).collect();
        let cleaned: Vec<&str> = cleaned.iter().map(String::as_str).collect();
        let count = |ids: Vec<u32>| PieceCounts {
            pieces: ids.len() as u64,
            unknown: ids.iter().filter(|id| **id == self.unknown).count() as u64,
        };
        Ok(self.tokenizer.encode_plain(&cleaned)?.into_iter().map(count).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_outside_of_the_vocabulary_are_unknown() {
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let counter = PieceCounter::load(&repository.join("models/default")).unwrap().unwrap();
        let counts = counter.count(&["My flight is late again", "ᚠᚢᚦᚨᚱᚲ ᚺᚾᛁᛃ", ""]).unwrap();
        assert!(counts[0].pieces >= 5 && counts[0].unknown == 0, "{counts:?}");
        assert!(counts[1].unknown > 0 && counts[1].unknown <= counts[1].pieces, "{counts:?}");
        assert_eq!(counts[2], PieceCounts::default(), "no special tokens");
        assert!(PieceCounter::load(Path::new("/nowhere")).is_err());
    }
}
