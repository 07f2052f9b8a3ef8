//! `GET /posts/export.csv` and `.jsonl`: the posts of a filter, streamed page by page.

use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{Stream, unfold};

use super::super::super::Console;
use super::super::super::error::{Problem, UrlParameters};
use crate::monitor::StoredPost;
use crate::query::{Filter, MAX_PAGE, PageToken, Query};

const COLUMNS: [&str; 15] = [
    "id",
    "created_at",
    "source",
    "topics",
    "author",
    "lang",
    "label",
    "predicted",
    "negative",
    "neutral",
    "positive",
    "reason",
    "model",
    "url",
    "text",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ExportFormat {
    Csv,
    JsonLines,
}

pub(in crate::web) async fn export(
    State(console): State<Console>,
    Path(name): Path<String>,
    UrlParameters(parameters): UrlParameters<Vec<(String, String)>>,
) -> Response {
    let format = match name.as_str() {
        "posts.csv" => ExportFormat::Csv,
        "posts.jsonl" => ExportFormat::JsonLines,
        _ => return Problem::not_found().await.into_response(),
    };
    let mut filter = Filter::default();
    for (name, value) in &parameters {
        if let Err(error) = filter.set(name, value) {
            return Problem::new(StatusCode::BAD_REQUEST, error.to_string()).into_response();
        }
    }
    let kind = match format {
        ExportFormat::Csv => "text/csv; charset=utf-8",
        ExportFormat::JsonLines => "application/x-ndjson",
    };
    let headers = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
        (header::CACHE_CONTROL, "no-store".to_owned()),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
    ];
    (headers, Body::from_stream(parts(console.daemon.query.clone(), filter, format))).into_response()
}

/// Where the stream is.
enum ExportPosition {
    Start,
    After(PageToken),
    End,
}

/// One part per page of posts. It ends early, and the connection with it, where the store fails: half an export must not look
/// like a whole one.
fn parts(query: Query, filter: Filter, format: ExportFormat) -> impl Stream<Item = Result<Bytes, std::io::Error>> {
    unfold((query, filter, ExportPosition::Start), move |(query, filter, place)| async move {
        let after = match place {
            ExportPosition::Start => None,
            ExportPosition::After(token) => Some(token),
            ExportPosition::End => return None,
        };
        let (reader, asked) = (query.clone(), filter.clone());
        let page = tokio::task::spawn_blocking(move || reader.page(&asked, MAX_PAGE, after)).await;
        let page = match page.map_err(std::io::Error::other).and_then(|page| page.map_err(std::io::Error::other)) {
            Ok(page) => page,
            Err(error) => return Some((Err(error), (query, filter, ExportPosition::End))),
        };
        let part = written(&page.posts, format, after.is_none());
        let next = page.next.map_or(ExportPosition::End, ExportPosition::After);
        Some((part, (query, filter, next)))
    })
}

fn written(posts: &[StoredPost], format: ExportFormat, is_first: bool) -> Result<Bytes, std::io::Error> {
    let mut out = Vec::new();
    match format {
        ExportFormat::JsonLines => {
            for post in posts {
                serde_json::to_writer(&mut out, post)?;
                out.push(b'\n');
            }
        }
        ExportFormat::Csv => {
            let mut csv = csv::Writer::from_writer(&mut out);
            if is_first {
                csv.write_record(COLUMNS)?;
            }
            posts.iter().try_for_each(|post| csv.write_record(record(post)))?;
            csv.flush()?;
        }
    }
    Ok(Bytes::from(out))
}

fn record(post: &StoredPost) -> [String; 15] {
    let optional = |text: &Option<String>| plain(text.as_deref().unwrap_or_default());
    let [negative, neutral, positive] = post.probabilities.map(|share| format!("{share:.4}"));
    [
        plain(&post.id),
        post.created_at.to_string(),
        plain(&post.source),
        plain(&post.topics.join(", ")),
        optional(&post.author),
        optional(&post.lang),
        post.label.as_str().to_owned(),
        post.predicted().as_str().to_owned(),
        negative,
        neutral,
        positive,
        optional(&post.reason),
        plain(&post.model),
        optional(&post.url),
        plain(&post.text),
    ]
}

/// `text` such that no spreadsheet takes it for a formula, as OWASP advises: with `'` before what would begin one.
fn plain(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
    if is_formula { format!("'{text}") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        for text in ["=HYPERLINK(\"http://evil\")", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"] {
            assert_eq!(plain(text), format!("'{text}"));
        }
        assert_eq!(plain("late = again"), "late = again");
    }
}
