//! The middleware of every request: rejects requests of foreign pages, counts all, and makes a span of each.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use prometheus::IntCounterVec;
use tracing::Instrument as _;

use super::Console;
use super::error::Problem;
use super::request_span;

#[derive(Clone)]
pub(super) struct Guard {
    requests: IntCounterVec,
    loopback: bool,
}

impl Guard {
    pub(super) fn new(console: &Console, address: SocketAddr) -> Self {
        // Where people sign in, a foreign name gives nobody a session, and a proxy may pass on its own name.
        let loopback = address.ip().is_loopback() && !console.gate.is_closed();
        Self { requests: console.daemon.metrics.daemon.http_requests.clone(), loopback }
    }

    fn refuses(&self, method: &Method, headers: &HeaderMap) -> Option<&'static str> {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        if self.loopback && !text(header::HOST).is_none_or(names_this_machine) {
            // DNS rebinding: a foreign page under a name that now points at this machine.
            return Some("unknown host name; use localhost or 127.0.0.1");
        }
        let foreign = match text(header::HeaderName::from_static("sec-fetch-site")) {
            Some(site) => !matches!(site, "same-origin" | "none"),
            // Older browsers say only where a form comes from.
            None => text(header::ORIGIN).is_some_and(|origin| {
                let host = origin.split_once("://").map(|(_, host)| host);
                host != text(header::HOST)
            }),
        };
        (foreign && *method != Method::GET).then_some("requests of other sites cannot change anything here")
    }
}

fn names_this_machine(host: &str) -> bool {
    let name = match host.parse::<SocketAddr>() {
        Ok(address) => return address.ip().is_loopback(),
        Err(_) => host.rsplit_once(':').filter(|(_, port)| port.parse::<u16>().is_ok()).map_or(host, |(name, _)| name),
    };
    let address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    name.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

pub(super) async fn guard(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("none".to_owned(), |path| path.as_str().to_owned());
    let span = request_span::begin(request.method(), &route);
    let response = match guard.refuses(request.method(), request.headers()) {
        Some(why) => Problem::new(StatusCode::FORBIDDEN, why).into_response(),
        None => next.run(request).instrument(span.clone()).await,
    };
    request_span::end(&span, response.status());
    guard.requests.with_label_values(&[route.as_str(), response.status().as_str()]).inc();
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_other_sites_change_nothing_in_old_browsers_either() {
        let guard = Guard { requests: crate::metrics::Metrics::new().daemon.http_requests.clone(), loopback: true };
        let refuses = |method: Method, pairs: &[(header::HeaderName, &str)]| {
            let headers = pairs.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect();
            guard.refuses(&method, &headers).is_some()
        };
        let (host, site) = ((header::HOST, "localhost:9469"), header::HeaderName::from_static("sec-fetch-site"));
        assert!(!refuses(Method::POST, std::slice::from_ref(&host)), "a program names no origin");
        assert!(!refuses(Method::POST, &[host.clone(), (header::ORIGIN, "http://localhost:9469")]));
        assert!(refuses(Method::POST, &[host.clone(), (header::ORIGIN, "https://evil.example")]));
        assert!(refuses(Method::POST, &[host.clone(), (header::ORIGIN, "null")]));
        // Behind a proxy that sends another host, the browser's own word counts.
        assert!(!refuses(
            Method::POST,
            &[host.clone(), (header::ORIGIN, "https://vigie.example"), (site.clone(), "same-origin")]
        ));
        assert!(refuses(Method::POST, &[host.clone(), (site.clone(), "cross-site")]));
        assert!(!refuses(Method::GET, &[host, (site, "cross-site")]));
    }

    #[test]
    fn only_names_of_this_machine_pass() {
        for host in ["localhost", "LOCALHOST:9469", "127.0.0.1:9469", "127.0.0.1", "[::1]:9469", "[::1]"] {
            assert!(names_this_machine(host), "{host}");
        }
        for host in ["evil.example", "evil.example:9469", "127.0.0.1.evil.example", "10.0.0.1:9469", ""] {
            assert!(!names_this_machine(host), "{host}");
        }
    }
}
