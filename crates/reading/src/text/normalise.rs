//! First step of all profiles: decodes entities, drops invisible characters, collapses and trims white space.
//!
//! Nested entities are decoded completely (`&amp;lt;` becomes `<`): some dumps contain texts that were escaped twice, and
//! only a fixed point makes cleaning idempotent. The output works as a stack: a `;` that closes an entity removes the entity
//! from the output and pushes its character, so that one pass is enough.

/// Maximum length of an entity body in bytes: `#x10FFFF` with room for leading zeros.
const MAX_ENTITY_BYTES: usize = 12;

const JOINER: char = '\u{200D}';

pub(super) fn normalise(text: &str) -> String {
    let mut out = NormalText(String::with_capacity(text.len()));
    let mut rest = text;
    while let Some(special) = rest.bytes().position(|byte| !is_plain(byte)) {
        let (plain, tail) = rest.split_at(special);
        out.push_plain(plain);
        let mut chars = tail.chars();
        chars.next().into_iter().for_each(|c| out.push(c));
        rest = chars.as_str();
    }
    out.push_plain(rest);
    out.finish()
}

/// ASCII that is always copied unchanged.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_graphic() && byte != b';'
}

/// The normalised output so far.
struct NormalText(String);

impl NormalText {
    fn push_plain(&mut self, plain: &str) {
        if !plain.is_empty() {
            self.drop_dangling_joiner();
            self.0.push_str(plain);
        }
    }

    fn push(&mut self, c: char) {
        if c.is_whitespace() {
            self.drop_dangling_joiner();
            if !self.0.is_empty() && !self.0.ends_with(' ') {
                self.0.push(' ');
            }
        } else if c == ';' {
            self.drop_dangling_joiner();
            self.close_entity();
        } else if self.keeps(c) {
            if !is_emoji(c) {
                self.drop_dangling_joiner();
            }
            self.0.push(c);
        }
    }

    /// Handles a `;`: replaces the entity that it closes; otherwise it is a plain character.
    fn close_entity(&mut self) {
        let distance = self.0.bytes().rev().take(MAX_ENTITY_BYTES + 1).position(|byte| byte == b'&');
        let start = distance.map(|back| self.0.len() - back - 1);
        match start.and_then(|start| Some((start, decode(self.0.get(start + 1..)?)?))) {
            Some((start, decoded)) => {
                self.0.truncate(start);
                self.push(decoded);
            }
            None => self.0.push(';'),
        }
    }

    /// Whether to keep a character other than white space, given what precedes it.
    fn keeps(&self, c: char) -> bool {
        let last = self.0.chars().next_back();
        match c {
            JOINER => last.is_some_and(|last| is_emoji(last) || is_emoji_suffix(last)),
            // Text and emoji presentation, and tags (the flags of England, Scotland and Wales).
            '\u{FE0E}' | '\u{FE0F}' => last.is_some_and(|last| is_emoji(last) || is_keycap_base(last)),
            '\u{E0020}'..='\u{E007F}' => last.is_some_and(|last| is_emoji(last) || is_emoji_suffix(last)),
            c => !is_invisible(c),
        }
    }

    /// Removes a trailing joiner: no emoji follows it.
    fn drop_dangling_joiner(&mut self) {
        if self.0.ends_with(JOINER) {
            self.0.pop();
        }
    }

    fn finish(mut self) -> String {
        self.drop_dangling_joiner();
        if self.0.ends_with(' ') {
            self.0.pop();
        }
        self.0
    }
}

/// The character for an entity's body (between `&` and `;`). Only the names that platforms use; a number that is not a
/// character is left unchanged.
fn decode(body: &str) -> Option<char> {
    match body {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "nbsp" => Some(' '),
        _ => {
            let number = body.strip_prefix('#')?;
            let (digits, radix) = match number.strip_prefix(['x', 'X']) {
                Some(digits) => (digits, 16),
                None => (number, 10),
            };
            // `from_str_radix` accepts a sign, an entity does not.
            let signed = digits.starts_with('+');
            u32::from_str_radix(digits, radix).ok().filter(|_| !signed).and_then(char::from_u32)
        }
    }
}

