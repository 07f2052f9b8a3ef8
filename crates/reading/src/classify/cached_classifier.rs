//! [`CachedClassifier`]: remembers predictions by text, so that a text that comes again, such as a retweet or a copy, is not read
//! again. Around the model, where predictions are made for a stream.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;

use super::{Classifier, ClassifierInput, ClassifyError, ErrorRates, Prediction};
use crate::text::Profile;

/// A classifier with a bounded memory. It keeps hashes of texts and no text, so nothing has to be erased from it.
pub struct CachedClassifier {
    inner: Box<dyn Classifier>,
    memory: Memory,
    cached: u64,
}

impl CachedClassifier {
    /// Remembers about `capacity` texts, at most.
    pub fn new(inner: Box<dyn Classifier>, capacity: usize) -> Self {
        Self { inner, memory: Memory::new(capacity), cached: 0 }
    }

    /// Around `inner`, unless `capacity` is 0.
    pub fn around(inner: Box<dyn Classifier>, capacity: usize) -> Box<dyn Classifier> {
        if capacity == 0 { inner } else { Box::new(Self::new(inner, capacity)) }
    }
}

impl Classifier for CachedClassifier {
    fn model(&self) -> &str {
        self.inner.model()
    }

    fn error_rates(&self) -> Option<ErrorRates> {
        self.inner.error_rates()
    }

    fn profile(&self) -> Profile {
        self.inner.profile()
    }

    fn classify(&mut self, inputs: &[ClassifierInput<'_>]) -> Result<Vec<Prediction>, ClassifyError> {
        let keys: Vec<u128> = inputs.iter().map(|input| self.memory.key(input.text)).collect();
        let mut known: HashMap<u128, Prediction> = HashMap::new();
        // A text that is twice in the batch is read once.
        let (mut unread, mut unread_keys) = (Vec::new(), HashMap::new());
        for (key, input) in keys.iter().zip(inputs) {
            if known.contains_key(key) || unread_keys.contains_key(key) {
                continue;
            }
            match self.memory.get(*key) {
                Some(prediction) => drop(known.insert(*key, prediction)),
                None => {
                    unread_keys.insert(*key, unread.len());
                    unread.push(*input);
                }
            }
        }
        let read = if unread.is_empty() { Vec::new() } else { self.inner.classify(&unread)? };
        if read.len() != unread.len() {
            let (found, expected) = (read.len(), unread.len());
            return Err(ClassifyError::Model(format!("{found} predictions for {expected} texts")));
        }
        for (key, place) in unread_keys {
            self.memory.insert(key, read[place].clone());
            known.insert(key, read[place].clone());
        }
        self.cached += (inputs.len() - unread.len()) as u64;
        // Each key is known now.
        Ok(keys.iter().filter_map(|key| known.get(key).cloned()).collect())
    }

    fn cached(&self) -> u64 {
        self.cached
    }
}

/// Two generations: when the newer one is full, the older one is dropped and the newer takes its place. What is used stays.
struct Memory {
    /// Predictions of each generation.
    capacity: usize,
    /// Two hashes of 64 bits make a key that no two texts share. Their seeds are random: nobody can make two texts that do.
    hashers: [RandomState; 2],
    newer: HashMap<u128, Prediction>,
    older: HashMap<u128, Prediction>,
}

impl Memory {
    fn new(capacity: usize) -> Self {
        let hashers = [RandomState::new(), RandomState::new()];
        Self { capacity: capacity.div_ceil(2), hashers, newer: HashMap::new(), older: HashMap::new() }
    }

    fn key(&self, text: &str) -> u128 {
        let [high, low] = [0, 1].map(|place: usize| u128::from(self.hashers[place].hash_one(text)));
        high << 64 | low
    }

    fn get(&mut self, key: u128) -> Option<Prediction> {
        if let Some(prediction) = self.newer.get(&key) {
            return Some(prediction.clone());
        }
        let prediction = self.older.remove(&key)?;
        self.insert(key, prediction.clone());
        Some(prediction)
    }

