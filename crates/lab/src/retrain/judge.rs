//! [`report`]: champion and challenger on the same posts, and the verdict.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;

use super::fit::AnchoredHead;
use super::report::{CorrectionCounts, CorrectionGroup, LeftOutCorrections, RetrainReport, verdict};
use super::rows::{EncodedCorrection, EncodedInput, EncodedSet};
use crate::label_set::LabelSet;
use crate::recipe::Measure;
use crate::{LabError, PairedComparison, Scores};
use vigie_reading::classify::{Head, Label, Manifest, ReasonHead};

/// Both models on one held-out set.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HeldOut {
    pub name: String,
    #[serde(flatten)]
    pub comparison: PairedComparison,
    /// Expected calibration error of each.
    pub challenger_calibration_error: f64,
    pub champion_calibration_error: f64,
    /// Of the challenger; in the manifest's metrics.
    #[serde(skip)]
    pub scores: Scores,
}

/// What the new head changes among recent posts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RecentPosts {
    pub posts: usize,
    /// Posts by the champion's label (rows) and the challenger's (columns), in the order of [`Label::ALL`].
    pub labels: [[usize; 3]; 3],
    /// Posts that both label differently.
    pub changed: usize,
}

/// A head and the labels of its rows.
#[derive(Clone, Copy)]
struct LabelledHead<'a>(&'a Head, &'a [Label]);

impl LabelledHead<'_> {
    /// In the order of [`Label::ALL`].
    fn probabilities(self, vector: &[f32]) -> [f32; 3] {
        by_label(self.1, &self.0.probabilities(vector))
    }

    fn label(self, vector: &[f32]) -> Label {
        most_likely(&self.probabilities(vector))
    }
}

fn by_label<T: Copy + Default>(labels: &[Label], values: &[T]) -> [T; 3] {
    Label::ALL.map(|label| {
        let index = labels.iter().position(|known| *known == label);
        index.and_then(|index| values.get(index)).copied().unwrap_or_default()
    })
}

fn most_likely(probabilities: &[f32; 3]) -> Label {
    LabelSet::from_labels(Label::ALL).most_likely(probabilities).unwrap_or(Label::Neutral)
}

/// The champion's reason head, if it has one.
pub(super) fn champion_reasons(dir: &Path, champion: &Manifest) -> Result<Option<ReasonHead>, LabError> {
    if champion.reasons.is_empty() {
        return Ok(None);
    }
    Ok(Some(ReasonHead::from_model_dir(dir, &champion.reasons)?))
}

/// Judges the fitted head beside the current one. The challenger's identifier is still empty.
pub(super) fn report(
    encoded: &EncodedInput,
    (current, champion): (&Head, &Manifest),
    fitted: &AnchoredHead,
    reasons: Option<&ReasonHead>,
) -> RetrainReport {
    let (old, new) = (LabelledHead(current, &champion.labels), LabelledHead(&fitted.head, &champion.labels));
    let held_out: Vec<HeldOut> = encoded.held_out.iter().filter_map(|set| judge_set(set, old, new)).collect();
    let judged: Vec<Judged<'_>> = encoded
        .corrections
        .iter()
        .zip(&fitted.left_out)
        .map(|(correction, logits)| Judged::new(correction, logits, old))
        .collect();
    let left_out = left_out(&judged);
    let verdict = verdict(&held_out, &left_out);
    let mut recent = RecentPosts { posts: encoded.recent.len(), labels: [[0; 3]; 3], changed: 0 };
    for vector in &encoded.recent {
        let (before, after) = (old.label(vector), new.label(vector));
        recent.labels[before as usize][after as usize] += 1;
        recent.changed += usize::from(before != after);
    }
    RetrainReport {
        champion: champion.model_id(),
        challenger: String::new(),
        counts: CorrectionCounts {
            learned: encoded.corrections.len(),
            withheld: encoded.withheld,
            unusable: encoded.unusable,
        },
        strength: fitted.strength,
        held_out,
        corrections: left_out,
        groups: groups(&judged, reasons),
        recent,
        verdict,
    }
}

