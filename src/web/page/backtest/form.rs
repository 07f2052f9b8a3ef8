//! [`BacktestForm`]: what the address of the page asks for: which rule with which values, on which posts. What cannot be used stays in
//! the form, with its error.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::settings::RuleForm;
use crate::config::LoadedConfig;
use crate::language::Language;
use crate::rule::AlertingRule;

/// Longest range in days.
const MAX_DAYS: i64 = 92;
/// Length of the range that is filled in first, in days: as much is usually stored before it, for the rules to learn from.
const USUAL_DAYS: i64 = 14;

/// What the form depends on besides the address.
pub(super) struct Surroundings<'a> {
    pub(super) loaded: &'a LoadedConfig,
    /// Topics with stored posts.
    pub(super) topics: Vec<String>,
    /// When the oldest and the newest stored post were written.
    pub(super) stored: Option<(Timestamp, Timestamp)>,
    pub(super) now: Timestamp,
    pub(super) zone: &'a TimeZone,
    pub(super) language: Language,
}

/// A field of the form, and what is wrong with it.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(super) struct Entry {
    pub(super) value: String,
    pub(super) error: Option<String>,
}

/// See the module.
#[derive(Debug)]
pub(super) struct BacktestForm {
    /// Rules that stored posts can decide on.
    pub(super) rules: Vec<String>,
    pub(super) rule: Entry,
    pub(super) topics: Vec<String>,
    /// Empty: all topics.
    pub(super) topic: Entry,
    pub(super) since: Entry,
    pub(super) until: Entry,
    pub(super) settings: Option<RuleForm>,
    /// The result is asked for, not the form alone.
    pub(super) is_run: bool,
    pub(super) asked: Option<Asked>,
}

/// A form without errors.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Asked {
    pub(super) changed: AlertingRule,
    pub(super) topic: Option<String>,
    pub(super) since: Timestamp,
    pub(super) until: Timestamp,
}

impl BacktestForm {
    /// # Errors
    /// When a rule cannot be represented in TOML.
    pub(super) fn read(parameters: &[(String, String)], around: &Surroundings<'_>) -> Result<Self, toml::ser::Error> {
        let find = |name: &str| parameters.iter().find(|(found, _)| found == name).map(|(_, value)| value.clone());
        let about_posts = || around.loaded.rules.rules.iter().filter(|rule| !rule.condition.is_topicless());
        let rules: Vec<String> = about_posts().map(|rule| rule.name.clone()).collect();
        let is_run = find("run").is_some();
        let text = |english: &str, french: &str| around.text(english, french);

        let name = find("rule").filter(|name| !name.is_empty()).or_else(|| rules.first().cloned()).unwrap_or_default();
        let chosen = about_posts().find(|rule| rule.name == name);
        let error = match chosen {
            Some(_) => None,
            None if rules.is_empty() => None,
            None if around.loaded.rules.rules.iter().any(|rule| rule.name == name) => Some(text(
                "this rule is about vigie itself; stored posts do not decide when it fires",
                "cette règle concerne vigie elle-même\u{a0}: les messages enregistrés ne la déclenchent pas",
            )),
            None => {
                Some(text("unknown rule; choose one of the list", "règle inconnue\u{a0}; choisissez dans la liste"))
            }
        };
        let rule = Entry { value: name, error };

        let topic = find("topic").unwrap_or_default();
        let is_known = topic.is_empty() || around.topics.contains(&topic);
        let error = text("no posts of this topic are stored", "aucun message de ce sujet n’est enregistré");
        let topic = Entry { value: topic, error: (!is_known).then_some(error) };

        let (since, until, range) = around.range(find("since"), find("until"));
        let mut settings = chosen.map(|rule| RuleForm::new(rule, around.language)).transpose()?;
        let changed = settings.as_mut().and_then(|settings| {
            settings.fill(&find);
            settings.rule(around.loaded.config.window.bucket)
        });
        let asked = match (changed, range) {
            (Some(changed), Some((since, until))) if topic.error.is_none() => {
                let topic = Some(topic.value.clone()).filter(|topic| !topic.is_empty());
                Some(Asked { changed, topic, since, until })
            }
            _ => None,
        };
        let topics = around.topics.clone();
        Ok(Self { rules, rule, topics, topic, since, until, settings, is_run, asked })
    }
}

