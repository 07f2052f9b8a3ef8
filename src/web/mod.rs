//! The web server: probes and metrics for machines, the local API, and a status page for people. Stands before
//! `pipeline`, whose [`Handle`] is all it knows of the daemon.
//!
//! ```text
//!   GET  /                 status page          GET  /-/healthy   the process answers
//!   GET  /api/v1/status    the same as JSON     GET  /-/ready     it also does its work; else why not
//!   POST /api/v1/posts     posts from outside   POST /-/reload    as SIGHUP
//!   POST /api/v1/forget    as `vigie forget`    GET  /metrics     Prometheus
//!   GET, POST /api/v1/feedback                  as `vigie feedback`
//!   POST /api/v1/alerts    as `vigie alerts`    GET  /alerts/ID   an incident; POST: its buttons
//! ```

mod api;
mod auth;
mod origin_check;
mod page;
mod probes;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::response::Json;
use axum::routing::{get, post};
use futures_util::future::BoxFuture;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use auth::ApiToken;

use crate::language::Language;
use crate::pipeline::Handle;
use crate::pipeline::status::Status;

/// Reads the configuration again and lets the daemon take it, or says why not.
pub type Reload = Arc<dyn Fn() -> BoxFuture<'static, anyhow::Result<()>> + Send + Sync>;

/// Largest body of a request.
const MOST_BYTES: usize = 2 << 20;

/// What the routes share.
#[derive(Clone)]
pub struct Console {
    pub daemon: Handle,
    pub reload: Reload,
    pub language: Language,
    /// What only who can read the state directory may do asks for this.
    pub token: ApiToken,
}

/// Serves on `listener` until `stop`; requests that have begun are answered.
///
/// # Errors
/// When the listener fails.
pub async fn serve(listener: TcpListener, console: Console, stop: CancellationToken) -> std::io::Result<()> {
    let address = listener.local_addr()?;
    axum::serve(listener, router(console, address)).with_graceful_shutdown(stop.cancelled_owned()).await
}

/// All routes; `address` is where they are served.
fn router(console: Console, address: SocketAddr) -> Router {
    Router::new()
        .route("/", get(page::overview::status))
        .route("/metrics", get(probes::metrics))
        .route("/-/healthy", get(probes::healthy))
        .route("/-/ready", get(probes::ready))
        .route("/-/reload", post(probes::reload))
        .route("/api/v1/status", get(status))
        .route("/api/v1/posts", post(api::posts::take))
        .route("/api/v1/forget", post(api::erase::forget))
        .route("/api/v1/feedback", get(api::feedback::list).post(api::feedback::take))
        .route("/api/v1/alerts", post(page::incident::ask))
        .route("/alerts/{id}", get(page::incident::page).post(page::incident::press))
        .layer(DefaultBodyLimit::max(MOST_BYTES))
        .layer(axum::middleware::from_fn_with_state(origin_check::Guard::new(&console, address), origin_check::guard))
        .with_state(console)
}

async fn status(State(console): State<Console>) -> Json<Status> {
    Json(console.daemon.status())
}
