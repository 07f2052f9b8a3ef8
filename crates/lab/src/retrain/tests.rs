//! A retraining with a real encoder: the bundled model.

use std::path::Path;

use super::*;
use crate::LabelledPost;
use vigie_reading::classify::ModelRegistry;

const CHAMPION: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/default");

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// Posts that the bundled model reads as positive, and a team as negative: irony about one thing.
fn corrections() -> Vec<CorrectedPost> {
    let text = |i: i64| match i % 3 {
        0 => format!("Lovely, my bag gets to see Lisbon without me for day {i}. Great job!"),
        1 => format!("Thanks so much for {i} wonderful hours on the tarmac, love it"),
        _ => format!("Bravo, {i} heures d'attente au comptoir, quel plaisir !"),
    };
    (0..150).map(|i| CorrectedPost { text: text(i), label: Label::Negative, at: at(1_000 + i) }).collect()
}

fn held_out() -> Dataset {
    let post = |(text, label): (&str, Label)| LabelledPost { text: text.into(), label, reason: None };
    let posts = [
        ("my flight was cancelled and nobody helps", Label::Negative),
        ("thank you for the kind crew today", Label::Positive),
        ("when does the flight to Paris leave?", Label::Neutral),
        ("vol annulé, aucune information, honteux", Label::Negative),
        ("merci à toute l'équipe, parfait", Label::Positive),
        ("où est le comptoir d'enregistrement ?", Label::Neutral),
    ];
    let posts = posts.into_iter().cycle().take(24).map(post).collect();
    Dataset { posts, rejected: 0, sha256: "of the test".into() }
}

/// What people write on an ordinary day.
fn recent() -> Vec<String> {
    let starts = ["thank you", "my flight is", "when does", "the crew was", "merci", "mon vol est", "où est", "I love"];
    let middles =
        ["for the help", "late again", "the gate open", "so kind", "pour tout", "annulé", "ma valise", "this seat"];
    let ends = ["today", "in Lyon", "since noon", "!"];
    let texts = starts.iter().flat_map(|start| middles.iter().map(move |middle| format!("{start} {middle}")));
    texts.flat_map(|text| ends.iter().map(move |end| format!("{text} {end}"))).collect()
}

fn run(input: RetrainInput, champion: &Path, out: &Path) -> Result<(Manifest, RetrainReport), LabError> {
    let paths = RetrainPaths { champion, root: "root-1", out, cache: None };
    retrain(input, RetrainSettings { weight: 3.0, now: at(5_000) }, paths, &ProgressBar::hidden())
}

#[test]
fn corrections_are_learned_beyond_those_that_were_seen_and_the_rest_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("retrained-1");
    let input = RetrainInput {
        corrections: corrections(),
        withheld: 2,
        held_out: vec![("check".into(), held_out())],
        recent: recent(),
        ..RetrainInput::default()
    };
    let (manifest, report) = run(input, Path::new(CHAMPION), &out).unwrap();
    let LeftOutCorrections { posts, champion_right, challenger_right, .. } = report.corrections;
    assert!(posts == 150 && challenger_right > champion_right + 15, "{report}");
    assert_eq!((report.counts.learned, report.counts.withheld, report.recent.posts), (150, 2, 256));
    let set = &report.held_out[0].comparison;
    assert!(!set.is_worse() && set.posts == 24, "{report}");
    assert!(report.groups.iter().any(|group| (group.by.as_str(), group.name.as_str()) == ("language", "fr")));
    assert!(report.to_string().contains("2 corrections of posts from X left out"));

    // What was written is a model that can be loaded, knows its origin, and names no post.
    assert_eq!(ModelRegistry::resolve(&out).unwrap(), out);
    let written = Manifest::read(&out).unwrap().unwrap();
    assert_eq!(written.model_id(), report.challenger);
    assert_eq!(written.training[RETRAINING]["root"], "root-1");
    assert_eq!(written.reasons, Manifest::read(Path::new(CHAMPION)).unwrap().unwrap().reasons);
    assert!(!serde_json::to_string(&manifest).unwrap().contains("see Lisbon without me"));

    // The next one is compared on what came since; nothing new says nothing.
    let again = RetrainInput { corrections: corrections(), ..RetrainInput::default() };
    let (_, report) = run(again, &out, &dir.path().join("retrained-2")).unwrap();
    assert_eq!((report.corrections.posts, report.verdict), (0, RetrainVerdict::Unclear));
}

/// Where nothing else is known, neither recent posts nor base data, the corrections give the features their scale.
#[test]
fn three_corrections_alone_change_no_other_reading() {
    let dir = tempfile::tempdir().unwrap();
    let input = RetrainInput {
        corrections: corrections().into_iter().take(3).collect(),
        held_out: vec![("check".into(), held_out())],
        ..RetrainInput::default()
    };
    let (_, report) = run(input, Path::new(CHAMPION), &dir.path().join("retrained-1")).unwrap();
    let check = &report.held_out[0];
    assert!((check.comparison.challenger - 1.0).abs() < 1e-9, "{report}");
    assert!((check.challenger_calibration_error - check.champion_calibration_error).abs() < 0.05, "{check:?}");
    assert_eq!(report.verdict, RetrainVerdict::Unclear);
}

#[test]
fn without_a_usable_correction_nothing_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("retrained-1");
    let input = RetrainInput { withheld: 3, ..RetrainInput::default() };
    let error = run(input, Path::new(CHAMPION), &out).unwrap_err().to_string();
    assert!(error.starts_with("no correction to learn from: 0 usable, 3 of posts from X left out"), "{error}");
    assert!(!out.exists());
}
