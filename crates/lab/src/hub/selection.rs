//! Selects the files of a checkpoint to download: weights in one format, configuration, tokenizer, licence.

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

/// The format of the weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WeightsFormat {
    Single,
    Sharded,
    /// PyTorch's own, to be converted.
    Pickle,
}

impl WeightsFormat {
    pub(super) fn detect(listing: &Listing) -> Result<Self, HubError> {
        let has = |name: &str| listing.file(name).is_some();
        match () {
            () if has(WEIGHTS) => Ok(Self::Single),
            () if has(INDEX) => Ok(Self::Sharded),
            () if has(PICKLE) => Ok(Self::Pickle),
            () => Err(HubError::MissingFile {
                repo: listing.repo.clone(),
                missing: WEIGHTS,
                hint: "weights for TensorFlow, Flax or ONNX alone cannot be used: save the model as safetensors",
            }),
        }
    }
}

/// The small files except `config.json`; they are downloaded before the weights, so that a missing one is noticed in
/// seconds.
pub(super) fn small_files(listing: &Listing) -> Result<Vec<&RemoteFile>, HubError> {
    let has = |name: &str| listing.file(name).is_some();
    if !has(TOKENIZER) && !has(VOCABULARY) {
        let hint = "a tokenizer of another kind (sentencepiece, BPE) cannot be used without it";
        return Err(HubError::MissingFile {
            repo: listing.repo.clone(),
            missing: "tokenizer.json and no vocab.txt",
            hint,
        });
    }
    let tokenizer = if has(TOKENIZER) { &[TOKENIZER][..] } else { &[VOCABULARY, TOKENIZER_CONFIG] };
    let needed = |file: &&RemoteFile| tokenizer.contains(&file.name.as_str()) || is_licence_file(&file.name);
    Ok(listing.files.iter().filter(needed).collect())
}

/// Licence and notices, at the top of the repository.
pub(super) fn is_licence_file(name: &str) -> bool {
    (name.starts_with("LICENSE") || name.starts_with("NOTICE")) && !name.contains('/')
}

/// The shards that an index lists.
pub(super) fn shards<'a>(listing: &'a Listing, index: &[u8]) -> Result<Vec<&'a RemoteFile>, HubError> {
    #[derive(Deserialize)]
    struct Index {
        weight_map: std::collections::BTreeMap<String, String>,
    }
    let missing = |hint| HubError::MissingFile { repo: listing.repo.clone(), missing: "complete set of shards", hint };
    let index: Index =
        serde_json::from_slice(index).map_err(|_| missing("its model.safetensors.index.json cannot be parsed"))?;
    let names: BTreeSet<String> = index.weight_map.into_values().collect();
    let shard = |name: &String| {
        let file = listing.file(name).filter(|file| file.name.ends_with(".safetensors") && !file.name.contains('/'));
        file.ok_or_else(|| missing("its model.safetensors.index.json lists a file that does not exist"))
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
    fn one_format_of_weights_and_its_tokenizer_are_selected() {
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
        assert_eq!(WeightsFormat::detect(&all).unwrap(), WeightsFormat::Single);
        let names: Vec<&str> = small_files(&all).unwrap().iter().map(|file| file.name.as_str()).collect();
        assert_eq!(names, ["LICENSE", "NOTICE.txt", "tokenizer.json"]);
        let old = listing(&["pytorch_model.bin", "tokenizer_config.json", "vocab.txt"]);
        assert_eq!(
            (WeightsFormat::detect(&old).unwrap(), small_files(&old).unwrap().len()),
            (WeightsFormat::Pickle, 2)
        );
    }

    #[test]
    fn a_missing_file_is_named() {
        let message = WeightsFormat::detect(&listing(&["tf_model.h5"])).unwrap_err().to_string();
        assert!(message.starts_with("a/b has no model.safetensors"), "{message}");
        let message = small_files(&listing(&["sentencepiece.bpe.model"])).unwrap_err().to_string();
        assert!(message.starts_with("a/b has no tokenizer.json and no vocab.txt"), "{message}");
    }

    #[test]
    fn shards_are_listed_in_the_index_and_stay_in_the_directory() {
        let all = listing(&["m-1.safetensors", "m-2.safetensors", "sub/m-3.safetensors"]);
        let index = |shard: &str| format!(r#"{{"weight_map":{{"a":"m-1.safetensors","b":"{shard}"}}}}"#);
        assert_eq!(shards(&all, index("m-2.safetensors").as_bytes()).unwrap().len(), 2);
        for shard in ["m-9.safetensors", "sub/m-3.safetensors", "../x.safetensors"] {
            assert!(shards(&all, index(shard).as_bytes()).is_err(), "{shard}");
        }
    }
}
