//! Tests of words, scales and maps.

use proptest::prelude::*;

use super::*;

fn rules(scale: Scale) -> LabelRules {
    LabelRules { map: None, scale }
}

fn read(cell: &str) -> LabelCell {
    rules(Scale::Unknown).read(cell)
}

fn evidence(cells: &[&str]) -> LabelEvidence {
    let mut evidence = LabelEvidence::default();
    cells.iter().for_each(|cell| evidence.add(cell));
    evidence
}

#[test]
fn words_are_read_in_any_case_and_language_of_public_sets() {
    for (words, label) in [
        (
            "negative|Negative|NEG|neg|négatif|Negatif|NÉGATIVE|__label__negative|very negative|Extremely Negative|",
            "negative",
        ),
        ("very_negative|★|2 stars|1 star|2 étoiles|⭐⭐|★★☆☆☆|1/5|Negativo", "negative"),
        ("neutral|NEU|neutre|Neutre|3 stars|★★★|Neutral|__label__neu", "neutral"),
        (
            "positive|POS|positif|Positive|positive |somewhat positive|★★★★|5 stars|__label__positive|Très positif",
            "positive",
        ),
    ] {
        for word in words.split('|').filter(|word| !word.is_empty()) {
            assert_eq!(read(word.trim()), LabelCell::Label(label), "{word}");
        }
    }
    assert_eq!(
        (read("mixed"), read("Irrelevant"), read("spam")),
        (LabelCell::Mixed, LabelCell::Unlabelled, LabelCell::Unlabelled)
    );
    for word in ["bad", "good", "N", "P", "1", "0.5", "6 stars", "😀", "very", "very late", "LABEL_", "-"] {
        assert_eq!(read(word), LabelCell::Unknown, "{word}");
    }
}

#[test]
fn all_numbers_of_a_file_decide_what_they_mean() {
    for (cells, scale) in [
        (&["0", "1"][..], Scale::Two),
        (&["1.0", "0.0"], Scale::Two),
        (&["LABEL_0", "LABEL_1", "LABEL_2"], Scale::Three),
        (&["2", "0", "1"], Scale::Three),
        (&["-1", "0", "1"], Scale::Signed),
        (&["-1", "1"], Scale::Signed),
        (&["0", "4"], Scale::ZeroTwoFour),
        (&["0", "2", "4"], Scale::ZeroTwoFour),
        (&["0", "1", "2", "3", "4"], Scale::ZeroToFour),
        (&["1", "3", "5"], Scale::Stars),
        (&["1", "2", "3", "4", "5"], Scale::Stars),
        (&["N", "P", "NEU"], Scale::Letters),
        (&["negative", "positive"], Scale::Unknown),
    ] {
        assert_eq!(evidence(cells).scale(), Ok(scale), "{cells:?}");
    }
    let labels = |scale, cells: &[&str]| cells.iter().map(|cell| rules(scale).read(cell)).collect::<Vec<_>>();
    let all = ["negative", "neutral", "positive"].map(LabelCell::Label);
    assert_eq!(labels(Scale::Three, &["0", "1", "2"]), all);
    assert_eq!(labels(Scale::Signed, &["-1", "0", "1"]), all);
    assert_eq!(labels(Scale::ZeroTwoFour, &["0", "2", "4"]), all);
    assert_eq!(labels(Scale::Stars, &["2", "3", "4"]), all);
    assert_eq!(labels(Scale::ZeroToFour, &["1", "2", "3"]), all);
    assert_eq!(labels(Scale::Two, &["0.0", "2", "1"]), [all[0], LabelCell::Unknown, all[2]]);
}

#[test]
fn numbers_that_may_mean_several_things_are_refused() {
    for cells in [
        &["0"][..],
        &["1"],
        &["5"],
        &["0", "2"],
        &["1", "2"],
        &["1", "2", "3"],
        &["-1"],
        &["-1", "0"],
        &["P"],
        &["0", "5"],
        &["0", "1", "9"],
    ] {
        assert!(evidence(cells).scale().is_err(), "{cells:?}");
    }
    let message = |cells: &[&str]| evidence(cells).scale().unwrap_err().to_string();
    assert_eq!(
        message(&["2", "0"]),
        "the labels 0, 2, a scale that may mean several things; set what they mean, e.g. --labels-map 0=negative,2=positive"
    );
    assert!(message(&["1", "2", "3"]).ends_with("--labels-map 1=negative,*=neutral,3=positive"));
    assert!(message(&["0.3", "-0.8"]).starts_with("labels such as 0.3, a scale that has no fixed limits"));
}

#[test]
fn a_map_decides_and_leaves_nothing_to_a_guess() {
    let map = LabelsMap::parse("0=negative, bad=negative, 1=positive, skip=none").unwrap();
    let rules = LabelRules::new(&map);
    assert_eq!(rules.read("1.0"), LabelCell::Label("positive"));
    assert_eq!((rules.read("Bad"), rules.read("skip")), (LabelCell::Label("negative"), LabelCell::Unlabelled));
    assert_eq!((rules.read("2"), rules.read("positive")), (LabelCell::Unknown, LabelCell::Unknown));
    assert_eq!(rules.expected(), "mapped by --labels-map (0, 1, bad, skip)");
    let scores = LabelRules::new(&LabelsMap::parse("<=-0.05=negative,>=0.05=positive,*=neutral").unwrap());
    let read = ["-0.05", "0.04", "1", "good"].map(|cell| scores.read(cell));
    assert_eq!(read, ["negative", "neutral", "positive", "neutral"].map(LabelCell::Label));
    let steps = LabelRules::new(&LabelsMap::parse(">0.5=positive,>0=neutral,*=negative").unwrap());
    let read = ["0.9", "0.3", "-1"].map(|cell| steps.read(cell));
    assert_eq!(read, ["positive", "neutral", "negative"].map(LabelCell::Label), "the closest bound");
    for flag in ["", "0", "0=bad", "=negative", "<x=negative", "0=negative,0=positive"] {
        assert!(LabelsMap::parse(flag).is_err(), "{flag:?}");
    }
}

proptest! {
    #[test]
    fn any_cell_is_read(cell in "\\PC{1,20}|[-+0-9.e]{1,8}|(LABEL_|__label__)?[a-z0-9]{1,8}", numbers in prop::collection::vec(-3_i64..7, 0..5)) {
        let cell = cell.trim();
        let mut evidence = LabelEvidence::default();
        numbers.iter().for_each(|number| evidence.add(&number.to_string()));
        if let (Ok(scale), false) = (evidence.scale(), cell.is_empty()) {
            let _ = rules(scale).read(cell);
            for number in &numbers {
                prop_assert!(rules(scale).read(&number.to_string()) != LabelCell::Unknown, "{number} is in the scale");
            }
        }
        if let Ok(map) = LabelsMap::parse(cell) {
            prop_assert!(!map.is_empty());
        }
    }
}
