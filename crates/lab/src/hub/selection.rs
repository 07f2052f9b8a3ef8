//! Which files of a checkpoint are needed: its weights in one format, its configuration, its tokenizer, its terms.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::HubError;
use super::listing::{Listing, RemoteFile};

pub(super) const CONFIG: &str = "config.json";
pub(super) const TOKENIZER: &str = "tokenizer.json";
pub(super) const VOCABULARY: &str = "vocab.txt";
pub(super) const TOKENIZER_CONFIG: &str = "tokenizer_config.json";
pub(super) const WEIGHTS: &str = "model.safetensors";
pub(super) const INDEX: &str = "model.safetensors.index.json";
pub(super) const PICKLE: &str = "pytorch_model.bin";

/// The format in which the weights are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weights {
    Single,
    Sharded,
    /// PyTorch's own, to be converted.
    Pickle,
}

impl Weights {
    pub(super) fn of(listing: &Listing) -> Result<Self, HubError> {
        let has = |name: &str| listing.file(name).is_some();
        match () {
            () if has(WEIGHTS) => Ok(Self::Single),
            () if has(INDEX) => Ok(Self::Sharded),
            () if has(PICKLE) => Ok(Self::Pickle),
            () => Err(HubError::Lacks {
                repo: listing.repo.clone(),
                wanted: WEIGHTS,
                hint: "weights for TensorFlow, Flax or ONNX alone cannot be used: save the model as safetensors",
            }),
        }
    }
}

/// The small files, all but `config.json`; they come before the weights, so that what is missing shows in seconds.
pub(super) fn small_files(listing: &Listing) -> Result<Vec<&RemoteFile>, HubError> {
    let has = |name: &str| listing.file(name).is_some();
    if !has(TOKENIZER) && !has(VOCABULARY) {
        let hint = "a tokenizer of another kind (sentencepiece, BPE) cannot be used without it";
        return Err(HubError::Lacks { repo: listing.repo.clone(), wanted: "tokenizer.json, nor vocab.txt", hint });
    }
    let tokenizer = if has(TOKENIZER) { &[TOKENIZER][..] } else { &[VOCABULARY, TOKENIZER_CONFIG] };
    let wanted = |file: &&RemoteFile| tokenizer.contains(&file.name.as_str()) || is_terms(&file.name);
    Ok(listing.files.iter().filter(wanted).collect())
}

/// Licence and notices, at the top of the repository.
pub(super) fn is_terms(name: &str) -> bool {
    (name.starts_with("LICENSE") || name.starts_with("NOTICE")) && !name.contains('/')
}

/// The shards that an index names.
pub(super) fn shards<'a>(listing: &'a Listing, index: &[u8]) -> Result<Vec<&'a RemoteFile>, HubError> {
    #[derive(Deserialize)]
    struct Index {
        weight_map: std::collections::BTreeMap<String, String>,
    }
    let lacks = |hint| HubError::Lacks { repo: listing.repo.clone(), wanted: "whole set of shards", hint };
    let index: Index =
        serde_json::from_slice(index).map_err(|_| lacks("its model.safetensors.index.json does not read"))?;
    let names: BTreeSet<String> = index.weight_map.into_values().collect();
    let shard = |name: &String| {
        let file = listing.file(name).filter(|file| file.name.ends_with(".safetensors") && !file.name.contains('/'));
        file.ok_or_else(|| lacks("its model.safetensors.index.json names a file that is not there"))
    };
    names.iter().map(shard).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::listing::Hash;

    fn listing(names: &[&str]) -> Listing {
        let file = |name: &&str| RemoteFile { name: (*name).to_owned(), size: 1, hash: Hash::Git("0".repeat(40)) };
        let files = names.iter().map(file).collect();
        Listing { repo: "a/b".into(), commit: "0".repeat(40), licence: "mit".into(), files }
    }

    #[test]
    fn nothing_but_one_format_of_weights_and_its_reading_aids_is_taken() {
        let all = listing(&[
            "LICENSE",
            "NOTICE.txt",
            "README.md",
            "config.json",
            "docs/LICENSE",
            "flax_model.msgpack",
            "onnx/model.onnx",
            "pytorch_model.bin",
            "model.safetensors",
            "tokenizer.json",
            "tokenizer_config.json",
            "vocab.txt",
        ]);
        assert_eq!(Weights::of(&all).unwrap(), Weights::Single);
        let names: Vec<&str> = small_files(&all).unwrap().iter().map(|file| file.name.as_str()).collect();
        assert_eq!(names, ["LICENSE", "NOTICE.txt", "tokenizer.json"]);
        let old = listing(&["pytorch_model.bin", "tokenizer_config.json", "vocab.txt"]);
        assert_eq!((Weights::of(&old).unwrap(), small_files(&old).unwrap().len()), (Weights::Pickle, 2));
    }

    #[test]
    fn what_a_model_lacks_is_named() {
        let message = Weights::of(&listing(&["tf_model.h5"])).unwrap_err().to_string();
        assert!(message.starts_with("a/b has no model.safetensors"), "{message}");
        let message = small_files(&listing(&["sentencepiece.bpe.model"])).unwrap_err().to_string();
        assert!(message.starts_with("a/b has no tokenizer.json, nor vocab.txt"), "{message}");
    }

    #[test]
    fn shards_are_those_of_the_index_and_stay_in_the_directory() {
        let all = listing(&["m-1.safetensors", "m-2.safetensors", "sub/m-3.safetensors"]);
        let index = |shard: &str| format!(r#"{{"weight_map":{{"a":"m-1.safetensors","b":"{shard}"}}}}"#);
        assert_eq!(shards(&all, index("m-2.safetensors").as_bytes()).unwrap().len(), 2);
        for shard in ["m-9.safetensors", "sub/m-3.safetensors", "../x.safetensors"] {
            assert!(shards(&all, index(shard).as_bytes()).is_err(), "{shard}");
        }
    }
}
