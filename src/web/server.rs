//! The server: accepts connections and serves the router on a runtime that nothing else uses. A client has a time limit for
//! the head and the body of a request, and connections are limited: slow clients lock nobody out.

use std::convert::Infallible;
use std::io;
use std::net::IpAddr;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tower::{Service, ServiceExt as _};

use super::audit::Peer;
use super::connections::{Connection, Connections, Limits, Requests};
use super::error::Problem;
use super::tls::ServerTls;

/// Time for the head of a request, and for the next request on an open connection.
const HEAD_TIMEOUT: Duration = Duration::from_secs(15);
/// Time for the body of a request.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);
/// Largest body of a request.
pub(super) const MAX_BODY_BYTES: usize = 2 << 20;
/// Pause after the system refused a connection, such as for lack of file descriptors.
const REFUSED_PAUSE: Duration = Duration::from_millis(100);
/// Open connections may end within this time at shutdown.
const SHUTDOWN_GRACE: Duration = Duration::from_millis(500);
/// How often refused connections are logged.
const LOG_INTERVAL: Duration = Duration::from_secs(60);

/// The connection of a request speaks HTTPS with vigie itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct Https;

/// Serves `router` on `listener`, over TLS where it is given, until `stop`, on a separate thread and runtime. The result is received once it has ended.
///
/// # Errors
/// When the thread or its runtime cannot be started.
pub(super) fn start(
    listener: std::net::TcpListener,
    (router, tls): (Router, Option<ServerTls>),
    stop: CancellationToken,
) -> io::Result<oneshot::Receiver<io::Result<()>>> {
    listener.set_nonblocking(true)?;
    let name = if tls.is_some() { "web-tls" } else { "web" };
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).thread_name(name).enable_all().build()?;
    let (ended, end) = oneshot::channel();
    std::thread::Builder::new().name(name.into()).spawn(move || {
        let served = runtime.block_on(accept(listener, (router, tls), stop));
        runtime.shutdown_timeout(SHUTDOWN_GRACE);
        let _gone = ended.send(served);
    })?;
    Ok(end)
}

async fn accept(
    listener: std::net::TcpListener,
    (router, tls): (Router, Option<ServerTls>),
    stop: CancellationToken,
) -> io::Result<()> {
    let tls = tls.map(|ServerTls(config)| TlsAcceptor::from(config));
    let listener = TcpListener::from_std(listener)?;
    let connections = Connections::new(Limits::for_files(max_files()));
    let mut refused = RefusalLog::default();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => return Ok(()),
        };
        match accepted {
            Ok((stream, peer)) => match connections.admit(peer.ip()) {
                Some(connection) => {
                    // Otherwise events wait for others; where it cannot be set they come a little later.
                    let _unset = stream.set_nodelay(true);
                    let (router, stop) = (router.clone(), stop.clone());
                    drop(match tls.clone() {
                        Some(tls) => tokio::spawn(serve_tls(stream, tls, peer.ip(), connection, router, stop)),
                        None => tokio::spawn(serve(stream, Peer(peer.ip()), connection, router, stop)),
                    });
                }
                None => refused.note("every connection has a request in progress"),
            },
            Err(error) => {
                refused.note(&error.to_string());
                tokio::time::sleep(REFUSED_PAUSE).await;
            }
        }
    }
}

/// Shakes hands, then serves the connection.
async fn serve_tls(
    stream: TcpStream,
    tls: TlsAcceptor,
    peer: IpAddr,
    connection: Connection,
    router: Router,
    stop: CancellationToken,
) {
    // A failure says nothing about the daemon: scanners try all kinds of things.
    let stream = tokio::select! {
        shaken = timeout(HEAD_TIMEOUT, tls.accept(stream)) => shaken.ok().and_then(Result::ok),
        () = connection.close.cancelled() => None,
        () = stop.cancelled() => None,
    };
    if let Some(stream) = stream {
        let router = router.map_request(|mut request: Request| {
            request.extensions_mut().insert(Https);
            request
        });
        serve(stream, Peer(peer), connection, router, stop).await;
    }
}

/// Serves one connection until it ends, or has to give way to a newer one.
async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: Peer,
    connection: Connection,
    router: impl Service<Request, Response = Response, Error = Infallible, Future: Send> + Clone + Send + 'static,
    stop: CancellationToken,
) {
    let requests = connection.requests.clone();
    let service = router.map_request(move |mut request: hyper::Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(requests.clone());
        request.extensions_mut().insert(peer);
        request.map(Body::new)
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
    let mut serving = std::pin::pin!(http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service)));
    // Errors of a client are not logged: they say nothing about the daemon.
    tokio::select! {
        _served = serving.as_mut() => {}
        () = connection.close.cancelled() => {}
        () = stop.cancelled() => {
            serving.as_mut().graceful_shutdown();
            let _served = timeout(SHUTDOWN_GRACE, serving).await;
        }
    }
}

/// Receives the whole body within its time, and counts the request as in progress from there on.
pub(super) async fn receive_body(request: Request, next: Next) -> Response {
    let requests = request.extensions().get::<Requests>().cloned();
    let (parts, body) = request.into_parts();
    let length = parts.headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    let too_large =
        || Problem::new(StatusCode::PAYLOAD_TOO_LARGE, format!("a body may have {} MiB", MAX_BODY_BYTES >> 20));
    if length.is_some_and(|length| length > MAX_BODY_BYTES) {
        return too_large().into_response();
    }
    let body = match timeout(BODY_TIMEOUT, to_bytes(body, MAX_BODY_BYTES)).await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => return too_large().into_response(),
        Err(_) => {
            let detail = format!("the body was not received within {} s", BODY_TIMEOUT.as_secs());
            return Problem::new(StatusCode::REQUEST_TIMEOUT, detail).into_response();
        }
    };
    let _answering = requests.as_ref().map(Requests::begin);
    next.run(Request::from_parts(parts, Body::from(body))).await
}

/// How many files the process may open.
fn max_files() -> u64 {
    rustix::process::getrlimit(rustix::process::Resource::Nofile).current.unwrap_or(u64::MAX)
}

/// Logs refused connections, once a minute at most.
#[derive(Default)]
struct RefusalLog {
    logged: Option<tokio::time::Instant>,
    since: u64,
}

impl RefusalLog {
    fn note(&mut self, why: &str) {
        self.since += 1;
        if self.logged.is_none_or(|logged| logged.elapsed() >= LOG_INTERVAL) {
            tracing::warn!(connections = self.since, why, "connections refused");
            (self.logged, self.since) = (Some(tokio::time::Instant::now()), 0);
        }
    }
}