fn judge_set(set: &EncodedSet, old: LabelledHead<'_>, new: LabelledHead<'_>) -> Option<HeldOut> {
    let classes = LabelSet::known_in(&set.labels);
    let probabilities = |head: LabelledHead<'_>| -> Vec<[f32; 3]> {
        set.vectors.iter().map(|vector| head.probabilities(vector)).collect()
    };
    let (challenger, champion) = (probabilities(new), probabilities(old));
    let scores = Scores::compute(&set.labels, &challenger)?;
    let of_champion = Scores::compute(&set.labels, &champion)?;
    let readings = set.labels.iter().zip(challenger.iter().zip(&champion));
    let readings =
        readings.map(|(label, (new, old))| Some((*label, classes.most_likely(new)?, classes.most_likely(old)?)));
    let readings: Vec<_> = readings.collect::<Option<_>>()?;
    Some(HeldOut {
        name: set.name.clone(),
        comparison: PairedComparison::from_readings(&readings, Measure::MacroF1, set.sha256.clone()),
        challenger_calibration_error: scores.reliability.expected_calibration_error,
        champion_calibration_error: of_champion.reliability.expected_calibration_error,
        scores,
    })
}

/// One correction as both models read it, the challenger without having learned from it.
struct Judged<'a> {
    correction: &'a EncodedCorrection,
    challenger: bool,
    champion: bool,
}

impl<'a> Judged<'a> {
    fn new(correction: &'a EncodedCorrection, left_out: &[f64], old: LabelledHead<'_>) -> Self {
        let largest =
            left_out.iter().copied().enumerate().reduce(|best, next| if next.1 > best.1 { next } else { best });
        Self {
            correction,
            challenger: largest.is_some_and(|(class, _)| class == correction.class),
            champion: old.label(&correction.vector) == correction.label,
        }
    }
}

/// The champion has learned from older ones: only new ones are a fair comparison.
fn left_out(judged: &[Judged<'_>]) -> LeftOutCorrections {
    let fair = || judged.iter().filter(|it| it.correction.is_new);
    let count = |is: &dyn Fn(&&Judged<'_>) -> bool| fair().filter(|it| is(it)).count();
    LeftOutCorrections {
        posts: fair().count(),
        champion_right: count(&|it| it.champion),
        challenger_right: count(&|it| it.challenger),
        gained: count(&|it| it.challenger && !it.champion),
        lost: count(&|it| !it.challenger && it.champion),
    }
}

/// The same by label, by language and by the reason that the model reads.
fn groups(judged: &[Judged<'_>], reasons: Option<&ReasonHead>) -> Vec<CorrectionGroup> {
    let mut groups: BTreeMap<(&'static str, String), CorrectionGroup> = BTreeMap::new();
    for it in judged.iter().filter(|it| it.correction.is_new) {
        let label = it.correction.label;
        let reason =
            reasons.filter(|_| label == Label::Negative).and_then(|head| head.most_likely(&it.correction.vector));
        let names = [
            Some(("label", label.as_str().to_owned())),
            Some(("language", language(&it.correction.text).to_owned())),
            reason.map(|reason| ("reason", reason.name.to_string())),
        ];
        for (by, name) in names.into_iter().flatten() {
            let group = groups.entry((by, name.clone())).or_insert_with(|| CorrectionGroup {
                by: by.to_owned(),
                name,
                posts: 0,
                champion_right: 0,
                challenger_right: 0,
            });
            group.posts += 1;
            group.champion_right += usize::from(it.champion);
            group.challenger_right += usize::from(it.challenger);
        }
    }
    groups.into_values().collect()
}

/// The language of a cleaned text, as far as a short text shows it.
fn language(text: &str) -> &'static str {
    match whatlang::detect(text).map(|found| found.lang()) {
        Some(whatlang::Lang::Fra) => "fr",
        Some(whatlang::Lang::Eng) => "en",
        _ => "other",
    }
}
