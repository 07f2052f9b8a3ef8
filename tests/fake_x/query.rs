//! Whether a post matches a query, approximately: one of its words, phrases and handles suffices; `-is:retweet` and `lang:`
//! are supported.

use super::post::FakePost;

pub fn matches(query: &str, post: &FakePost) -> bool {
    let text = post.long.as_ref().unwrap_or(&post.text).to_lowercase();
    let mut any = false;
    let mut terms = 0;
    for term in terms_of(query) {
        let lower = term.to_lowercase();
        match lower.as_str() {
            "or" | "and" => {}
            "-is:retweet" if post.references.iter().any(|(kind, _)| *kind == "retweeted") => return false,
            other if other.starts_with("lang:") => {
                // Several languages are alternatives; only a single one excludes.
                if query.matches("lang:").count() == 1 && post.lang != other.trim_start_matches("lang:") {
                    return false;
                }
            }
            other if other.starts_with('-') || other.contains(':') => {}
            other => {
                terms += 1;
                any |= text.contains(other);
            }
        }
    }
    any || terms == 0
}

/// Splits at spaces and brackets; phrases stay complete and lose their quotes.
fn terms_of(query: &str) -> Vec<String> {
    let mut terms = Vec::new();
    let mut term = String::new();
    let mut quoted = false;
    for character in query.chars() {
        match character {
            '"' => quoted = !quoted,
            ' ' | '(' | ')' if !quoted => terms.push(std::mem::take(&mut term)),
            other => term.push(other),
        }
    }
    terms.push(term);
    terms.retain(|term| !term.is_empty() && term != "-");
    terms
}
