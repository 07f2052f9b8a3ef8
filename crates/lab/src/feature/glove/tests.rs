//! GloVe trained on small texts, and the same bits on any number of threads.

use super::super::Featurizer;
use super::super::word2vec::tests::{assert_twins_are_near, on_threads, texts};
use super::*;

fn small() -> Config {
    Config { dimensions: 20, min_count: 1, epochs: 30, ..Config::default() }
}

#[test]
fn words_in_the_same_contexts_get_similar_vectors_and_the_loss_falls() {
    let texts = texts();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let trained = small().train(&texts, &ProgressBar::hidden()).unwrap();
    assert_twins_are_near(&trained.vectors);
    assert!(trained.loss[29] < 0.5 * trained.loss[0], "{:?}", trained.loss);
}

#[test]
fn threads_do_not_change_a_bit_and_the_seed_does() {
    let texts = texts();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let config = Config { epochs: 2, ..small() };
    let train = |config: &Config| config.train(&texts, &ProgressBar::hidden()).unwrap();
    let one = on_threads(1, || train(&config));
    for threads in [2, 5] {
        assert_eq!(on_threads(threads, || train(&config)), one, "{threads} threads");
    }
    assert_ne!(train(&Config { seed: 2, ..config }), one);
}

#[test]
fn params_say_where_the_vectors_are_from() {
    let trained = Featurizer::Glove(Config::default()).params();
    assert_eq!((trained["glove_vectors"].as_str(), trained["glove_x_max"].as_str()), ("trained", "10"));
    let read = Featurizer::Glove(Config { vectors: Some("glove.6B.50d.txt".into()), ..Config::default() }).params();
    assert_eq!(read["glove_vectors"], "glove.6B.50d.txt");
    assert!(!read.contains_key("glove_epochs"), "{read:?}");
}

#[test]
fn invalid_settings_are_named() {
    for (config, expected) in [
        (Config { window: 0, ..small() }, "GloVe: window is 0; expected 1 to 100"),
        (Config { x_max: 0.0, ..small() }, "GloVe: x_max is 0; expected a number above 0"),
        (Config { alpha: 1.5, ..small() }, "GloVe: alpha is 1.5; expected a number from 0 to 1"),
        (Config { min_count: 3, ..small() }, "GloVe: no word occurs 3 times"),
    ] {
        let message = config.train(&["good late"], &ProgressBar::hidden()).unwrap_err().to_string();
        assert!(message.starts_with(expected), "{message:?} should say {expected:?}");
    }
}
