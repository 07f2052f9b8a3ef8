//! What a retraining reads: corrections and recent posts of the store or of the daemon that holds it, and labelled dumps.

use std::path::{Path, PathBuf};

use crate::cli::{feedback, posts};
use crate::config::LoadedConfig;
use crate::dump::Inputs;
use crate::lab::retrain::{CorrectedPost, RetrainInput};
use crate::lab::{Dataset, Subset};
use crate::monitor::{FeedbackRecord, Provenance, last_labels};
use crate::text::Profile;

/// Recent posts that show what a challenger changes, and what is usual.
const RECENT: usize = 1_000;
/// Share of the base data that is held out where no other posts are.
const HELD_OUT: f64 = 0.2;

/// Reads everything; dumps are cleaned by `profile`.
pub(super) fn read(loaded: &LoadedConfig, state: &Path, profile: Profile) -> anyhow::Result<RetrainInput> {
    let settings = &loaded.config.retrain;
    let all = feedback::all(loaded, state)?;
    let (usable, withheld) = usable(&all, settings.with_x);
    let corrections = usable.into_iter().map(|given| CorrectedPost {
        text: given.feedback.post.text.clone(),
        label: given.feedback.label,
        at: given.feedback.at,
    });
    let recent = posts::newest(loaded, state, RECENT)?;
    let recent =
        recent.into_iter().filter(|post| settings.with_x || Provenance::of(post.url.as_deref()) != Provenance::X);
    let input = RetrainInput {
        corrections: corrections.collect(),
        withheld,
        recent: recent.map(|post| post.text).collect(),
        ..RetrainInput::default()
    };
    with_dumps(input, loaded, profile)
}

/// The last label of each post, and how many of them may not be used: X's terms forbid training on its posts.
fn usable(all: &[FeedbackRecord], with_x: bool) -> (Vec<&FeedbackRecord>, usize) {
    let last = last_labels(all);
    let count = last.len();
    let may_be_used = |given: &&FeedbackRecord| with_x || given.feedback.provenance != Provenance::X;
    let usable: Vec<&FeedbackRecord> = last.into_iter().filter(may_be_used).collect();
    let withheld = count - usable.len();
    (usable, withheld)
}

/// Adds the base data and the held-out sets.
fn with_dumps(mut input: RetrainInput, loaded: &LoadedConfig, profile: Profile) -> anyhow::Result<RetrainInput> {
    let settings = &loaded.config.retrain;
    let read = |files: &[PathBuf], subset| -> anyhow::Result<Dataset> {
        Ok(Dataset::read(&Inputs::expand(files)?, &loaded.config.dump, subset, profile)?)
    };
    for file in &settings.held_out {
        input.held_out.push((name(file), read(std::slice::from_ref(file), Subset::All)?));
    }
    if settings.base.is_empty() {
        return Ok(input);
    }
    let mut subset = Subset::All;
    // With no other posts to judge on, a part of the base is: else nothing would show what was forgotten.
    if input.held_out.is_empty() {
        input.held_out.push(("base_held_out_fifth".into(), read(&settings.base, Subset::Sampled(HELD_OUT))?));
        subset = Subset::Unsampled(HELD_OUT);
    }
    let mut base = read(&settings.base, subset)?;
    base.drop_texts_of(input.held_out.iter().map(|(_, set)| set));
    input.base = Some(base);
    Ok(input)
}

/// The name of a set in tables and in the manifest.
fn name(file: &Path) -> String {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let folder = file.parent().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
    match folder.filter(|folder| !folder.is_empty()) {
        Some(folder) => format!("{folder}_{stem}"),
        None => stem.into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::classify::Label;
    use crate::monitor::Feedback;
    use crate::window::Sample;

    fn given(number: u64, id: &str, provenance: Provenance, label: Label) -> FeedbackRecord {
        let post = Sample { id: id.into(), ..Sample::default() };
        let (at, model, predicted) = (Timestamp::UNIX_EPOCH, "default".to_owned(), Label::Negative);
        let feedback =
            Feedback { at, by: None, post, provenance, model, predicted, probabilities: [0.9, 0.06, 0.04], label };
        FeedbackRecord { number, known: true, feedback }
    }

    #[test]
    fn the_last_label_of_a_post_is_used_and_posts_of_x_only_where_allowed() {
        let all = [
            given(0, "a", Provenance::Post, Label::Neutral),
            given(1, "b", Provenance::X, Label::Positive),
            given(2, "a", Provenance::Post, Label::Positive),
        ];
        let numbers = |with_x| {
            let (used, withheld) = usable(&all, with_x);
            (used.into_iter().map(|given| given.number).collect::<Vec<_>>(), withheld)
        };
        assert_eq!(numbers(false), (vec![2], 1));
        assert_eq!(numbers(true), (vec![1, 2], 0));
    }

    #[test]
    fn a_set_is_named_by_its_folder_and_file() {
        assert_eq!(name(Path::new("data/airline/tweets.csv")), "airline_tweets");
        assert_eq!(name(Path::new("held-out.csv")), "held-out");
    }
}
