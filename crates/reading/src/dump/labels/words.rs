//! Label words as public data sets write them. Below [`LabelRules`](super::LabelRules).

const NEGATIVE: [&str; 8] =
    ["negative", "neg", "negatif", "negative sentiment", "negativo", "negativa", "negativ", "negatives"];
const NEUTRAL: [&str; 7] = ["neutral", "neu", "neutre", "neutral sentiment", "neutro", "neutra", "neut"];
const POSITIVE: [&str; 8] =
    ["positive", "pos", "positif", "positive sentiment", "positivo", "positiva", "positiv", "positives"];
/// Both at once. The middle of the three labels is what most sets make of it.
const MIXED: [&str; 3] = ["mixed", "mixte", "mitige"];
/// A post without a sentiment to read.
const UNLABELLED: [&str; 14] = [
    "irrelevant",
    "not relevant",
    "non pertinent",
    "hors sujet",
    "off topic",
    "spam",
    "unlabeled",
    "unlabelled",
    "unknown",
    "unsure",
    "inconnu",
    "n/a",
    "nan",
    "null",
];
/// How strong a sentiment is does not change which one it is.
const STRENGTHS: [&str; 15] = [
    "very",
    "extremely",
    "strongly",
    "highly",
    "somewhat",
    "slightly",
    "weakly",
    "moderately",
    "mostly",
    "rather",
    "strong",
    "weak",
    "tres",
    "plutot",
    "assez",
];

/// What a label cell is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Word {
    Label(&'static str),
    Mixed,
    Unlabelled,
    /// A number, which a scale must explain.
    Number(f64),
    /// `N` or `P`, which mean something only together.
    Letter(char),
    Unknown,
}

/// Reads a cell, trimmed and not empty.
pub(super) fn read(cell: &str) -> Word {
    // fastText's prefix.
    let cell = cell.strip_prefix("__label__").unwrap_or(cell);
    if let Some(number) = number(cell) {
        return Word::Number(number);
    }
    if let Some(stars) = stars(cell) {
        return Word::Label(of_stars(stars));
    }
    let plain = plain(cell);
    match plain.as_str() {
        "n" => return Word::Letter('n'),
        "p" => return Word::Letter('p'),
        _ => {}
    }
    let first = plain.split_once(' ').filter(|(first, _)| STRENGTHS.contains(first));
    let word = first.map_or(plain.as_str(), |(_, word)| word);
    let lists = [("negative", &NEGATIVE[..]), ("neutral", &NEUTRAL), ("positive", &POSITIVE)];
    if let Some((label, _)) = lists.into_iter().find(|(_, words)| words.contains(&word)) {
        return Word::Label(label);
    }
    if MIXED.contains(&word) {
        Word::Mixed
    } else if UNLABELLED.contains(&plain.as_str()) {
        Word::Unlabelled
    } else {
        Word::Unknown
    }
}

/// `2`, `-1`, `1.0`, `LABEL_2`.
pub(super) fn number(cell: &str) -> Option<f64> {
    let prefix = ["LABEL_", "label_", "Label_"].iter().find_map(|prefix| cell.strip_prefix(prefix));
    let digits = prefix.unwrap_or(cell);
    // Words such as `nan` and `inf` are numbers for Rust.
    let numeric = |c: char| c.is_ascii_digit() || matches!(c, '.' | '-' | '+' | '−' | 'e' | 'E');
    if !digits.ends_with(|c: char| c.is_ascii_digit() || c == '.') || !digits.chars().all(numeric) {
        return None;
    }
    let number = if digits.starts_with('−') { digits.replacen('−', "-", 1).parse() } else { digits.parse() };
    number.ok().filter(|number: &f64| number.is_finite())
}

/// `5 stars`, `1 star`, `4 étoiles`, `★★★★☆`, `4/5`.
fn stars(cell: &str) -> Option<u8> {
    let filled = cell.chars().filter(|c| matches!(c, '★' | '⭐')).count();
    if filled > 0 {
        let only_stars = cell.chars().all(|c| matches!(c, '★' | '⭐' | '☆' | '\u{fe0f}' | ' '));
        return u8::try_from(filled).ok().filter(|filled| only_stars && *filled <= 5);
    }
    let digit = cell.chars().next()?.to_digit(10).and_then(|digit| u8::try_from(digit).ok())?;
    let unit = cell.get(1..)?.trim_start().trim_start_matches('-').to_lowercase();
    let unit = ["star", "stars", "étoile", "étoiles", "etoile", "etoiles", "/5", "/ 5"].contains(&unit.as_str());
    (unit && (1..=5).contains(&digit)).then_some(digit)
}

/// One and two stars of five are negative, three neutral, four and five positive.
pub(super) fn of_stars(stars: u8) -> &'static str {
    match stars {
        ..=2 => "negative",
        3 => "neutral",
        _ => "positive",
    }
}

/// In lower case, without accents, with single spaces for `_` and `-`.
fn plain(cell: &str) -> String {
    let letter = |c: char| match c {
        'é' | 'è' | 'ê' => 'e',
        'ô' => 'o',
        '_' | '-' => ' ',
        other => other,
    };
    let words: String = cell.chars().flat_map(char::to_lowercase).map(letter).take(40).collect();
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}
