//! [`Key`]: parses the bytes that a terminal sends for keys. `terminal` calls it.

/// The keys that have an effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum Key {
    Char(char),
    /// Ctrl-C.
    Interrupt,
    Escape,
    Up,
    Down,
    PageUp,
    PageDown,
    Home,
    End,
    /// The terminal was closed.
    HangUp,
}

/// Ignores unknown sequences and bytes that are not printable ASCII.
pub(super) fn parse(bytes: &[u8]) -> Vec<Key> {
    let mut keys = Vec::new();
    let mut rest = bytes;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match *first {
            0x03 => keys.push(Key::Interrupt),
            0x1b => match after.split_first() {
                // CSI, or SS3, which some terminals send for the same keys.
                Some((b'[' | b'O', sequence)) => {
                    let end = sequence.iter().position(|byte| byte.is_ascii_alphabetic() || *byte == b'~');
                    let (sequence, after) = sequence.split_at(end.map_or(sequence.len(), |end| end + 1));
                    keys.extend(named(sequence));
                    rest = after;
                }
                // Alt and a key: the key alone, parsed next.
                Some(_) => {}
                None => keys.push(Key::Escape),
            },
            byte if byte.is_ascii_graphic() => keys.push(Key::Char(byte.into())),
            _ => {}
        }
    }
    keys
}

fn named(sequence: &[u8]) -> Option<Key> {
    Some(match sequence {
        b"A" => Key::Up,
        b"B" => Key::Down,
        b"H" | b"1~" | b"7~" => Key::Home,
        b"F" | b"4~" | b"8~" => Key::End,
        b"5~" => Key::PageUp,
        b"6~" => Key::PageDown,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_common_terminals_are_known() {
        for (bytes, key) in [
            (&b"q"[..], Key::Char('q')),
            (b"\x03", Key::Interrupt),
            (b"\x1b", Key::Escape),
            (b"\x1b[A", Key::Up),
            (b"\x1bOB", Key::Down),
            (b"\x1b[5~", Key::PageUp),
            (b"\x1b[6~", Key::PageDown),
            (b"\x1b[H", Key::Home),
            (b"\x1b[1~", Key::Home),
            (b"\x1bOF", Key::End),
            (b"\x1b[4~", Key::End),
        ] {
            assert_eq!(parse(bytes), [key], "{bytes:?}");
        }
    }

    #[test]
    fn several_keys_at_once_are_all_parsed_and_unknown_ones_are_ignored() {
        assert_eq!(parse(b"\x1b[B\x1b[Bq"), [Key::Down, Key::Down, Key::Char('q')]);
        assert_eq!(parse(b"\x1b[15~\x1b[1;5A\x1b[200~\xc3\xa9\x1b[A"), [Key::Up], "F5, Ctrl and up, a paste, é");
        assert_eq!(parse(b"\x1b["), []);
        assert_eq!(parse(b""), []);
    }
}