/// Invisible characters: controls, zero-width and direction marks; also the replacement character of a broken encoding.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{180B}'..='\u{180F}'
            | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
            | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFD}'
            | '\u{E0000}'..='\u{E0FFF}')
}

/// Pictographs, as ranges slightly wider than Unicode's list; they only decide which joiners stay.
fn is_emoji(c: char) -> bool {
    matches!(c,
        '\u{A9}' | '\u{AE}' | '\u{203C}' | '\u{2049}' | '\u{2122}' | '\u{2139}' | '\u{2190}'..='\u{21FF}'
        | '\u{2300}'..='\u{23FF}' | '\u{24C2}' | '\u{25A0}'..='\u{27BF}' | '\u{2900}'..='\u{297F}'
        | '\u{2B00}'..='\u{2BFF}' | '\u{3030}' | '\u{303D}' | '\u{3297}' | '\u{3299}' | '\u{1F000}'..='\u{1FAFF}')
}

fn is_emoji_suffix(c: char) -> bool {
    matches!(c, '\u{FE0F}' | '\u{E0020}'..='\u{E007F}')
}

/// Characters that stay only after an emoji or a keycap's base.
pub(super) fn is_emoji_joining(c: char) -> bool {
    matches!(c, JOINER | '\u{FE0E}') || is_emoji_suffix(c)
}

fn is_keycap_base(c: char) -> bool {
    c.is_ascii_digit() || matches!(c, '#' | '*')
}

#[cfg(test)]
mod tests {
    use super::normalise;

    #[test]
    fn nested_entities_are_decoded_completely() {
        for (text, expected) in [
            ("A&amp;B &lt;3 &gt;:( &quot;ok&quot;", "A&B <3 >:( \"ok\""),
            ("don&#39;t, don&#039;t, don&apos;t, don&#x27;t", "don't, don't, don't, don't"),
            ("&amp;amp;lt;3", "<3"),
            ("&#38;#38;lt;", "<"),
            ("&&#97;mp;lt;", "<"),
            ("20&nbsp;&#160; min", "20 min"),
            ("&#128577;", "🙁"),
            (
                "AT&T; &unknown; &; &#; &#x; &#+65; &#xD800; &#99999999; &lt",
                "AT&T; &unknown; &; &#; &#x; &#+65; &#xD800; &#99999999; &lt",
            ),
        ] {
            assert_eq!(normalise(text), expected, "{text}");
        }
    }

    #[test]
    fn white_space_is_collapsed_and_trimmed() {
        assert_eq!(normalise(" \n two\u{a0}\u{2003}words\r\n\t\u{2028}here &#32; "), "two words here");
        assert_eq!(normalise(" \u{200b} \n"), "");
    }

    #[test]
    fn invisible_characters_are_dropped() {
        assert_eq!(normalise("\u{feff}re\u{ad}tard\u{200b}é\u{7} \u{202e}vol\u{fffd} &#0;&#8203;x"), "retardé vol x");
        assert_eq!(normalise("a\u{200d}b \u{fe0f}c"), "ab c");
    }

    #[test]
    fn joiners_and_selectors_inside_emoji_stay() {
        let emoji = "👨‍👩‍👧 ❤️ 🏳️‍🌈 3️⃣ 👍🏽 🤷🏻‍♀️ 🏴\u{e0067}\u{e0062}\u{e007f} 🇫🇷";
        assert_eq!(normalise(emoji), emoji);
        assert_eq!(normalise("👨\u{200d} ok 👨\u{200d}; 👨\u{200d}x 👨\u{200d}"), "👨 ok 👨; 👨x 👨");
    }
}
