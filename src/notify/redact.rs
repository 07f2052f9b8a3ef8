//! [`Discretion`]: what a receiver answered, made fit for a log: without secrets, and without what it was sent.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Url;

use super::Notification;
use crate::secret::Secret;

/// So much of an answer is shown, in characters.
const SHOWN: usize = 300;
/// So much of it is looked at: an answer may be of any length.
const READ: usize = 3_000;
/// What is repeated from the message sent is left out from this many characters on: shorter, it is a word.
const ECHO: usize = 16;
/// A part of an address that is shorter than this is no secret, and may be a word of the answer's own.
const SECRET_PART: usize = 8;
/// What stands where something was left out.
const HIDDEN: &str = "[…]";

/// Knows what one receiver must not be quoted with.
#[derive(Clone, Default)]
pub(super) struct Discretion {
    /// The longest first, so that no part of one is left when another was taken out of it.
    secrets: Vec<String>,
}

impl Discretion {
    pub(super) fn new(secrets: &[&Secret]) -> Self {
        let mut all: Vec<String> = secrets.iter().flat_map(|secret| forms(secret.expose())).collect();
        all.sort_by_key(|secret| (std::cmp::Reverse(secret.len()), secret.clone()));
        all.dedup();
        Self { secrets: all }
    }

    /// Of a name and its password, which are also said in base64.
    pub(super) fn of_login(user: &str, password: &Secret) -> Self {
        let password = password.expose();
        let coded = [password.to_owned(), format!("\0{user}\0{password}")].map(|text| STANDARD.encode(text));
        let mut secrets: Vec<String> = coded.into_iter().chain([password.to_owned()]).collect();
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        Self { secrets }
    }

    /// The beginning of `text` on one line, without secrets and without what `sent` or the posts of `about` hold.
    pub(super) fn quote(&self, text: &str, sent: &str, about: &Notification) -> String {
        let text = title(text).unwrap_or(text);
        let mut text = text.to_owned();
        for secret in &self.secrets {
            text = text.replace(secret.as_str(), HIDDEN);
        }
        let posts = about.alerts.iter().flat_map(|alert| &alert.samples);
        for author in posts.clone().filter_map(|post| post.author.as_deref()).filter(|author| author.len() > 2) {
            text = text.replace(author, HIDDEN);
        }
        let line: String = one_line(&text).chars().take(READ).collect();
        let mut said: Vec<String> = posts.map(|post| one_line(&post.text)).collect();
        said.push(one_line(sent));
        shortened(&without_echoes(&line, &said))
    }
}

/// A secret as it may be repeated: whole, and where it is an address, by its parts.
fn forms(secret: &str) -> Vec<String> {
    let mut forms = vec![secret.to_owned()];
    if let Ok(url) = Url::parse(secret) {
        forms.extend(Some(url.path().to_owned()).filter(|path| path.len() > 1));
        forms.extend(url.query().map(str::to_owned));
        let parts = url.path().split('/').chain(url.query().unwrap_or_default().split(['&', '=']));
        let parts = parts.chain(url.password());
        forms.extend(parts.filter(|part| part.len() >= SECRET_PART).map(str::to_owned));
    }
    forms
}

/// A page made for a browser says what it is in its title.
fn title(text: &str) -> Option<&str> {
    if !text.trim_start().starts_with('<') {
        return None;
    }
    // ASCII alone changes, so that places in the one are places in the other.
    let lower = text.to_ascii_lowercase();
    let start = lower.find("<title>")? + "<title>".len();
    let end = start + lower.get(start..)?.find("</title>")?;
    text.get(start..end).filter(|title| !title.trim().is_empty())
}

fn one_line(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ")
}

