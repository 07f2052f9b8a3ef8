//! [`Templates`]: the embedded templates, and those of the configuration, which override them.

use std::fs;
use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;
use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, UndefinedBehavior};

use super::filters;
use crate::language::Language;

/// File names and contents.
pub(super) const EMBEDDED: [(&str, &str); 4] = [
    ("en.jinja", include_str!("templates/en.jinja")),
    ("fr.jinja", include_str!("templates/fr.jinja")),
    ("mail.txt", include_str!("templates/mail.txt")),
    ("mail.html", include_str!("templates/mail.html")),
];
/// The macros of messages in one language, for pages that name the same things.
pub(crate) fn wording(language: Language) -> &'static str {
    match language {
        Language::English => EMBEDDED[0].1,
        Language::French => EMBEDDED[1].1,
    }
}

/// The prefix of embedded templates, for templates that extend or import them.
const EMBEDDED_PREFIX: &str = "vigie/";

/// How messages are written in any language.
#[derive(Debug, Clone)]
pub struct Style {
    /// The time zone of all times.
    pub zone: TimeZone,
}

impl Default for Style {
    fn default() -> Self {
        Self { zone: TimeZone::UTC }
    }
}

/// An error in a directory of templates.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {reason}", path.display())]
pub struct TemplateError {
    pub path: PathBuf,
    pub reason: String,
}

/// The templates of both languages, parsed.
#[derive(Debug, Clone)]
pub struct Templates {
    style: Style,
    english: Environment<'static>,
    french: Environment<'static>,
    /// The names of the templates that the configuration overrides.
    overridden: Vec<&'static str>,
}

impl Templates {
    /// The embedded templates alone.
    pub fn embedded(style: Style) -> Self {
        let environment = |language| environment(language, &style);
        let (english, french) = (environment(Language::English), environment(Language::French));
        Self { style, english, french, overridden: Vec::new() }
    }

    /// The embedded templates, overridden by those in `directory`: any of `en.jinja`, `fr.jinja`, `mail.txt`,
    /// `mail.html`.
    ///
    /// A file of sentences contains the macros it replaces; the names of helper macros begin with `_`. A mail template
    /// may begin with `{% extends "vigie/mail.html" %}` and replace blocks.
    ///
    /// # Errors
    /// Every error: an unreadable file, a syntax error, an unknown file or macro, a template that fails on a sample
    /// notification.
    pub fn with_overrides(style: Style, directory: &Path) -> Result<Self, Vec<TemplateError>> {
        let mut templates = Self::embedded(style);
        let mut errors = Vec::new();
        let error = |path: &Path, reason: String| TemplateError { path: path.into(), reason };
        let entries = match fs::read_dir(directory) {
            Ok(entries) => entries,
            Err(cause) => return Err(vec![error(directory, format!("cannot read the templates: {cause}"))]),
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
                errors.push(error(&path, format!("not the name of a template; expected one of: {}", known.join(", "))));
                continue;
            };
            let read = fs::read_to_string(&path).map_err(|cause| cause.to_string());
            match read.and_then(|text| templates.replace(name, &text)) {
                Ok(()) => errors.extend(templates.check_template(name).into_iter().map(|reason| error(&path, reason))),
                Err(reason) => errors.push(error(&path, reason)),
            }
        }
        if errors.is_empty() { Ok(templates) } else { Err(errors) }
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

    /// The configuration's template of that name, if any, then the embedded one.
    pub(super) fn names(&self, name: &'static str) -> Vec<String> {
        let own = self.overridden.contains(&name).then(|| name.to_owned());
        own.into_iter().chain([format!("{EMBEDDED_PREFIX}{name}")]).collect()
    }

    fn replace(&mut self, name: &'static str, text: &str) -> Result<(), String> {
        for environment in [&mut self.english, &mut self.french] {
            environment.add_template_owned(name, text.to_owned()).map_err(|error| describe(&error))?;
        }
        self.overridden.push(name);
        Ok(())
    }
}

