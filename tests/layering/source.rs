//! Reads Rust source as far as imports need: tokens without comments and literals, and the top-level modules that
//! paths starting with `crate`, `super`, `self` or `vigie` reach.

/// A module that a file reaches, and the line where.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Reached {
    pub(crate) module: String,
    pub(crate) line: usize,
}

/// What stands for everything at once: a glob over the crate's root.
pub(crate) const EVERYTHING: &str = "*";

#[derive(Debug, Clone, PartialEq, Eq)]
struct Token {
    text: String,
    line: usize,
}

/// The top-level modules reached by `source`, which is the module at `path` (empty for the crate's root).
pub(crate) fn reached(source: &str, path: &[&str]) -> Vec<Reached> {
    let tokens = tokens(source);
    let mut found = Vec::new();
    let mut inside: Vec<String> = path.iter().map(ToString::to_string).collect();
    let mut open_modules: Vec<usize> = Vec::new();
    let mut depth = 0;
    for (i, token) in tokens.iter().enumerate() {
        let at = |offset: usize| tokens.get(i + offset).map_or("", |token| token.text.as_str());
        match token.text.as_str() {
            "{" => depth += 1,
            "}" => {
                if open_modules.last() == Some(&depth) {
                    open_modules.pop();
                    inside.pop();
                }
                depth -= 1;
            }
            "mod" if at(2) == "{" => {
                inside.push(at(1).to_owned());
                open_modules.push(depth + 1);
            }
            "crate" | "vigie" | "super" | "self" if at(1) == "::" && !follows_path(&tokens, i) => {
                let base = if matches!(token.text.as_str(), "super" | "self") { inside.as_slice() } else { &[] };
                walk(&tokens, i, base.to_vec(), &mut found);
            }
            _ => {}
        }
    }
    found
}

fn follows_path(tokens: &[Token], i: usize) -> bool {
    i > 0 && tokens[i - 1].text == "::"
}

/// Follows the path that starts at token `i` from the module `base` and notes the top-level module it enters;
/// through `{a, b::{c}}` all of them. Gives the token after the path.
fn walk(tokens: &[Token], mut i: usize, mut base: Vec<String>, found: &mut Vec<Reached>) -> usize {
    loop {
        let Some(token) = tokens.get(i) else { return i };
        match token.text.as_str() {
            "super" => drop(base.pop()),
            "self" | "crate" | "vigie" if base.is_empty() || token.text == "self" => {}
            "{" => {
                i += 1;
                while let Some(token) = tokens.get(i).filter(|token| token.text != "}") {
                    i = match token.text.as_str() {
                        "," => i + 1,
                        "as" => i + 2,
                        _ => walk(tokens, i, base.clone(), found),
                    };
                }
                return i + 1;
            }
            "*" => {
                note(&base, EVERYTHING, token.line, found);
                return i + 1;
            }
            sign if !sign.starts_with(is_word) => return i + 1,
            name => {
                note(&base, name, token.line, found);
                base.push(name.to_owned());
            }
        }
        if tokens.get(i + 1).is_none_or(|token| token.text != "::") {
            return i + 1;
        }
        i += 2;
    }
}

fn note(base: &[String], name: &str, line: usize, found: &mut Vec<Reached>) {
    let module = base.first().map_or(name, String::as_str);
    let new = Reached { module: module.to_owned(), line };
    if !found.contains(&new) {
        found.push(new);
    }
}

