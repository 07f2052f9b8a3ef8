//! [`Sentences`]: the macros of one language's template, called for one notification.

use minijinja::value::{Serde, Value};
use minijinja::{Environment, Error, ErrorKind, context};
use serde::Serialize;

use super::super::Notification;
use super::context::Values;
use super::digest::Digest;
use super::escape::line;
use super::format::typography;
use super::message::CHART_CID;
use super::templates::{Templates, describe};
use crate::language::Language;

/// Renders the sentences of one notification in one language. Errors of the configuration's templates are collected,
/// and the embedded templates take over.
#[derive(Debug)]
pub(super) struct Sentences<'t> {
    pub(super) language: Language,
    pub(super) values: Values,
    templates: &'t Templates,
    environment: Environment<'t>,
    /// [`Sentences::values`] as the templates see them.
    shown: Value,
    errors: Vec<String>,
}

impl<'t> Sentences<'t> {
    pub(super) fn new(notification: &Notification, language: Language, templates: &'t Templates) -> Self {
        let zone = templates.style().zone.iana_name().filter(|zone| *zone != "UTC").unwrap_or_default();
        let values = Values::new(notification, language, zone.into());
        let mut environment = templates.environment(language).clone();
        environment.add_global("now", values.at);
        let shown = Value::from(Serde(&values));
        Self { language, values, templates, environment, shown, errors: Vec::new() }
    }

    /// The sentence `name` of `v` and `more`, as plain text on one line; none if it is empty.
    pub(super) fn sentence(&mut self, name: &str, more: &[Value]) -> Option<String> {
        self.sentence_of(name, &[std::slice::from_ref(&self.shown), more].concat())
    }

    /// Like [`Sentences::sentence`], with `arguments` alone.
    pub(super) fn sentence_of(&mut self, name: &str, arguments: &[Value]) -> Option<String> {
        let text = typography(&line(&self.call(name, arguments)), self.language);
        (!text.is_empty()).then_some(text)
    }

    /// The lines of the sentence `name`.
    pub(super) fn lines_of(&mut self, name: &str, more: &[Value]) -> Vec<String> {
        let text = self.call(name, &[std::slice::from_ref(&self.shown), more].concat());
        let language = self.language;
        text.lines().map(line).filter(|line| !line.is_empty()).map(|line| typography(&line, language)).collect()
    }

    /// The label of a fact or a button.
    pub(super) fn label(&mut self, name: &str) -> String {
        self.sentence_of("label", &[name.into()]).unwrap_or_default()
    }

    /// `value` as an argument of a sentence.
    pub(super) fn value(value: impl Serialize) -> Value {
        Value::from(Serde(value))
    }

    /// A whole page, rendered from the digest.
    pub(super) fn page(&mut self, file: &'static str, digest: &Digest, has_chart: bool) -> String {
        let values = context! { d => Value::from(Serde(digest)), has_chart, cid => CHART_CID };
        for name in self.templates.names(file) {
            match self.environment.get_template(&name).and_then(|template| template.render(values.clone())) {
                Ok(page) => return page,
                Err(error) => self.record_error(format!("{name}: {}", describe(&error))),
            }
        }
        if file.ends_with(".html") {
            format!("<p>{}</p>", minijinja::HtmlEscape(&digest.summary))
        } else {
            digest.summary.clone()
        }
    }

    pub(super) fn into_errors(self) -> Vec<String> {
        self.errors
    }

    /// Records an error once: a sentence may be rendered for many posts.
    fn record_error(&mut self, error: String) {
        if !self.errors.contains(&error) {
            self.errors.push(error);
        }
    }

    fn call(&mut self, name: &str, arguments: &[Value]) -> String {
        let file = match self.language {
            Language::English => "en.jinja",
            Language::French => "fr.jinja",
        };
        for template in self.templates.names(file) {
            match self.try_call(&template, name, arguments) {
                Ok(Some(text)) => return text,
                Ok(None) => {}
                Err(error) => self.record_error(format!("{template}: {name}: {}", describe(&error))),
            }
        }
        String::new()
    }

    /// None where the template has no such macro.
    fn try_call(&self, template: &str, name: &str, arguments: &[Value]) -> Result<Option<String>, Error> {
        let mut captured = self.environment.get_template(template)?.render_captured(context! {})?;
        captured.with_state_mut(|state| match state.lookup(name) {
            None => Ok(None),
            Some(_) => state.call_macro(name, arguments).map(Some),
        })
    }
}

impl Templates {
    /// The errors of the configuration's template `name`: unknown macros, or a failure on a sample notification.
    pub(super) fn check_template(&self, name: &str) -> Vec<String> {
        let mut errors = Vec::new();
        let language = if name == "fr.jinja" { Language::French } else { Language::English };
        if name.ends_with(".jinja") {
            match self.macros(language, name) {
                Ok(unknown) => errors.extend(unknown.into_iter().map(|name| {
                    format!("`{name}` is not a sentence of messages; start the name of your own macro with `_`")
                })),
                Err(error) => errors.push(describe(&error)),
            }
        }
        for notification in super::sample::all() {
            for error in super::render(&notification, language, self).template_errors {
                // The caller names the file.
                let reason = error.strip_prefix(name).and_then(|rest| rest.strip_prefix(": ")).map(str::to_owned);
                errors.extend(reason.filter(|reason| !errors.contains(reason)));
            }
        }
        errors
    }

    /// The macros of the configuration's template that the embedded one does not have.
    fn macros(&self, language: Language, name: &str) -> Result<Vec<String>, Error> {
        let names = |template: &str| -> Result<Vec<String>, Error> {
            let captured = self.environment(language).get_template(template)?.render_captured(context! {})?;
            Ok(captured.state().exports().into_iter().map(str::to_owned).collect())
        };
        let known = names(&format!("vigie/{name}"))?;
        if known.is_empty() {
            return Err(Error::new(ErrorKind::TemplateNotFound, "the embedded template has no sentences"));
        }
        Ok(names(name)?.into_iter().filter(|name| !known.contains(name)).collect())
    }
}
