//! [`Lines`]: cuts the bytes of the stream into lines of bounded length. A line that a lost connection cut short is never
//! given out: the gap-fill brings its post.

/// Longest line that is read: a post with all it refers to takes some ten kilobytes.
const MOST_BYTES: usize = 1 << 20;

/// A whole line, without its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// Nothing but the end of a line: the stream lives.
    KeepAlive,
    Message(Vec<u8>),
    /// Longer than is read; its bytes are gone.
    TooLong,
}

/// See the module. One for each connection.
#[derive(Debug, Default)]
pub struct Lines {
    /// From the start of the line that is not whole yet.
    buffer: Vec<u8>,
    /// Bytes at the buffer's start that were given out.
    taken: usize,
    /// Bytes from there on that hold no end of a line.
    searched: usize,
    /// Whether the line under way is too long to keep.
    skipping: bool,
}

impl Lines {
    /// Takes bytes as they came.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.taken);
        self.taken = 0;
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole line. JSON holds no bare line feed, so that each one ends a line, with or without a `\r`.
    pub fn next_line(&mut self) -> Option<Line> {
        let rest = self.buffer.get(self.taken..).unwrap_or_default();
        let Some(end) = rest.iter().skip(self.searched).position(|byte| *byte == b'\n') else {
            self.searched = rest.len();
            if rest.len() > MOST_BYTES {
                self.skipping = true;
                self.taken = self.buffer.len();
                self.searched = 0;
            }
            return None;
        };
        let end = self.searched + end;
        let bytes = rest.get(..end).unwrap_or_default().trim_ascii();
        let line = if std::mem::take(&mut self.skipping) || end > MOST_BYTES {
            Line::TooLong
        } else if bytes.is_empty() {
            Line::KeepAlive
        } else {
            Line::Message(bytes.to_vec())
        };
        self.taken += end + 1;
        self.searched = 0;
        Some(line)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cut(chunks: &[&[u8]]) -> Vec<Line> {
        let mut lines = Lines::default();
        let mut found = Vec::new();
        for chunk in chunks {
            lines.push(chunk);
            found.extend(std::iter::from_fn(|| lines.next_line()));
        }
        found
    }

    #[test]
    fn a_line_that_is_cut_short_is_not_given_out() {
        let message = |text: &str| Line::Message(text.into());
        assert_eq!(cut(&[b"{\"a\":1}\r\n\r\n{\"b\":"]), [message("{\"a\":1}"), Line::KeepAlive]);
        assert_eq!(cut(&[b"{\"a\"", b":1}\r", b"\n{}\n"]), [message("{\"a\":1}"), message("{}")]);
    }

    #[test]
    fn a_line_without_end_takes_bounded_memory_and_costs_itself() {
        let long = vec![b'a'; MOST_BYTES / 2 + 1];
        let mut lines = Lines::default();
        for _ in 0..10 {
            lines.push(&long);
            assert_eq!(lines.next_line(), None);
            assert!(lines.buffer.len() <= 2 * long.len());
        }
        lines.push(b"\r\n{}\r\n");
        assert_eq!(lines.next_line(), Some(Line::TooLong));
        assert_eq!(lines.next_line(), Some(Line::Message(b"{}".to_vec())));
    }

    proptest! {
        #[test]
        fn however_the_bytes_are_cut_the_lines_are_the_same(
            text in "[a-c\r\n ]{0,60}",
            cuts in proptest::collection::vec(0usize..60, 0..8),
        ) {
            let mut cuts: Vec<usize> = cuts.into_iter().map(|at| at.min(text.len())).chain([0, text.len()]).collect();
            cuts.sort_unstable();
            let chunks: Vec<&[u8]> = cuts.windows(2).map(|pair| &text.as_bytes()[pair[0]..pair[1]]).collect();
            let whole: Vec<&str> = text.split('\n').collect();
            let wanted: Vec<Line> = whole[..whole.len() - 1].iter().map(|line| match line.trim_ascii() {
                "" => Line::KeepAlive,
                line => Line::Message(line.into()),
            }).collect();
            prop_assert_eq!(cut(&chunks), wanted);
        }
    }
}
