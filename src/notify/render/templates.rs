//! [`Templates`]: the embedded templates, and those of the configuration over them.

use std::fs;
use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;
use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, UndefinedBehavior};

use super::filters;
use crate::language::Language;

/// File names, and what is in them.
pub(super) const EMBEDDED: [(&str, &str); 4] = [
    ("en.jinja", include_str!("templates/en.jinja")),
    ("fr.jinja", include_str!("templates/fr.jinja")),
    ("mail.txt", include_str!("templates/mail.txt")),
    ("mail.html", include_str!("templates/mail.html")),
];
/// Before the name of an embedded template, for those that extend or import it.
const OURS: &str = "vigie/";

/// How messages are written, whatever their language.
#[derive(Debug, Clone)]
pub struct Style {
    /// In which times are told.
    pub zone: TimeZone,
}

impl Default for Style {
    fn default() -> Self {
        Self { zone: TimeZone::UTC }
    }
}

/// What is wrong with a directory of templates.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {reason}", path.display())]
pub struct TemplateFault {
    pub path: PathBuf,
    pub reason: String,
}

/// The templates of both languages, ready to be filled in.
#[derive(Debug, Clone)]
pub struct Templates {
    style: Style,
    english: Environment<'static>,
    french: Environment<'static>,
    /// Names of the templates that the configuration brought.
    overridden: Vec<&'static str>,
}

impl Templates {
    /// The embedded ones alone.
    pub fn embedded(style: Style) -> Self {
        let environment = |language| environment(language, &style);
        let (english, french) = (environment(Language::English), environment(Language::French));
        Self { style, english, french, overridden: Vec::new() }
    }

    /// The embedded ones, and over them those of `directory`: any of `en.jinja`, `fr.jinja`, `mail.txt`, `mail.html`.
    ///
    /// A file of sentences holds the macros it replaces and no others, but for its own, whose names begin with `_`. A mail
    /// may begin with `{% extends "vigie/mail.html" %}` and replace blocks.
    ///
    /// # Errors
    /// Every fault: a file that cannot be read or is no template, an unknown file or macro, a template that fails on one
    /// of the notifications it is tried on.
    pub fn with_overrides(style: Style, directory: &Path) -> Result<Self, Vec<TemplateFault>> {
        let mut templates = Self::embedded(style);
        let mut faults = Vec::new();
        let fault = |path: &Path, reason: String| TemplateFault { path: path.into(), reason };
        let entries = match fs::read_dir(directory) {
            Ok(entries) => entries,
            Err(cause) => return Err(vec![fault(directory, format!("the templates cannot be read: {cause}"))]),
        };
        let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        paths.sort();
        for path in paths {
            let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if file.starts_with('.') || file.ends_with('~') {
                continue;
            }
            let Some((name, _)) = EMBEDDED.iter().find(|(name, _)| *name == file) else {
                let known: Vec<&str> = EMBEDDED.iter().map(|(name, _)| *name).collect();
                faults.push(fault(&path, format!("not the name of a template; known are {}", known.join(", "))));
                continue;
            };
            let read = fs::read_to_string(&path).map_err(|cause| cause.to_string());
            match read.and_then(|text| templates.replace(name, &text)) {
                Ok(()) => faults.extend(templates.trial(name).into_iter().map(|reason| fault(&path, reason))),
                Err(reason) => faults.push(fault(&path, reason)),
            }
        }
        if faults.is_empty() { Ok(templates) } else { Err(faults) }
    }

    pub fn style(&self) -> &Style {
        &self.style
    }

    pub(super) fn environment(&self, language: Language) -> &Environment<'static> {
        match language {
            Language::English => &self.english,
            Language::French => &self.french,
        }
    }

    /// The configuration's template of that name, where it brought one, and the embedded one after it.
    pub(super) fn names(&self, name: &'static str) -> Vec<String> {
        let own = self.overridden.contains(&name).then(|| name.to_owned());
        own.into_iter().chain([format!("{OURS}{name}")]).collect()
    }

    fn replace(&mut self, name: &'static str, text: &str) -> Result<(), String> {
        for environment in [&mut self.english, &mut self.french] {
            environment.add_template_owned(name, text.to_owned()).map_err(|error| described(&error))?;
        }
        self.overridden.push(name);
        Ok(())
    }
}

/// The error in a line, with its place.
pub(super) fn described(error: &minijinja::Error) -> String {
    let place = error.line().map_or(String::new(), |line| format!("line {line}: "));
    let why = error.detail().map_or_else(|| error.kind().to_string(), |detail| format!("{}: {detail}", error.kind()));
    format!("{place}{why}")
}

