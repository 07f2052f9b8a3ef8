//! [`RuleForm`]: the values of a rule that a person may change, as fields of a form; and the rule that the form describes.
//!
//! ```text
//!   rule --> TOML tree --> fields, filled with its values --> what was typed --> TOML tree --> changed rule, or errors
//! ```
//!
//! The shape of the rule stays: which conditions it has, and what they compare with. A field is named by its key, as errors of the
//! configuration name it, such as `condition.any[0].window`.

use jiff::SignedDuration;
use serde::Serialize;
use toml::Value;

use super::field::{Field, Kind, Step, find, find_text, name_of, set};
use super::rule_text;
use super::wording::{condition_title, expected, label};
use crate::language::Language;
use crate::rule::AlertingRule;

/// The fields of the rule itself, or of one of its conditions.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Group {
    pub(super) title: &'static str,
    pub(super) fields: Vec<Field>,
}

/// See the module.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct RuleForm {
    tree: Value,
    language: Language,
    pub(super) groups: Vec<Group>,
    /// An error that belongs to none of the fields.
    pub(super) error: Option<String>,
}

/// Keys of a rule: their path, what is typed, and whether they may be missing.
const OF_RULE: [(&[&str], Kind, bool); 4] = [
    (&["for"], Kind::Duration, false),
    (&["keep_firing_for"], Kind::Duration, false),
    (&["max_open"], Kind::Duration, true),
    (&["labels", "severity"], Kind::Severity, true),
];

/// Keys of conditions. A condition has those that its own table has.
const OF_CONDITION: [(&[&str], Kind); 22] = [
    (&["at_least"], Kind::Duration),
    (&["above"], Kind::Number),
    (&["recover_below"], Kind::Number),
    (&["above", "baseline"], Kind::Past),
    (&["above", "margin"], Kind::Number),
    (&["above", "recover_margin"], Kind::Number),
    (&["above", "times"], Kind::Number),
    (&["above", "false_alarm_every"], Kind::Duration),
    (&["above", "rest"], Kind::Duration),
    (&["above", "step"], Kind::Duration),
    (&["above", "min_posts"], Kind::Count),
    (&["false_alarm_every"], Kind::Duration),
    (&["lift"], Kind::Numbers),
    (&["times"], Kind::Numbers),
    (&["window"], Kind::Duration),
    (&["min_posts"], Kind::Count),
    (&["min_votes"], Kind::Number),
    (&["confidence"], Kind::Number),
    (&["rest"], Kind::Duration),
    (&["step"], Kind::Duration),
    (&["count"], Kind::Count),
    (&["within"], Kind::Duration),
];

impl RuleForm {
    /// The fields of `rule`, with its values.
    ///
    /// # Errors
    /// When the rule cannot be represented in TOML.
    pub(super) fn new(rule: &AlertingRule, language: Language) -> Result<Self, toml::ser::Error> {
        let tree = Value::try_from(rule)?;
        let mut form = Self { tree, language, groups: Vec::new(), error: None };
        let whole = OF_RULE.iter().filter_map(|(path, kind, optional)| form.field(&[], path, *kind, *optional));
        let whole = Group { title: label("rule", language), fields: whole.collect() };
        form.groups.push(whole);
        form.add_condition(&[Step::Key("condition")]);
        Ok(form)
    }