impl Surroundings<'_> {
    fn text(&self, english: &str, french: &str) -> String {
        if self.language == Language::French { french } else { english }.to_owned()
    }

    /// The fields of the range, and the range if they are sound.
    fn range(&self, since: Option<String>, until: Option<String>) -> (Entry, Entry, Option<(Timestamp, Timestamp)>) {
        let (usual_since, usual_until) = self.usual_range();
        let read = |typed: Option<String>, usual: Timestamp| {
            let typed = typed.filter(|typed| !typed.is_empty());
            let found = typed.as_ref().map_or(Some(usual), |typed| self.time(typed));
            // A time that is understood is shown as the browser's field wants it.
            let value = found.map_or_else(|| typed.unwrap_or_default(), |time| self.local(time));
            (Entry { value, error: found.is_none().then(|| self.expected_time()) }, found)
        };
        let (mut since, from) = read(since, usual_since);
        let (mut until, to) = read(until, usual_until);
        let (Some(from), Some(to)) = (from, to) else { return (since, until, None) };
        // Nothing is known of the future, and time without posts would be a silence.
        let to = to.min(self.now);
        if from >= to {
            let english = "the range ends before it begins, or lies in the future";
            until.error = Some(self.text(english, "la période finit avant de commencer, ou est à venir"));
            return (since, until, None);
        }
        if to.duration_since(from) > SignedDuration::from_hours(24 * MAX_DAYS) {
            since.error = Some(match self.language {
                Language::English => format!("the range is longer than {MAX_DAYS} days; begin later"),
                Language::French => format!("la période dépasse {MAX_DAYS}\u{a0}jours\u{a0}; commencez plus tard"),
            });
            return (since, until, None);
        }
        (since, until, Some((from, to)))
    }

    /// The last two weeks of the stored posts.
    fn usual_range(&self) -> (Timestamp, Timestamp) {
        const HOUR: i64 = 3_600;
        let (oldest, newest) = self.stored.unwrap_or((self.now, self.now));
        let at = |second: i64| Timestamp::from_second(second).unwrap_or(self.now);
        // The minute of the newest post is a part of it.
        let until = newest.as_second() - newest.as_second().rem_euclid(60) + 60;
        let first = (until - USUAL_DAYS * 24 * HOUR).max(oldest.as_second() - HOUR);
        (at(first - first.rem_euclid(HOUR)), at(until))
    }

    /// A time in the zone of the page, a day, or a time with its own zone.
    fn time(&self, typed: &str) -> Option<Timestamp> {
        let typed = typed.trim();
        let local = || typed.parse::<DateTime>().ok()?.to_zoned_datetime(self.zone.clone()).ok();
        typed.parse().ok().or_else(|| Some(local()?.timestamp()))
    }

    /// As a field of `type="datetime-local"` has it.
    fn local(&self, time: Timestamp) -> String {
        time.to_zoned_datetime(self.zone.clone()).strftime("%Y-%m-%dT%H:%M").to_string()
    }

    fn expected_time(&self) -> String {
        self.text("expected a time, such as 2026-11-28T09:00", "date et heure attendues, par exemple 2026-11-28T09:00")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn read(address: &str, language: Language) -> BacktestForm {
        let repository = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let loaded = LoadedConfig::find(Some(&repository.join("config/vigie.toml")), None).unwrap();
        let zone = TimeZone::get("Europe/Paris").unwrap();
        let around = Surroundings {
            loaded: &loaded,
            topics: vec!["Air Paradis".into()],
            stored: Some((at("2026-11-20T08:10:00Z"), at("2026-11-28T08:10:20Z"))),
            now: at("2026-11-28T12:00:00Z"),
            zone: &zone,
            language,
        };
        let parameters: Vec<(String, String)> = form_urlencoded::parse(address.as_bytes()).into_owned().collect();
        BacktestForm::read(&parameters, &around).unwrap()
    }

    #[test]
    fn the_form_is_filled_with_the_first_rule_and_the_last_two_weeks() {
        let form = read("", Language::English);
        assert_eq!(form.rules, ["NegativeRising", "ManyPosts", "NoPosts"], "not those about vigie itself");
        assert_eq!(form.rule, Entry { value: "NegativeRising".into(), error: None });
        // In the zone of the page; no earlier than the first stored post.
        assert_eq!((form.since.value.as_str(), form.until.value.as_str()), ("2026-11-20T08:00", "2026-11-28T09:11"));
        let asked = form.asked.unwrap();
        assert_eq!(asked.until, at("2026-11-28T08:11:00Z"));
        assert!(asked.topic.is_none() && !form.is_run);
    }

    #[test]
    fn an_address_holds_everything() {
        let address = "rule=ManyPosts&topic=Air+Paradis&since=2026-11-21T10:00&until=2026-11-22&for=5m&condition.min_posts=9&run=1";
        let form = read(address, Language::English);
        let asked = form.asked.unwrap();
        assert_eq!((asked.changed.name.as_str(), asked.changed.hold), ("ManyPosts", SignedDuration::from_mins(5)));
        assert_eq!(asked.topic.as_deref(), Some("Air Paradis"));
        assert_eq!((asked.since, asked.until), (at("2026-11-21T09:00:00Z"), at("2026-11-21T23:00:00Z")));
        assert!(form.is_run);
        let zoned = read("since=2026-11-21T10:00:00Z&until=2027-01-01", Language::English).asked.unwrap();
        assert_eq!(zoned.since, at("2026-11-21T10:00:00Z"));
        assert_eq!(zoned.until, at("2026-11-28T12:00:00Z"), "not beyond now");
    }

    #[test]
    fn what_cannot_be_used_is_named_beside_its_field() {
        for language in [Language::English, Language::French] {
            let form = |address| read(address, language);
            assert!(form("rule=Nothing").rule.error.is_some());
            assert!(form("rule=PipelineErrors").rule.error.is_some_and(|error| error.contains("vigie")));
            assert!(form("topic=Elsewhere").topic.error.is_some());
            assert!(form("since=yesterday").since.error.is_some());
            assert_eq!(form("since=yesterday").since.value, "yesterday", "it can be corrected");
            assert!(form("since=2026-11-27&until=2026-11-26").until.error.is_some());
            assert!(form("since=2030-01-01").until.error.is_some(), "in the future");
            assert!(form("since=2020-01-01").since.error.is_some_and(|error| error.contains("92")));
            assert!(form("since=-9999-01-01T00:00&until=9999-12-31").since.error.is_some());
            for address in ["rule=Nothing", "topic=Elsewhere", "since=yesterday", "since=2020-01-01", "for=abc"] {
                assert_eq!(form(address).asked, None, "{address}");
            }
        }
    }
}
