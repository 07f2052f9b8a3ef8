//! [`Redactor`]: makes a receiver's answer fit for a log: it removes secrets, and whatever the receiver was sent.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Url;

use super::MessageContents;
use crate::secret::Secret;

/// Characters of an answer that are shown.
const MAX_SHOWN: usize = 300;
/// Characters of an answer that are examined: it may be of any length.
const MAX_READ: usize = 3_000;
/// A stretch of the sent message is removed from this length on; a shorter one is an ordinary word.
const MIN_ECHO: usize = 16;
/// A shorter part of a URL is not a secret, and may be an ordinary word of the answer.
const MIN_SECRET_PART: usize = 8;
/// Replaces what was removed.
const PLACEHOLDER: &str = "[…]";

/// Holds what must not appear in quotes of one receiver.
#[derive(Clone, Default)]
pub(super) struct Redactor {
    /// Longest first, so that no part of a secret remains after a shorter one is replaced.
    secrets: Vec<String>,
}

impl Redactor {
    pub(super) fn new(secrets: &[&Secret]) -> Self {
        let mut all: Vec<String> = secrets.iter().flat_map(|secret| forms(secret.expose())).collect();
        all.sort_by_key(|secret| (std::cmp::Reverse(secret.len()), secret.clone()));
        all.dedup();
        Self { secrets: all }
    }

    /// For a login: user and password also travel as base64.
    pub(super) fn for_login(user: &str, password: &Secret) -> Self {
        let password = password.expose();
        let coded = [password.to_owned(), format!("\0{user}\0{password}")].map(|text| STANDARD.encode(text));
        let mut secrets: Vec<String> = coded.into_iter().chain([password.to_owned()]).collect();
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        Self { secrets }
    }

    /// The beginning of `text` on one line, without secrets and without anything that `sent` or the posts of `about`
    /// contain.
    pub(super) fn redact(&self, text: &str, sent: &str, about: &dyn MessageContents) -> String {
        let text = title(text).unwrap_or(text);
        let mut text = text.to_owned();
        for secret in &self.secrets {
            text = text.replace(secret.as_str(), PLACEHOLDER);
        }
        let posts = about.posts();
        let posts_exist = !posts.is_empty();
        for author in posts.iter().filter_map(|post| post.author.as_deref()).filter(|author| author.len() > 2) {
            text = text.replace(author, PLACEHOLDER);
        }
        let line: String = one_line(&text).chars().take(MAX_READ).collect();
        let mut sent_texts: Vec<String> = posts.iter().map(|post| one_line(&post.text)).collect();
        // A message without posts holds no personal data, and an alert about a receiver quotes the very answer that it
        // gets again.
        if posts_exist {
            sent_texts.push(one_line(sent));
        }
        truncate(&remove_echoes(&line, &sent_texts))
    }
}

/// The forms in which a secret may be echoed: whole and, for a URL, by its parts.
fn forms(secret: &str) -> Vec<String> {
    let mut forms = vec![secret.to_owned()];
    if let Ok(url) = Url::parse(secret) {
        forms.extend(Some(url.path().to_owned()).filter(|path| path.len() > 1));
        forms.extend(url.query().map(str::to_owned));
        let parts = url.path().split('/').chain(url.query().unwrap_or_default().split(['&', '=']));
        let parts = parts.chain(url.password());
        forms.extend(parts.filter(|part| part.len() >= MIN_SECRET_PART).map(str::to_owned));
    }
    forms
}

/// The title of an HTML page, which says what it is.
fn title(text: &str) -> Option<&str> {
    if !text.trim_start().starts_with('<') {
        return None;
    }
    // Only ASCII changes, so byte positions are the same in both.
    let lower = text.to_ascii_lowercase();
    let start = lower.find("<title>")? + "<title>".len();
    let end = start + lower.get(start..)?.find("</title>")?;
    text.get(start..end).filter(|title| !title.trim().is_empty())
}

fn one_line(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ")
}

