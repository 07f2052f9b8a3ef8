//! The token that forms of the pages carry where people sign in: it proves that a form is one of this session's own pages, besides
//! the check of where a request comes from. It is derived from the name of the session, so that nothing is kept for it.

use std::fmt::Write as _;

use axum::http::HeaderMap;
use sha2::{Digest, Sha256};

/// The field of a form, and the header of a program in the browser, that hold the token.
const FIELD: &str = "form_token";
const HEADER: &str = "x-form-token";
/// How each form that changes something begins in the templates.
const FORM: &str = "<form method=\"post\"";

/// The token of a session. Nobody can tell the session's name from it: that is 256 random bits.
pub(in crate::web) fn of(session: &str) -> String {
    let mut token = String::with_capacity(64);
    for byte in Sha256::digest(format!("vigie form {session}")) {
        let _always_fits = write!(token, "{byte:02x}");
    }
    token
}

/// Whether a request of `session` shows its token, in a header or in the form `body`.
pub(in crate::web) fn is_shown(session: &str, headers: &HeaderMap, body: &[u8]) -> bool {
    let expected = of(session);
    let is_token = |given: &[u8]| bool::from(subtle::ConstantTimeEq::ct_eq(expected.as_bytes(), given));
    headers.get(HEADER).is_some_and(|given| is_token(given.as_bytes()))
        || form_urlencoded::parse(body).any(|(name, value)| name == FIELD && is_token(value.as_bytes()))
}

/// The page with the token in each of its forms. In one place, so that no template forgets it.
pub(in crate::web) fn insert(page: &str, token: &str) -> String {
    let mut with_token = String::with_capacity(page.len() + 1_024);
    let mut parts = page.split(FORM);
    with_token.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let (tag, rest) = part.split_once('>').unwrap_or((part, ""));
        let _always_fits =
            write!(with_token, "{FORM}{tag}><input type=\"hidden\" name=\"{FIELD}\" value=\"{token}\">{rest}");
    }
    with_token
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_that_of_its_session() {
        let token = of("a");
        assert_eq!((token.len(), of("a") == token, of("b") == token), (64, true, false));
        let body = format!("id=1&form_token={token}");
        let none = HeaderMap::new();
        assert!(is_shown("a", &none, body.as_bytes()));
        assert!(!is_shown("b", &none, body.as_bytes()));
        assert!(!is_shown("a", &none, b"id=1") && !is_shown("a", &none, b"form_token="));
        let mut headers = HeaderMap::new();
        headers.insert(HEADER, token.parse().unwrap());
        assert!(is_shown("a", &headers, b"") && !is_shown("b", &headers, b""));
    }

    #[test]
    fn each_form_that_changes_something_gets_it() {
        let page = "<form method=\"get\"><b>1</b></form><form method=\"post\" action=\"/a\">x</form><form method=\"post\">y</form>";
        let hidden = "<input type=\"hidden\" name=\"form_token\" value=\"T\">";
        let expected = format!(
            "<form method=\"get\"><b>1</b></form><form method=\"post\" action=\"/a\">{hidden}x</form><form method=\"post\">{hidden}y</form>"
        );
        assert_eq!(insert(page, "T"), expected);
        assert_eq!(insert("no form", "T"), "no form");
    }
}
