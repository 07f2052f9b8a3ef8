//! The web server, on its own runtime: probes and metrics, the local API, and pages for people. Stands before `pipeline`, whose
//! [`DaemonHandle`] is all it knows of the daemon.
//!
//! ```text
//!   GET  /                 overview page        GET  /-/healthy   the process answers
//!   GET  /incidents        incidents, silences  GET  /-/ready     every stage makes progress, or why not
//!   GET  /alerts/ID        one incident         POST /silences, /silences/ID/end
//!   GET  /posts            stored posts         POST /posts/labels    corrects labels
//!   GET  /posts/export/posts.csv, posts.jsonl   POST /posts/filters, /posts/filters/rename, /posts/filters/delete
//!   GET  /model            figures, corrections, drift   POST /model/retrain, promote, roll-back
//!   GET  /backtest         a rule with other values on stored posts
//!   GET  /audit, /audit/audit.jsonl
//!   GET, POST /analyse     reads a text         POST /receivers/NAME/test
//!   GET  /sources          sources, receivers  GET, POST /sign-in, POST /sign-out
//!   POST /alerts/ID        its buttons          POST /alerts/ID/notes, links, links/ID/end
//!   GET  /alerts/ID/post-mortem                 GET  /shared/SECRET  the same by a link, without a sign-in
//!   POST /-/reload         as SIGHUP
//!   GET  /assets/NAME      style, script, icon  GET  /live        tells pages that something changed
//!   GET  /metrics          Prometheus         /api/v1/...      the API: see `api`
//! ```

mod address;
mod api;
mod assets;
mod audit;
mod auth;
mod blocking;
mod connections;
mod cookies;
mod error;
mod forwarded;
mod live;
mod model_view;
mod models;
mod origin_check;
mod page;
mod probes;
mod request_span;
mod saved_filters;
mod server;
mod shared_links;
mod sign_in;
mod state_file;
mod tls;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use futures_util::future::BoxFuture;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

pub use address::{publish_address, published_address};
pub use audit::AuditLog;
pub use auth::{Credentials, Scope, Token, TokenError, Tokens, last_use, list_scopes};
pub use models::{Models, Retraining, RetrainingEnd, RetrainingProgress};
pub use page::Pages;
pub use saved_filters::SavedFilters;
pub use shared_links::SharedLinks;
pub use sign_in::{Gate, Role, User, UserError, Users};
pub use tls::{CertificateFiles, ServerTls};

use crate::config::TrustedProxy;
use crate::pipeline::DaemonHandle;

/// Reloads the configuration, or says why it was rejected.
pub type Reload = Arc<dyn Fn() -> BoxFuture<'static, anyhow::Result<()>> + Send + Sync>;

/// What the routes share.
#[derive(Clone)]
pub struct Console {
    pub daemon: DaemonHandle,
    pub reload: Reload,
    pub models: Arc<dyn Models>,
    /// The tokens of the API.
    pub credentials: Credentials,
    pub pages: Pages,
    /// Who may see and change what on the pages.
    pub gate: Gate,
    pub audit: AuditLog,
    pub filters: SavedFilters,
    /// Addresses that show one incident without a sign-in.
    pub shared_links: SharedLinks,
    /// Whose word about the origin of a request counts.
    pub trusted_proxies: Arc<[TrustedProxy]>,
    /// Ends open streams when the server stops.
    pub stop: CancellationToken,
}

/// Serves on `listener`, over TLS where it is given, until `console.stop`. Its runtime serves nothing else, so that load on the
/// console does not starve the probes, nor the other way round. The result is received once the server has ended.
///
/// # Errors
/// When the listener or the runtime cannot be used.
pub fn start(
    listener: std::net::TcpListener,
    tls: Option<ServerTls>,
    console: Console,
) -> std::io::Result<oneshot::Receiver<std::io::Result<()>>> {
    let address = listener.local_addr()?;
    let stop = console.stop.clone();
    server::start(listener, (router(console, address), tls), stop)
}

/// All routes; `address` is where they are served.
fn router(console: Console, address: SocketAddr) -> Router {
    Router::new()
        .route("/", get(page::overview::page))
        .route("/audit", get(page::audit::page))
        .route("/audit/audit.jsonl", get(page::audit::export))
        .route("/sign-in", get(page::sign_in::page).post(page::sign_in::submit))
        .route("/sign-out", post(page::sign_in::sign_out))
        .route("/incidents", get(page::incidents::page))
        .route("/silences", post(page::incidents::silence))
        .route("/silences/{id}/end", post(page::incidents::unsilence))
        .route("/posts", get(page::posts::page))
        .route("/posts/labels", post(page::posts::labels::press))
        .route("/posts/filters", post(page::posts::saved::save))
        .route("/posts/filters/rename", post(page::posts::saved::rename))
        .route("/posts/filters/delete", post(page::posts::saved::delete))
        .route("/posts/export/{name}", get(page::posts::export::export))
        .route("/analyse", get(page::analyse::page).post(page::analyse::submit))
        .route("/model", get(page::model::page))
        .route("/backtest", get(page::backtest::page))
        .route("/model/retrain", post(page::model::actions::retrain))
        .route("/model/promote", post(page::model::actions::promote))
        .route("/model/roll-back", post(page::model::actions::roll_back))
        .route("/sources", get(page::sources::page))
        .route("/receivers/{name}/test", post(page::sources::test))
        .route("/assets/{name}", get(assets::asset))
        .route("/live", get(live::changes))
        .route("/metrics", get(probes::metrics))
        .route("/-/healthy", get(probes::healthy))
        .route("/-/ready", get(probes::ready))
        .route("/-/reload", post(probes::reload))
        .route("/alerts/{id}", get(page::incident::page).post(page::incident::actions::press))
        .route("/alerts/{id}/notes", post(page::incident::actions::note))
        .route("/alerts/{id}/post-mortem", get(page::incident::post_mortem::page))
        .route("/alerts/{id}/links", post(page::incident::links::make))
        .route("/alerts/{id}/links/{link}/end", post(page::incident::links::end))
        .route("/shared/{secret}", get(page::incident::links::show))
        .merge(api::router())
        .fallback(error::Problem::not_found)
        .method_not_allowed_fallback(error::Problem::method_not_allowed)
        .layer(axum::middleware::from_fn_with_state(console.audit.clone(), audit::record))
        .layer(axum::middleware::from_fn_with_state(console.clone(), auth::identify))
        .layer(axum::middleware::from_fn_with_state(console.gate.clone(), sign_in::guard))
        // `receive_body` limits bodies.
        .layer(DefaultBodyLimit::disable())
        .layer(axum::middleware::from_fn(server::receive_body))
        .layer(axum::middleware::from_fn_with_state(origin_check::Guard::new(&console, address), origin_check::guard))
        .layer(axum::middleware::from_fn_with_state(console.trusted_proxies.clone(), forwarded::apply))
        .with_state(console)
}
