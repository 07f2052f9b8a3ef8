//! Reports of made-up runs: what they contain, and what they must not contain.

use std::time::Duration;

use super::*;
use crate::Split;
use crate::compare::{FileSummary, SideSummary};
use crate::run_record::RunRecord;
use crate::score::Curve;
use vigie_reading::classify::Label;

fn facts() -> DataSummary {
    let file = FileSummary {
        role: "train and test",
        path: "posts <b>|.csv".to_owned(),
        sha256: "0".repeat(64),
        rows: 5_000,
        rejected: 2,
        empty: 1,
    };
    let side = |rows: u64| SideSummary {
        rows,
        classes: [(Label::Negative, rows / 2), (Label::Positive, rows - rows / 2)].into(),
        sha256: ["words", "transformer"].map(|name| (name, "1".repeat(64))).into(),
    };
    DataSummary {
        files: vec![file],
        split: Some(Split::Time),
        train: side(4_000),
        test: side(1_000),
        dropped_as_test_text: 7,
        corpus_texts: 0,
    }
}

/// Of 1,000 posts, `wrong` in ten are predicted as the other class.
fn finished(combination: Combination, wrong: usize) -> Run {
    let labels: Vec<Label> =
        (0..1_000).map(|row| if row % 2 == 0 { Label::Negative } else { Label::Positive }).collect();
    let probabilities: Vec<[f32; 3]> = labels
        .iter()
        .enumerate()
        .map(|(row, label)| {
            let sure = 0.55 + (row * 7 % 40) as f32 / 100.0;
            let right = if row / 2 % 10 < wrong { 1.0 - sure } else { sure };
            if *label == Label::Negative { [right, 0.0, 1.0 - right] } else { [1.0 - right, 0.0, right] }
        })
        .collect();
    let scores = Scores::compute(&labels, &probabilities).unwrap();
    let record = RunRecord {
        name: combination.to_string(),
        started: Timestamp::UNIX_EPOCH,
        duration: Duration::from_millis(1_500),
        tags: BTreeMap::new(),
        params: [("estimator.l2".to_owned(), "<0.1>".to_owned())].into(),
        metrics: [("accuracy".to_owned(), scores.accuracy)].into(),
        epochs: Series::new(),
        scores,
        artifacts: Vec::new(),
        model: None,
    };
    let curve = Curve::compute(&labels, &probabilities).unwrap().thinned(40);
    let outcome = RunOutcome::Finished(Box::new(FinishedRun { record, curve }));
    Run { combination, features: Some(Duration::from_secs(3)), outcome }
}

fn report(ended: impl Fn(&[Combination]) -> Vec<Run>) -> Report {
    let combinations = Combination::all();
    let context = ReportContext {
        command: "vigie lab compare 'posts <b>|.csv'".to_owned(),
        begun: Timestamp::UNIX_EPOCH,
        took: Duration::from_secs(95),
        seed: 42,
        data: facts(),
    };
    Report::new(context, &combinations, ended(&combinations))
}

/// Nine finished runs, one that failed, one that was not available, one that was interrupted.
fn mixed() -> Report {
    report(|all| {
        let mut runs: Vec<Run> =
            all[..9].iter().enumerate().map(|(index, run)| finished(*run, 1 + index % 4)).collect();
        let ended = |combination, outcome| Run { combination, features: None, outcome };
        runs.push(ended(all[9], RunOutcome::Failed("m/config.json: <no> | such file".to_owned())));
        runs.push(ended(all[10], RunOutcome::NotAvailable("no library: pip install lightgbm".to_owned())));
        runs
    })
}

#[test]
fn runs_are_by_accuracy_and_nothing_is_hidden() {
    let report = mixed();
    let names: Vec<&str> = report.runs.iter().map(|row| row.name.as_str()).collect();
    assert_eq!(names.len(), 12);
    assert_eq!(
        names[..3],
        ["TFIDF_LogisticRegression", "Word2Vec_RandomForest", "GloVe_LightGBM"],
        "ties in the grid's order"
    );
    assert_eq!(names[9..], ["DistilBERT_LogisticRegression", "DistilBERT_RandomForest", "DistilBERT_LightGBM"]);
    assert_eq!(report.run_counts(), RunCounts { finished: 9, failed: 1, not_available: 1, interrupted: 1 });
    let last = "9 of 12 runs finished, 1 not available, 1 failed, 1 interrupted; 95.0 s in all";
    for text in [report.text(200), report.text(60), report.markdown(), report.html().replace("<wbr>", "")] {
        assert!(names.iter().all(|name| text.contains(name)), "{text}");
        assert!(text.contains(last), "{text}");
    }
    let text = report.text(80);
    assert!(text.ends_with(last));
    assert_eq!(
        text.matches("not available: no library: pip install lightgbm").count(),
        1,
        "once for all runs that need it"
    );
}

