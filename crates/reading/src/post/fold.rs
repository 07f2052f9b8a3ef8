//! Folds text for matching: lower case, no accents, straight apostrophes, runs of white space collapsed to one space.

/// Appends the folded text to `folded`.
pub(super) fn fold_into(text: &str, folded: &mut String) {
    for character in text.chars() {
        match character {
            'a'..='z' | '0'..='9' => folded.push(character),
            _ if character.is_whitespace() => {
                if !folded.ends_with(' ') {
                    folded.push(' ');
                }
            }
            _ if character.is_ascii() => folded.push(character.to_ascii_lowercase()),
            _ => fold_non_ascii(character, folded),
        }
    }
}

fn fold_non_ascii(character: char, folded: &mut String) {
    match character {
        // Combining marks: an accent written as a separate character.
        '\u{300}'..='\u{36f}' => {}
        '\u{2018}' | '\u{2019}' | '\u{2bc}' => folded.push('\''),
        _ => match base_letters(character) {
            Some(letters) => folded.push_str(letters),
            None => folded.extend(character.to_lowercase()),
        },
    }
}

/// The unaccented letters for an accented letter of Latin-1 or Latin Extended-A, in either case.
fn base_letters(character: char) -> Option<&'static str> {
    Some(match character {
        'À'..='Å' | 'à'..='å' | 'Ā'..='ą' => "a",
        'Æ' | 'æ' => "ae",
        'Ç' | 'ç' | 'Ć'..='č' => "c",
        'Ð' | 'ð' | 'Ď'..='đ' => "d",
        'È'..='Ë' | 'è'..='ë' | 'Ē'..='ě' => "e",
        'Ĝ'..='ģ' => "g",
        'Ĥ'..='ħ' => "h",
        'Ì'..='Ï' | 'ì'..='ï' | 'Ĩ'..='ı' => "i",
        'Ĳ' | 'ĳ' => "ij",
        'Ĵ' | 'ĵ' => "j",
        'Ķ'..='ĸ' => "k",
        'Ĺ'..='ł' => "l",
        'Ñ' | 'ñ' | 'Ń'..='ŋ' => "n",
        'Ò'..='Ö' | 'Ø' | 'ò'..='ö' | 'ø' | 'Ō'..='ő' => "o",
        'Œ' | 'œ' => "oe",
        'Ŕ'..='ř' => "r",
        'Ś'..='š' => "s",
        'ß' => "ss",
        'Ţ'..='ŧ' => "t",
        'Þ' | 'þ' => "th",
        'Ù'..='Ü' | 'ù'..='ü' | 'Ũ'..='ų' => "u",
        'Ŵ' | 'ŵ' => "w",
        'Ý' | 'ý' | 'ÿ' | 'Ŷ'..='Ÿ' => "y",
        'Ź'..='ž' => "z",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fold(text: &str) -> String {
        let mut folded = String::new();
        fold_into(text, &mut folded);
        folded
    }

    #[test]
    fn case_accents_and_blanks_are_folded() {
        assert_eq!(fold("Air\u{a0}\n PARADIS"), "air paradis");
        assert_eq!(fold("Été À Œuvre ÇA naïf Straße"), "ete a oeuvre ca naif strasse");
        assert_eq!(fold("e\u{301}te\u{301} l’Été"), "ete l'ete");
        assert_eq!(fold("ŁÓDŹ Ελλάδα 😀"), "lodz ελλάδα 😀");
    }

    proptest! {
        #[test]
        fn folding_again_changes_nothing(text in "[A-Za-zÀ-ž0-9 @#_'\u{300}-\u{36f}]{0,40}") {
            let once = fold(&text);
            prop_assert_eq!(fold(&once), once);
        }
    }
}
