//! [`Kind`]: what a stream contains, by its first bytes. Names do not decide: people rename files, and a pipe has no name.

use super::foreign::{self, Foreign};
use super::peek::HEAD_BYTES;

/// How bytes are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packing {
    Gzip,
    Zstd,
    Xz,
    Bzip2,
}

impl Packing {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Xz => "xz",
            Self::Bzip2 => "bzip2",
        }
    }
}

/// What a stream contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Packed(Packing),
    Tar,
    Zip,
    Utf16(Utf16),
    Text,
    /// Not a dump.
    Foreign(Foreign),
}

/// A UTF-16 text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Utf16 {
    pub(super) big_endian: bool,
    /// It starts with a byte order mark; otherwise it is a guess.
    pub(super) marked: bool,
}

impl Kind {
    /// By the first bytes: up to [`HEAD_BYTES`], or a first line.
    pub(super) fn detect(head: &[u8]) -> Self {
        match head {
            [0x1f, 0x8b, ..] => return Self::Packed(Packing::Gzip),
            // A frame, or a frame to skip, as pzstd writes.
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => return Self::Packed(Packing::Zstd),
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => return Self::Packed(Packing::Xz),
            // The first block, or the end of an empty stream.
            [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, ..]
            | [b'B', b'Z', b'h', b'1'..=b'9', 0x17, 0x72, 0x45, ..] => return Self::Packed(Packing::Bzip2),
            [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] | [b'P', b'K', 7, 8, ..] => {
                return foreign::opendocument(head).map_or(Self::Zip, Self::Foreign);
            }
            _ => {}
        }
        if is_tar(head) {
            return Self::Tar;
        }
        if let Some(foreign) = Foreign::detect(head) {
            return Self::Foreign(foreign);
        }
        if let Some(utf16) = utf16(head) {
            return Self::Utf16(utf16);
        }
        if is_binary(head) { Self::Foreign(Foreign::Binary) } else { Self::Text }
    }
}

/// By the checksum of the header, which old archives have too.
fn is_tar(head: &[u8]) -> bool {
    let Some(block) = head.first_chunk::<HEAD_BYTES>() else { return false };
    block[0] != 0 && super::tar::checksum_matches(block)
}

fn utf16(head: &[u8]) -> Option<Utf16> {
    match head {
        [0xff, 0xfe, ..] => return Some(Utf16 { big_endian: false, marked: true }),
        [0xfe, 0xff, ..] => return Some(Utf16 { big_endian: true, marked: true }),
        _ => {}
    }
    let pairs = head.len() / 2;
    let zeros = |offset: usize| head.iter().skip(offset).step_by(2).filter(|byte| **byte == 0).count();
    let (first, second) = (zeros(0), zeros(1));
    // In a text of Latin letters one byte of each pair is 0, and hardly ever the other.
    let most = |zeros: usize| zeros * 10 >= pairs * 4 && zeros > 0;
    let few = |zeros: usize| zeros * 20 <= pairs;
    match (most(first), most(second)) {
        (false, true) if few(first) => Some(Utf16 { big_endian: false, marked: false }),
        (true, false) if few(second) => Some(Utf16 { big_endian: true, marked: false }),
        _ => None,
    }
}

/// Whether control characters are more than a damaged text has: single NUL bytes do not make a dump binary.
fn is_binary(head: &[u8]) -> bool {
    let is_control = |byte: u8| byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x0b | 0x0c | 0x1a | 0x1b);
    head.iter().filter(|byte| is_control(**byte)).count() * 10 > head.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16_bytes(text: &str, big_endian: bool) -> Vec<u8> {
        let pair = |unit: u16| if big_endian { unit.to_be_bytes() } else { unit.to_le_bytes() };
        text.encode_utf16().flat_map(pair).collect()
    }

    #[test]
    fn packings_are_found_by_their_first_bytes() {
        for (head, expected) in [
            (&b"\x1f\x8b\x08"[..], Packing::Gzip),
            (b"\x28\xb5\x2f\xfd\x04", Packing::Zstd),
            (b"\x50\x2a\x4d\x18\x04", Packing::Zstd),
            (b"\xfd7zXZ\0", Packing::Xz),
            (b"BZh91AY&SY", Packing::Bzip2),
        ] {
            assert_eq!(Kind::detect(head), Kind::Packed(expected), "{head:?}");
        }
        assert_eq!(Kind::detect(b"PK\x03\x04...."), Kind::Zip);
        assert_eq!(Kind::detect(b"BZh1,text\n"), Kind::Text, "a column may have any name");
    }

    #[test]
    fn utf16_is_found_with_and_without_a_mark() {
        for big_endian in [false, true] {
            let header = utf16_bytes("id\ttext\tété\r\n", big_endian);
            assert_eq!(Kind::detect(&header), Kind::Utf16(Utf16 { big_endian, marked: false }));
            let marked = utf16_bytes("\u{feff}日本語\n", big_endian);
            assert_eq!(Kind::detect(&marked), Kind::Utf16(Utf16 { big_endian, marked: true }));
        }
    }

    #[test]
    fn one_nul_does_not_make_a_text_binary() {
        assert_eq!(Kind::detect(b"id,created_at,text\n1,2015-02-17,a\0b\n"), Kind::Text);
        assert_eq!(Kind::detect(b"\0id,created_at,text\n"), Kind::Text);
        assert_eq!(Kind::detect(b""), Kind::Text);
        let binary: Vec<u8> = (0..=255).cycle().take(512).map(|byte: u8| byte.wrapping_mul(7) & 0x3f).collect();
        assert_eq!(Kind::detect(&binary), Kind::Foreign(Foreign::Binary));
    }
}
