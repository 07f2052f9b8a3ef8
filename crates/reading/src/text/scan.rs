//! Second step of all profiles: splits a normalised text into links, mentions, e-mail addresses and the text between.
//!
//! - A link starts with `http://` or `https://` anywhere, even directly after a word (platforms truncate texts so), or with a
//!   bare `www.`, `t.co/` or `pic.twitter.com/` at a word boundary. It ends at a space, a quote, an angle bracket or an
//!   emoji; trailing punctuation does not belong to it.
//! - A mention is `@` and a name, also directly after a word (`RT@name`) and with a host (`@name@mastodon.social`).
//! - `name@host.tld` is an e-mail address, never a mention.

use super::normalise::is_emoji_joining;

/// One piece of a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    Text(&'a str),
    Link,
    Mention,
    Email(&'a str),
}

/// Splits `text` and calls `visit` with each piece in order.
pub(super) fn scan<'a>(text: &'a str, mut visit: impl FnMut(Piece<'a>)) {
    let mut rest = text;
    let mut from = 0;
    while let Some(at) = rest.bytes().skip(from).position(|byte| matches!(byte, b'@' | b':' | b'.')) {
        let at = from + at;
        match find_special(rest, at) {
            Some((start, end, special)) => {
                let (before, tail) = rest.split_at(end);
                let (before, whole) = before.split_at(start);
                if !before.is_empty() {
                    visit(Piece::Text(before));
                }
                visit(match special {
                    Special::Link => Piece::Link,
                    Special::Mention => Piece::Mention,
                    Special::Email => Piece::Email(whole),
                });
                rest = tail;
                from = 0;
            }
            None => from = at + 1,
        }
    }
    if !rest.is_empty() {
        visit(Piece::Text(rest));
    }
}

enum Special {
    Link,
    Mention,
    Email,
}

/// The special piece around the `@`, `:` or `.` at byte `at`: its start, its end and its kind.
fn find_special(text: &str, at: usize) -> Option<(usize, usize, Special)> {
    let (before, sign_and_after) = text.split_at(at);
    let after = sign_and_after.get(1..)?;
    if sign_and_after.starts_with('@') {
        return find_address(before, after);
    }
    let opening = if sign_and_after.starts_with(':') { scheme(before, after)? } else { bare_host(before, after)? };
    Some((at - opening, at + 1 + link_length(after), Special::Link))
}

/// A mention or an e-mail address around its `@`.
fn find_address(before: &str, after: &str) -> Option<(usize, usize, Special)> {
    let at = before.len();
    let name = word_length(after);
    if name == 0 {
        return None;
    }
    let local = before.len() - before.trim_end_matches(is_local).len();
    let host = host_length(after);
    if host > name && before.ends_with(is_word) {
        return Some((at - local, at + 1 + host, Special::Email));
    }
    let mut end = name;
    while let Some(next) = after.get(end..).and_then(|tail| tail.strip_prefix('@')) {
        match host_length(next) {
            0 => break,
            host => end += 1 + host,
        }
    }
    Some((at, at + 1 + end, Special::Mention))
}

/// Length of the `http` or `https` before a `://`.
fn scheme(before: &str, after: &str) -> Option<usize> {
    let known = ["https", "http"].into_iter().find(|scheme| ends_with_ignoring_case(before, scheme))?;
    after.starts_with("//").then_some(known.len())
}

/// Length of the part before the first dot of a link without a scheme.
fn bare_host(before: &str, after: &str) -> Option<usize> {
    let (opening, _) =
        [("www", ""), ("t", "co/"), ("pic", "twitter.com/")].into_iter().find(|(opening, following)| {
            ends_with_ignoring_case(before, opening)
                && after.get(..following.len()).is_some_and(|start| start.eq_ignore_ascii_case(following))
                && after.get(following.len()..).is_some_and(|path| path.starts_with(is_word))
        })?;
    let glued = before.get(..before.len() - opening.len()).is_some_and(|left| left.ends_with(is_host));
    (!glued).then_some(opening.len())
}

fn ends_with_ignoring_case(text: &str, ending: &str) -> bool {
    text.len() >= ending.len()
        && text.get(text.len() - ending.len()..).is_some_and(|tail| tail.eq_ignore_ascii_case(ending))
}

/// Length in bytes of the rest of a link.
fn link_length(text: &str) -> usize {
    let end = text
        .find(|c: char| if c.is_ascii() { matches!(c, ' ' | '<' | '>' | '"') } else { !is_name(c) })
        .unwrap_or(text.len());
    let (link, _) = text.split_at(end);
    link.trim_end_matches(['.', ',', ';', ':', '!', '?', ')', ']', '}', '\'', '*']).len()
}

fn word_length(text: &str) -> usize {
    text.find(|c| !is_name(c)).unwrap_or(text.len())
}

/// Length of a host name: words joined by single dots and hyphens.
fn host_length(text: &str) -> usize {
    let mut end = word_length(text);
    while end > 0 {
        let next = text.get(end..).and_then(|tail| tail.strip_prefix(['.', '-'])).map_or(0, word_length);
        if next == 0 {
            break;
        }
        end += 1 + next;
    }
    end
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// A character inside a name, including one that turns the character before it into an emoji (`7` and `U+FE0F`): it must
/// not be separated from it.
fn is_name(c: char) -> bool {
    is_word(c) || is_emoji_joining(c)
}

fn is_host(c: char) -> bool {
    is_word(c) || matches!(c, '.' | '-')
}

fn is_local(c: char) -> bool {
    is_host(c) || matches!(c, '+' | '%')
}

#[cfg(test)]
mod tests {
    use super::{Piece, scan};

    fn pieces(text: &str) -> Vec<Piece<'_>> {
        let mut all = Vec::new();
        scan(text, |piece| all.push(piece));
        all
    }

    #[test]
    fn links_end_where_the_sentence_continues() {
        use Piece::{Link, Text};
        for (text, expected) in [
            ("https://t.co/aB1", vec![Link]),
            ("(see HTTP://x.fr/a?b=1&c=é).", vec![Text("(see "), Link, Text(").")]),
            ("landed!http://t.co/x😀", vec![Text("landed!"), Link, Text("😀")]),
            ("latehttp://t.co/x", vec![Text("late"), Link]),
            ("cut http://t.co… cut http://…", vec![Text("cut "), Link, Text("… cut "), Link, Text("…")]),
            ("\"www.airparadis.fr\"", vec![Text("\""), Link, Text("\"")]),
            ("t.co/x pic.twitter.com/y", vec![Link, Text(" "), Link]),
            ("at.co/x www. http: //x", vec![Text("at.co/x www. http: //x")]),
        ] {
            assert_eq!(pieces(text), expected, "{text}");
        }
    }

    #[test]
    fn mentions_are_distinguished_from_addresses() {
        use Piece::{Email, Mention, Text};
        for (text, expected) in [
            ("@AirParadis.", vec![Mention, Text(".")]),
            (".@united:", vec![Text("."), Mention, Text(":")]),
            ("RT@bob", vec![Text("RT"), Mention]),
            ("@a_1@b@mastodon.social, ok", vec![Mention, Text(", ok")]),
            (
                "write jean.dupont+vol@air-paradis.co.uk.",
                vec![Text("write "), Email("jean.dupont+vol@air-paradis.co.uk"), Text(".")],
            ),
            ("@ 5 pm, a@, @", vec![Text("@ 5 pm, a@, @")]),
        ] {
            assert_eq!(pieces(text), expected, "{text}");
        }
    }
}
