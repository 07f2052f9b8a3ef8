//! What serde says about a value, in words for who wrote it: what was found, what is wanted, and a suggestion.

/// What serde found wrong with a value.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    UnknownKey {
        key: String,
        known: Vec<String>,
    },
    MissingKey(String),
    /// A sentence.
    Value(String),
}

impl Refusal {
    /// Of serde's message, which has no other form.
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
            return Self::Value(format!("`{first}` is unknown; {}", wanted(&first, &known)));
        }
        Self::Value(sentence(message))
    }
}

/// `did you mean `x`?`, or what there is to choose from.
pub(super) fn wanted(found: &str, known: &[String]) -> String {
    match nearest(found, known) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => "nothing is wanted here".into(),
        None => format!("wanted one of {}", known.join(", ")),
    }
}

fn nearest<'a>(found: &str, known: &'a [String]) -> Option<&'a String> {
    let found = found.to_lowercase();
    let near = |word: &&String| strsim::damerau_levenshtein(&found, &word.to_lowercase());
    // A third of the letters may be wrong; beyond that a guess helps nobody.
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
        Some((found, kind)) => format!("found {found}, wanted {}", plain(kind)),
        None => message.to_owned(),
    }
}

/// Rust's names for what is wanted, as people call them.
fn plain(kind: &str) -> &str {
    match kind {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number, not negative",
        "i32" | "i64" => "a whole number",
        "f32" | "f64" => "a number",
        "a sequence" => "a list, such as [\"a\", \"b\"]",
        "a boolean" => "true or false",
        "a borrowed string" | "path string" => "a string",
        "a signed duration string" => "a length of time, such as \"30s\" or \"5m\"",
        "socket address" => "an address with a port, such as \"127.0.0.1:9469\"",
        kind if kind.starts_with("struct ") || kind.starts_with("internally tagged enum ") || kind == "a map" => {
            "a table"
        }
        kind => kind,
    }
}

fn hinted(message: &str) -> String {
    if message.contains("socket address") {
        return format!("{message}; wanted an address with a port, such as \"127.0.0.1:9469\"");
    }
    if message.contains("duration") || message.contains("designator") || message.contains("unit") {
        return format!("{message}; wanted a length of time, such as \"30s\" or \"5m\"");
    }
    message
        .strip_prefix("data did not match any variant of untagged enum")
        .map_or_else(|| message.to_owned(), |_| "it has a form that is not known here".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_word_is_suggested_and_a_far_one_is_not() {
        let known = ["bucket".to_owned(), "lateness".to_owned()];
        assert_eq!(wanted("buket", &known), "did you mean `bucket`?");
        assert_eq!(wanted("bcuket", &known), "did you mean `bucket`?");
        assert_eq!(wanted("colour", &known), "wanted one of bucket, lateness");
        assert_eq!(wanted("x", &[]), "nothing is wanted here");
    }

    #[test]
    fn serde_is_understood() {
        assert_eq!(
            Refusal::of("unknown field `a`, expected `b` or `c`"),
            Refusal::UnknownKey { key: "a".into(), known: vec!["b".into(), "c".into()] }
        );
        assert_eq!(Refusal::of("missing field `a`"), Refusal::MissingKey("a".into()));
        assert_eq!(
            Refusal::of("invalid type: string \"x, y\", expected u32"),
            Refusal::Value("found string \"x, y\", wanted a whole number, not negative".into())
        );
    }
}
