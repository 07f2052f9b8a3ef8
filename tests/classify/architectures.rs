//! One encoder, saved as a DistilBERT, a BERT and a RoBERTa: the same answers.

use std::collections::HashMap;
use std::path::Path;

use candle_core::{Device, Tensor};
use serde_json::{Value, json};
use vigie::classify::{Classifier, ClassifierInput, Encoder, EncoderClassifier, Label, Pooling, Precision};

use crate::bert_names::bert_name;
use crate::{assert_close, copy, expected, fixture, strs};

type Tensors = HashMap<String, Tensor>;

/// Rewrites a copy of the fixture as another architecture.
fn save_as(model_type: &str, prefix: &str, change: impl Fn(&mut Tensors, &mut Value)) -> tempfile::TempDir {
    let dir = copy("classifier");
    let path = dir.path().join("model.safetensors");
    let saved = candle_core::safetensors::load(&path, &Device::Cpu).unwrap();
    let mut tensors: Tensors = saved.into_iter().map(|(name, tensor)| (bert_name(&name, prefix), tensor)).collect();
    let mut config: Value = serde_json::from_slice(&std::fs::read(dir.path().join("config.json")).unwrap()).unwrap();
    let sizes = json!({
        "model_type": model_type, "vocab_size": config["vocab_size"], "hidden_size": config["dim"],
        "num_hidden_layers": config["n_layers"], "num_attention_heads": config["n_heads"],
        "intermediate_size": config["hidden_dim"], "hidden_act": "gelu", "layer_norm_eps": 1e-12,
        "max_position_embeddings": config["max_position_embeddings"], "type_vocab_size": 2, "pad_token_id": 0,
        "id2label": config["id2label"], "position_embedding_type": "absolute",
    });
    config = sizes;
    change(&mut tensors, &mut config);
    candle_core::safetensors::save(&tensors, &path).unwrap();
    std::fs::write(dir.path().join("config.json"), config.to_string()).unwrap();
    dir
}

/// Adds a table of types, and takes what it adds off the positions: type 0 is not zero in a real BERT.
fn add_types(tensors: &mut Tensors, prefix: &str, rows: usize) {
    let positions = tensors.get_mut(&format!("{prefix}embeddings.position_embeddings.weight")).unwrap();
    let width = positions.dims()[1];
    let types = Tensor::arange(0.0_f32, (rows * width) as f32, &Device::Cpu).unwrap();
    let types = ((types / 100.0).unwrap()).reshape((rows, width)).unwrap();
    *positions = positions.broadcast_sub(&types.get(0).unwrap()).unwrap();
    tensors.insert(format!("{prefix}embeddings.token_type_embeddings.weight"), types);
}

fn bert() -> tempfile::TempDir {
    save_as("bert", "bert.", |tensors, _| {
        add_types(tensors, "bert.", 2);
        for part in ["weight", "bias"] {
            let hidden = tensors.remove(&format!("pre_classifier.{part}")).unwrap();
            tensors.insert(format!("bert.pooler.dense.{part}"), hidden);
        }
    })
}

fn roberta(model_type: &str) -> tempfile::TempDir {
    save_as(model_type, "roberta.", |tensors, config| {
        add_types(tensors, "roberta.", 1);
        for part in ["weight", "bias"] {
            let hidden = tensors.remove(&format!("pre_classifier.{part}")).unwrap();
            let classes = tensors.remove(&format!("classifier.{part}")).unwrap();
            tensors.insert(format!("classifier.dense.{part}"), hidden);
            tensors.insert(format!("classifier.out_proj.{part}"), classes);
        }
        // Positions begin after that of the padding, token 1.
        let name = "roberta.embeddings.position_embeddings.weight";
        let padded = tensors[name].pad_with_zeros(0, 2, 0).unwrap();
        config["max_position_embeddings"] = json!(padded.dims()[0]);
        tensors.insert(name.to_owned(), padded);
        (config["pad_token_id"], config["type_vocab_size"]) = (json!(1), json!(1));
    })
}

/// The probabilities of the fixture's own head with tanh between its layers, by hand.
fn with_tanh(first_token: &[f32]) -> [f32; 3] {
    let tensors = candle_core::safetensors::load(fixture("classifier/model.safetensors"), &Device::Cpu).unwrap();
    let dense = |name: &str, input: Vec<f32>| -> Vec<f32> {
        let weight: Vec<Vec<f32>> = tensors[&format!("{name}.weight")].to_vec2().unwrap();
        let bias: Vec<f32> = tensors[&format!("{name}.bias")].to_vec1().unwrap();
        let row = |(row, bias): (&Vec<f32>, &f32)| row.iter().zip(&input).map(|(w, x)| w * x).sum::<f32>() + bias;
        weight.iter().zip(&bias).map(row).collect()
    };
    let hidden: Vec<f32> = dense("pre_classifier", first_token.to_vec()).into_iter().map(f32::tanh).collect();
    let exponents: Vec<f32> = dense("classifier", hidden).into_iter().map(f32::exp).collect();
    let total: f32 = exponents.iter().sum();
    // The fixture's rows are positive, neutral, negative.
    [exponents[2] / total, exponents[1] / total, exponents[0] / total]
}

fn answers_like_the_distilbert(dir: &Path) {
    let (expected, name) = (expected(), dir.display().to_string());
    let texts = strs(&expected.texts);
    let mean: Vec<f32> = expected.f32.iter().flat_map(|row| row.mean.clone()).collect();
    let encoder = Encoder::load(dir).unwrap();
    assert_close(&encoder.encode(&texts).unwrap(), &mean, 1e-4, &name);
    let first = encoder.with_pooling(Pooling::Cls).encode(&texts).unwrap();

    let mut classifier = EncoderClassifier::load_with(dir, Precision::F32).unwrap();
    let inputs: Vec<ClassifierInput<'_>> = texts.iter().map(|text| ClassifierInput { text, label: None }).collect();
    let predictions = classifier.classify(&inputs).unwrap();
    for (prediction, first) in predictions.iter().zip(first.chunks_exact(32)) {
        let by_hand = with_tanh(first);
        assert_close(&prediction.probabilities, &by_hand, 1e-5, &format!("{name}, {:?}", Label::ALL));
    }
}

#[test]
fn a_bert_answers_like_the_distilbert_of_the_same_weights() {
    answers_like_the_distilbert(bert().path());
}

#[test]
fn a_roberta_answers_like_the_distilbert_of_the_same_weights() {
    for model_type in ["roberta", "xlm-roberta"] {
        answers_like_the_distilbert(roberta(model_type).path());
    }
}
