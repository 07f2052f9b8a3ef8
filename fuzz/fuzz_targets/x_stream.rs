//! Any bytes, cut anywhere, as the stream of X: the same lines come out, none longer than what is read, none cut short.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vigie::source::twitter::{Line, Lines};

fn cut<'a>(chunks: impl Iterator<Item = &'a [u8]>) -> Vec<Line> {
    let mut lines = Lines::default();
    let mut found = Vec::new();
    for chunk in chunks {
        lines.push(chunk);
        while let Some(line) = lines.next_line() {
            found.push(line);
        }
    }
    found
}

fuzz_target!(|input: (usize, &[u8])| {
    let (size, bytes) = input;
    let found = cut(bytes.chunks(size % 64 + 1));
    assert_eq!(found, cut(std::iter::once(bytes)));
    assert_eq!(found.len(), bytes.iter().filter(|byte| **byte == b'\n').count());
    let whole = |line: &Line| !matches!(line, Line::Message(bytes) if bytes.contains(&b'\n') || bytes.is_empty());
    assert!(found.iter().all(whole));
});
