//! Tests of the classifier's thread: repeats, poison posts, and a classifier that stays broken.

use std::sync::mpsc::sync_channel;

use jiff::Timestamp;

use super::*;
use crate::classify::{CachedClassifier, ClassifierInput, ClassifyError, Label};
use crate::config::LoadedConfig;
use crate::source::SourceBatch;
use crate::text::Profile;

/// Panics on a text with `poison`, and fails after that, as a real one does.
#[derive(Default)]
struct Fragile {
    broken: bool,
}

impl Classifier for Fragile {
    fn model(&self) -> &str {
        "fragile"
    }

    fn profile(&self) -> Profile {
        Profile::Transformer
    }

    fn classify(&mut self, inputs: &[ClassifierInput<'_>]) -> Result<Vec<Prediction>, ClassifyError> {
        self.broken |= inputs.iter().any(|input| input.text.contains("poison"));
        assert!(!self.broken, "as asked");
        let prediction = Prediction { label: Label::Neutral, probabilities: [0.0, 1.0, 0.0], reason: None };
        Ok(vec![prediction; inputs.len()])
    }
}

fn thread(make: MakeClassifier) -> ClassifierStage {
    ClassifierStage {
        classifier: Box::new(Fragile::default()),
        make,
        next: PendingSwap::default(),
        recent: RecentIds::new(jiff::SignedDuration::ZERO),
        topics: matcher("everything"),
        classify_requests: mpsc::channel(1).1,
        clock: Arc::new(|| Timestamp::UNIX_EPOCH),
        busy: Stopwatch::default(),
        metrics: Metrics::new(),
        restart_policy: RestartPolicy::default(),
    }
}

/// The matcher of one topic with the keyword "delay"; `unmatched` takes all other posts, or none where it is empty.
fn matcher(unmatched: &str) -> TopicMatcher {
    let mut config = LoadedConfig::find(None, None).unwrap().config;
    config.topics.truncate(1);
    config.topics[0].keywords = vec!["delay".into()];
    config.unmatched_topic = unmatched.into();
    TopicMatcher::new(&config).unwrap()
}

fn healthy() -> MakeClassifier {
    Box::new(|| Ok(Box::new(Fragile::default())))
}

fn arrived(posts: &[(&str, &str)]) -> Envelope {
    let post = |(id, text): &(&str, &str)| Post { id: (*id).into(), text: (*text).into(), ..Post::default() };
    let batch = SourceBatch { posts: posts.iter().map(post).collect(), ..SourceBatch::default() };
    Envelope { source: "x".into(), received_at: Timestamp::UNIX_EPOCH, batch }
}

fn ids(classified: &ClassifiedBatch) -> Vec<&str> {
    classified.posts.iter().map(|post| post.classified.post.id.as_str()).collect()
}

#[test]
fn repeats_are_dropped_and_accounted_for() {
    let mut thread = thread(healthy());
    let batch = vec![arrived(&[("1", "a"), ("2", "b"), ("1", "a")]), arrived(&[("2", "b"), ("3", "c")])];
    let classified = thread.classify(batch).unwrap();
    assert_eq!((ids(&classified[0]), classified[0].received, classified[0].duplicates), (vec!["1", "2"], 3, 1));
    assert_eq!((ids(&classified[1]), classified[1].received, classified[1].duplicates), (vec!["3"], 2, 1));
}

#[test]
fn a_post_of_no_topic_is_counted_and_costs_no_inference() {
    let mut thread = thread(Box::new(|| panic!("the classifier must not fail")));
    thread.topics = matcher("");
    // The classifier would fail on `poison`, were it asked.
    let classified = thread.classify(vec![arrived(&[("1", "poison"), ("2", "a delay"), ("1", "poison")])]).unwrap();
    assert_eq!((ids(&classified[0]), classified[0].unmatched, classified[0].duplicates), (vec!["2"], 1, 1));
    assert_eq!(classified[0].received, 3);
}

#[test]
fn texts_that_come_again_are_not_read_again_and_are_counted() {
    let mut thread = thread(healthy());
    thread.classifier = CachedClassifier::around(Box::new(Fragile::default()), 100);
    let classified = thread.classify(vec![arrived(&[("1", "a"), ("2", "b"), ("3", "a")])]).unwrap();
    assert_eq!(ids(&classified[0]), ["1", "2", "3"], "each post is there");
    assert_eq!(thread.metrics.classify.cached.get(), 1);
    thread.classify(vec![arrived(&[("4", "b")])]).unwrap();
    assert_eq!(thread.metrics.classify.cached.get(), 2);
    // The one that replaces it after a failure begins with nothing.
    thread.classify(vec![arrived(&[("5", "poison"), ("6", "b")])]).unwrap();
    assert_eq!(thread.metrics.classify.cached.get(), 2);
}

#[test]
fn a_poison_post_is_set_aside_and_the_others_are_classified() {
    let mut thread = thread(healthy());
    let classified = thread.classify(vec![arrived(&[("1", "a"), ("2", "poison"), ("3", "c")])]).unwrap();
    assert_eq!(ids(&classified[0]), ["1", "3"]);
    assert_eq!(classified[0].rejected[0].reason, "poison");
    assert!(classified[0].rejected[0].raw.contains("\"2\""), "its text is kept for the operator");
    assert_eq!(thread.metrics.classify.failures.get(), 2, "two tries");
    assert_eq!(thread.metrics.classify.dead_letters.get(), 1);
    let later = thread.classify(vec![arrived(&[("4", "d")])]).unwrap();
    assert_eq!(ids(&later[0]), ["4"], "the classifier works again");
}

#[test]
fn a_classifier_that_fails_on_any_post_ends_the_process_and_sets_nothing_aside() {
    let mut thread = thread(Box::new(|| Ok(Box::new(Fragile { broken: true }))));
    thread.restart_policy.record_failure(Timestamp::UNIX_EPOCH); // two more are left, and one wait of two seconds less
    thread.restart_policy.record_failure(Timestamp::UNIX_EPOCH);
    let error = thread.classify(vec![arrived(&[("1", "poison"), ("2", "b")])]).unwrap_err();
    assert!(format!("{error:#}").contains("three times in five minutes: it fails on any post"), "{error:#}");
    assert_eq!(thread.metrics.classify.dead_letters.get(), 0);
}

#[test]
fn the_thread_ends_when_its_sources_have() {
    let (batches, inbox) = mpsc::channel(4);
    let (to_monitor, events) = sync_channel(4);
    batches.blocking_send(arrived(&[("1", "a")])).unwrap();
    drop(batches);
    thread(healthy()).run(inbox, &to_monitor).unwrap();
    assert!(matches!(events.try_recv(), Ok(Event::Classified(batch)) if batch[0].posts.len() == 1));
}

#[test]
fn another_model_is_taken_between_two_batches() {
    struct Other;
    impl Classifier for Other {
        fn model(&self) -> &str {
            "other"
        }
        fn profile(&self) -> Profile {
            Profile::Transformer
        }
        fn classify(&mut self, inputs: &[ClassifierInput<'_>]) -> Result<Vec<Prediction>, ClassifyError> {
            Ok(vec![Prediction { label: Label::Positive, probabilities: [0.0, 0.0, 1.0], reason: None }; inputs.len()])
        }
    }
    let thread = thread(healthy());
    let metrics = thread.metrics.clone();
    thread.next.set((Box::new(Other), healthy()), matcher("everything"));
    let (batches, inbox) = mpsc::channel(4);
    let (to_monitor, events) = sync_channel(4);
    batches.blocking_send(arrived(&[("1", "a")])).unwrap();
    drop(batches);
    thread.run(inbox, &to_monitor).unwrap();
    let Ok(Event::Classified(batch)) = events.try_recv() else { panic!("nothing was classified") };
    assert_eq!(batch[0].posts[0].classified.prediction.label, Label::Positive);
    assert!(metrics.render().unwrap().contains("vigie_classify_model_info{model=\"other\"} 1"));
}