/// The error in one line, with its place.
pub(super) fn describe(error: &minijinja::Error) -> String {
    let place = error.line().map_or(String::new(), |line| format!("line {line}: "));
    let why = error.detail().map_or_else(|| error.kind().to_string(), |detail| format!("{}: {detail}", error.kind()));
    format!("{place}{why}")
}

fn environment(language: Language, style: &Style) -> Environment<'static> {
    let mut environment = Environment::new();
    // A misspelt name must be an error when the file is read, not a hole in a sentence.
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    debug_assert!(syntax.is_ok());
    environment.set_syntax(syntax.unwrap_or_default());
    environment
        .set_auto_escape_callback(|name| if name.ends_with(".html") { AutoEscape::Html } else { AutoEscape::None });
    filters::add(&mut environment, language, style);
    for (name, text) in EMBEDDED {
        let added = environment.add_template_owned(format!("{EMBEDDED_PREFIX}{name}"), text.to_owned());
        debug_assert!(added.is_ok(), "{name}: {}", added.err().map_or(String::new(), |error| describe(&error)));
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
        let shown = |errors: Vec<TemplateError>| errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        Templates::with_overrides(Style::default(), directory.path()).map_err(shown)
    }

    fn render_sample(templates: &Templates, language: Language) -> crate::notify::render::Message {
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
        let french = render_sample(&templates, Language::French);
        assert!(
            french.text.contains("\u{202f}!TEST-1234\u{202f}!") || french.text.contains("!TEST-1234!"),
            "{}",
            french.text
        );
        assert!(french.text.contains("Ceci est un essai"), "the other sentences are as they were");
        assert!(french.html.contains("<p>our foot: TEST-1234</p>"));
        let english = render_sample(&templates, Language::English);
        assert!(!english.text.contains("!TEST") && english.html.contains("our foot"));
        assert_eq!((french.template_errors, english.template_errors), (Vec::new(), Vec::new()));
    }

    #[test]
    fn every_error_of_a_directory_is_named() {
        let cases = [
            (("fr.jinja", "{% macro subject(v, a) %}"), "fr.jinja: line 1: syntax error"),
            (("en.jinja", "{% macro headlin(v, a) %}x{% endmacro %}"), "`headlin` is not a sentence of messages"),
            (("en.jinja", "\n{% macro headline(v, a) %}{{ a.rat }}{% endmacro %}"), "line 2: undefined value"),
            (("en.jinja", "{% macro headline(v, a) %}{{ v.at | tme }}{% endmacro %}"), "unknown filter"),
            (("mail.html", "{{ d.headlin }}"), "mail.html: line 1: undefined value"),
            (("mail.htm", ""), "not the name of a template; expected one of: en.jinja, fr.jinja, mail.txt, mail.html"),
        ];
        for (file, expected) in cases {
            let errors = overridden(&[file]).unwrap_err();
            assert!(errors.contains(expected), "{errors}\n does not contain {expected}");
        }
        let missing = Templates::with_overrides(Style::default(), Path::new("/no/such/directory")).unwrap_err();
        assert!(missing[0].to_string().starts_with("/no/such/directory: cannot read the templates"));
    }

    #[test]
    fn a_template_that_fails_later_is_replaced_by_the_embedded_one() {
        let mut templates = Templates::embedded(Style::default());
        templates.replace("en.jinja", "{% macro headline(v, a) %}{{ a.no_such_thing }}{% endmacro %}").unwrap();
        templates.replace("mail.txt", "{{ d.nothing.of_the_kind }}").unwrap();
        let message = render_sample(&templates, Language::English);
        assert!(
            message.text.starts_with("TEST – 78% of posts about Air Paradis are negative, normally 61%"),
            "{}",
            message.text
        );
        assert_eq!(message.template_errors.len(), 2, "{:?}", message.template_errors);
        assert!(
            message.template_errors[0].starts_with("en.jinja: headline: line 1: undefined value"),
            "{:?}",
            message.template_errors
        );
    }
}
