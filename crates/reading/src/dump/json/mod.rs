//! JSON: posts and pages of X API v2, what other tools write, and plain objects such as those that vigie writes.
//!
//! ```text
//! RecordSplitter + framing (one object) -> parse, else repair -> wrappers (its posts) -> post (fields, by path) -> RowBuilder
//!                                                                        \-> skipped (deletions, service messages)
//! ```

mod fields;
mod framing;
mod includes;
mod keys;
mod outline;
mod path;
mod post;
mod preset;
mod repair;
mod rows;
mod skipped;
mod text;
mod wrappers;

#[cfg(test)]
mod tests;

pub use framing::JsonFraming;
pub use rows::{JsonRecord, JsonRows};

type Object = serde_json::Map<String, serde_json::Value>;

/// Whether an input begins like JSON, by its first visible bytes: an object or array, a record separator, the prefix `)]}'`,
/// or the assignment of an array or object to a name, as in `window.YTD.tweets.part0 = [`.
pub fn starts_like_json(start: &[u8]) -> bool {
    let start = start.trim_ascii_start();
    match start.first() {
        Some(b'{' | b'[' | 0x1e) => true,
        Some(b')') => start.starts_with(b")]}'"),
        Some(byte) if byte.is_ascii_alphabetic() => {
            let name = start.iter().take_while(|byte| framing::is_name(**byte)).count();
            let mut rest = start.get(name..).unwrap_or_default().trim_ascii_start().iter();
            // `sep=;` is the first line of a CSV file.
            !start.starts_with(b"sep=")
                && matches!(rest.next(), Some(b'=' | b'('))
                && matches!(rest.as_slice().trim_ascii_start().first(), Some(b'{' | b'[') | None)
        }
        _ => false,
    }
}