/// `text` without any stretch of at least [`MIN_ECHO`] characters that also appears in `sent_texts`.
fn remove_echoes(text: &str, sent_texts: &[String]) -> String {
    let starts: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
    let piece = |from: usize, to: usize| Some(&text[*starts.get(from)?..*starts.get(to)?]);
    let echoed = |from: usize, to: usize| {
        piece(from, to).is_some_and(|piece| sent_texts.iter().any(|text| text.contains(piece)))
    };
    let (mut kept, mut at) = (String::new(), 0);
    while at + 1 < starts.len() {
        if echoed(at, at + MIN_ECHO) {
            let mut end = at + MIN_ECHO;
            while echoed(at, end + 1) {
                end += 1;
            }
            kept.push_str(PLACEHOLDER);
            at = end;
        } else {
            kept.push_str(piece(at, at + 1).unwrap_or_default());
            at += 1;
        }
    }
    kept
}

fn truncate(text: &str) -> String {
    match text.char_indices().nth(MAX_SHOWN) {
        Some((cut, _)) => format!("{}…", text[..cut].trim_end()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::Notification;
    use crate::notify::sample::{SampleKind, sample};
    use crate::secret::{SecretKind, SecretSpec};
    use proptest::prelude::*;

    fn secret(value: &str) -> Secret {
        let name = || "x".to_owned();
        let spec = SecretSpec {
            what: name(),
            variable: name(),
            credential: name(),
            key: name(),
            file: None,
            kind: SecretKind::Password,
        };
        Secret::load(&spec, |_| Some(value.to_owned())).unwrap()
    }

    fn about() -> Notification {
        sample("desk", SampleKind::Opened, "2026-11-24T09:00:00Z".parse().unwrap(), None)
    }

    fn redact(text: &str) -> String {
        let address = secret("https://hooks.example.com/services/T0AAAA/B0BBBBBB/verysecretpart?sig=abcdefghij");
        let redactor = Redactor::new(&[&address, &secret("hunter2")]);
        redactor.redact(text, r#"{"text":"the message that was sent to them"}"#, &about())
    }

    #[test]
    fn the_answer_of_a_server_is_kept() {
        for answer in ["no_service", "invalid_payload: missing text", "550 5.1.1 <a@example.com>: no such user"] {
            assert_eq!(redact(answer), answer);
        }
        assert_eq!(redact("a\r\n\tb\u{1b}[2J\u{0}c"), "a b [2J c");
        assert_eq!(redact("<!DOCTYPE html><html><head><title> 502 Bad\nGateway </title>"), "502 Bad Gateway");
        let long = redact(&"word ".repeat(10_000));
        assert!(long.chars().count() <= MAX_SHOWN + 1 && long.ends_with('…'), "{long}");
    }

    #[test]
    fn a_secret_is_taken_out_whole_and_in_parts() {
        for answer in [
            "no https://hooks.example.com/services/T0AAAA/B0BBBBBB/verysecretpart?sig=abcdefghij",
            "Cannot POST /services/T0AAAA/B0BBBBBB/verysecretpart",
            r"cannot find \/services\/T0AAAA\/B0BBBBBB\/verysecretpart",
            "sig abcdefghij is wrong",
            "wrong password hunter2",
        ] {
            let quoted = redact(answer);
            for part in ["verysecretpart", "abcdefghij", "hunter2", "B0BBBBBB"] {
                assert!(!quoted.contains(part), "{quoted}");
            }
            assert!(quoted.contains(PLACEHOLDER), "{quoted}");
        }
    }

    #[test]
    fn what_was_sent_is_not_quoted_back() {
        let quoted = redact(r#"bad request: {"text":"the message that was sent to them"}"#);
        assert!(!quoted.contains("message that"), "{quoted}");
        let about = about();
        for post in about.alerts.iter().flat_map(|alert| &alert.samples) {
            let quoted = redact(&format!("rejected: {} by @{}", post.text, post.author.as_deref().unwrap_or_default()));
            assert!(quoted.starts_with("rejected: "), "{quoted}");
            assert!(!post.author.as_deref().is_some_and(|author| quoted.contains(author)), "{quoted}");
            assert!(!quoted.contains(post.text.get(..20).unwrap_or(&post.text)), "{quoted}");
        }
    }

    proptest! {
        #[test]
        fn no_answer_leaks_a_secret(before in ".{0,400}", after in ".{0,40}") {
            let quoted = redact(&format!("{before}verysecretpart{after}"));
            prop_assert!(!quoted.contains("verysecretpart"));
            prop_assert!(quoted.chars().count() <= MAX_SHOWN + 1);
            prop_assert!(!quoted.chars().any(char::is_control));
        }
    }
}
