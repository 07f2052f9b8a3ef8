//! Checkpoints in the layout of two real ones, made from the tiny fixture: the same file names, keys and tensors.

use std::collections::HashMap;
use std::path::PathBuf;

use candle_core::{Device, Tensor};
use serde_json::{Value, json};

use super::bert_names::bert_name;

/// The files of a repository.
pub(crate) struct Checkpoint(pub(crate) Vec<(String, Vec<u8>)>);

impl Checkpoint {
    /// `lxyuan/distilbert-base-multilingual-cased-sentiments-student`: a head of three classes, positive first.
    pub(crate) fn student() -> Self {
        let config = config(&json!({
            "architectures": ["DistilBertForSequenceClassification"],
            "id2label": {"0": "positive", "1": "neutral", "2": "negative"},
            "label2id": {"negative": 2, "neutral": 1, "positive": 0},
            "output_past": true, "pad_token_id": 0, "torch_dtype": "float32", "transformers_version": "4.28.1",
        }));
        Self(vec![
            (".gitattributes".into(), b"*.bin filter=lfs\n".to_vec()),
            ("README.md".into(), b"---\nlicense: apache-2.0\n---\n".to_vec()),
            ("config.json".into(), config),
            ("model.safetensors".into(), fixture("classifier/model.safetensors")),
            ("pytorch_model.bin".into(), vec![7; 5000]),
            ("special_tokens_map.json".into(), b"{}".to_vec()),
            ("tokenizer.json".into(), fixture("classifier/tokenizer.json")),
            ("tokenizer_config.json".into(), br#"{"do_lower_case": true}"#.to_vec()),
            ("training_args.bin".into(), vec![7; 100]),
            ("vocab.txt".into(), vocabulary()),
        ])
    }

    /// `distilbert-base-uncased`: an encoder under the prefix `distilbert.`, and the remains of a language model's
    /// head.
    pub(crate) fn base() -> Self {
        let mut tensors = tensors("classifier/model.safetensors");
        tensors.retain(|name, _| name.starts_with("distilbert."));
        let of = |shape: &[usize]| Tensor::ones(shape, candle_core::DType::F32, &Device::Cpu).unwrap();
        for (name, shape) in [
            ("vocab_transform.weight", &[32, 32][..]),
            ("vocab_transform.bias", &[32]),
            ("vocab_layer_norm.weight", &[32]),
            ("vocab_layer_norm.bias", &[32]),
            ("vocab_projector.weight", &[113, 32]),
            ("vocab_projector.bias", &[113]),
        ] {
            tensors.insert(name.to_owned(), of(shape));
        }
        let config = config(&json!({
            "architectures": ["DistilBertForMaskedLM"], "pad_token_id": 0, "transformers_version": "4.10.0.dev0",
        }));
        Self(vec![
            ("LICENSE".into(), b"Apache License\n".to_vec()),
            ("README.md".into(), b"---\nlicense: apache-2.0\n---\n".to_vec()),
            ("config.json".into(), config),
            ("model.safetensors".into(), safetensors::serialize(&tensors, None).unwrap()),
            ("pytorch_model.bin".into(), vec![7; 5000]),
            ("tf_model.h5".into(), vec![7; 100]),
            ("tokenizer.json".into(), fixture("classifier/tokenizer.json")),
            ("tokenizer_config.json".into(), b"{}".to_vec()),
            ("vocab.txt".into(), vocabulary()),
        ])
    }

    /// The encoder of a BERT, with the names that it has there.
    pub(crate) fn bert() -> Self {
        let saved = tensors("classifier/model.safetensors").into_iter();
        let encoder = saved.filter(|(name, _)| name.starts_with("distilbert."));
        let mut tensors: HashMap<String, Tensor> =
            encoder.map(|(name, tensor)| (bert_name(&name, "bert."), tensor)).collect();
        let types = Tensor::zeros((2, 32), candle_core::DType::F32, &Device::Cpu).unwrap();
        tensors.insert("bert.embeddings.token_type_embeddings.weight".to_owned(), types);
        let config = json!({
            "model_type": "bert", "vocab_size": 113, "hidden_size": 32, "num_hidden_layers": 2,
            "num_attention_heads": 4, "intermediate_size": 64, "hidden_act": "gelu", "layer_norm_eps": 1e-12,
            "max_position_embeddings": 64, "type_vocab_size": 2, "pad_token_id": 0,
        });
        Self::base()
            .with("config.json", serde_json::to_vec(&config).unwrap())
            .with("model.safetensors", safetensors::serialize(&tensors, None).unwrap())
    }

    /// An encoder in two shards.
    pub(crate) fn sharded() -> Self {
        let shards = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"];
        let names = ["config.json", "tokenizer.json", "model.safetensors.index.json"].into_iter().chain(shards);
        Self(names.map(|name| (name.to_owned(), fixture(&format!("sharded/{name}")))).collect())
    }

    pub(crate) fn without(mut self, names: &[&str]) -> Self {
        self.0.retain(|(name, _)| !names.contains(&name.as_str()));
        self
    }

    pub(crate) fn with(mut self, name: &str, bytes: impl Into<Vec<u8>>) -> Self {
        self.0.retain(|(known, _)| known != name);
        self.0.push((name.to_owned(), bytes.into()));
        self
    }

    pub(crate) fn bytes(&self, expected: &str) -> &[u8] {
        self.0.iter().find(|(name, _)| name == expected).map(|(_, bytes)| bytes.as_slice()).unwrap()
    }
}

/// As transformers writes it, for the tiny fixture's shape.
fn config(own: &Value) -> Vec<u8> {
    let mut config = json!({
        "activation": "gelu", "attention_dropout": 0.1, "dim": 32, "dropout": 0.1, "hidden_dim": 64,
        "initializer_range": 0.02, "max_position_embeddings": 64, "model_type": "distilbert", "n_heads": 4,
        "n_layers": 2, "qa_dropout": 0.1, "seq_classif_dropout": 0.2, "sinusoidal_pos_embds": false,
        "tie_weights_": true, "vocab_size": 113,
    });
    config.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
    serde_json::to_vec_pretty(&config).unwrap()
}

pub(crate) fn fixture(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tiny-distilbert").join(name);
    std::fs::read(path).unwrap()
}

fn tensors(name: &str) -> HashMap<String, Tensor> {
    candle_core::safetensors::load_buffer(&fixture(name), &Device::Cpu).unwrap()
}

/// The lines of `vocab.txt`, by id.
fn vocabulary() -> Vec<u8> {
    let tokenizer: Value = serde_json::from_slice(&fixture("classifier/tokenizer.json")).unwrap();
    let vocabulary = tokenizer["model"]["vocab"].as_object().unwrap();
    let mut words: Vec<(&String, u64)> = vocabulary.iter().map(|(word, id)| (word, id.as_u64().unwrap())).collect();
    words.sort_by_key(|(_, id)| *id);
    words.into_iter().flat_map(|(word, _)| format!("{word}\n").into_bytes()).collect()
}