/// Identifiers, `::` and single signs; comments, strings, characters and lifetimes left out.
fn tokens(source: &str) -> Vec<Token> {
    let chars: Vec<char> = source.chars().collect();
    let mut all = Vec::new();
    let (mut i, mut line) = (0, 1);
    while i < chars.len() {
        let next = |offset: usize| chars.get(i + offset).copied().unwrap_or('\0');
        let length = match chars[i] {
            '/' if next(1) == '/' => count_until(&chars[i..], |rest| rest[0] == '\n'),
            '/' if next(1) == '*' => block_comment(&chars[i..]),
            '"' => string(&chars[i..]),
            'r' | 'b' | 'c' if literal_prefix(&chars[i..]).is_some() => {
                let (skip, hashes) = literal_prefix(&chars[i..]).expect("just seen");
                skip + hashes.map_or_else(|| string(&chars[i + skip..]), |hashes| raw(&chars[i + skip..], hashes))
            }
            '\'' if next(1) == '\\' => 2 + count_until(&chars[i + 2..], |rest| rest.len() < 2 || rest[1] == '\'') + 2,
            '\'' if next(2) == '\'' => 3,
            '\'' => 1 + count_until(&chars[i + 1..], |rest| !is_word(rest[0])),
            ':' if next(1) == ':' => {
                all.push(Token { text: "::".to_owned(), line });
                2
            }
            c if is_word(c) => {
                let length = count_until(&chars[i..], |rest| !is_word(rest[0]));
                all.push(Token { text: chars[i..i + length].iter().collect(), line });
                length
            }
            c => {
                if !c.is_whitespace() {
                    all.push(Token { text: c.to_string(), line });
                }
                1
            }
        };
        let end = (i + length).min(chars.len());
        line += chars[i..end].iter().filter(|c| **c == '\n').count();
        i = end;
    }
    all
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn count_until(chars: &[char], stop: impl Fn(&[char]) -> bool) -> usize {
    (0..chars.len()).find(|&i| stop(&chars[i..])).unwrap_or(chars.len())
}

/// Block comments nest.
fn block_comment(chars: &[char]) -> usize {
    let (mut depth, mut i) = (0, 0);
    while i < chars.len() {
        match (chars[i], chars.get(i + 1)) {
            ('/', Some('*')) => (depth, i) = (depth + 1, i + 2),
            ('*', Some('/')) => (depth, i) = (depth - 1, i + 2),
            _ => i += 1,
        }
        if depth == 0 {
            break;
        }
    }
    i
}

fn string(chars: &[char]) -> usize {
    let mut i = 1;
    while i < chars.len() && chars[i] != '"' {
        i += if chars[i] == '\\' { 2 } else { 1 };
    }
    i + 1
}

fn raw(chars: &[char], hashes: usize) -> usize {
    let end: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
    1 + count_until(&chars[1..], |rest| rest.starts_with(&end)) + end.len()
}

/// Characters before the opening quote of `b"`, `c"`, `r"`, `r#"`, `br#"`..., and the number of `#` if it is raw.
fn literal_prefix(chars: &[char]) -> Option<(usize, Option<usize>)> {
    let letters = count_until(chars, |rest| !matches!(rest[0], 'r' | 'b' | 'c'));
    let hashes = count_until(&chars[letters..], |rest| rest[0] != '#');
    let raw = chars[..letters].contains(&'r');
    (letters <= 2 && (raw || hashes == 0) && chars.get(letters + hashes) == Some(&'"'))
        .then_some((letters + hashes, raw.then_some(hashes)))
}

#[cfg(test)]
mod tests {
    use super::{EVERYTHING, reached};

    fn modules(source: &str, path: &[&str]) -> Vec<String> {
        reached(source, path).into_iter().map(|reached| reached.module).collect()
    }

    #[test]
    fn every_way_to_name_a_module_is_seen() {
        for (source, path, wanted) in [
            ("use crate::source::Post;", &["text"][..], &["source"][..]),
            ("use crate::{rule, text::{self, clean}};", &["text"], &["rule", "text"]),
            ("fn f() -> crate::alert::Alert { crate::store::open() }", &["text"], &["alert", "store"]),
            ("use super::monitor::Tick;", &["text"], &["monitor"]),
            ("use super::super::cli;", &["text", "classic"], &["cli"]),
            ("use super::scan;", &["text", "classic"], &["text"]),
            ("mod tests { use super::super::notify; } use super::lab;", &["text"], &["notify", "lab"]),
            ("mod tests { mod deep {} use super::*; }", &["text"], &["text"]),
            ("use super::*;", &["text"], &[EVERYTHING]),
            ("use crate::*;", &["text"], &[EVERYTHING]),
            ("use vigie::cli::run;", &[], &["cli"]),
            ("use crate::{rule as r, text::Profile as P, alert::*};", &["cli"], &["rule", "text", "alert"]),
            ("fn f() { crate::store::open::<T>(); }", &["text"], &["store"]),
            ("use {crate::rule::Rule, crate::text};", &["text"], &["rule", "text"]),
            ("pub(crate) fn f() {} pub(in crate::window) fn g() {}", &["text"], &["window"]),
        ] {
            assert_eq!(modules(source, path), wanted, "{source}");
        }
    }

    #[test]
    fn comments_and_literals_are_not_read() {
        for source in [
            "// use crate::cli;\n/// [`crate::cli`]\n//! crate::cli",
            "/* crate::cli /* nested */ crate::cli */",
            r#"const A: &str = "crate::cli \" crate::cli";"#,
            r###"const A: &str = r#"" crate::cli "#; const B: &[u8] = b"crate::cli"; "###,
            "fn f<'a>(a: &'a str) -> char { '\"' } // crate::cli \"",
            "const Q: char = '\\''; // crate::cli",
            "use std::path::Path; use self::inner::Thing; use tokio::crate_name;",
        ] {
            let reached = modules(source, &["text"]);
            assert!(reached.iter().all(|module| module == "text"), "{source}: {reached:?}");
        }
    }

    #[test]
    fn reading_goes_on_after_a_literal() {
        for before in [
            "'\"'",
            "'\\''",
            "'\\u{1F600}'",
            "\"\\\\\"",
            "r\"\\\"",
            "r##\"\"#\"##",
            "b'x'",
            "b\"\\\"\"",
            "&'static str",
            "/**/",
        ] {
            assert_eq!(modules(&format!("{before} ; crate::cli"), &["text"]), ["cli"], "{before}");
        }
    }

    #[test]
    fn lines_are_counted() {
        let source = "//! x\n/* a\nb */ const S: &str = \"\n\";\nuse crate::{\n    rule,\n};";
        let lines: Vec<usize> = reached(source, &["text"]).iter().map(|reached| reached.line).collect();
        assert_eq!(lines, [6]);
    }
}
