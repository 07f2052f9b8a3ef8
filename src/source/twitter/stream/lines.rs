//! [`Lines`]: splits the bytes of the stream into lines of bounded length. A line that a lost connection cut off is
//! dropped: the gap-fill reads its post.

/// Longest accepted line; a post with everything it refers to has about ten kilobytes.
const MAX_LINE_BYTES: usize = 1 << 20;

/// A complete line, without its terminator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// An empty line: the stream is alive.
    KeepAlive,
    Message(Vec<u8>),
    /// Longer than the limit; its bytes are dropped.
    TooLong,
}

/// See the module. One for each connection.
#[derive(Debug, Default)]
pub struct Lines {
    /// Starts with the line that is not complete yet.
    buffer: Vec<u8>,
    /// Bytes at the start of the buffer that were returned already.
    consumed: usize,
    /// Bytes after those that contain no line feed.
    searched: usize,
    /// Whether the current line is too long to keep.
    skipping: bool,
}

impl Lines {
    /// Appends bytes of the stream.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.consumed);
        self.consumed = 0;
        self.buffer.extend_from_slice(bytes);
    }

    /// Returns the next complete line. JSON contains no bare line feed, so each one ends a line, with or without `\r`.
    pub fn next_line(&mut self) -> Option<Line> {
        let rest = self.buffer.get(self.consumed..).unwrap_or_default();
        let Some(end) = rest.iter().skip(self.searched).position(|byte| *byte == b'\n') else {
            self.searched = rest.len();
            if rest.len() > MAX_LINE_BYTES {
                self.skipping = true;
                self.consumed = self.buffer.len();
                self.searched = 0;
            }
            return None;
        };
        let end = self.searched + end;
        let bytes = rest.get(..end).unwrap_or_default().trim_ascii();
        let line = if std::mem::take(&mut self.skipping) || end > MAX_LINE_BYTES {
            Line::TooLong
        } else if bytes.is_empty() {
            Line::KeepAlive
        } else {
            Line::Message(bytes.to_vec())
        };
        self.consumed += end + 1;
        self.searched = 0;
        Some(line)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn split(chunks: &[&[u8]]) -> Vec<Line> {
        let mut lines = Lines::default();
        let mut found = Vec::new();
        for chunk in chunks {
            lines.push(chunk);
            found.extend(std::iter::from_fn(|| lines.next_line()));
        }
        found
    }

    #[test]
    fn an_incomplete_line_is_not_returned() {
        let message = |text: &str| Line::Message(text.into());
        assert_eq!(split(&[b"{\"a\":1}\r\n\r\n{\"b\":"]), [message("{\"a\":1}"), Line::KeepAlive]);
        assert_eq!(split(&[b"{\"a\"", b":1}\r", b"\n{}\n"]), [message("{\"a\":1}"), message("{}")]);
    }

    #[test]
    fn an_endless_line_uses_bounded_memory_and_is_dropped_alone() {
        let long = vec![b'a'; MAX_LINE_BYTES / 2 + 1];
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
        fn any_split_of_the_bytes_gives_the_same_lines(
            text in "[a-c\r\n ]{0,60}",
            cuts in proptest::collection::vec(0usize..60, 0..8),
        ) {
            let mut cuts: Vec<usize> = cuts.into_iter().map(|at| at.min(text.len())).chain([0, text.len()]).collect();
            cuts.sort_unstable();
            let chunks: Vec<&[u8]> = cuts.windows(2).map(|pair| &text.as_bytes()[pair[0]..pair[1]]).collect();
            let whole: Vec<&str> = text.split('\n').collect();
            let expected: Vec<Line> = whole[..whole.len() - 1].iter().map(|line| match line.trim_ascii() {
                "" => Line::KeepAlive,
                line => Line::Message(line.into()),
            }).collect();
            prop_assert_eq!(split(&chunks), expected);
        }
    }
}
