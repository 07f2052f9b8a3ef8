//! Texts that are HTML, as Mastodon, YouTube and feeds write them.

/// Tags that end a line.
const BLOCKS: [&str; 16] =
    ["p", "br", "div", "li", "ul", "ol", "tr", "blockquote", "pre", "hr", "h1", "h2", "h3", "h4", "h5", "h6"];
/// Tags within a line.
const INLINE: [&str; 18] = [
    "a", "span", "b", "i", "em", "strong", "u", "s", "del", "code", "small", "sub", "sup", "img", "font", "q", "td",
    "table",
];

/// The text of HTML: paragraphs and `<br>` are line ends, entities are decoded, tags are dropped without a space, so that
/// the parts of an address that Mastodon hides are joined. `None` if no tag makes the text HTML: `<3` and
/// `a < b` stay.
pub(super) fn to_plain(text: &str) -> Option<String> {
    if !tags(text).any(|tag| tag.is_evidence()) {
        return None;
    }
    let mut plain = String::with_capacity(text.len());
    let mut from = 0;
    for tag in tags(text) {
        plain.push_str(text.get(from..tag.start).unwrap_or_default());
        if tag.is_block() && !plain.is_empty() && !plain.ends_with('\n') {
            plain.push('\n');
        }
        from = tag.end;
    }
    plain.push_str(text.get(from..).unwrap_or_default());
    let decoded = html_escape::decode_html_entities(plain.trim_end());
    Some(decoded.replace('\u{a0}', " "))
}

/// A tag: `<br />`, `</p>`, `<a href="...">`.
struct Tag<'a> {
    start: usize,
    end: usize,
    name: &'a str,
    /// What follows the name, up to the `>`.
    rest: &'a str,
    closes: bool,
}

impl Tag<'_> {
    fn is_one_of(&self, names: &[&str]) -> bool {
        names.iter().any(|name| name.eq_ignore_ascii_case(self.name))
    }

    fn is_block(&self) -> bool {
        self.is_one_of(&BLOCKS)
    }

    /// Whether a person would not have typed it: a known tag, alone or with attributes.
    fn is_evidence(&self) -> bool {
        let rest = self.rest.trim_end_matches('/').trim();
        (self.is_block() || self.is_one_of(&INLINE)) && (rest.is_empty() || (!self.closes && rest.contains('=')))
    }
}

/// The tags of a text, in order. A `<` that begins no tag is text.
fn tags(text: &str) -> impl Iterator<Item = Tag<'_>> {
    let (mut from, mut comments_end) = (0, true);
    std::iter::from_fn(move || {
        loop {
            let start = from + text.get(from..)?.find('<')?;
            from = start + 1;
            // A comment without an end is searched for once, however many there are.
            let is_comment = text.get(from..)?.starts_with("!--");
            if is_comment && !comments_end {
                continue;
            }
            if let Some(tag) = tag_at(text, start) {
                from = tag.end;
                return Some(tag);
            }
            comments_end &= !is_comment;
        }
    })
}

fn tag_at(text: &str, start: usize) -> Option<Tag<'_>> {
    let inside = text.get(start + 1..)?;
    if inside.starts_with("!--") {
        let end = start + 1 + inside.find("-->")? + 3;
        return Some(Tag { start, end, name: "", rest: "", closes: false });
    }
    let closes = inside.starts_with('/');
    let inside = inside.strip_prefix('/').unwrap_or(inside);
    let length = inside.bytes().position(|byte| !byte.is_ascii_alphanumeric()).unwrap_or(inside.len());
    let (name, rest) = inside.split_at_checked(length)?;
    let is_name = name.starts_with(|first: char| first.is_ascii_alphabetic());
    if !is_name || !rest.starts_with(|next: char| next == '>' || next == '/' || next.is_ascii_whitespace()) {
        return None;
    }
    let length = tag_end(rest)?;
    let end = text.len() - rest.len() + length + 1;
    Some(Tag { start, end, name, rest: rest.get(..length)?, closes })
}

/// Where the `>` of a tag is, outside of quotes. A `<` before it means that this is not a tag.
fn tag_end(rest: &str) -> Option<usize> {
    let mut quote = None;
    for (at, byte) in rest.bytes().enumerate() {
        match (quote, byte) {
            (None, b'>') => return Some(at),
            (None, b'<') => return None,
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), byte) if byte == open => quote = None,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn html_becomes_plain_text() {
        for (html, expected) in [
            ("<p>Encore 3&nbsp;h,<br />c&#39;est une honte</p><p>fin</p>", "Encore 3 h,\nc'est une honte\nfin"),
            (
                r#"<p><span class="h-card"><a href="https://x.y/@a" class="u-url">@<span>a</span></a></span> &lt;3</p>"#,
                "@a <3",
            ),
            (
                r#"<a href="https://e.com/a/b"><span class="invisible">https://</span><span>e.com/a</span><span class="invisible">/b</span></a>"#,
                "https://e.com/a/b",
            ),
            ("retard<BR>annul&eacute;", "retard\nannulé"),
            ("<b>late</b> a < b <3 <!-- x --> 2 > 1", "late a < b <3  2 > 1"),
            (r#"it's <a title="a > b" href='#'>here</a>"#, "it's here"),
        ] {
            assert_eq!(to_plain(html).as_deref(), Some(expected), "{html}");
        }
    }

    #[test]
    fn plain_texts_are_left() {
        for text in [
            "I <3 you",
            "a < b and b > c",
            "<user> says",
            "<- here",
            "<b",
            "<a b c>",
            "x <i am> y",
            "&lt;p&gt;",
            "<",
            "</3",
        ] {
            assert_eq!(to_plain(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_loses_its_tags_without_a_panic(text in "(<|>|/|p|br|a href=|\"|'| |é|&lt;|&#|;|<p>|!--){0,30}") {
            if let Some(plain) = to_plain(&text) {
                prop_assert!(plain.len() <= text.len() * 2);
            }
        }

        #[test]
        fn what_is_escaped_is_read_back(text in "[ -~é’]{1,30}") {
            let text = text.trim_end().to_owned();
            let html = format!("<p>{}</p>", html_escape::encode_text(&text));
            prop_assert_eq!(to_plain(&html), Some(text));
        }
    }
}