#[test]
fn the_table_fits_the_terminal_and_keeps_what_matters_most() {
    let report = mixed();
    let head = |width: usize| report.text(width).lines().nth(2).unwrap().to_owned();
    let words = |width| head(width).split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(words(200), "run duration accuracy 95% macro-F1 R@P90 ROC-AUC features total");
    assert_eq!(words(80), "run duration accuracy macro-F1 R@P90 features");
    assert_eq!(words(20), "run duration accuracy");
    let best = report.text(200).lines().nth(3).unwrap().to_owned();
    assert!(
        best.starts_with("TFIDF_LogisticRegression") && best.contains("90.00%") && best.contains("4.5 s"),
        "{best}"
    );
    for width in [60, 80, 100, 200] {
        let text = report.text(width);
        let tables = text.lines().filter(|line| line.contains("0.9000") || line.contains("90.00%"));
        for line in tables {
            assert!(line.chars().count() <= width, "{width}: {line}");
        }
    }
}

#[test]
fn the_page_stands_alone_and_runs_nothing() {
    for page in [mixed().html(), report(|_| Vec::new()).html(), report(|all| vec![finished(all[0], 0)]).html()] {
        let elsewhere = page.replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
        for banned in ["http:", "https:", "url(", "@import", "<script", "<link", "<img", "src=", "href="] {
            assert!(!elsewhere.contains(banned), "{banned}");
        }
        assert!(page.contains("posts &lt;b&gt;|.csv") && !page.contains("<b>"));
        assert!(!page.contains("NaN") && !page.contains("inf "));
        let marks = page.matches("<svg").count() - page.matches("aria-hidden").count();
        assert_eq!(page.matches("role=\"img\"").count(), marks, "every chart has a title");
    }
}

#[test]
fn a_lead_within_the_interval_is_not_called_significant() {
    let two = |wrong: usize| report(|all| vec![finished(all[0], 1), finished(all[1], wrong)]);
    let (clear, tie) = (two(3), two(1));
    assert_eq!(clear.headline().unwrap(), "TFIDF_LogisticRegression leads by accuracy");
    assert_eq!(tie.headline().unwrap(), "TFIDF_LogisticRegression leads by accuracy (not significantly)");
    let one = report(|all| vec![finished(all[0], 0)]);
    assert_eq!(one.headline().unwrap(), "TFIDF_LogisticRegression is the only finished run");
    assert_eq!(report(|_| Vec::new()).headline(), None);
    for text in [tie.markdown(), tie.html()] {
        assert!(text.contains("leads by accuracy (not significantly)"), "{text}");
    }
}

#[test]
fn the_page_shows_every_run_in_every_chart() {
    let page = mixed().html();
    for title in
        ["Accuracy of each run", "Accuracy against duration of each run", "TFIDF: precision against recall of negative"]
    {
        assert!(page.contains(title), "{title}");
    }
    assert_eq!(page.matches("Confusion matrix of ").count(), 9);
    assert!(page.contains("failed: m&#x2f;config.json: &lt;no&gt; | such file"), "the reason is there");
    assert!(page.contains("&lt;0.1&gt;"), "settings are there");
    assert!(report(|_| Vec::new()).html().contains("No run finished"));
}

#[test]
fn the_markdown_has_one_row_per_run() {
    let markdown = mixed().markdown();
    let row = "| TFIDF_LogisticRegression | 1.5 s | 90.00% | 87.98% – 91.71% | 0.9000 |";
    assert!(markdown.contains(row), "{markdown}");
    assert!(
        markdown.contains("| DistilBERT_LogisticRegression | failed: m/config.json: <no> \\| such file |||||||"),
        "{markdown}"
    );
    assert!(markdown.contains("500 negative, 500 positive"), "{markdown}");
}

#[test]
fn the_json_matches_its_schema() {
    let schema: serde_json::Value = serde_json::from_str(include_str!("report.schema.json")).unwrap();
    let validator = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
    for report in [mixed(), report(|_| Vec::new())] {
        let json: serde_json::Value = serde_json::from_str(&report.json()).unwrap();
        let errors: Vec<String> =
            validator.iter_errors(&json).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(errors.is_empty(), "{errors:#?}");
    }
    let mut json: serde_json::Value = serde_json::from_str(&mixed().json()).unwrap();
    json["runs"][0].as_object_mut().unwrap().remove("scores");
    assert!(!validator.is_valid(&json), "a finished run has scores");
}
