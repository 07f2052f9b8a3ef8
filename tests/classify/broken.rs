//! Model directories that are damaged, mixed up or incomplete: each is one error that names the file and what to do.

use std::path::Path;

use vigie::classify::{Classifier, ClassifierInput, EncoderClassifier, Head, Manifest, Origin, Pooling, Precision};

use crate::{copy, expected, strs};

const WIDTH: usize = 32;

fn origin() -> Origin {
    Origin {
        name: "tiny".into(),
        origin: "fixtures/make_tiny_distilbert.py".into(),
        licence: "MIT OR Apache-2.0".into(),
    }
}

fn head() -> Head {
    let weight = (0..3 * WIDTH).map(|index| (index as f32 * 0.7).sin()).collect();
    Head::new(weight, vec![0.1, -0.2, 0.3]).unwrap()
}

/// A complete model directory, as the lab writes it.
fn model() -> tempfile::TempDir {
    let dir = copy("f16");
    head().save(&dir.path().join("head.safetensors")).unwrap();
    Manifest::new("tiny", Pooling::Mean, 64, origin()).write(dir.path()).unwrap();
    dir
}

#[track_caller]
fn assert_refused(dir: &Path, parts: &[&str]) {
    let message = EncoderClassifier::load_with(dir, Precision::F32).unwrap_err().to_string();
    for part in parts {
        assert!(message.contains(part), "{message:?} should contain {part:?}");
    }
    assert!(!message.contains('\n'), "{message:?} is more than one line");
}

fn damage(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = std::fs::read(path).unwrap();
    change(&mut bytes);
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn a_head_of_the_lab_classifies_the_pooled_mean() {
    let (dir, expected) = (model(), expected());
    let mut classifier = EncoderClassifier::load_with(dir.path(), Precision::F32).unwrap();
    let texts = strs(&expected.texts);
    let inputs: Vec<ClassifierInput<'_>> = texts.iter().map(|text| ClassifierInput { text, label: None }).collect();
    for (prediction, row) in classifier.classify(&inputs).unwrap().iter().zip(&expected.f16) {
        crate::assert_close(&prediction.probabilities, &head().probabilities(&row.mean), 1e-4, "probabilities");
        assert!((prediction.probabilities.iter().sum::<f32>() - 1.0).abs() < 1e-6);
    }
    let manifest = Manifest::read(dir.path()).unwrap().unwrap();
    assert_eq!(classifier.model(), manifest.model_id());
    assert_eq!(manifest.files.len(), 4);
}

#[test]
fn one_flipped_bit_in_any_file_is_an_error() {
    for name in ["config.json", "tokenizer.json", "model.safetensors", "head.safetensors"] {
        for place in [0.0, 0.5, 0.999] {
            let dir = model();
            damage(&dir.path().join(name), |bytes| {
                let index = (bytes.len() as f64 * place) as usize;
                bytes[index] ^= 4;
            });
            assert_refused(dir.path(), &[name, "sha256 is", "manifest.json states", "git checkout --", "--model DIR"]);
        }
    }
}

#[test]
fn a_truncated_file_is_an_error() {
    for kept in [0, 4, 100, 20_000] {
        let dir = model();
        damage(&dir.path().join("model.safetensors"), |bytes| bytes.truncate(kept));
        assert_refused(dir.path(), &["model.safetensors", "the file is damaged"]);

        let dir = copy("classifier"); // no manifest: the content shows it
        damage(&dir.path().join("model.safetensors"), |bytes| bytes.truncate(kept));
        assert_refused(dir.path(), &["model.safetensors", "safetensors file"]);
    }
}

#[test]
fn a_file_of_another_model_is_an_error() {
    let dir = model();
    std::fs::write(dir.path().join("model-00001-of-00002.safetensors"), "").unwrap();
    assert_refused(dir.path(), &["model-00001-of-00002.safetensors", "belongs to another model", "remove it"]);
}

#[test]
fn a_missing_file_is_an_error() {
    for name in ["config.json", "tokenizer.json", "model.safetensors", "head.safetensors"] {
        let dir = model();
        std::fs::remove_file(dir.path().join(name)).unwrap();
        assert_refused(dir.path(), &[name, "listed in manifest.json but missing", "git checkout"]);
    }
}

#[test]
fn an_incomplete_directory_is_an_error_with_a_hint() {
    let hint = "a model directory contains config.json, tokenizer.json, model.safetensors";
    for name in ["config.json", "tokenizer.json", "model.safetensors"] {
        let dir = copy("classifier");
        std::fs::remove_file(dir.path().join(name)).unwrap();
        assert_refused(dir.path(), &[name, hint]);
    }
    let dir = copy("f16");
    assert_refused(dir.path(), &["no classification head", hint]);
    assert_refused(&dir.path().join("nowhere"), &["nowhere: no such file", hint]);
}

#[test]
fn weights_that_do_not_fit_config_json_are_an_error() {
    let dir = copy("classifier");
    let config = dir.path().join("config.json");
    let original = std::fs::read_to_string(&config).unwrap();
    for (from, to, parts) in [
        ("\"hidden_dim\": 64", "\"hidden_dim\": 48", ["ffn.lin1.weight", "has shape [64, 32]", "requires [48, 32]"]),
        (
            "\"n_layers\": 2",
            "\"n_layers\": 3",
            ["no tensor `transformer.layer.2", "model.safetensors", "do not belong to"],
        ),
        (
            "\"vocab_size\": 113",
            "\"vocab_size\": 99",
            ["tokenizer.json", "has token 112", "vocab_size of config.json is 99"],
        ),
        ("\"Neutral\"", "\"LABEL_1\"", ["config.json", "id2label lists POSITIVE, LABEL_1, negative", "edit id2label"]),
    ] {
        assert!(original.contains(from));
        std::fs::write(&config, original.replace(from, to)).unwrap();
        assert_refused(dir.path(), &parts);
    }
}

#[test]
fn a_head_of_another_width_is_an_error() {
    let dir = copy("f16");
    Head::new(vec![0.5; 3 * 16], vec![0.0; 3]).unwrap().save(&dir.path().join("head.safetensors")).unwrap();
    Manifest::new("tiny", Pooling::Mean, 64, origin()).write(dir.path()).unwrap();
    assert_refused(dir.path(), &["head.safetensors", "`weight` has shape [3, 16]", "[3, 32]"]);
    assert!(Head::new(vec![0.5; 7], vec![0.0; 3]).is_err());
}

#[test]
fn an_unreadable_manifest_is_an_error() {
    let dir = model();
    let path = dir.path().join("manifest.json");
    let original = std::fs::read_to_string(&path).unwrap();
    for (from, to, part) in [
        ("\"format\": 1", "\"format\": 2", "format is 2"),
        ("\"max_tokens\": 64", "\"max_tokens\": 65", "max_tokens is 65; expected more than 2 and at most 64"),
        ("\"pooling\": \"mean\"", "\"pooling\": \"max\"", "unknown variant `max`"),
        ("\"format\": 1", "\"formats\": 1", "not a model's manifest"),
    ] {
        std::fs::write(&path, original.replace(from, to)).unwrap();
        assert_refused(dir.path(), &[part]);
    }
}
