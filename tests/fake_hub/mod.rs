//! A local hub: listings, small files, and large ones on a second host (the "CDN"), like huggingface.co.
//!
//! ```text
//! /api/models/REPO/revision/REV?blobs=true   listing
//! /REPO/resolve/REV/FILE                     a small file, or a redirect to the CDN with X-Linked-Etag
//! CDN: /HASH                                 a large file; supports Range
//! ```
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test's helpers: a panic there is the failure it should be")]

#[path = "../common/bert_names.rs"]
mod bert_names;
mod checkpoint;

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Response, StatusCode, Uri};
use serde_json::{Value, json};
use sha1::Sha1;
use sha2::{Digest, Sha256};

pub(crate) use checkpoint::{Checkpoint, fixture};

/// The content of the one repository, and its failures.
#[derive(Default, Clone)]
pub(crate) struct World {
    pub(crate) repo: String,
    /// The repository's earlier name, which redirects to it.
    pub(crate) old_name: Option<String>,
    pub(crate) files: Vec<(String, Vec<u8>)>,
    /// Required for access, if set.
    pub(crate) token: Option<String>,
    /// The CDN closes the connection after this many bytes of each response.
    pub(crate) cut_after: Option<usize>,
    /// Replaces `cut_after` after the CDN's next response.
    pub(crate) cut_after_that: Option<usize>,
    /// The CDN always sends the whole file.
    pub(crate) ignores_range: bool,
    /// One byte of this file is changed.
    pub(crate) corrupts: Option<String>,
    /// Status of every response of the CDN.
    pub(crate) cdn_status: Option<u16>,
}

/// A received request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) cdn: bool,
    pub(crate) path: String,
    pub(crate) from: u64,
    pub(crate) authorization: Option<String>,
    /// Bytes of content sent.
    pub(crate) sent: usize,
}

pub(crate) const COMMIT: &str = "12040accade4e8a0f71eabdb258fecc2e7e948be";

#[derive(Default)]
struct Inner {
    world: World,
    seen: Vec<Seen>,
    cdn: Option<SocketAddr>,
}

/// The servers run until the process ends.
#[derive(Clone)]
pub(crate) struct FakeHub {
    inner: Arc<Mutex<Inner>>,
    pub(crate) endpoint: String,
}

impl FakeHub {
    pub(crate) fn start(world: World) -> Self {
        let inner = Arc::new(Mutex::new(Inner { world, ..Inner::default() }));
        let hub = serve(Router::new().fallback(hub).with_state(Arc::clone(&inner)));
        let cdn = serve(Router::new().fallback(cdn).with_state(Arc::clone(&inner)));
        inner.lock().unwrap().cdn = Some(cdn);
        Self { inner, endpoint: format!("http://{hub}") }
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut World)) {
        change(&mut self.inner().world);
    }

    /// The requests since the last call.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        std::mem::take(&mut self.inner().seen)
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }
}

fn serve(router: Router) -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    listener.set_nonblocking(true).unwrap();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            axum::serve(tokio::net::TcpListener::from_std(listener).unwrap(), router).await.unwrap();
        });
    });
    address
}

type Shared = State<Arc<Mutex<Inner>>>;

async fn hub(State(inner): Shared, request: Request) -> Response<Body> {
    let mut inner = inner.lock().unwrap();
    let (uri, headers) = (request.uri().clone(), request.headers());
    let mut seen = Seen {
        cdn: false,
        path: uri.path().to_owned(),
        from: from(headers),
        authorization: text(headers, "authorization"),
        sent: 0,
    };
    let answer = answer(&inner, &uri, &mut seen);
    inner.seen.push(seen);
    answer
}

fn answer(inner: &Inner, uri: &Uri, seen: &mut Seen) -> Response<Body> {
    let world = &inner.world;
    let path = uri.path();
    if let Some(old) =
        world.old_name.as_deref().filter(|old| path.trim_start_matches("/api/models").starts_with(&format!("/{old}/")))
    {
        let to = path.replacen(old, &world.repo, 1);
        let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
        return status(307).header("location", to + &query).body(Body::empty()).unwrap();
    }
    let listing = path.strip_prefix("/api/models/").and_then(|rest| rest.split_once("/revision/"));
    let file = path.strip_prefix('/').and_then(|rest| rest.split_once("/resolve/"));
    let Some((repo, rest)) = listing.or(file) else { return refuse(404, "") };
    let anonymous = seen.authorization.is_none();
    if repo != world.repo {
        return if anonymous { refuse(401, "RepoNotFound") } else { refuse(404, "RepoNotFound") };
    }
    let token = world.token.as_ref().map(|token| format!("Bearer {token}"));
    if token.is_some() && seen.authorization != token {
        return refuse(if anonymous { 401 } else { 403 }, "GatedRepo");
    }
    let (revision, name) = rest.split_once('/').unwrap_or((rest, ""));
    if !["main", "v1", "refs%2Fpr%2F3", COMMIT].contains(&revision) {
        return refuse(404, "RevisionNotFound");
    }
    if listing.is_some() {
        assert_eq!(uri.query(), Some("blobs=true"));
        return status(200).header("content-type", "application/json").body(list(world).to_string().into()).unwrap();
    }
    let Some((_, bytes)) = world.files.iter().find(|(known, _)| known == name) else {
        return refuse(404, "EntryNotFound");
    };
    let head = status(302).header("x-repo-commit", COMMIT).header("x-linked-size", bytes.len());
    if is_large(name) {
        let location = format!("http://localhost:{}/{}", inner.cdn.unwrap().port(), sha256(bytes));
        let head = head.header("x-linked-etag", format!("\"{}\"", sha256(bytes))).header("location", location);
        return head.body(Body::empty()).unwrap();
    }
    let sent = damaged(world, name, bytes);
    seen.sent = sent.len();
    let head = status(200).header("x-repo-commit", COMMIT).header("etag", format!("\"{}\"", git(bytes)));
    head.body(sent.into()).unwrap()
}

