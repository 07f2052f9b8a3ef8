//! Translates serde's error messages for operators: what was found, what is expected, and a suggestion.

/// The error that serde reports for a value.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ValueError {
    UnknownKey {
        key: String,
        known: Vec<String>,
    },
    MissingKey(String),
    /// Any other error, as a sentence.
    Value(String),
}

impl ValueError {
    /// Parses serde's message: serde offers no structured form.
    pub(super) fn of(message: &str) -> Self {
        let words = quoted(message);
        let first = words.first().cloned().unwrap_or_default();
        if message.starts_with("unknown field ") {
            return Self::UnknownKey { key: first, known: words.into_iter().skip(1).collect() };
        }
        if message.starts_with("missing field ") {
            return Self::MissingKey(first);
        }
        if message.starts_with("unknown variant ") {
            let known: Vec<String> = words.into_iter().skip(1).collect();
            return Self::Value(format!("unknown value `{first}`; {}", suggestion(&first, &known)));
        }
        Self::Value(sentence(message))
    }
}

/// `did you mean `x`?`, or the list of known names.
pub(super) fn suggestion(found: &str, known: &[String]) -> String {
    match nearest(found, known) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => "no name is valid here".into(),
        None => format!("expected one of: {}", known.join(", ")),
    }
}

fn nearest<'a>(found: &str, known: &'a [String]) -> Option<&'a String> {
    let found = found.to_lowercase();
    let near = |word: &&String| strsim::damerau_levenshtein(&found, &word.to_lowercase());
    // Up to a third of the letters may be wrong; a worse match would not help.
    known.iter().min_by_key(near).filter(|word| near(word) <= (found.chars().count().max(3)) / 3)
}

/// The words between backticks.
fn quoted(message: &str) -> Vec<String> {
    message.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn sentence(message: &str) -> String {
    let Some(rest) = message.strip_prefix("invalid type: ").or_else(|| message.strip_prefix("invalid value: ")) else {
        return hinted(message);
    };
    match rest.rsplit_once(", expected ") {
        Some((found, kind)) => format!("found {found}, expected {}", plain(kind)),
        None => message.to_owned(),
    }
}

/// Plain names for the Rust types in serde's messages.
fn plain(kind: &str) -> &str {
    match kind {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number, 0 or more",
        "i32" | "i64" => "a whole number",
        "f32" | "f64" => "a number",
        "a sequence" => "a list, e.g. [\"a\", \"b\"]",
        "a boolean" => "true or false",
        "a borrowed string" | "path string" => "a string",
        "socket address" => "an address with a port, e.g. \"127.0.0.1:9469\"",
        kind if kind.starts_with("struct ") || kind.starts_with("internally tagged enum ") || kind == "a map" => {
            "a table"
        }
        kind => kind,
    }
}

fn hinted(message: &str) -> String {
    if message.contains("socket address") {
        return format!("{message}; expected an address with a port, e.g. \"127.0.0.1:9469\"");
    }
    message
        .strip_prefix("data did not match any variant of untagged enum")
        .map_or_else(|| message.to_owned(), |_| "the value has an unknown form".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_word_is_suggested_and_a_far_one_is_not() {
        let known = ["bucket".to_owned(), "lateness".to_owned()];
        assert_eq!(suggestion("buket", &known), "did you mean `bucket`?");
        assert_eq!(suggestion("bcuket", &known), "did you mean `bucket`?");
        assert_eq!(suggestion("colour", &known), "expected one of: bucket, lateness");
        assert_eq!(suggestion("x", &[]), "no name is valid here");
    }

    #[test]
    fn serde_is_understood() {
        assert_eq!(
            ValueError::of("unknown field `a`, expected `b` or `c`"),
            ValueError::UnknownKey { key: "a".into(), known: vec!["b".into(), "c".into()] }
        );
        assert_eq!(ValueError::of("missing field `a`"), ValueError::MissingKey("a".into()));
        assert_eq!(
            ValueError::of("invalid type: string \"x, y\", expected u32"),
            ValueError::Value("found string \"x, y\", expected a whole number, 0 or more".into())
        );
    }
}
