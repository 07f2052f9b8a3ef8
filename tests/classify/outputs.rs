//! Outputs match PyTorch for every checkpoint layout, whatever other texts are in the batch.

use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::distilbert::{Config, DistilBertModel};
use vigie::classify::{Classifier, ClassifierInput, Encoder, EncoderClassifier, Label, Pooling, Precision, Prediction};

use crate::{Row, assert_close, expected, fixture, strs};

fn classify(classifier: &mut EncoderClassifier, texts: &[&str]) -> Vec<Prediction> {
    let inputs: Vec<ClassifierInput<'_>> = texts.iter().map(|text| ClassifierInput { text, label: None }).collect();
    classifier.classify(&inputs).unwrap()
}

fn encodes_like_pytorch(name: &str, texts: &[&str], rows: &[Row]) {
    let mean = Encoder::load(&fixture(name)).unwrap();
    let vectors: Vec<f32> = rows.iter().flat_map(|row| row.mean.clone()).collect();
    assert_close(&mean.encode(texts).unwrap(), &vectors, 1e-5, &format!("{name}, mean"));
    let first = mean.with_pooling(Pooling::Cls);
    let vectors: Vec<f32> = rows.iter().flat_map(|row| row.cls.clone()).collect();
    assert_close(&first.encode(texts).unwrap(), &vectors, 1e-5, &format!("{name}, first token"));
    let both = first.with_pooling(Pooling::MeanMiddleLast);
    let vectors: Vec<f32> = rows.iter().flat_map(|row| [row.middle.clone(), row.mean.clone()].concat()).collect();
    assert_close(
        &both.encode(texts).unwrap(),
        &vectors,
        1e-5,
        &format!("{name}, means of the middle and the last layer"),
    );
}

#[test]
fn every_layout_of_a_checkpoint_encodes_like_pytorch() {
    let expected = expected();
    let texts = strs(&expected.texts);
    for (name, rows) in
        [("classifier", &expected.f32), ("sharded", &expected.f32), ("f16", &expected.f16), ("bf16", &expected.bf16)]
    {
        encodes_like_pytorch(name, &texts, rows);
    }
}

#[test]
fn a_checkpoints_own_head_classifies_like_pytorch() {
    let expected = expected();
    let mut classifier = EncoderClassifier::load_with(&fixture("classifier"), Precision::F32).unwrap();
    let predictions = classify(&mut classifier, &strs(&expected.texts));
    for (prediction, row) in predictions.iter().zip(&expected.f32) {
        assert_close(&prediction.probabilities, &row.probabilities, 1e-4, "probabilities");
        let largest = row.probabilities.iter().copied().fold(0.0, f32::max);
        let label = Label::ALL.into_iter().zip(&row.probabilities).find(|(_, p)| **p == largest);
        assert_eq!(Some(prediction.label), label.map(|(label, _)| label));
    }
    assert!(classifier.model().starts_with("classifier-"), "{}", classifier.model());
}

/// Texts of all lengths, many enough for several batches.
fn crowd(texts: &[String]) -> Vec<String> {
    (0..120).map(|index| format!("{} {}", texts[index % texts.len()], "great ".repeat(index % 37))).collect()
}

#[test]
fn a_text_reads_the_same_alone_and_in_any_batch() {
    let crowd = crowd(&expected().texts);
    let mut classifier = EncoderClassifier::load_with(&fixture("classifier"), Precision::F32).unwrap();
    let together = classify(&mut classifier, &strs(&crowd));
    assert_eq!(together.len(), crowd.len());
    for (text, together) in crowd.iter().zip(&together) {
        let alone = classify(&mut classifier, &[text]);
        assert_close(&alone[0].probabilities, &together.probabilities, 1e-5, "alone and together");
    }
}

#[test]
fn the_same_call_gives_the_same_bits() {
    let crowd = crowd(&expected().texts);
    let encoder = Encoder::load(&fixture("f16")).unwrap();
    let first: Vec<u32> = encoder.encode(&strs(&crowd)).unwrap().into_iter().map(f32::to_bits).collect();
    for _ in 0..5 {
        let again: Vec<u32> = encoder.encode(&strs(&crowd)).unwrap().into_iter().map(f32::to_bits).collect();
        assert_eq!(first, again);
    }
}

#[test]
fn a_long_text_is_cut_at_the_models_limit() {
    let expected = expected();
    let encoder = Encoder::load(&fixture("f16")).unwrap();
    let (text, row) = expected.texts.iter().zip(&expected.f16).find(|(_, row)| row.tokens == 64).unwrap();
    let longer = format!("{text} {}", "thanks ".repeat(5_000));
    assert_close(&encoder.encode(&[&longer]).unwrap(), &row.mean, 1e-4, "a text cut at 64 tokens");
}

#[test]
fn no_texts_give_no_rows() {
    assert!(Encoder::load(&fixture("f16")).unwrap().encode(&[]).unwrap().is_empty());
}

/// Candle's own model of DistilBERT, whose GELU is the tanh approximation, is near.
#[test]
fn candle_transformers_comes_near() {
    let expected = expected();
    let bytes = std::fs::read(fixture("classifier").join("model.safetensors")).unwrap();
    let config: Config =
        serde_json::from_slice(&std::fs::read(fixture("classifier").join("config.json")).unwrap()).unwrap();
    let weights = VarBuilder::from_buffered_safetensors(bytes, DType::F32, &Device::Cpu).unwrap();
    let stock = DistilBertModel::load(weights, &config).unwrap();
    let ours = Encoder::load(&fixture("classifier")).unwrap().with_pooling(Pooling::Cls);
    let tokenizer = tokenizers::Tokenizer::from_file(fixture("classifier").join("tokenizer.json")).unwrap();
    for text in strs(&expected.texts) {
        let ids = tokenizer.encode(text, true).unwrap();
        let ids = &ids.get_ids()[..ids.len().min(64)];
        if ids.len() == 64 {
            continue; // a cut text also loses its [SEP] here
        }
        let (input, mask) = (
            Tensor::from_slice(ids, (1, ids.len()), &Device::Cpu),
            Tensor::zeros((1, ids.len()), DType::U8, &Device::Cpu),
        );
        let hidden = stock.forward(&input.unwrap(), &mask.unwrap()).unwrap();
        let first: Vec<f32> = hidden.get(0).unwrap().get(0).unwrap().to_vec1().unwrap();
        assert_close(&ours.encode(&[text]).unwrap(), &first, 5e-3, "first token by candle-transformers");
    }
}
