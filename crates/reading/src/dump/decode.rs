//! [`decode`]: the bytes of one record as text. Files mix UTF-8 with windows-1252 (rows that passed through a spreadsheet), so
//! each record is decoded by itself.

use std::borrow::Cow;

use encoding_rs::WINDOWS_1252;

use super::options::Encoding;
use super::reject::{RejectReason, RowError};

/// A decoded record.
#[derive(Debug, PartialEq, Eq)]
pub struct Decoded<'a> {
    pub text: Cow<'a, str>,
    /// It was not valid UTF-8, and was read as windows-1252 in whole or in part.
    pub guessed: bool,
}

/// Decodes a record as `encoding` says; automatically, as UTF-8 where it is valid and as windows-1252 otherwise.
///
/// # Errors
/// When `encoding` is UTF-8 and the record is not.
pub fn decode(bytes: &[u8], encoding: Encoding) -> Result<Decoded<'_>, RowError> {
    let exact = |text| Ok(Decoded { text, guessed: false });
    if encoding == Encoding::Latin1 {
        return exact(windows_1252(bytes));
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => exact(Cow::Borrowed(text)),
        Err(_) if encoding == Encoding::Auto => Ok(Decoded { text: guess(bytes), guessed: true }),
        Err(error) => {
            let at = error.valid_up_to() + 1;
            let detail =
                format!("byte {at} of the row is not valid UTF-8 (for a windows-1252 file, set encoding latin-1)");
            Err(RowError::new(RejectReason::Encoding, detail))
        }
    }
}

/// Reads a record that is not valid UTF-8.
fn guess(bytes: &[u8]) -> Cow<'_, str> {
    let (mut valid, mut invalid) = (0, 0);
    for chunk in bytes.utf8_chunks() {
        valid += chunk.valid().chars().filter(|character| !character.is_ascii()).count();
        invalid += usize::from(!chunk.invalid().is_empty());
    }
    // More characters of UTF-8 than bytes that are not: one field was pasted in another encoding, or cut within a character.
    // Otherwise two bytes of windows-1252, as in "É»", happen to be valid UTF-8.
    if valid <= invalid {
        return windows_1252(bytes);
    }
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        match chunk.invalid() {
            // Several bytes are the start of a longer character: it was cut.
            [_, _, ..] => text.push(char::REPLACEMENT_CHARACTER),
            other => text.push_str(&windows_1252(other)),
        }
    }
    Cow::Owned(text)
}

fn windows_1252(bytes: &[u8]) -> Cow<'_, str> {
    WINDOWS_1252.decode_without_bom_handling(bytes).0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn auto(bytes: &[u8]) -> (String, bool) {
        let Decoded { text, guessed } = decode(bytes, Encoding::Auto).unwrap();
        (text.into_owned(), guessed)
    }

    #[test]
    fn each_record_is_decoded_by_itself() {
        assert_eq!(auto("déçu, l’équipage".as_bytes()), ("déçu, l’équipage".into(), false));
        assert_eq!(auto(b"d\xe9\xe7u, l\x92\xe9quipage, \xc9\xbb"), ("déçu, l’équipage, É»".into(), true));
        assert_eq!(auto(b"45 \x80"), ("45 €".into(), true));
    }

    #[test]
    fn a_record_of_both_encodings_keeps_both() {
        let mut mixed = "élève à côté ".as_bytes().to_vec();
        mixed.extend(b"l\x92avion");
        assert_eq!(auto(&mixed), ("élève à côté l’avion".into(), true));
    }

    #[test]
    fn a_character_that_was_cut_does_not_become_three() {
        let mut cut = "😡 déçu".as_bytes().to_vec();
        cut.extend(b"\xf0\x9f\x98");
        assert_eq!(auto(&cut), ("😡 déçu\u{fffd}".into(), true));
    }

    #[test]
    fn an_encoding_that_is_set_is_kept() {
        assert_eq!(decode("é".as_bytes(), Encoding::Latin1).unwrap().text, "Ã©");
        let error = decode(b"caf\xe9", Encoding::Utf8).unwrap_err();
        assert!(error.reason == RejectReason::Encoding && error.detail.starts_with("byte 4 "), "{error:?}");
    }
}
