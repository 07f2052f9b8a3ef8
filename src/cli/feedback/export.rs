//! What people reported, as rows to train on.

use std::fs::OpenOptions;
use std::path::Path;

use anyhow::Context;

use crate::monitor::{FeedbackRecord, Provenance, last_labels};

/// Columns that `vigie lab` finds by themselves come first.
const COLUMNS: [&str; 12] = [
    "id",
    "created_at",
    "text",
    "label",
    "author",
    "origin",
    "reported_at",
    "model",
    "predicted",
    "p_negative",
    "p_neutral",
    "p_positive",
];

/// Writes `all` into the new `file`, posts from X only where `with_x` says so.
pub(super) fn write(file: &Path, all: &[FeedbackRecord], with_x: bool) -> anyhow::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let shown = file.display();
    let open = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
    let mut writer = csv::Writer::from_writer(open.with_context(|| format!("{shown} cannot be made"))?);
    let (kept, left): (Vec<&FeedbackRecord>, Vec<&FeedbackRecord>) =
        last_labels(all).into_iter().partition(|given| with_x || given.feedback.provenance != Provenance::X);
    let mut rows = || -> csv::Result<()> {
        writer.write_record(COLUMNS)?;
        for given in &kept {
            writer.write_record(row(given))?;
        }
        Ok(writer.flush()?)
    };
    rows().with_context(|| format!("{shown} cannot be written"))?;
    let x = if left.is_empty() { String::new() } else { format!("; {} from X left out (--with-x)", left.len()) };
    println!("{} rows in {shown}{x}", kept.len());
    Ok(())
}

fn row(given: &FeedbackRecord) -> [String; 12] {
    let feedback = &given.feedback;
    let post = &feedback.post;
    let id = if post.id.is_empty() { format!("feedback-{}", given.number) } else { post.id.clone() };
    let origin = match feedback.provenance {
        Provenance::X => "x",
        Provenance::Post => "post",
        Provenance::Typed => "typed",
    };
    let [negative, neutral, positive] = feedback.probabilities.map(|probability| probability.to_string());
    [
        id,
        post.created_at.to_string(),
        post.text.clone(),
        feedback.label.as_str().into(),
        post.author.clone().unwrap_or_default(),
        origin.into(),
        feedback.at.to_string(),
        feedback.model.clone(),
        feedback.predicted.as_str().into(),
        negative,
        neutral,
        positive,
    ]
}