fn environment(language: Language, style: &Style) -> Environment<'static> {
    let mut environment = Environment::new();
    // A misspelt name is to be told when the file is read, not to leave a hole in a sentence.
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    debug_assert!(syntax.is_ok());
    environment.set_syntax(syntax.unwrap_or_default());
    environment
        .set_auto_escape_callback(|name| if name.ends_with(".html") { AutoEscape::Html } else { AutoEscape::None });
    filters::add(&mut environment, language, style);
    for (name, text) in EMBEDDED {
        let added = environment.add_template_owned(format!("{OURS}{name}"), text.to_owned());
        debug_assert!(added.is_ok(), "{name}: {}", added.err().map_or(String::new(), |error| described(&error)));
    }
    environment
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::notify::render::{render, sample};

    fn overridden(files: &[(&str, &str)]) -> Result<Templates, String> {
        let directory = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(directory.path().join(name), text).unwrap();
        }
        let shown = |faults: Vec<TemplateFault>| faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        Templates::with_overrides(Style::default(), directory.path()).map_err(shown)
    }

    fn told(templates: &Templates, language: Language) -> crate::notify::render::Message {
        render(&sample("crisis", None, Timestamp::UNIX_EPOCH), language, templates)
    }

    #[test]
    fn a_sentence_or_a_part_of_a_mail_can_be_replaced_alone() {
        let templates = overridden(&[
            (
                "fr.jinja",
                "{% macro badge(v, a) %}{{ _loud(v.id) }}{% endmacro %}{% macro _loud(x) %}!{{ x }}!{% endmacro %}",
            ),
            ("mail.html", "{% extends 'vigie/mail.html' %}{% block foot %}<p>our foot: {{ d.id }}</p>{% endblock %}"),
        ]);
        let templates = templates.unwrap();
        let french = told(&templates, Language::French);
        assert!(
            french.text.contains("\u{202f}!TEST-1234\u{202f}!") || french.text.contains("!TEST-1234!"),
            "{}",
            french.text
        );
        assert!(french.text.contains("Ceci est un essai"), "the other sentences are as they were");
        assert!(french.html.contains("<p>our foot: TEST-1234</p>"));
        let english = told(&templates, Language::English);
        assert!(!english.text.contains("!TEST") && english.html.contains("our foot"));
        assert_eq!((french.faults, english.faults), (Vec::new(), Vec::new()));
    }

    #[test]
    fn every_fault_of_a_directory_is_named() {
        let cases = [
            (("fr.jinja", "{% macro subject(v, a) %}"), "fr.jinja: line 1: syntax error"),
            (("en.jinja", "{% macro headlin(v, a) %}x{% endmacro %}"), "`headlin` is no sentence of messages"),
            (("en.jinja", "\n{% macro headline(v, a) %}{{ a.rat }}{% endmacro %}"), "line 2: undefined value"),
            (("en.jinja", "{% macro headline(v, a) %}{{ v.at | tme }}{% endmacro %}"), "unknown filter"),
            (("mail.html", "{{ d.headlin }}"), "mail.html: line 1: undefined value"),
            (("mail.htm", ""), "not the name of a template; known are en.jinja, fr.jinja, mail.txt, mail.html"),
        ];
        for (file, wanted) in cases {
            let faults = overridden(&[file]).unwrap_err();
            assert!(faults.contains(wanted), "{faults}\n does not say {wanted}");
        }
        let missing = Templates::with_overrides(Style::default(), Path::new("/no/such/directory")).unwrap_err();
        assert!(missing[0].to_string().starts_with("/no/such/directory: the templates cannot be read"));
    }

    #[test]
    fn what_fails_later_is_said_in_the_embedded_words() {
        let mut templates = Templates::embedded(Style::default());
        templates.replace("en.jinja", "{% macro headline(v, a) %}{{ a.no_such_thing }}{% endmacro %}").unwrap();
        templates.replace("mail.txt", "{{ d.nothing.of_the_kind }}").unwrap();
        let message = told(&templates, Language::English);
        assert!(
            message.text.starts_with("78% of posts about Air Paradis are negative, normally 61%"),
            "{}",
            message.text
        );
        assert_eq!(message.faults.len(), 2, "{:?}", message.faults);
        assert!(message.faults[0].starts_with("en.jinja: headline: line 1: undefined value"), "{:?}", message.faults);
    }
}
