//! Reference values are from scikit-learn 1.9.1: `TfidfVectorizer(token_pattern=r'\S+', ...)` on the same texts.

use super::*;

const TEXTS: [&str; 3] = ["late again not good", "good flight good crew", "late flight"];

fn row(tfidf: &TfIdf, text: &str) -> Vec<(String, f32)> {
    let sparse = tfidf.transform(&[text]);
    let (columns, values) = sparse.row(0);
    columns.iter().zip(values).map(|(column, value)| (tfidf.terms()[*column as usize].clone(), *value)).collect()
}

fn assert_row(tfidf: &TfIdf, text: &str, expected: &[(&str, f32)]) {
    let found = row(tfidf, text);
    let near = |((term, value), (wanted_term, expected)): (&(String, f32), &(&str, f32))| {
        term == wanted_term && (value - expected).abs() < 1e-6
    };
    assert!(found.len() == expected.len() && found.iter().zip(expected).all(near), "{found:?} should be {expected:?}");
}

#[test]
fn weights_of_words_and_pairs_match_scikit_learn() {
    let config = Config { ngram_range: (1, 2), min_df: 1, max_features: None, sublinear_tf: true, smooth_idf: true };
    let tfidf = config.fit(&TEXTS).unwrap();
    assert_eq!(
        tfidf.terms().join(","),
        "again,again not,crew,flight,flight good,good,good crew,good flight,late,late again,late flight,not,not good"
    );
    assert_row(
        &tfidf,
        TEXTS[1],
        &[
            ("crew", 0.4004319),
            ("flight", 0.3045388),
            ("flight good", 0.4004319),
            ("good", 0.515629),
            ("good crew", 0.4004319),
            ("good flight", 0.4004319),
        ],
    );
    assert_row(&tfidf, "crew late late unknown", &[("crew", 0.6133555), ("late", 0.7898069)]);
    assert_row(&tfidf, "unknown", &[]);
}

#[test]
fn rare_terms_are_left_out_by_texts_and_by_times() {
    let plain =
        Config { ngram_range: (1, 1), min_df: 1, max_features: Some(3), sublinear_tf: false, smooth_idf: false };
    let by_times = plain.fit(&TEXTS).unwrap();
    assert_eq!(by_times.terms(), ["flight", "good", "late"]);
    assert_row(&by_times, TEXTS[1], &[("flight", 0.4472136), ("good", 0.8944272)]);
    let by_texts = Config { min_df: 2, max_features: None, ..plain }.fit(&TEXTS).unwrap();
    assert_eq!(by_texts.terms(), by_times.terms());
}

#[test]
fn settings_and_texts_that_give_nothing_are_named() {
    let config = Config::default();
    for (config, expected) in [
        (Config { ngram_range: (2, 1), ..config.clone() }, "TFIDF: ngram_range is 2-1; expected a range within 1-8"),
        (Config { min_df: 0, ..config.clone() }, "TFIDF: min_df is 0; expected 1 or more"),
        (Config { max_features: Some(0), ..config.clone() }, "TFIDF: max_features is 0; expected 1 or more"),
        (Config { min_df: 4, ..config }, "TFIDF: no word occurs 4 times in the 3 training texts"),
    ] {
        let message = config.fit(&TEXTS).unwrap_err().to_string();
        assert!(message.starts_with(expected), "{message:?} should say {expected:?}");
    }
}
