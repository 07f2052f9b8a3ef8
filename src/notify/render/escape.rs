//! Makes texts from outside harmless: anybody can write posts, author names and server messages.

/// One line: no control characters, line breaks or direction marks, only single spaces.
pub(crate) fn line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for char in text.chars() {
        let char = if is_blank(char) { ' ' } else { char };
        if is_hidden(char) || (char == ' ' && (line.is_empty() || line.ends_with(' '))) {
            continue;
        }
        line.push(char);
    }
    line.truncate(line.trim_end().len());
    line
}

/// Spaces that may be collapsed; no-break spaces stay.
fn is_blank(char: char) -> bool {
    char.is_whitespace() && !matches!(char, '\u{a0}' | '\u{202f}') || char.is_control()
}

/// Invisible marks that change how the text around them is displayed.
fn is_hidden(char: char) -> bool {
    matches!(char, '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

/// The length that Slack and Teams count: UTF-16 units, of which most emoji take two.
pub(super) fn utf16_length(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

/// At most `most` UTF-16 units, cut at a word if possible, with an ellipsis.
pub(crate) fn clip(text: &str, most: usize) -> String {
    if utf16_length(text) <= most {
        return text.into();
    }
    let mut used = 0;
    let fits = |char: &char| {
        used += char.len_utf16();
        used < most
    };
    let kept: String = text.chars().take_while(fits).collect();
    let word = kept.rfind(' ').filter(|place| *place * 4 > kept.len() * 3);
    let kept = word.and_then(|place| kept.get(..place)).unwrap_or(&kept);
    format!("{}…", kept.trim_end_matches([' ', ',', ';', ':', '.']))
}

/// The URL, if it is safe as a link: `http` or `https`, a host, only the characters addresses are written in.
pub(crate) fn link(url: &str) -> Option<&str> {
    const MAX_LENGTH: usize = 500;
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    let host = rest.split(['/', '?', '#']).next()?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._~:/?#@!$&*+,;=%".contains(c);
    // `user@host` displays one host and links to another.
    let is_host = !host.is_empty() && !host.contains('@') && host.starts_with(|c: char| c.is_ascii_alphanumeric());
    (is_host && url.len() <= MAX_LENGTH && url.chars().all(is_plain)).then_some(url)
}

/// For an Adaptive Card's text, which interprets Markdown and `{{DATE(...)}}`.
pub(crate) fn markdown(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 8);
    for (place, char) in text.char_indices() {
        match char {
            '\\' | '[' | ']' | '*' | '_' | '`' | '~' => escaped.extend(['\\', char]),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            // A doubled brace starts a function of the card.
            '{' | '}' if escaped.ends_with(char) => escaped.extend(['\u{2060}', char]),
            '#' | '-' | '+' if place == 0 => escaped.extend(['\\', char]),
            '.' | ')' if place > 0 && text[..place].chars().all(|c| c.is_ascii_digit()) => escaped.extend(['\\', char]),
            _ => escaped.push(char),
        }
    }
    escaped
}

/// For Slack's mrkdwn, in which `<` begins links and `<!channel>`.
pub(super) fn mrkdwn(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_line_is_one_line_and_reads_forwards() {
        assert_eq!(line(" a\r\nBcc: x\t\u{202e}evil\u{0}  b "), "a Bcc: x evil b");
        assert_eq!(line("1\u{202f}234 é 👩‍👧"), "1\u{202f}234 é 👩‍👧");
    }

    #[test]
    fn cuts_fall_between_words() {
        assert_eq!(clip("short", 5), "short");
        assert_eq!(clip("the flight was cancelled, again", 26), "the flight was cancelled…");
        assert_eq!(clip("aaaaaaaaaa", 4), "aaa…");
    }

    #[test]
    fn only_plain_web_addresses_become_links() {
        for good in ["https://x.com/i/web/status/1?a=b#c", "http://localhost:9469/alerts/A-1"] {
            assert_eq!(link(good), Some(good));
        }
        for bad in [
            "javascript:alert(1)",
            "data:text/html,x",
            "https://",
            "//x.com",
            "https://good.com@evil.com/",
            "https://x.com/\"onclick=",
            "https://x.com/<b>",
            "https://x.com/a b",
            "https://x.com/)",
            "https://х.com/",
            "https://x.com/\r\nBcc:",
        ] {
            assert_eq!(link(bad), None, "{bad}");
        }
    }

    #[test]
    fn markdown_is_read_as_it_is_written() {
        assert_eq!(markdown("[a](http://x) *b* _c_"), r"\[a\](http://x) \*b\* \_c\_");
        assert_eq!(markdown("<at>all</at> & co"), "&lt;at&gt;all&lt;/at&gt; &amp; co");
        assert_eq!(markdown("- a"), r"\- a");
        assert_eq!(markdown("1. a 2. b"), r"1\. a 2. b");
        assert!(!markdown("{{DATE(2015-02-22)}}").contains("{{"));
    }

    proptest! {
        #[test]
        fn any_text_is_made_harmless(text in any::<String>(), most in 1_usize..50) {
            let line = line(&text);
            prop_assert!(!line.chars().any(|c| c.is_control() || is_hidden(c)));
            prop_assert!(clip(&line, most).chars().count() <= most);
            let bare = mrkdwn(&text);
            prop_assert!(!bare.contains(['<', '>']));
            let card = markdown(&text);
            prop_assert!(!card.contains(['<', '>']) && !card.contains("{{"));
        }
    }
}
