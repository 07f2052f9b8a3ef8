//! [`repair`]: makes JSON that a strict parser refuses readable, as other programs write it. Only tried after the strict
//! parser failed.

use crate::dump::notes::NoteKind;

/// JSON after repairs, and which faults there were.
#[derive(Debug, Default)]
pub(super) struct Repaired {
    pub text: String,
    pub kinds: Vec<NoteKind>,
}

/// Repairs what needs no guess. `None` if there is no such fault.
pub(super) fn repair(text: &str) -> Option<Repaired> {
    let mut out = Repaired { text: String::with_capacity(text.len()), kinds: Vec::new() };
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '"' => {
                out.text.push('"');
                1 + out.push_string(rest.get(1..).unwrap_or_default())
            }
            'A'..='Z' | 'a'..='z' => out.push_word(rest),
            '}' | ']' => {
                out.drop_trailing_comma();
                out.text.push(first);
                1
            }
            '\u{feff}' => out.note(NoteKind::ControlCharacter, first.len_utf8()),
            control if control.is_control() && !control.is_ascii_whitespace() => {
                out.note(NoteKind::ControlCharacter, first.len_utf8())
            }
            other => {
                out.text.push(other);
                other.len_utf8()
            }
        };
        rest = rest.get(length..).unwrap_or_default();
    }
    (!out.kinds.is_empty()).then_some(out)
}

impl Repaired {
    /// Counts a repair. Returns `length`, the number of bytes it concerns.
    fn note(&mut self, kind: NoteKind, length: usize) -> usize {
        if !self.kinds.contains(&kind) {
            self.kinds.push(kind);
        }
        length
    }

    /// A literal: those of JavaScript and Python become those of JSON.
    fn push_word(&mut self, rest: &str) -> usize {
        let length = rest.bytes().position(|byte| !byte.is_ascii_alphanumeric()).unwrap_or(rest.len());
        let word = rest.get(..length).unwrap_or_default();
        let known = match word {
            "NaN" | "nan" | "Infinity" | "inf" => Some((NoteKind::NotANumber, "null")),
            "None" | "undefined" => Some((NoteKind::LooseJson, "null")),
            "True" => Some((NoteKind::LooseJson, "true")),
            "False" => Some((NoteKind::LooseJson, "false")),
            _ => None,
        };
        if let Some((kind, _)) = known {
            self.note(kind, 0);
            if word != "None" && self.text.ends_with('-') {
                self.text.pop();
            }
        }
        self.text.push_str(known.map_or(word, |(_, literal)| literal));
        length
    }

    fn drop_trailing_comma(&mut self) {
        let length = self.text.trim_ascii_end().len();
        if self.text.get(..length).is_some_and(|text| text.ends_with(',')) {
            self.note(NoteKind::LooseJson, 0);
            self.text.truncate(length - 1);
        }
    }

    /// A string after its opening quote, with the closing one. Returns its length in the input.
    fn push_string(&mut self, string: &str) -> usize {
        let mut at = 0;
        while let Some(tail) = string.get(at..).filter(|tail| !tail.is_empty()) {
            let plain = tail.bytes().position(|byte| matches!(byte, b'"' | b'\\' | ..0x20)).unwrap_or(tail.len());
            self.text.push_str(tail.get(..plain).unwrap_or_default());
            at += plain;
            let tail = tail.get(plain..).unwrap_or_default();
            match tail.as_bytes() {
                [] => break,
                [b'"', ..] => {
                    self.text.push('"');
                    return at + 1;
                }
                [b'\\', ..] => at += self.push_escape(tail),
                [control, ..] => {
                    let escape = match control {
                        b'\n' => "\\n",
                        b'\r' => "\\r",
                        b'\t' => "\\t",
                        _ => "",
                    };
                    self.text.push_str(escape);
                    at += self.note(NoteKind::ControlCharacter, 1);
                }
            }
        }
        at
    }

