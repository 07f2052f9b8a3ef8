//! [`Visitor`]: who reads a page, as far as pages care: the language, the name that was given last, and the address that is
//! shown. Read from each request before its page is written.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Uri, header};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::super::sign_in::{SignedIn, form_token, session};
use super::super::{Console, cookies};
use crate::language::Language;

/// Remembers the language that a person chose with the switch.
const LANGUAGE_COOKIE: &str = "vigie_language";
/// Remembers the name that a person gave, so that it is asked for once.
const NAME_COOKIE: &str = "vigie_name";
/// Chooses the language of a page, and of the pages after it.
const LANGUAGE_PARAMETER: &str = "language";
/// Who acted, where nobody gave a name.
const ANONYMOUS: &str = "console";
/// Longest name, in characters.
const MAX_NAME: usize = 60;
/// How long a browser keeps the cookies, in seconds: a year.
const REMEMBERED: u32 = 31_536_000;

/// The person at the browser.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::web) struct Visitor {
    pub(super) language: Language,
    /// The language was chosen by the switch with this request: it is to be remembered.
    chosen: bool,
    /// Who is signed in; nobody on loopback.
    pub(super) user: Option<String>,
    /// The token of the session's forms; none where nobody signs in.
    pub(super) form_token: Option<String>,
    /// The name that was given last.
    name: Option<String>,
    uri: Uri,
}

impl Visitor {
    /// The parameter of the switch decides, then what was chosen before, then the browser, then `usual`.
    fn read(headers: &HeaderMap, uri: &Uri, usual: Language) -> Self {
        let chosen = parameters(uri).find(|(name, _)| name == LANGUAGE_PARAMETER).and_then(|(_, value)| named(&value));
        let remembered = || cookies::find(headers, LANGUAGE_COOKIE).and_then(named);
        let accepted = || accepted(headers.get(header::ACCEPT_LANGUAGE)?.to_str().ok()?);
        let language = chosen.or_else(remembered).or_else(accepted).unwrap_or(usual);
        Self {
            language,
            chosen: chosen.is_some(),
            user: None,
            form_token: None,
            name: name_of(headers),
            uri: uri.clone(),
        }
    }

    /// A visitor without a browser.
    #[cfg(test)]
    pub(super) fn speaking(language: Language) -> Self {
        Self { language, ..Self::default() }
    }

    /// Who acts: the user who is signed in, else the name that is `given` now, else the one that was given last.
    pub(super) fn signer(&self, given: Option<String>) -> Option<String> {
        self.user.clone().or(given).or_else(|| self.name.clone())
    }

    /// As [`Visitor::signer`], for what always has a name.
    pub(super) fn signer_or_anonymous(&self, given: Option<String>) -> String {
        self.signer(given).unwrap_or_else(|| ANONYMOUS.to_owned())
    }

    pub(super) fn is_french(&self) -> bool {
        self.language == Language::French
    }

    /// The path and query of the page.
    pub(super) fn address(&self) -> String {
        self.with_parameter(LANGUAGE_PARAMETER, None)
    }

    /// The same page in the other language.
    pub(super) fn in_other_language(&self) -> String {
        self.with_parameter(LANGUAGE_PARAMETER, Some(if self.is_french() { "en" } else { "fr" }))
    }

    /// The address of the page with the parameter `name` set, or without it.
    pub(super) fn with_parameter(&self, name: &str, value: Option<&str>) -> String {
        self.with_parameters(&[(name, value)])
    }

    /// The address of the page with these parameters set, or without them.
    pub(super) fn with_parameters(&self, changes: &[(&str, Option<&str>)]) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let is_changed =
            |name: &String| name == LANGUAGE_PARAMETER || changes.iter().any(|(changed, _)| changed == name);
        query.extend_pairs(parameters(&self.uri).filter(|(name, _)| !is_changed(name)));
        query.extend_pairs(changes.iter().filter_map(|(name, value)| Some((name, (*value)?))));
        let query = query.finish();
        let path = self.uri.path();
        if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
    }

    /// The cookie that remembers the language, where it was chosen with this request.
    pub(super) fn language_cookie(&self) -> Option<HeaderValue> {
        let value = if self.is_french() { "fr" } else { "en" };
        self.chosen.then(|| set_cookie(LANGUAGE_COOKIE, value)).flatten()
    }
}

impl FromRequestParts<Console> for Visitor {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, console: &Console) -> Result<Self, Infallible> {
        let user = parts.extensions.get::<SignedIn>().and_then(|signed_in| signed_in.user.clone());
        let form_token = user.as_ref().and_then(|_| session(&parts.headers)).map(form_token::of);
        Ok(Self { user, form_token, ..Self::read(&parts.headers, &parts.uri, console.pages.usual_language()) })
    }
}

