//! Texts that a Python program wrote as bytes: `b'Merci \xc3\xa0 ...'`.

use crate::dump::decode;
use crate::dump::options::Encoding;

/// Whether a text may be such a literal: cheap, for every row.
pub(super) fn may_be(text: &str) -> bool {
    matches!(text.trim_start().as_bytes(), [b'b', b'\'' | b'"', _, ..])
}

/// The text of a bytes literal. `None` if the text is not one, in whole.
pub(super) fn decode(text: &str) -> Option<String> {
    let literal = text.trim().strip_prefix('b')?;
    let quote = literal.chars().next()?;
    let inside = literal.strip_prefix(quote)?.strip_suffix(quote).filter(|inside| !inside.is_empty())?;
    let mut bytes = Vec::with_capacity(inside.len());
    let mut rest = inside.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        match first {
            b'\\' => rest = push_escape(rest, &mut bytes)?,
            // Python writes all other bytes as escapes, and escapes the quote.
            byte if !byte.is_ascii() || char::from(*byte) == quote => return None,
            byte => bytes.push(*byte),
        }
    }
    let decoded = decode::decode(&bytes, Encoding::Auto).ok()?.text.into_owned();
    Some(decoded)
}

/// Reads an escape after its backslash. Returns the bytes after it.
fn push_escape<'a>(escape: &'a [u8], bytes: &mut Vec<u8>) -> Option<&'a [u8]> {
    let (kind, rest) = escape.split_first()?;
    let byte = match kind {
        b'x' => {
            let (digits, rest) = rest.split_at_checked(2)?;
            if !digits.iter().all(u8::is_ascii_hexdigit) {
                return None;
            }
            bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
            return Some(rest);
        }
        b'n' => b'\n',
        b't' => b'\t',
        b'r' => b'\r',
        b'\\' | b'\'' | b'"' => *kind,
        // Not an escape of bytes: `\u2019` stands for itself.
        _ => {
            bytes.push(b'\\');
            *kind
        }
    };
    bytes.push(byte);
    Some(rest)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn literals_are_decoded_and_other_texts_are_not() {
        for (text, expected) in [
            (r"b'Merci \xc3\xa0 l\'\xc3\xa9quipage\n'", "Merci à l'équipage\n"),
            (r#"b"Merci \xc3\xa0 l'\xc3\xa9quipage""#, "Merci à l'équipage"),
            (r#" b'"soon" they say' "#, "\"soon\" they say"),
            (r"b'caf\xe9 \\ \u2019'", "café \\ \\u2019"),
        ] {
            assert!(may_be(text));
            assert_eq!(decode(text).as_deref(), Some(expected));
        }
        for text in [r"b'open", "b''", "b'it's'", "b'é'", "bonjour", "b", r"b'\x4'", "b'a\\'", "'a'"] {
            assert_eq!(decode(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_python_writes_is_read_back(text in "[ -~é’😡\n\t]{1,20}") {
            let escape = |byte: &u8| match byte {
                b'\n' => "\\n".to_owned(),
                b'\t' => "\\t".to_owned(),
                b'\\' => "\\\\".to_owned(),
                b'\'' => "\\'".to_owned(),
                byte if byte.is_ascii() => char::from(*byte).to_string(),
                byte => format!("\\x{byte:02x}"),
            };
            let literal = format!("b'{}'", text.as_bytes().iter().map(escape).collect::<String>());
            prop_assert_eq!(decode(&literal), Some(text));
        }

        #[test]
        fn any_text_is_decoded_without_a_panic(text in "(b|'|\"|\\\\|x|c3|é|\n){0,12}") {
            let _ = (may_be(&text), decode(&text));
        }
    }
}
