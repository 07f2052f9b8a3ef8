//! Tests of the wiring: a classifier that fails, and the chunks of the run that resumes.

use std::path::Path;
use std::sync::{Arc, Mutex};

use super::feed::CHUNK;
use super::*;
use crate::classify::{ClassifierInput as Text, ClassifyError, DatasetLabelClassifier, Prediction};
use crate::text::Profile;

/// Uses the dump's labels, fails at one chunk, and records the length of each chunk before.
struct Flaky {
    chunks: Arc<Mutex<Vec<usize>>>,
    fails_at: usize,
}

impl Classifier for Flaky {
    fn model(&self) -> &str {
        "flaky"
    }

    fn profile(&self) -> Profile {
        Profile::Transformer
    }

    fn classify(&mut self, inputs: &[Text<'_>]) -> Result<Vec<Prediction>, ClassifyError> {
        let mut chunks = self.chunks.lock().unwrap();
        if chunks.len() == self.fails_at {
            return Err(ClassifyError::Model("as asked".into()));
        }
        chunks.push(inputs.len());
        DatasetLabelClassifier.classify(inputs)
    }
}

fn replay(state: &Path) -> Replay {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    Replay {
        loaded: LoadedConfig::find(Some(&repository.join("config/vigie.toml")), None).unwrap(),
        input: Inputs::expand(&[repository.join("tests/data/airline.csv")]).unwrap(),
        given_labels: true,
        topic_required: true,
        state: Some(state.into()),
        rejects: state.join("rejects.csv"),
    }
}

/// The batches decide the last bits of a model's output: after a failure they must be those of an uninterrupted run.
#[test]
fn a_replay_that_goes_on_classifies_the_same_chunks() {
    let dir = tempfile::tempdir().unwrap();
    let run = |state: &str, fails_at| {
        let chunks = Arc::default();
        let flaky = Flaky { chunks: Arc::clone(&chunks), fails_at };
        let outcome = replay(&dir.path().join(state)).run(Box::new(flaky), &mut [], &mut |_| ());
        let chunks = chunks.lock().unwrap().clone();
        (outcome, chunks)
    };
    let (whole, chunks) = run("whole", usize::MAX);
    assert_eq!(chunks, [CHUNK, CHUNK, CHUNK, CHUNK, 2_118 - 4 * CHUNK]);

    let (failed, before) = run("parts", 2);
    assert!(failed.unwrap_err().to_string().contains("as asked"));
    let (rest, after) = run("parts", usize::MAX);
    let (whole, rest) = (whole.unwrap(), rest.unwrap());
    // What was classified and not committed is classified again, in the same chunks.
    let resumed = rest.resumed_after as usize;
    assert!(resumed <= 2 * CHUNK && resumed.is_multiple_of(CHUNK), "{resumed}");
    assert_eq!((before, after), (chunks[..2].to_vec(), chunks[resumed / CHUNK..].to_vec()));
    assert_eq!(rest.replayed, 2_118 - rest.resumed_after);
    assert_eq!(rest.report.topics, whole.report.topics);
}
