//! Order, bounds and every way to end. `Brittle` tells what it does by the text it is given, once cleaned.

use super::*;
use crate::classify::{ColumnClassifier, Label, Prediction};
use crate::text::Profile;

/// Fails as the text of a post tells it to.
struct Brittle;

impl Classifier for Brittle {
    fn model(&self) -> &str {
        "brittle"
    }

    fn profile(&self) -> Profile {
        Profile::Transformer
    }

    fn classify(&mut self, inputs: &[Input<'_>]) -> Result<Vec<Prediction>, ClassifyError> {
        if inputs.iter().any(|input| input.text == "panic") {
            panic!("as told");
        }
        let kept = inputs.iter().filter(|input| input.text != "lose me");
        Ok(kept.map(|_| Prediction::of_probabilities([0.2, 0.5, 0.3])).collect())
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
    let (feed, worker) = Worker::spawn(Box::new(ColumnClassifier), 2).unwrap();
    let sender = std::thread::spawn(move || {
        for chunk in 0..50 {
            feed.send((0..chunk % 4).map(|index| post(10 * chunk + index, "hello")).collect()).unwrap();
        }
    });
    let mut ids = Vec::new();
    while let Some(chunk) = worker.recv() {
        let chunk = chunk.unwrap();
        assert!(chunk.iter().all(|classified| classified.prediction.label == Label::Positive));
        ids.push(chunk.into_iter().map(|classified| classified.post.id).collect::<Vec<_>>());
    }
    sender.join().unwrap();
    let wanted: Vec<Vec<String>> =
        (0..50).map(|chunk| (0..chunk % 4).map(|index| (10 * chunk + index).to_string()).collect()).collect();
    assert_eq!(ids, wanted);
    assert_eq!(worker.model(), "column");
}

#[test]
fn a_panic_is_an_error_and_the_end() {
    let (feed, worker) = Worker::spawn(Box::new(Brittle), 1).unwrap();
    feed.send(vec![post(1, "fine")]).unwrap();
    assert_eq!(worker.recv().unwrap().unwrap().len(), 1);
    feed.send(vec![post(2, "  panic ")]).unwrap();
    assert!(matches!(worker.recv(), Some(Err(ClassifyError::Panicked))));
    assert!(worker.recv().is_none());
    assert!(matches!(feed.send(vec![post(3, "fine")]), Err(ClassifyError::Stopped)));
}

#[test]
fn a_classifier_that_loses_a_post_is_caught() {
    let (feed, worker) = Worker::spawn(Box::new(Brittle), 1).unwrap();
    feed.send(vec![post(1, "fine"), post(2, "lose me")]).unwrap();
    let error = worker.recv().unwrap().unwrap_err();
    assert!(error.to_string().contains("gave 1 predictions for 2 posts"), "{error}");
}

#[test]
fn dropping_either_side_first_ends_the_thread() {
    let (feed, worker) = Worker::spawn(Box::new(Brittle), 1).unwrap();
    feed.send(vec![post(1, "fine")]).unwrap();
    drop(feed);
    drop(worker); // joins: would hang if the thread did not end

    let (feed, worker) = Worker::spawn(Box::new(Brittle), 1).unwrap();
    drop(worker);
    let sent = (0..4).take_while(|id| feed.send(vec![post(*id, "fine")]).is_ok()).count();
    assert!(sent < 4, "the feed still takes posts though nobody reads");
}
