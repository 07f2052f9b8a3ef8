//! The words of the backtest form: what each key of a rule means, what a condition compares, and what may be typed, in English and
//! French.

use jiff::SignedDuration;

use super::field::Kind;
use super::rule_text;
use crate::language::Language;

fn pick(language: Language, english: &'static str, french: &'static str) -> &'static str {
    if language == Language::French { french } else { english }
}

/// What the value under `key` is.
pub(super) fn label(key: &str, language: Language) -> &'static str {
    let (english, french) = match key {
        "rule" => ("The rule", "La règle"),
        "for" => ("The condition must hold for", "La condition doit durer"),
        "keep_firing_for" => ("The alert lasts on for", "L’alerte se prolonge de"),
        "max_open" => ("It is closed after at most", "Elle est close au plus tard après"),
        "severity" => ("Severity", "Gravité"),
        "at_least" => ("Ignore silences shorter than", "Ignorer les silences de moins de"),
        "above" => ("Threshold", "Seuil"),
        "recover_below" => ("It ends below", "Elle prend fin en dessous de"),
        "baseline" => ("Compared with", "Comparé à"),
        "margin" => ("Increase of the share that alerts", "Hausse de la part qui déclenche"),
        "recover_margin" => ("It ends within this increase", "Elle prend fin en deçà de cette hausse"),
        "lift" => ("Increases of the share that are tested", "Hausses de la part recherchées"),
        "times" => ("Multiples of the usual number", "Multiples du nombre habituel"),
        "false_alarm_every" => ("One false alarm is accepted every", "Une fausse alerte acceptée tous les"),
        "window" => ("Window", "Fenêtre"),
        "min_posts" => ("Minimum posts", "Minimum de messages"),
        "min_votes" => ("Minimum negative votes (people)", "Minimum de votes négatifs (personnes)"),
        "confidence" => ("Confidence", "Niveau de confiance"),
        "rest" => ("Pause between two alarms", "Pause entre deux alarmes"),
        "step" => ("Counted every", "Comptage tous les"),
        "count" => ("Events", "Événements"),
        "within" => ("Within", "En"),
        _ => ("Value", "Valeur"),
    };
    pick(language, english, french)
}

/// What a condition compares; `of` is the quantity of one that rises.
pub(super) fn condition_title(kind: &str, of: &str, language: Language) -> &'static str {
    let (english, french) = match (kind, of) {
        ("rising", "negative_volume") => {
            ("The number of negative posts rises", "Le nombre de messages négatifs augmente")
        }
        ("rising", _) => ("The share of negative posts rises", "La part de messages négatifs augmente"),
        ("negative_rate", _) => {
            ("The share of negative posts in a window", "La part de messages négatifs dans une fenêtre")
        }
        ("negative_volume", _) => {
            ("The number of negative posts in a window", "Le nombre de messages négatifs dans une fenêtre")
        }
        ("volume", _) => ("Far more posts than usual", "Bien plus de messages que d’habitude"),
        ("no_data", _) => ("No posts", "Plus aucun message"),
        _ => ("Condition", "Condition"),
    };
    pick(language, english, french)
}

/// What may be typed into the field of the key `name`.
pub(super) fn expected(kind: Kind, name: &str, bucket: SignedDuration, language: Language) -> String {
    let french = language == Language::French;
    let key = name.rsplit('.').next().unwrap_or_default();
    let bucket = rule_text::duration(bucket);
    match (kind, key) {
        (Kind::Duration, "for" | "keep_firing_for" | "max_open" | "rest") if french => {
            "durée attendue, par exemple 10m, 2h ou 14d (d\u{a0}: jours)".into()
        }
        (Kind::Duration, "for" | "keep_firing_for" | "max_open" | "rest") => {
            "expected a duration, such as 10m, 2h or 14d".into()
        }
        (Kind::Duration, "false_alarm_every") if french => {
            "durée attendue, au moins 1h (2d pour un nombre de messages), par exemple 30d (d\u{a0}: jours)".into()
        }
        (Kind::Duration, "false_alarm_every") => {
            "expected a duration of 1h or more (2d where posts are counted), such as 30d".into()
        }
        (Kind::Duration, _) if french => {
            format!("durée attendue, multiple de {bucket} et au plus 28d, par exemple 1h (d\u{a0}: jours)")
        }
        (Kind::Duration, _) => format!("expected a duration, a multiple of {bucket} and at most 28d, such as 1h"),
        (Kind::Past, _) if french => "attendu\u{a0}: seasonal, ou une durée comme 24h".into(),
        (Kind::Past, _) => "expected seasonal, or a duration such as 24h".into(),
        (Kind::Number, "confidence") if french => "nombre attendu, de 0.5 à moins de 1, par exemple 0.99".into(),
        (Kind::Number, "confidence") => "expected a number from 0.5 to below 1, such as 0.99".into(),
        (Kind::Number, "margin" | "recover_margin" | "recover_below") if french => {
            "part attendue, de 0 à moins de 1, par exemple 0.1\u{a0}; la fin ne dépasse pas le seuil".into()
        }
        (Kind::Number, "margin" | "recover_margin" | "recover_below") => {
            "expected a share from 0 to below 1, such as 0.1; the end is not above the threshold".into()
        }
        (Kind::Number, "times") if french => "nombre attendu, 1 ou plus, par exemple 3".into(),
        (Kind::Number, "times") => "expected a number of 1 or more, such as 3".into(),
        (Kind::Number, _) if french => {
            "nombre attendu, 0 ou plus\u{a0}; une part est inférieure à 1, par exemple 0.8".into()
        }
        (Kind::Number, _) => "expected a number of 0 or more; a share is below 1, such as 0.8".into(),
        (Kind::Count, _) if french => "nombre entier attendu, par exemple 20".into(),
        (Kind::Count, _) => "expected a whole number, such as 20".into(),
        (Kind::Numbers, _) if french => {
            "un à huit nombres attendus, par exemple 0.05, 0.1 (ou 1.5, 3 pour des multiples)".into()
        }
        (Kind::Numbers, _) => "expected one to eight numbers, such as 0.05, 0.1 (or 1.5, 3 for multiples)".into(),
        (Kind::Severity, _) if french => "un mot attendu, tel que critical, warning ou info".into(),
        (Kind::Severity, _) => "expected one word, such as critical, warning or info".into(),
    }
}
