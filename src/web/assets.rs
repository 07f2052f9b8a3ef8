//! `GET /assets/NAME`: the style sheet, the script and the icon of the pages, embedded in the binary. Their addresses carry a
//! hash of their content, so that browsers keep them until a new version of vigie.

use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::error::Problem;

/// Name, type, content.
const ASSETS: [(&str, &str, &str); 3] = [
    ("style.css", "text/css; charset=utf-8", include_str!("assets/style.css")),
    ("console.js", "text/javascript; charset=utf-8", include_str!("assets/console.js")),
    ("icon.svg", "image/svg+xml", include_str!("assets/icon.svg")),
];

/// Where the asset `name` is, with the hash of its content.
pub(super) fn address(name: &str) -> String {
    let content = ASSETS.iter().find(|(known, ..)| *known == name).map_or("", |(_, _, content)| content);
    format!("/assets/{name}?v={:016x}", twox_hash::XxHash64::oneshot(0, content.as_bytes()))
}

pub(super) async fn asset(Path(name): Path<String>) -> Response {
    let Some((_, kind, content)) = ASSETS.into_iter().find(|(known, ..)| *known == name) else {
        return Problem::not_found().await.into_response();
    };
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, content).into_response()
}