/// Without every stretch of at least [`ECHO`] characters that one of `said` holds too.
fn without_echoes(text: &str, said: &[String]) -> String {
    let starts: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
    let piece = |from: usize, to: usize| Some(&text[*starts.get(from)?..*starts.get(to)?]);
    let echoed =
        |from: usize, to: usize| piece(from, to).is_some_and(|piece| said.iter().any(|said| said.contains(piece)));
    let (mut kept, mut at) = (String::new(), 0);
    while at + 1 < starts.len() {
        if echoed(at, at + ECHO) {
            let mut end = at + ECHO;
            while echoed(at, end + 1) {
                end += 1;
            }
            kept.push_str(HIDDEN);
            at = end;
        } else {
            kept.push_str(piece(at, at + 1).unwrap_or_default());
            at += 1;
        }
    }
    kept
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((cut, _)) => format!("{}…", text[..cut].trim_end()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::sample::{SampleKind, sample};
    use crate::secret::{Form, Wanted};
    use proptest::prelude::*;

    fn secret(value: &str) -> Secret {
        let name = || "x".to_owned();
        let wanted = Wanted {
            what: name(),
            variable: name(),
            credential: name(),
            key: name(),
            file: None,
            form: Form::Password,
        };
        Secret::find(&wanted, |_| Some(value.to_owned())).unwrap()
    }

    fn about() -> Notification {
        sample("desk", SampleKind::Opened, "2026-11-24T09:00:00Z".parse().unwrap(), None)
    }

    fn quote(text: &str) -> String {
        let address = secret("https://hooks.example.com/services/T0AAAA/B0BBBBBB/verysecretpart?sig=abcdefghij");
        let discretion = Discretion::new(&[&address, &secret("hunter2")]);
        discretion.quote(text, r#"{"text":"the message that was sent to them"}"#, &about())
    }

    #[test]
    fn what_a_server_says_of_itself_is_kept() {
        for said in ["no_service", "invalid_payload: missing text", "550 5.1.1 <a@example.com>: no such user"] {
            assert_eq!(quote(said), said);
        }
        assert_eq!(quote("a\r\n\tb\u{1b}[2J\u{0}c"), "a b [2J c");
        assert_eq!(quote("<!DOCTYPE html><html><head><title> 502 Bad\nGateway </title>"), "502 Bad Gateway");
        let long = quote(&"word ".repeat(10_000));
        assert!(long.chars().count() <= SHOWN + 1 && long.ends_with('…'), "{long}");
    }

    #[test]
    fn a_secret_is_taken_out_whole_and_in_parts() {
        for said in [
            "no https://hooks.example.com/services/T0AAAA/B0BBBBBB/verysecretpart?sig=abcdefghij",
            "Cannot POST /services/T0AAAA/B0BBBBBB/verysecretpart",
            r"cannot find \/services\/T0AAAA\/B0BBBBBB\/verysecretpart",
            "sig abcdefghij is wrong",
            "wrong password hunter2",
        ] {
            let quoted = quote(said);
            for part in ["verysecretpart", "abcdefghij", "hunter2", "B0BBBBBB"] {
                assert!(!quoted.contains(part), "{quoted}");
            }
            assert!(quoted.contains(HIDDEN), "{quoted}");
        }
    }

    #[test]
    fn what_was_sent_is_not_quoted_back() {
        let quoted = quote(r#"bad request: {"text":"the message that was sent to them"}"#);
        assert!(!quoted.contains("message that"), "{quoted}");
        let about = about();
        for post in about.alerts.iter().flat_map(|alert| &alert.samples) {
            let quoted = quote(&format!("rejected: {} by @{}", post.text, post.author.as_deref().unwrap_or_default()));
            assert!(quoted.starts_with("rejected: "), "{quoted}");
            assert!(!post.author.as_deref().is_some_and(|author| quoted.contains(author)), "{quoted}");
            assert!(!quoted.contains(post.text.get(..20).unwrap_or(&post.text)), "{quoted}");
        }
    }

    proptest! {
        #[test]
        fn no_answer_is_too_strange_and_no_secret_gets_through(before in ".{0,400}", after in ".{0,40}") {
            let quoted = quote(&format!("{before}verysecretpart{after}"));
            prop_assert!(!quoted.contains("verysecretpart"));
            prop_assert!(quoted.chars().count() <= SHOWN + 1);
            prop_assert!(!quoted.chars().any(char::is_control));
        }
    }
}