async fn cdn(State(inner): Shared, request: Request) -> Response<Body> {
    let mut inner = inner.lock().unwrap();
    let world = inner.world.clone();
    let path = request.uri().path().to_owned();
    let authorization = text(request.headers(), "authorization");
    let (name, bytes) = world.files.iter().find(|(_, bytes)| path == format!("/{}", sha256(bytes))).unwrap();
    let whole = damaged(&world, name, bytes);
    let from = if world.ignores_range { 0 } else { from(request.headers()) };
    let mut seen = Seen { cdn: true, path, from, authorization, sent: 0 };
    let answer = match world.cdn_status {
        Some(code) => status(code).body(Body::empty()).unwrap(),
        None if from as usize >= whole.len() => status(416).body(Body::empty()).unwrap(),
        None => {
            let part = whole[from as usize..].to_vec();
            let range = format!("bytes {from}-{}/{}", whole.len() - 1, whole.len());
            let head = status(if from > 0 { 206 } else { 200 }).header("content-length", part.len());
            let head = if from > 0 { head.header("content-range", range) } else { head };
            let cut = world.cut_after.unwrap_or(part.len()).min(part.len());
            seen.sent = cut;
            head.body(cut_body(part, cut)).unwrap()
        }
    };
    inner.seen.push(seen);
    if let Some(next) = inner.world.cut_after_that.take() {
        inner.world.cut_after = Some(next);
    }
    answer
}

/// Closes the connection if less than all is sent.
fn cut_body(mut part: Vec<u8>, cut: usize) -> Body {
    let whole = cut == part.len();
    part.truncate(cut);
    let mut chunks = vec![Ok(Bytes::from(part))];
    if !whole {
        chunks.push(Err(io::Error::other("cut")));
    }
    // One chunk at a time with a pause before the error, so that the data sent before the cut arrives.
    let slow = futures_util::StreamExt::then(futures_util::stream::iter(chunks), async |chunk| {
        if chunk.is_err() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        chunk
    });
    Body::from_stream(slow)
}

fn list(world: &World) -> Value {
    let sibling = |(name, bytes): &(String, Vec<u8>)| {
        let mut sibling = json!({"rfilename": name, "size": bytes.len(), "blobId": git(bytes)});
        if is_large(name) {
            sibling["lfs"] = json!({"sha256": sha256(bytes), "size": bytes.len(), "pointerSize": 134});
        }
        sibling
    };
    let siblings: Vec<Value> = world.files.iter().map(sibling).collect();
    json!({
        "id": world.repo, "modelId": world.repo, "sha": COMMIT, "private": false, "gated": world.token.is_some(),
        "tags": ["transformers", "distilbert", "license:apache-2.0"], "cardData": {"license": "apache-2.0"},
        "siblings": siblings,
    })
}

/// As in the `.gitattributes` of the Hub.
fn is_large(name: &str) -> bool {
    name.ends_with(".safetensors") || name.ends_with(".bin")
}

fn damaged(world: &World, name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    if world.corrupts.as_deref() == Some(name) {
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
    }
    bytes
}

fn refuse(code: u16, error: &str) -> Response<Body> {
    status(code).header("x-error-code", error).body(json!({"error": "refused"}).to_string().into()).unwrap()
}

fn status(code: u16) -> axum::http::response::Builder {
    Response::builder().status(StatusCode::from_u16(code).unwrap())
}

fn from(headers: &HeaderMap) -> u64 {
    let range = text(headers, "range");
    range.map_or(0, |range| range.trim_start_matches("bytes=").split('-').next().unwrap().parse().unwrap())
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).map(|value| value.to_str().unwrap().to_owned())
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn git(bytes: &[u8]) -> String {
    let hasher = Sha1::new_with_prefix(format!("blob {}\0", bytes.len())).chain_update(bytes);
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
