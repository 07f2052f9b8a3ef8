//! Texts in UTF-8 that somebody decoded as latin-1 or windows-1252: `Ã©` for `é`, as in Facebook's export.

use encoding_rs::WINDOWS_1252;

/// How often a text may have been decoded too much.
const MAX_ROUNDS: usize = 3;
/// Sequences of other scripts than Latin that are evidence together.
const MIN_OTHER: usize = 4;

/// The text before it was decoded twice. `None` if it was not, or only in part.
pub(super) fn repair(text: &str) -> Option<String> {
    let mut repaired = repair_once(text)?;
    for _ in 1..MAX_ROUNDS {
        match repair_once(&repaired) {
            Some(again) => repaired = again,
            None => break,
        }
    }
    Some(repaired)
}

fn repair_once(text: &str) -> Option<String> {
    // Most texts end here: no character is what the first byte of a longer one becomes.
    if !text.chars().any(|character| matches!(character, '\u{c2}'..='\u{f4}')) {
        return None;
    }
    let mut bytes = Vec::with_capacity(text.len());
    // Correct texts end here: an accented letter alone is not valid UTF-8.
    let mut pending = 0;
    for character in text.chars() {
        let byte = byte_of(character)?;
        pending = match (pending, byte) {
            (0, ..0x80) => 0,
            (0, 0xc2..=0xdf) => 1,
            (0, 0xe0..=0xef) => 2,
            (0, 0xf0..=0xf4) => 3,
            (0, _) => return None,
            (_, 0x80..=0xbf) => pending - 1,
            _ => return None,
        };
        bytes.push(byte);
    }
    let repaired = String::from_utf8(bytes).ok()?;
    is_plausible(&repaired).then_some(repaired)
}

/// The byte that a character is decoded from: as latin-1, or windows-1252.
fn byte_of(character: char) -> Option<u8> {
    if let Ok(byte) = u8::try_from(u32::from(character)) {
        return Some(byte);
    }
    let mut buffer = [0; 4];
    let (bytes, _, failed) = WINDOWS_1252.encode(character.encode_utf8(&mut buffer));
    match bytes.as_ref() {
        [byte] if !failed => Some(*byte),
        _ => None,
    }
}

/// Whether a repaired text is what people write. A correct text can happen to be valid: `OÙ…` would become Arabic. Letters with
/// accents, punctuation and emoji are evidence enough (`Ã©`, `â€™`, `ðŸ˜¡` are not words); other scripts need several, and
/// more than there are Latin letters.
fn is_plausible(repaired: &str) -> bool {
    let (mut latin, mut other, mut plain) = (0, 0, 0);
    for character in repaired.chars() {
        match character {
            'a'..='z' | 'A'..='Z' => plain += 1,
            ..'\u{80}' => {}
            '\u{a0}'..='\u{ff}' | '\u{152}' | '\u{153}' | '\u{2010}'..='\u{20bf}' | '\u{2122}' => latin += 1,
            '\u{2190}'..='\u{27bf}' | '\u{1f000}'.. => latin += 1,
            '\u{250}'..='\u{2af}' => return false,
            _ => other += 1,
        }
    }
    if latin > 0 { other <= latin + plain } else { other >= MIN_OTHER && other >= plain }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// As a program does that reads UTF-8 as latin-1, or as windows-1252.
    fn broken(text: &str, as_windows: bool) -> String {
        match as_windows {
            true => WINDOWS_1252.decode_without_bom_handling(text.as_bytes()).0.into_owned(),
            false => text.bytes().map(char::from).collect(),
        }
    }

    #[test]
    fn texts_decoded_twice_are_repaired() {
        for text in [
            "Très déçu, c’est inadmissible 😡",
            "Équipage formidable",
            "à l’accueil…",
            "Ç’a été",
            "привет всем",
            "« où »",
        ] {
            for as_windows in [false, true] {
                let once = broken(text, as_windows);
                assert_eq!(repair(&once).as_deref(), Some(text), "{once}");
                assert_eq!(repair(&broken(&once, as_windows)).as_deref(), Some(text), "twice");
            }
        }
    }

    #[test]
    fn correct_texts_are_left() {
        for text in [
            "Très déçu, c’est inadmissible 😡",
            "OÙ…",
            "MAIS OÙ… ÊTES-VOUS",
            "CAFÉ» dit-il",
            "NÃO",
            "Â bientôt",
            "« Où ? »",
            "l’avion",
            "привет",
            "plain",
            "",
            "20 € de trop",
            "Ã",
        ] {
            assert_eq!(repair(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn words_of_french_are_never_changed(text in "[a-zA-ZéèêëàâçùûîïôœÉÈÀÇ’«» .,!?…]{0,40}") {
            prop_assert_eq!(repair(&text), None);
        }

        #[test]
        fn broken_french_is_repaired(text in "([a-z]{1,4}[éèêëàâçùûîïôœÉÀÇ]){1,3}[a-z][a-z’ .!?…😡]{0,20}", as_windows: bool) {
            prop_assert_eq!(repair(&broken(&text, as_windows)), Some(text));
        }

        #[test]
        fn any_text_is_repaired_without_a_panic(text in "\\PC{0,30}") {
            let _ = repair(&text);
        }
    }
}
