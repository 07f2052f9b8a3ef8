//! The audit log: who changed what, when and from where. For operators; on loopback for everybody.

use axum::Extension;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use minijinja::value::Serde;

use super::super::audit::AuditEntry;
use super::super::error::Problem;
use super::super::sign_in::{Role, SignedIn};
use super::super::{Console, blocking};
use super::templates::Frame;
use super::visitor::Visitor;

/// Entries on the page.
const SHOWN: usize = 200;

pub(in crate::web) async fn page(
    State(console): State<Console>,
    Extension(signed_in): Extension<SignedIn>,
    visitor: Visitor,
) -> Result<Response, Problem> {
    let entries = entries(&console, &signed_in, SHOWN).await?;
    let now = console.daemon.status().now.to_string();
    let frame = Frame { place: "audit", open: console.daemon.board().open() };
    let values = minijinja::context! { entries => Serde(&entries), shown => SHOWN, now, live => false };
    Ok(console.pages.respond(&visitor, ("audit.html", &frame), values))
}

/// Everything, as JSON lines, the newest first.
pub(in crate::web) async fn export(
    State(console): State<Console>,
    Extension(signed_in): Extension<SignedIn>,
) -> Result<Response, Problem> {
    let entries = entries(&console, &signed_in, usize::MAX).await?;
    let lines = entries.iter().filter_map(|entry| serde_json::to_string(entry).ok()).map(|line| line + "\n");
    let headers = [
        (header::CONTENT_TYPE, "application/x-ndjson"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"audit.jsonl\""),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, lines.collect::<String>()).into_response())
}

async fn entries(console: &Console, signed_in: &SignedIn, limit: usize) -> Result<Vec<AuditEntry>, Problem> {
    if signed_in.role < Role::Operator {
        return Err(Problem::new(StatusCode::FORBIDDEN, "the audit log is for operators"));
    }
    let log = console.audit.clone();
    blocking::run(move || log.last(limit)).await
}