    /// Adds the fields of the condition at `path`, or of its parts.
    fn add_condition(&mut self, path: &[Step]) {
        let Some(condition) = find(&self.tree, path) else { return };
        for key in ["any", "all"] {
            let parts = condition.get(key).and_then(Value::as_array).map_or(0, Vec::len);
            if parts > 0 {
                let at = |part| path.iter().cloned().chain([Step::Key(key), Step::Item(part)]).collect::<Vec<_>>();
                (0..parts).for_each(|part| self.add_condition(&at(part)));
                return;
            }
        }
        let text = |key: &str| condition.get(key).and_then(Value::as_str).unwrap_or_default();
        let (kind, of) = (text("type").to_owned(), text("of").to_owned());
        let is_meant = |keys: &[&str]| match keys {
            // Of the sizes of shift only those that this condition tests.
            ["lift"] => of != "negative_volume",
            ["times"] => of == "negative_volume",
            // A seasonal number is compared by chance alone.
            ["above", "baseline"] => kind != "negative_volume" || find_text(condition, keys) != Some("seasonal"),
            _ => true,
        };
        let above = condition.get("above");
        let may_be_missing = |keys: &[&str]| match keys {
            ["recover_below"] => kind == "negative_rate" && above.is_some_and(|above| !above.is_table()),
            ["above", "recover_margin"] => above.is_some_and(|above| above.get("margin").is_some()),
            _ => false,
        };
        let meant = OF_CONDITION.iter().filter(|(keys, _)| is_meant(keys));
        let fields = meant.filter_map(|(keys, kind)| self.field(path, keys, *kind, may_be_missing(keys))).collect();
        let title = condition_title(&kind, &of, self.language);
        self.groups.push(Group { title, fields });
    }

    /// The field of the value at `keys` within `path`; none where the rule has no such value.
    fn field(&self, path: &[Step], keys: &[&'static str], kind: Kind, optional: bool) -> Option<Field> {
        let path: Vec<Step> = path.iter().cloned().chain(keys.iter().map(|key| Step::Key(key))).collect();
        let last = keys.last().copied().unwrap_or_default();
        let found = find(&self.tree, &path).filter(|value| !value.is_table());
        if found.is_none() && !optional {
            return None;
        }
        let present = found.map(|value| rule_text::plain(last, value)).unwrap_or_default();
        let name = name_of(&path);
        let label = label(last, self.language);
        Some(Field { name, label, kind, value: present.clone(), present, optional, error: None, path })
    }

    /// Takes over what was typed; fields that `typed` does not have keep their values.
    pub(super) fn fill(&mut self, typed: &dyn Fn(&str) -> Option<String>) {
        for field in self.groups.iter_mut().flat_map(|group| &mut group.fields) {
            if let Some(text) = typed(&field.name) {
                text.trim().clone_into(&mut field.value);
            }
        }
    }

    /// The rule that the fields describe. None where one of them has an error, which it then shows.
    pub(super) fn rule(&mut self, bucket: SignedDuration) -> Option<AlertingRule> {
        let (mut tree, language) = (self.tree.clone(), self.language);
        let mut is_sound = true;
        for field in self.groups.iter_mut().flat_map(|group| &mut group.fields) {
            // An unchanged value is taken as it is: the text may round it.
            if field.value == field.present {
                continue;
            }
            match field.parse() {
                Ok(value) => set(&mut tree, &field.path, value),
                Err(()) => {
                    is_sound = false;
                    field.error = Some(expected(field.kind, &field.name, bucket, language));
                }
            }
        }
        if !is_sound {
            return None;
        }
        let rule: AlertingRule = match tree.try_into() {
            Ok(rule) => rule,
            Err(error) => {
                self.error = Some(error.message().to_owned());
                return None;
            }
        };
        let problems = rule.validate(bucket);
        problems.iter().for_each(|problem| self.place(problem, bucket));
        problems.is_empty().then_some(rule)
    }

    /// Shows a problem of the rule at the field that it names.
    fn place(&mut self, problem: &str, bucket: SignedDuration) {
        let language = self.language;
        let own = problem.split_once("`: ").map_or(problem, |(_, own)| own);
        let (name, what) = own.split_once(": ").unwrap_or(("", own));
        let field = self.groups.iter_mut().flat_map(|group| &mut group.fields).find(|field| field.name == name);
        match (field, language) {
            // The rules explain their problems in English.
            (Some(field), Language::English) => field.error = Some(what.to_owned()),
            (Some(field), Language::French) => {
                field.error = Some(expected(field.kind, &field.name, bucket, language));
            }
            (None, _) => self.error = Some(own.to_owned()),
        }
    }

    /// Whether a value differs from the rule in use.
    pub(super) fn is_changed(&self) -> bool {
        self.groups.iter().flat_map(|group| &group.fields).any(|field| field.value != field.present)
    }
}

#[cfg(test)]
mod tests;
