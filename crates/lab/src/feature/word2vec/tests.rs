//! Word2vec trained on small texts, and the same bits on any number of threads.

use super::super::Featurizer;
use super::super::vectors::Vectors;
use super::*;
use crate::matrix::{Dense, Matrix};

/// Two topics without common words; within each, two words occur in the same contexts and never together.
pub(in crate::feature) fn texts() -> Vec<String> {
    let (travel, food) = (["flight", "plane"], ["pizza", "burger"]);
    let (near_travel, near_food) = (["late", "gate", "pilot", "crew"], ["tasty", "cheese", "oven", "sauce"]);
    (0..600_usize)
        .map(|index| {
            let (twins, near) = if index % 2 == 0 { (travel, near_travel) } else { (food, near_food) };
            let around = |step: usize| near[(index / 2 * 7 + step) % 4];
            format!("{} {} {} {}", around(1), twins[index / 2 % 2], around(2), around(3))
        })
        .collect()
}

fn vector<'a>(vectors: &'a Vectors, word: &str) -> &'a [f32] {
    let place = vectors.words.iter().position(|known| known == word).unwrap();
    &vectors.values[place * vectors.width..(place + 1) * vectors.width]
}

fn cosine(vectors: &Vectors, a: &str, b: &str) -> f32 {
    let (a, b) = (vector(vectors, a), vector(vectors, b));
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

/// The twins are more similar to each other than to the twins of the other topic.
pub(in crate::feature) fn assert_twins_are_near(vectors: &Vectors) {
    for (twins, others) in [(["flight", "plane"], ["pizza", "burger"]), (["pizza", "burger"], ["flight", "plane"])] {
        let near = cosine(vectors, twins[0], twins[1]);
        for other in others {
            let far = cosine(vectors, twins[0], other);
            assert!(near > far + 0.3, "{twins:?} {near}, {other} {far}");
        }
    }
}

pub(in crate::feature) fn on_threads<T: Send>(threads: usize, work: impl Fn() -> T + Send + Sync) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work)
}

fn small(architecture: Architecture) -> Config {
    Config {
        architecture,
        dimensions: 20,
        min_count: 1,
        sample: 0.0,
        learning_rate: 0.1,
        epochs: 20,
        ..Config::default()
    }
}

#[test]
fn words_in_the_same_contexts_get_similar_vectors_and_the_loss_falls() {
    let texts = texts();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    for architecture in [Architecture::SkipGram, Architecture::Cbow] {
        let trained = small(architecture).train(&texts, &ProgressBar::hidden()).unwrap();
        assert_twins_are_near(&trained.vectors);
        assert_eq!(trained.loss.len(), 20);
        assert!(trained.loss[19] < 0.8 * trained.loss[0], "{architecture:?} {:?}", trained.loss);
    }
}

#[test]
fn threads_do_not_change_a_bit_and_the_seed_does() {
    let texts = texts();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let config = Config { epochs: 2, ..small(Architecture::SkipGram) };
    let train = |config: &Config| config.train(&texts, &ProgressBar::hidden()).unwrap();
    let one = on_threads(1, || train(&config));
    for threads in [2, 5] {
        assert_eq!(on_threads(threads, || train(&config)), one, "{threads} threads");
    }
    assert_ne!(train(&Config { seed: 2, ..config }), one);
}

#[test]
fn a_row_is_made_of_the_words_that_have_vectors() {
    let texts = Texts { train: &["good late good", "unknown"], test: &["late"], corpus: &["good late"] };
    let poolings = [
        (WordPooling::Mean, 4),
        (WordPooling::Idf, 4),
        (WordPooling::Sif, 4),
        (WordPooling::MeanMaxMin, 12),
        (WordPooling::All, 20),
    ];
    for (pooling, width) in poolings {
        let config = Config { dimensions: 4, min_count: 2, epochs: 1, pooling, ..small(Architecture::SkipGram) };
        let features = Featurizer::Word2Vec(config).fit_transform(texts, &ProgressBar::hidden()).unwrap();
        let (Matrix::Dense(train), Matrix::Dense(test)) = (features.train, features.test) else { panic!("sparse") };
        assert_eq!((train.width, train.values.len(), test.values.len()), (width, 2 * width, width));
        assert!(train.row(0).iter().any(|value| *value != 0.0), "{pooling:?}");
        assert!(train.row(1).iter().all(|value| *value == 0.0), "{pooling:?}");
        assert_eq!(features.epochs["word2vec_loss"].len(), 1);
    }
}

#[test]
fn vectors_of_a_file_are_pooled() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    std::io::Write::write_all(&mut file, b"2 2\ngood 1 -2\nlate 3 4\n").unwrap();
    let config = Config { vectors: Some(file.path().to_path_buf()), ..Config::default() };
    let texts = Texts { train: &["good late late late"], test: &["good"], corpus: &[] };
    let features = Featurizer::Word2Vec(config.clone()).fit_transform(texts, &ProgressBar::hidden()).unwrap();
    let row = |values: [f32; 10]| Matrix::Dense(Dense { width: 10, values: values.to_vec() });
    // Mean, largest, smallest, mean by idf (which is the same for both words here) and sum.
    assert_eq!(features.train, row([2.5, 2.5, 3.0, 4.0, 1.0, -2.0, 2.5, 2.5, 10.0, 10.0]));
    assert_eq!(features.test, row([1.0, -2.0, 1.0, -2.0, 1.0, -2.0, 1.0, -2.0, 1.0, -2.0]));
    let other = Texts { train: &["vol"], test: &["retard"], corpus: &[] };
    let message = Featurizer::Word2Vec(config).fit_transform(other, &ProgressBar::hidden()).unwrap_err().to_string();
    assert!(message.contains("none of its words occurs in the texts"), "{message}");
}

#[test]
fn settings_and_texts_that_give_nothing_are_named() {
    let config = Config::default();
    for (config, expected) in [
        (Config { dimensions: 0, ..config.clone() }, "Word2Vec: dimensions is 0; expected 1 to 1024"),
        (
            Config { learning_rate: f32::NAN, ..config.clone() },
            "Word2Vec: learning_rate is NaN; expected a number above 0",
        ),
        (Config { sample: 2.0, ..config.clone() }, "Word2Vec: sample is 2; expected a share from 0 to 1"),
        (Config { min_count: 9, ..config }, "Word2Vec: no word occurs 9 times in the 1 training texts"),
    ] {
        let message = config.train(&["good late"], &ProgressBar::hidden()).unwrap_err().to_string();
        assert!(message.starts_with(expected), "{message:?} should say {expected:?}");
    }
}