    fn insert(&mut self, key: u128, prediction: Prediction) {
        if self.newer.len() >= self.capacity {
            self.older = std::mem::take(&mut self.newer);
        }
        self.newer.insert(key, prediction);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::{Arc, Mutex};

    use proptest::prelude::*;

    use super::*;

    /// The first letter decides; remembers what it was given to read.
    struct FirstLetter(Arc<Mutex<Vec<String>>>);

    fn prediction(text: &str) -> Prediction {
        match text.as_bytes().first() {
            Some(b'n') => Prediction::from_probabilities([0.8, 0.1, 0.1]),
            Some(b'p') => Prediction::from_probabilities([0.1, 0.1, 0.8]),
            _ => Prediction::from_probabilities([0.1, 0.8, 0.1]),
        }
    }

    impl Classifier for FirstLetter {
        fn model(&self) -> &str {
            "first-letter"
        }

        fn profile(&self) -> Profile {
            Profile::Transformer
        }

        fn classify(&mut self, inputs: &[ClassifierInput<'_>]) -> Result<Vec<Prediction>, ClassifyError> {
            if inputs.iter().any(|input| input.text == "fail") {
                return Err(ClassifyError::Panicked);
            }
            self.0.lock().unwrap().extend(inputs.iter().map(|input| input.text.to_owned()));
            Ok(inputs.iter().map(|input| prediction(input.text)).collect())
        }
    }

    fn classify(classifier: &mut CachedClassifier, texts: &[&str]) -> Result<Vec<Prediction>, ClassifyError> {
        let inputs: Vec<_> = texts.iter().map(|text| ClassifierInput { text, label: None }).collect();
        classifier.classify(&inputs)
    }

    #[test]
    fn a_text_is_read_once_within_a_batch_and_across_batches() {
        let read = Arc::default();
        let mut classifier = CachedClassifier::new(Box::new(FirstLetter(Arc::clone(&read))), 10);
        let expected = ["neg", "pos", "neg", "other"].map(prediction);
        assert_eq!(classify(&mut classifier, &["neg", "pos", "neg", "other"]).unwrap(), expected);
        assert_eq!(classify(&mut classifier, &["other", "pos"]).unwrap(), ["other", "pos"].map(prediction));
        assert_eq!(*read.lock().unwrap(), ["neg", "pos", "other"]);
        assert_eq!(classifier.cached(), 3);
    }

    #[test]
    fn a_failure_is_passed_on_and_not_remembered() {
        let mut classifier = CachedClassifier::new(Box::new(FirstLetter(Arc::default())), 10);
        assert!(classify(&mut classifier, &["neg", "fail"]).is_err());
        assert!(classify(&mut classifier, &["fail"]).is_err());
        assert_eq!(classify(&mut classifier, &["neg"]).unwrap(), [prediction("neg")]);
        assert_eq!(classifier.cached(), 0);
    }

    proptest! {
        #[test]
        fn it_says_what_the_model_says_and_stays_small(
            batches in proptest::collection::vec(proptest::collection::vec("[npx][a-d]", 0..8), 0..20),
            capacity in 1_usize..12,
        ) {
            let read = Arc::default();
            let mut classifier = CachedClassifier::new(Box::new(FirstLetter(Arc::clone(&read))), capacity);
            let mut all = 0;
            for batch in &batches {
                let texts: Vec<&str> = batch.iter().map(String::as_str).collect();
                let expected: Vec<Prediction> = texts.iter().map(|text| prediction(text)).collect();
                let before = read.lock().unwrap().len();
                prop_assert_eq!(classify(&mut classifier, &texts).unwrap(), expected);
                let read = read.lock().unwrap();
                let new: HashSet<&String> = read[before..].iter().collect();
                prop_assert_eq!(new.len(), read.len() - before, "each once in a batch");
                prop_assert!(classifier.memory.newer.len() + classifier.memory.older.len() <= capacity + 1);
                all += texts.len();
                prop_assert_eq!(classifier.cached() as usize + read.len(), all);
            }
        }
    }
}
