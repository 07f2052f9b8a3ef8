//! Reads Rust source as far as the tests of the layers need it: tokens without comments and literals, the modules that paths
//! starting with `crate`, `super`, `self` or the name of a crate reach, and the public types of a file.

/// A module that a file reaches, and the line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Reached {
    pub(crate) module: String,
    pub(crate) line: usize,
}

/// Stands for all modules: a glob over the root of a crate.
pub(crate) const EVERYTHING: &str = "*";

#[derive(Debug, Clone, PartialEq, Eq)]
struct Token {
    text: String,
    line: usize,
}

/// The crates of the workspace, and the module at which each appears in the layers: the modules of `vigie` and
/// `vigie_reading` are layers themselves, the other crates are one layer each.
const CRATES: [(&str, Option<&str>); 5] = [
    ("vigie", None),
    ("vigie_reading", None),
    ("vigie_lab", Some("lab")),
    ("vigie_chart", Some("chart")),
    ("vigie_kernels", Some("kernels")),
];

/// The modules reached by `source`, which is the module at `path`. `crate` is the module for which the crate of the file
/// stands, if it is one layer; then `path` starts with it.
pub(crate) fn reached(source: &str, path: &[&str], krate: Option<&str>) -> Vec<Reached> {
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
            start if at(1) == "::" && !follows_path(&tokens, i) => {
                let base: Option<Vec<String>> = match start {
                    "super" | "self" => Some(inside.clone()),
                    "crate" => Some(krate.map(str::to_owned).into_iter().collect()),
                    name => crate_base(name),
                };
                let Some(base) = base else { continue };
                // A crate that is one layer is reached by its name alone.
                if let (false, Some(module)) = (matches!(start, "crate" | "super" | "self"), base.first()) {
                    add(&[], module, token.line, &mut found);
                }
                let first = if matches!(start, "super" | "self") { i } else { i + 2 };
                walk(&tokens, first, base, &mut found);
            }
            _ => {}
        }
    }
    found
}

/// The path that the name of a crate stands for.
fn crate_base(name: &str) -> Option<Vec<String>> {
    let (_, module) = CRATES.iter().find(|(known, _)| *known == name)?;
    Some(module.iter().map(ToString::to_string).collect())
}

fn follows_path(tokens: &[Token], i: usize) -> bool {
    i > 0 && tokens[i - 1].text == "::"
}

/// Follows the path that starts at token `i` from the module `base`, and adds the top-level module it enters; for
/// `{a, b::{c}}` all of them. Returns the index after the path.
fn walk(tokens: &[Token], mut i: usize, mut base: Vec<String>, found: &mut Vec<Reached>) -> usize {
    loop {
        let Some(token) = tokens.get(i) else { return i };
        match token.text.as_str() {
            "super" => drop(base.pop()),
            "self" => {}
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
                add(&base, EVERYTHING, token.line, found);
                return i + 1;
            }
            sign if !sign.starts_with(is_word) => return i + 1,
            name => {
                add(&base, name, token.line, found);
                base.push(name.to_owned());
            }
        }
        if tokens.get(i + 1).is_none_or(|token| token.text != "::") {
            return i + 1;
        }
        i += 2;
    }
}

fn add(base: &[String], name: &str, line: usize, found: &mut Vec<Reached>) {
    let module = base.first().map_or(name, String::as_str);
    let new = Reached { module: module.to_owned(), line };
    if !found.contains(&new) {
        found.push(new);
    }
}

/// The names of the types that `source` declares as `pub`, outside of modules named `tests`.
pub(crate) fn public_types(source: &str) -> Vec<String> {
    let tokens = tokens(source);
    let at = |i: usize| tokens.get(i).map_or("", |token| token.text.as_str());
    let mut found = Vec::new();
    let mut i = 0;
    while i < tokens.len() {
        if at(i) == "mod" && at(i + 1) == "tests" && at(i + 2) == "{" {
            break;
        }
        if at(i) == "pub" && matches!(at(i + 1), "struct" | "enum" | "trait" | "type" | "union") {
            found.push(at(i + 2).to_owned());
        }
        i += 1;
    }
    found
}

/// Identifiers, `::` and single signs, without comments, strings, characters and lifetimes.
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
                let (skip, hashes) = literal_prefix(&chars[i..]).expect("checked by the guard");
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
    use super::{EVERYTHING, public_types, reached};

    fn modules(source: &str, path: &[&str]) -> Vec<String> {
        reached(source, path, None).into_iter().map(|reached| reached.module).collect()
    }

    #[test]
    fn every_way_to_name_a_module_is_seen() {
        for (source, path, expected) in [
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
            ("use vigie_reading::{dump::Input, post};", &["cli"], &["dump", "post"]),
            ("use vigie_lab::fit::{Recipe, run};", &["cli"], &["lab"]),
            ("fn f() { vigie_kernels::dot(a, b); }", &["classify"], &["kernels"]),
            ("use vigie_reading::*;", &["lab"], &[EVERYTHING]),
        ] {
            assert_eq!(modules(source, path), expected, "{source}");
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
    fn tokens_after_a_literal_are_read() {
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
    fn a_crate_that_is_one_layer_reaches_itself_by_crate() {
        let source = "use crate::fit::Recipe; use super::score; use vigie_reading::text;";
        let reached = reached(source, &["lab", "fit"], Some("lab"));
        assert_eq!(reached.into_iter().map(|reached| reached.module).collect::<Vec<_>>(), ["lab", "text"]);
    }

    #[test]
    fn public_types_are_found() {
        let source = "pub struct A; pub(crate) struct B; enum C {} pub enum D {} pub trait E {} pub type F = A; // pub struct G\n\
                      pub fn f() {} mod tests { pub struct H; }";
        assert_eq!(public_types(source), ["A", "D", "E", "F"]);
    }

    #[test]
    fn lines_are_counted() {
        let source = "//! x\n/* a\nb */ const S: &str = \"\n\";\nuse crate::{\n    rule,\n};";
        let lines: Vec<usize> = reached(source, &["text"], None).iter().map(|reached| reached.line).collect();
        assert_eq!(lines, [6]);
    }
}
