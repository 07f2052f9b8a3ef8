//! Order, bounds and every way to end.

use super::*;
use crate::classify::{ClassifierInput, DatasetLabelClassifier, Label, Prediction};
use crate::text::Profile;

/// Panics on the text `panic`, and loses posts with the text `lose me`.
struct Brittle;

impl Classifier for Brittle {
    fn model(&self) -> &str {
        "brittle"
    }

    fn profile(&self) -> Profile {
        Profile::Transformer
    }

    fn classify(&mut self, inputs: &[ClassifierInput<'_>]) -> Result<Vec<Prediction>, ClassifyError> {
        if inputs.iter().any(|input| input.text == "panic") {
            panic!("on request");
        }
        let kept = inputs.iter().filter(|input| input.text != "lose me");
        Ok(kept.map(|_| Prediction::from_probabilities([0.2, 0.5, 0.3])).collect())
    }
}

fn post(id: usize, text: &str) -> Post {
    Post {
        id: id.to_string(),
        created_at: jiff::Timestamp::UNIX_EPOCH,
        author: None,
        text: text.to_owned(),
        lang: None,
        topic: None,
        label: Some("positive".to_owned()),
        ..Post::default()
    }
}

#[test]
fn chunks_come_out_whole_and_in_order() {
    let (sender, thread) = ClassifierThread::spawn(Box::new(DatasetLabelClassifier), 2).unwrap();
    let producer = std::thread::spawn(move || {
        for chunk in 0..50 {
            sender.send((0..chunk % 4).map(|index| post(10 * chunk + index, "hello")).collect()).unwrap();
        }
    });
    let mut ids = Vec::new();
    while let Some(chunk) = thread.recv() {
        let chunk = chunk.unwrap();
        assert!(chunk.iter().all(|classified| classified.prediction.label == Label::Positive));
        ids.push(chunk.into_iter().map(|classified| classified.post.id).collect::<Vec<_>>());
    }
    producer.join().unwrap();
    let expected: Vec<Vec<String>> =
        (0..50).map(|chunk| (0..chunk % 4).map(|index| (10 * chunk + index).to_string()).collect()).collect();
    assert_eq!(ids, expected);
    assert_eq!(thread.model(), "column");
}

#[test]
fn a_panic_is_an_error_and_the_end() {
    let (sender, thread) = ClassifierThread::spawn(Box::new(Brittle), 1).unwrap();
    sender.send(vec![post(1, "fine")]).unwrap();
    assert_eq!(thread.recv().unwrap().unwrap().len(), 1);
    sender.send(vec![post(2, "  panic ")]).unwrap();
    assert!(matches!(thread.recv(), Some(Err(ClassifyError::Panicked))));
    assert!(thread.recv().is_none());
    assert!(matches!(sender.send(vec![post(3, "fine")]), Err(ClassifyError::Stopped)));
}

#[test]
fn a_classifier_that_loses_a_post_is_caught() {
    let (sender, thread) = ClassifierThread::spawn(Box::new(Brittle), 1).unwrap();
    sender.send(vec![post(1, "fine"), post(2, "lose me")]).unwrap();
    let error = thread.recv().unwrap().unwrap_err();
    assert!(error.to_string().contains("returned 1 predictions for 2 posts"), "{error}");
}

#[test]
fn dropping_either_side_first_ends_the_thread() {
    let (sender, thread) = ClassifierThread::spawn(Box::new(Brittle), 1).unwrap();
    sender.send(vec![post(1, "fine")]).unwrap();
    drop(sender);
    drop(thread); // joins: would hang if the thread did not end

    let (sender, thread) = ClassifierThread::spawn(Box::new(Brittle), 1).unwrap();
    drop(thread);
    let sent = (0..4).take_while(|id| sender.send(vec![post(*id, "fine")]).is_ok()).count();
    assert!(sent < 4, "posts can still be sent although the receiver is gone");
}
