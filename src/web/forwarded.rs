//! The middleware behind a proxy: where a request comes from and whether the browser speaks HTTPS, as `X-Forwarded-For` and
//! `X-Forwarded-Proto` say. Anybody can send these headers, so only those of the proxies in `web.trusted_proxies` count.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;

use super::audit::Peer;
use super::server::Https;
use crate::config::TrustedProxy;

const FOR: &str = "x-forwarded-for";
const PROTO: &str = "x-forwarded-proto";

/// Before everything else: replaces the address of the proxy by that of the client, and keeps cookies to HTTPS where the browser
/// speaks it, with a proxy or with vigie itself.
pub(super) async fn apply(State(trusted): State<Arc<[TrustedProxy]>>, mut request: Request, next: Next) -> Response {
    let mut is_https = request.extensions().get::<Https>().is_some();
    let peer = request.extensions().get::<Peer>().copied();
    if let Some(Peer(proxy)) = peer.filter(|peer| is_trusted(&trusted, peer.0)) {
        let client = client(request.headers(), proxy, &trusted);
        is_https |= is_forwarded_https(request.headers());
        request.extensions_mut().insert(Peer(client));
    }
    if is_https {
        request.extensions_mut().insert(Https);
    }
    let mut response = next.run(request).await;
    if is_https {
        secure_cookies(response.headers_mut());
    }
    response
}

fn is_trusted(trusted: &[TrustedProxy], address: IpAddr) -> bool {
    trusted.iter().any(|proxy| proxy.contains(address))
}

/// The last address that no trusted proxy vouches for. Each proxy adds the address that it saw at the end: what stands before an
/// address that is not trusted may be invented.
fn client(headers: &HeaderMap, proxy: IpAddr, trusted: &[TrustedProxy]) -> IpAddr {
    let lists = headers.get_all(FOR).iter().filter_map(|value| value.to_str().ok());
    let hops: Vec<&str> = lists.flat_map(|list| list.split(',')).map(str::trim).collect();
    let mut client = proxy;
    for hop in hops.iter().rev() {
        let Ok(address) = hop.parse() else { break };
        client = address;
        if !is_trusted(trusted, client) {
            break;
        }
    }
    client
}

/// What the nearest proxy says of the connection that it received.
fn is_forwarded_https(headers: &HeaderMap) -> bool {
    let last = headers.get_all(PROTO).iter().next_back().and_then(|value| value.to_str().ok());
    last.and_then(|list| list.rsplit(',').next()).is_some_and(|proto| proto.trim().eq_ignore_ascii_case("https"))
}

/// Browsers then send these cookies over HTTPS only.
fn secure_cookies(headers: &mut HeaderMap) {
    let cookies: Vec<HeaderValue> = headers.get_all(header::SET_COOKIE).iter().cloned().collect();
    headers.remove(header::SET_COOKIE);
    for cookie in cookies {
        let secure = HeaderValue::from_bytes(&[cookie.as_bytes(), b"; Secure"].concat());
        headers.append(header::SET_COOKIE, secure.unwrap_or(cookie));
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::Body;
    use axum::response::AppendHeaders;
    use axum::routing::get;
    use tower::ServiceExt as _;

    use super::*;

    /// The client that a handler sees behind `peer`, and the cookies of the answer.
    async fn seen(peer: &str, pairs: &[(&str, &str)]) -> (String, Vec<String>) {
        let trusted: Arc<[TrustedProxy]> = ["127.0.0.1", "10.0.0.0/8"].map(|text| text.parse().unwrap()).into();
        let handler = |axum::Extension(Peer(client)): axum::Extension<Peer>| async move {
            let cookies = AppendHeaders([(header::SET_COOKIE, "a=1; Path=/"), (header::SET_COOKIE, "b=2")]);
            (cookies, client.to_string())
        };
        let layer = axum::middleware::from_fn_with_state(trusted, apply);
        let router = Router::new().route("/", get(handler)).layer(layer);
        let mut request = Request::builder().uri("/");
        for (name, value) in pairs {
            request = request.header(*name, *value);
        }
        let mut request = request.body(Body::empty()).unwrap();
        request.extensions_mut().insert(Peer(peer.parse().unwrap()));
        let response = router.oneshot(request).await.unwrap();
        let cookies =
            response.headers().get_all(header::SET_COOKIE).iter().map(|cookie| cookie.to_str().unwrap().to_owned());
        let cookies = cookies.collect();
        let body = axum::body::to_bytes(response.into_body(), 100).await.unwrap();
        (String::from_utf8(body.to_vec()).unwrap(), cookies)
    }

    #[tokio::test]
    async fn the_word_of_a_trusted_proxy_counts_and_no_other() {
        let https = ("x-forwarded-proto", "https");
        for (peer, forwarded, expected) in [
            ("127.0.0.1", "203.0.113.9", "203.0.113.9"),
            // What the client itself had sent stands before what the proxy adds.
            ("127.0.0.1", "1.2.3.4, 203.0.113.9", "203.0.113.9"),
            ("127.0.0.1", "1.2.3.4, 203.0.113.9, 10.1.1.1", "203.0.113.9"),
            ("127.0.0.1", "10.2.2.2, 10.1.1.1", "10.2.2.2"),
            ("127.0.0.1", "nonsense", "127.0.0.1"),
            ("127.0.0.1", "203.0.113.9, nonsense, 10.1.1.1", "10.1.1.1"),
            ("198.51.100.7", "203.0.113.9", "198.51.100.7"),
        ] {
            let (client, cookies) = seen(peer, &[("x-forwarded-for", forwarded), https]).await;
            assert_eq!(client, expected, "{peer} {forwarded}");
            let is_secure = cookies.iter().all(|cookie| cookie.ends_with("; Secure"));
            assert_eq!((is_secure, cookies.len()), (peer == "127.0.0.1", 2), "{cookies:?}");
        }
        assert_eq!(
            seen("10.0.0.1", &[("x-forwarded-for", "1.1.1.1"), ("x-forwarded-for", "2.2.2.2")]).await.0,
            "2.2.2.2"
        );
        for plain in ["http", "https, http", ""] {
            assert_eq!(seen("127.0.0.1", &[("x-forwarded-proto", plain)]).await.1, ["a=1; Path=/", "b=2"]);
        }
    }
}
