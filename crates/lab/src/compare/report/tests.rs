//! Reports of made-up runs: what they say, and what they must not hold.

use std::time::Duration;

use super::*;
use crate::compare::{FileFacts, SideFacts, Split};
use crate::run_record::RunRecord;
use crate::score::Curve;
use vigie_reading::classify::Label;

fn facts() -> Facts {
    let file = FileFacts {
        role: "train and test",
        path: "posts <b>|.csv".to_owned(),
        sha256: "0".repeat(64),
        rows: 5_000,
        rejected: 2,
        empty: 1,
    };
    let side = |rows: u64| SideFacts {
        rows,
        classes: [(Label::Negative, rows / 2), (Label::Positive, rows - rows / 2)].into(),
        sha256: ["words", "transformer"].map(|name| (name, "1".repeat(64))).into(),
    };
    Facts {
        files: vec![file],
        split: Some(Split::Time),
        train: side(4_000),
        test: side(1_000),
        dropped_as_test_text: 7,
        corpus_texts: 0,
    }
}

/// Of every ten posts of 1,000, `wrong` are read as the other class.
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
    let scores = Scores::of(&labels, &probabilities).unwrap();
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
    let curve = Curve::of(&labels, &probabilities).unwrap().thinned(40);
    let outcome = Outcome::Finished(Box::new(Finished { record, curve }));
    Run { combination, features: Some(Duration::from_secs(3)), outcome }
}

fn report(ended: impl Fn(&[Combination]) -> Vec<Run>) -> Report {
    let combinations = Combination::all();
    let about = About {
        command: "vigie lab compare 'posts <b>|.csv'".to_owned(),
        begun: Timestamp::UNIX_EPOCH,
        took: Duration::from_secs(95),
        seed: 42,
        data: facts(),
    };
    Report::new(about, &combinations, ended(&combinations))
}

/// Ten runs, one that failed, one that could not be had, one that never came.
fn mixed() -> Report {
    report(|all| {
        let mut runs: Vec<Run> =
            all[..9].iter().enumerate().map(|(index, run)| finished(*run, 1 + index % 4)).collect();
        let ended = |combination, outcome| Run { combination, features: None, outcome };
        runs.push(ended(all[9], Outcome::Failed("m/config.json: <no> | such file".to_owned())));
        runs.push(ended(all[10], Outcome::NotAvailable("no library: pip install lightgbm".to_owned())));
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
    assert_eq!(report.tally(), Tally { finished: 9, failed: 1, not_available: 1, interrupted: 1 });
    let last = "9 of 12 runs finished, 1 not available, 1 failed, 1 interrupted; 95.0 s in all";
    for text in [report.text(200), report.text(60), report.markdown(), report.html().replace("<wbr>", "")] {
        assert!(names.iter().all(|name| text.contains(name)), "{text}");
        assert!(text.contains(last), "{text}");
    }
    let text = report.text(80);
    assert!(text.ends_with(last));
    assert_eq!(text.matches("not available: no library: pip install lightgbm").count(), 1, "once for all that want it");
}

#[test]
fn the_table_fits_the_terminal_and_keeps_what_matters_most() {
    let report = mixed();
    let head = |width: usize| report.text(width).lines().nth(2).unwrap().to_owned();
    let words = |width| head(width).split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(words(200), "run duration accuracy 95 % macro-F1 R@P90 ROC-AUC features fit to all");
    assert_eq!(words(80), "run duration accuracy macro-F1 R@P90 features");
    assert_eq!(words(20), "run duration accuracy");
    let best = report.text(200).lines().nth(3).unwrap().to_owned();
    assert!(
        best.starts_with("TFIDF_LogisticRegression") && best.contains("90.00 %") && best.contains("4.5 s"),
        "{best}"
    );
    for width in [60, 80, 100, 200] {
        let text = report.text(width);
        let tables = text.lines().filter(|line| line.contains("0.9000") || line.contains("90.00 %"));
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
        assert_eq!(page.matches("role=\"img\"").count(), marks, "every chart says what it is");
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
fn the_markdown_is_a_table_a_run() {
    let markdown = mixed().markdown();
    let row = "| TFIDF_LogisticRegression | 1.5 s | 90.00 % | 87.98 % – 91.71 % | 0.9000 |";
    assert!(markdown.contains(row), "{markdown}");
    assert!(
        markdown.contains("| DistilBERT_LogisticRegression | failed: m/config.json: <no> \\| such file |||||||"),
        "{markdown}"
    );
    assert!(markdown.contains("500 negative, 500 positive"), "{markdown}");
}

#[test]
fn the_json_is_as_its_schema_says() {
    let schema: serde_json::Value = serde_json::from_str(include_str!("report.schema.json")).unwrap();
    let validator = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
    for report in [mixed(), report(|_| Vec::new())] {
        let json: serde_json::Value = serde_json::from_str(&report.json()).unwrap();
        let faults: Vec<String> =
            validator.iter_errors(&json).map(|fault| format!("{}: {fault}", fault.instance_path())).collect();
        assert!(faults.is_empty(), "{faults:#?}");
    }
    let mut json: serde_json::Value = serde_json::from_str(&mixed().json()).unwrap();
    json["runs"][0].as_object_mut().unwrap().remove("scores");
    assert!(!validator.is_valid(&json), "a finished run has scores");
}