/// `path` where it is one on this server: a form must not lead elsewhere.
pub(super) fn local_path(path: &str) -> Option<&str> {
    let is_local = path.starts_with('/') && !path.starts_with("//") && !path.contains(['\\', '\r', '\n']);
    is_local.then_some(path)
}

/// A name without control characters, cut to its longest; none where nothing is left.
pub(super) fn trim_name(name: &str) -> Option<String> {
    let name: String = name.trim().chars().filter(|c| !c.is_control()).take(MAX_NAME).collect();
    (!name.is_empty()).then_some(name)
}

/// The cookie that remembers a name.
pub(super) fn name_cookie(name: &str) -> Option<HeaderValue> {
    set_cookie(NAME_COOKIE, &URL_SAFE_NO_PAD.encode(name))
}

fn name_of(headers: &HeaderMap) -> Option<String> {
    let value = cookies::find(headers, NAME_COOKIE)?;
    trim_name(&String::from_utf8(URL_SAFE_NO_PAD.decode(value).ok()?).ok()?)
}

fn set_cookie(name: &str, value: &str) -> Option<HeaderValue> {
    format!("{name}={value}; Path=/; Max-Age={REMEMBERED}; SameSite=Strict; HttpOnly").parse().ok()
}

fn parameters(uri: &Uri) -> impl Iterator<Item = (String, String)> + use<'_> {
    form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned()
}

fn named(text: &str) -> Option<Language> {
    match text {
        "fr" => Some(Language::French),
        "en" => Some(Language::English),
        _ => None,
    }
}

/// The language that an `Accept-Language` header prefers among those that pages have.
fn accepted(header: &str) -> Option<Language> {
    let entries = header.split(',').filter_map(|entry| {
        let (tag, weight) = entry.split_once(';').unwrap_or((entry, "q=1"));
        let weight: f32 = weight.trim().strip_prefix("q=")?.trim().parse().ok()?;
        let primary = tag.trim().split('-').next()?.to_ascii_lowercase();
        Some((named(&primary)?, weight)).filter(|(_, weight)| *weight > 0.0)
    });
    // The first of equals: that is the order in which a browser lists them.
    entries.reduce(|best, entry| if entry.1 > best.1 { entry } else { best }).map(|(language, _)| language)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visitor(uri: &str, headers: &[(header::HeaderName, &str)]) -> Visitor {
        let headers = headers.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect();
        Visitor::read(&headers, &uri.parse().unwrap(), Language::English)
    }

    #[test]
    fn the_switch_decides_then_the_cookie_then_the_browser() {
        let french = (header::ACCEPT_LANGUAGE, "fr-FR,fr;q=0.9,en-US;q=0.8,en;q=0.7");
        assert_eq!(visitor("/", &[]).language, Language::English);
        assert!(visitor("/", std::slice::from_ref(&french)).is_french());
        let cookie = (header::COOKIE, "a=b; vigie_language=en");
        assert!(!visitor("/", &[french.clone(), cookie.clone()]).is_french());
        let switched = visitor("/?language=fr", &[cookie]);
        assert!(switched.is_french());
        assert!(switched.language_cookie().unwrap().to_str().unwrap().starts_with("vigie_language=fr; Path=/"));
        assert_eq!(visitor("/", &[french]).language_cookie(), None);
        assert_eq!(accepted("de, en;q=0.5, fr;q=0.6"), Some(Language::French));
        assert_eq!(accepted("de, fr;q=0"), None);
    }

    #[test]
    fn an_address_keeps_its_other_parameters() {
        let visitor = visitor("/posts?topic=Air%20Paradis&label=negative&language=fr", &[]);
        assert_eq!(visitor.address(), "/posts?topic=Air+Paradis&label=negative");
        assert_eq!(visitor.in_other_language(), "/posts?topic=Air+Paradis&label=negative&language=en");
        assert_eq!(visitor.with_parameter("label", None), "/posts?topic=Air+Paradis");
    }

    #[test]
    fn a_form_leads_to_pages_of_this_server_only() {
        assert_eq!(local_path("/posts?topic=a"), Some("/posts?topic=a"));
        for path in ["//evil.example", "https://evil.example", "/\\evil.example", "", "/a\r\nb"] {
            assert_eq!(local_path(path), None, "{path}");
        }
    }

    #[test]
    fn a_name_is_remembered_by_its_cookie() {
        let cookie = name_cookie("Zoé L.").unwrap();
        let sent = cookie.to_str().unwrap().split(';').next().unwrap();
        let sent = format!("a=b; {sent}");
        assert_eq!(visitor("/", &[(header::COOKIE, &sent)]).name.as_deref(), Some("Zoé L."));
        assert_eq!(visitor("/", &[(header::COOKIE, "vigie_name=%%")]).name, None);
        assert_eq!(trim_name(" \n "), None);
    }
}
