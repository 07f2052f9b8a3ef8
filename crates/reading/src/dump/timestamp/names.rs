//! Names of months and weekdays in English and French, as dumps write them, and their abbreviations. Below the parser of
//! civil times.

/// Full names without accents; an abbreviation has at least three letters of one.
const MONTHS: [[&str; 2]; 12] = [
    ["january", "janvier"],
    ["february", "fevrier"],
    ["march", "mars"],
    ["april", "avril"],
    ["may", "mai"],
    ["june", "juin"],
    ["july", "juillet"],
    ["august", "aout"],
    ["september", "septembre"],
    ["october", "octobre"],
    ["november", "novembre"],
    ["december", "decembre"],
];

const WEEKDAYS: [[&str; 2]; 7] = [
    ["monday", "lundi"],
    ["tuesday", "mardi"],
    ["wednesday", "mercredi"],
    ["thursday", "jeudi"],
    ["friday", "vendredi"],
    ["saturday", "samedi"],
    ["sunday", "dimanche"],
];

/// 1 to 12. `jui` is June or July, so it is neither.
pub(super) fn month(word: &str) -> Option<i32> {
    let position = if word.is_ascii() { position(&MONTHS, word) } else { position(&MONTHS, &without_accents(word)) };
    position.filter(|_| !word.eq_ignore_ascii_case("jui")).and_then(|position| i32::try_from(position + 1).ok())
}

pub(super) fn is_weekday(word: &str) -> bool {
    position(&WEEKDAYS, word).is_some()
}

fn position<const N: usize>(names: &[[&str; 2]; N], word: &str) -> Option<usize> {
    let is =
        |name: &&str| word.len() >= 3 && name.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
    names.iter().position(|names| names.iter().any(&is))
}

/// The letters of French months have no other accents.
fn without_accents(word: &str) -> String {
    let plain = |c: char| match c {
        'é' | 'É' | 'è' | 'È' | 'ê' => 'e',
        'û' | 'Û' => 'u',
        other => other,
    };
    word.chars().map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_and_weekdays_are_known_in_both_languages() {
        for (word, number) in
            [("Jan", 1), ("février", 2), ("FÉVR", 2), ("mars", 3), ("avr", 4), ("May", 5), ("mai", 5), ("juin", 6)]
        {
            assert_eq!(month(word), Some(number), "{word}");
        }
        for (word, number) in [("juil", 7), ("août", 8), ("Sept", 9), ("oct", 10), ("déc", 12), ("December", 12)] {
            assert_eq!(month(word), Some(number), "{word}");
        }
        for word in ["", "ma", "jui", "mayor", "demain", "é"] {
            assert_eq!(month(word), None, "{word}");
        }
        assert!(is_weekday("Tue") && is_weekday("mardi") && is_weekday("Thurs") && !is_weekday("mai"));
    }
}