    /// An escape with its backslash. Returns its length in the input.
    fn push_escape(&mut self, escape: &str) -> usize {
        let valid = |length: usize| escape.get(..length).unwrap_or_default();
        match escape.as_bytes().get(1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
                self.text.push_str(valid(2));
                2
            }
            Some(b'u') => match unit(escape) {
                Some(0xd800..=0xdbff) => match unit(valid(12).get(6..).unwrap_or_default()) {
                    Some(0xdc00..=0xdfff) => {
                        self.text.push_str(valid(12));
                        12
                    }
                    _ => self.note(NoteKind::LoneSurrogate, 6),
                },
                Some(0xdc00..=0xdfff) => self.note(NoteKind::LoneSurrogate, 6),
                Some(_) => {
                    self.text.push_str(valid(6));
                    6
                }
                // Cut within the escape, which nobody can read.
                None => self.note(NoteKind::LooseJson, 2),
            },
            // JavaScript and Python: `\x41`.
            Some(b'x') => match escape.get(2..4).and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
                Some(code) => {
                    self.text.push_str(&format!("\\u{code:04x}"));
                    self.note(NoteKind::LooseJson, 4)
                }
                None => self.note(NoteKind::LooseJson, 2),
            },
            // Any other character stands for itself, as in `\'`; it is read next.
            _ => self.note(NoteKind::LooseJson, 1),
        }
    }
}

/// The UTF-16 unit of an escape at the start of a text.
fn unit(escape: &str) -> Option<u16> {
    let digits = escape.strip_prefix("\\u")?.get(..4)?;
    u16::from_str_radix(digits, 16).ok().filter(|_| !digits.starts_with('+'))
}

/// Whether a text is what Python prints for a dictionary: `{'id': 1, 'text': None}`.
pub(super) fn is_python(text: &str) -> bool {
    text.trim_start_matches(['[', ',', '('])
        .trim_start()
        .strip_prefix('{')
        .is_some_and(|rest| rest.trim_start().starts_with('\''))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn repaired(text: &str) -> (Value, Vec<NoteKind>) {
        let repaired = repair(text).unwrap_or_else(|| panic!("nothing to repair in {text}"));
        (
            serde_json::from_str(&repaired.text).unwrap_or_else(|error| panic!("{error}: {}", repaired.text)),
            repaired.kinds,
        )
    }

    #[test]
    fn faults_are_mended_and_named() {
        use NoteKind::{ControlCharacter, LoneSurrogate, LooseJson, NotANumber};
        for (text, value, kind) in [
            (r#"{"a":NaN,"b":-Infinity,"c":"NaN"}"#, json!({"a": null, "b": null, "c": "NaN"}), NotANumber),
            (r#"{"a":[1,2, ],}"#, json!({"a": [1, 2]}), LooseJson),
            (r#"{"a":"x\ud83d","b":"\ude21\ud83d\ude21"}"#, json!({"a": "x", "b": "😡"}), LoneSurrogate),
            (r#"{"a":"\ud83d\u0041"}"#, json!({"a": "A"}), LoneSurrogate),
            ("{\"a\":\"x\ty\nz\0\"}", json!({"a": "x\ty\nz"}), ControlCharacter),
            ("\u{feff}{\"a\":\0 1}", json!({"a": 1}), ControlCharacter),
            (r#"{"a":"c\'est \xe9\,"}"#, json!({"a": "c'est é,"}), LooseJson),
            (r#"{"a":None,"b":[True,False]}"#, json!({"a": null, "b": [true, false]}), LooseJson),
        ] {
            assert_eq!(repaired(text), (value, vec![kind]), "{text}");
        }
    }

    #[test]
    fn sound_json_and_other_faults_are_left() {
        for text in [r#"{"a":"\\ud83d \" NaN,]","b":[true,null,-1.5e3]}"#, "{\"a\":\"cut", "nonsense", ""] {
            assert!(repair(text).is_none(), "{text}");
        }
        assert!(is_python("[{'id': 1}") && is_python("{ 'id': 1}") && !is_python("{\"id\": '1'}"));
    }

    proptest! {
        #[test]
        fn any_text_is_repaired_without_a_panic(text in "(\\\\|u|d83d|\"|NaN|,|\\]|\\}|\\{|\u{0}|\n|x4|é|-|😡| ){0,30}") {
            if let Some(Repaired { text: once, .. }) = repair(&text) {
                let _ = serde_json::from_str::<Value>(&once);
                let _ = repair(&once);
            }
        }

        #[test]
        fn sound_json_is_not_changed(text in "\\PC{0,30}") {
            let sound = json!({"a": text, "b": [1, null]}).to_string();
            prop_assert!(repair(&sound).is_none());
        }
    }
}
