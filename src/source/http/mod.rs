//! Posts that other programs send to this daemon: parses the body of `POST /api/v1/posts`. The route is in `web`.

mod config;

pub use config::{Config, load_token};

use std::io::Read as _;

use flate2::read::MultiGzDecoder;

use super::batch::{MAX_BATCH, SourceBatch};
use crate::dump::Reader;
use crate::dump::error::DumpError;
use crate::dump::input::not_growing_text;
use crate::dump::options::{Layout, ReadOptions, RequiredFields};
use crate::dump::reject::Reject;
use crate::post::RejectedRecord;

/// The records of a body.
#[derive(Debug)]
pub struct ParsedBody {
    pub batch: SourceBatch,
    /// Line, reason and detail of each rejected record, for the response.
    pub rejected: Vec<(u64, String, String)>,
}

/// Why a whole body is rejected.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    #[error(transparent)]
    Unreadable(#[from] DumpError),
    #[error("more than {MAX_BATCH} posts: send them in several requests")]
    TooMany,
    #[error("the body is not valid gzip: {0}")]
    Gzip(std::io::Error),
    #[error("the body is {0}; expected JSON in UTF-8, plain or packed once with gzip")]
    NotText(&'static str),
    #[error("the body has more than {} MiB once it is unpacked: send it in several requests", MAX_UNPACKED_BYTES >> 20)]
    TooLarge,
}

/// Largest body after unpacking: 512 long posts need a fraction of it.
const MAX_UNPACKED_BYTES: usize = 8 << 20;
const GZIP: [u8; 2] = [0x1f, 0x8b];
/// Bytes by which other formats than text are detected.
const HEAD_BYTES: usize = 512;

/// Parses JSON lines: posts or pages of X API v2, or plain objects with `id`, `created_at`, `text` and optionally
/// `author` and `lang`. Every post gets `topic`, if there is one.
///
/// # Errors
/// When the body is not text, or holds more than [`MAX_BATCH`] records.
pub fn parse_body(body: Vec<u8>, topic: Option<&str>) -> Result<ParsedBody, BodyError> {
    let options = ReadOptions { layout: Layout::Json, ..ReadOptions::default() };
    let needs = RequiredFields { created_at: true, ..RequiredFields::default() };
    let text = unpacked(body)?;
    if let Some(found) = not_growing_text(text.get(..HEAD_BYTES).unwrap_or(&text)) {
        return Err(BodyError::NotText(found));
    }
    let text = Box::new(std::io::Cursor::new(text));
    let mut reader = Reader::row_by_row("the request body".into(), text, &options, needs)?;
    let mut parsed = ParsedBody { batch: SourceBatch::default(), rejected: Vec::new() };
    while let Some(row) = reader.next_row()? {
        if parsed.batch.received() == MAX_BATCH {
            return Err(BodyError::TooMany);
        }
        match row {
            Ok(row) => parsed.batch.posts.extend(row.into_post().map(|mut post| {
                post.topic = topic.map(str::to_owned).or(post.topic);
                post
            })),
            Err(reject) => parsed.reject(&reject),
        }
    }
    Ok(parsed)
}

/// `body` without its compression. One megabyte may unpack to a gigabyte: no more is unpacked than is accepted.
fn unpacked(body: Vec<u8>) -> Result<Vec<u8>, BodyError> {
    if !body.starts_with(&GZIP) {
        return Ok(body);
    }
    let mut bytes = Vec::new();
    let limit = MAX_UNPACKED_BYTES as u64 + 1;
    MultiGzDecoder::new(body.as_slice()).take(limit).read_to_end(&mut bytes).map_err(BodyError::Gzip)?;
    match bytes.len() {
        length if length > MAX_UNPACKED_BYTES => Err(BodyError::TooLarge),
        _ => Ok(bytes),
    }
}

impl ParsedBody {
    fn reject(&mut self, reject: &Reject) {
        let reason = reject.reason.to_string();
        self.batch.rejected.push(RejectedRecord::new(&reason, &reject.detail, &reject.row));
        self.rejected.push((reject.line, reason, reject.detail.clone()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_gives_posts_and_rejected_records() {
        let body = concat!(
            r#"{"id":"1","created_at":"2026-11-20T10:00:00Z","text":"late again","author":"@ann"}"#,
            "\n\n{\"id\":\"2\",\"text\":\"no time\"}\nnonsense\n",
        );
        let parsed = parse_body(body.into(), Some("Air Paradis")).unwrap();
        let post = &parsed.batch.posts[0];
        assert_eq!((post.id.as_str(), post.author.as_deref()), ("1", Some("ann")));
        assert_eq!(post.topic.as_deref(), Some("Air Paradis"));
        let lines: Vec<u64> = parsed.rejected.iter().map(|(line, ..)| *line).collect();
        assert_eq!(lines, [3, 4]);
        assert_eq!(parsed.batch.received(), 3);
    }

    #[test]
    fn a_compressed_body_is_unpacked_up_to_a_limit() {
        use std::io::Write as _;
        let packed = |bytes: &[u8]| {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        };
        let line = "{\"id\":\"1\",\"created_at\":\"2026-11-20T10:00:00Z\",\"text\":\"late\"}\n";
        assert_eq!(parse_body(packed(line.as_bytes()), None).unwrap().batch.posts.len(), 1);
        let bomb = packed(&vec![b' '; 256 << 20]);
        assert!(bomb.len() < 2 << 20);
        assert!(matches!(parse_body(packed(&bomb), None), Err(BodyError::NotText("packed with gzip"))), "packed twice");
        // Other packings have no limit here, so none of them is unpacked.
        for (head, found) in [
            (&[0x28, 0xb5, 0x2f, 0xfd, 0, 0, 0, 0][..], "packed with zstd"),
            (&[0xfd, b'7', b'z', b'X', b'Z', 0, 0, 0], "packed with xz"),
            (b"PK\x03\x04\x14\0\0\0", "a zip archive"),
        ] {
            for body in [head.to_vec(), packed(head)] {
                assert!(matches!(parse_body(body, None), Err(BodyError::NotText(is)) if is == found), "{found}");
            }
        }
        assert!(matches!(parse_body(bomb, None), Err(BodyError::TooLarge)));
        assert!(matches!(parse_body(vec![0x1f, 0x8b, 1, 2, 3], None), Err(BodyError::Gzip(_))));
    }

    #[test]
    fn a_body_over_the_limit_is_rejected_as_a_whole() {
        let line = |i| format!("{{\"id\":\"{i}\",\"created_at\":\"2026-11-20T10:00:00Z\",\"text\":\"x\"}}\n");
        let body = |posts: usize| (0..posts).map(line).collect::<String>().into_bytes();
        assert_eq!(parse_body(body(MAX_BATCH), None).unwrap().batch.posts.len(), MAX_BATCH);
        assert!(matches!(parse_body(body(MAX_BATCH + 1), None), Err(BodyError::TooMany)));
        assert!(matches!(parse_body(Vec::new(), None), Err(BodyError::Unreadable(DumpError::Empty(_)))));
    }
}
