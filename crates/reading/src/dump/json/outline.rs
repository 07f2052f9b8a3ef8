//! Outlines of incomplete JSON: where a page that is too long, or that has a post a line, opens its array of posts.

use super::wrappers;

/// Containers that may be open at once; as many as `serde_json` allows.
const MAX_OPEN: usize = 128;

/// An open array with posts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct OpenPage {
    /// Offset of its inside.
    pub inside: usize,
    /// Open containers: the array and those around it.
    pub levels: u16,
}

/// An object or array that is open at the end.
#[derive(Debug)]
struct Open<'a> {
    is_array: bool,
    inside: usize,
    /// The key of an object's member.
    key: &'a [u8],
    /// The first byte inside.
    first: Option<u8>,
}

/// The outermost array of objects that is open after `bytes`: the posts of a page that is longer than what can be held.
pub(super) fn long_page(bytes: &[u8]) -> Option<OpenPage> {
    let open = open_containers(bytes)?;
    // The posts of the page stand before what they refer to, and are closed.
    if open.iter().any(|open| open.key == b"includes") {
        return None;
    }
    let position = open.iter().position(|open| open.is_array && open.first == Some(b'{'))?;
    page(&open, position)
}

/// The array of posts that `bytes` ends with: `{"data": [`.
pub(super) fn page_head(bytes: &[u8]) -> Option<OpenPage> {
    let open = open_containers(bytes)?;
    let last = open.last()?;
    let known = wrappers::is_page_key(std::str::from_utf8(last.key).ok()?);
    (last.is_array && last.first.is_none() && known).then(|| page(&open, open.len() - 1))?
}

fn page(open: &[Open<'_>], position: usize) -> Option<OpenPage> {
    let levels = u16::try_from(position + 1).ok()?;
    Some(OpenPage { inside: open.get(position)?.inside, levels })
}

fn open_containers(bytes: &[u8]) -> Option<Vec<Open<'_>>> {
    let mut open: Vec<Open<'_>> = Vec::new();
    let mut last_string: &[u8] = &[];
    let mut at = 0;
    while let Some(byte) = bytes.get(at).copied() {
        if !byte.is_ascii_whitespace()
            && let Some(inner) = open.last_mut()
        {
            inner.first.get_or_insert(byte);
        }
        at += 1;
        match byte {
            b'"' => {
                let length = string_length(bytes.get(at..)?);
                last_string = bytes.get(at..at + length).unwrap_or_default();
                at += length + 1;
            }
            b'{' | b'[' => {
                if open.len() == MAX_OPEN {
                    return None;
                }
                let key = if open.last().is_some_and(|outer| outer.is_array) { &[] } else { last_string };
                open.push(Open { is_array: byte == b'[', inside: at, key, first: None });
            }
            b'}' | b']' => {
                open.pop();
            }
            _ => {}
        }
    }
    Some(open)
}

/// Number of bytes before a string's closing quote, or all.
fn string_length(bytes: &[u8]) -> usize {
    let mut escaped = false;
    let end = bytes.iter().position(|byte| {
        let closes = *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        closes
    });
    end.unwrap_or(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_outermost_open_array_of_objects_is_the_page() {
        let head = r#"{"meta":{"a":[1]},"chats":{"list":["#;
        let page = OpenPage { inside: head.len(), levels: 3 };
        let text = format!(r#"{head} {{"n":"]\"","messages":[{{"id":1}},{{"#);
        assert_eq!(long_page(text.as_bytes()), Some(page));
        for none in ["{\"a\":[[[", r#"{"a":[1,"#, r#"{"a":[{}]"#, "", "]]}"] {
            assert_eq!(long_page(none.as_bytes()), None, "{none}");
        }
    }

    #[test]
    fn a_head_ends_with_an_empty_array_of_a_known_key() {
        let head = |text: &str| page_head(text.as_bytes()).map(|page| page.levels);
        assert_eq!(head(r#"{"data": [ "#), Some(2));
        assert_eq!(head(r#"{"hits":{"hits":["#), Some(3));
        for none in [r#"{"text":["#, r#"{"data":[1"#, r#"{"data":["a"#, r#"{"data":{"#] {
            assert_eq!(head(none), None, "{none}");
        }
    }
}
