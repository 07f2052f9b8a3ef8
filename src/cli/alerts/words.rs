//! What `vigie alerts` prints, in both languages.

use std::fmt::Write as _;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::super::printable;
use crate::language::Language;
use crate::notify::Silence;
use crate::notify::dispatch::{AlertEntry, IncidentView};

/// Longest sample that is shown, in characters.
const SAMPLE: usize = 120;

pub(super) struct Words {
    french: bool,
    zone: TimeZone,
}

impl Words {
    pub(super) fn new(language: Language, zone: &str) -> Self {
        Self { french: language == Language::French, zone: TimeZone::get(zone).unwrap_or(TimeZone::UTC) }
    }

    fn t<'a>(&self, english: &'a str, french: &'a str) -> &'a str {
        if self.french { french } else { english }
    }

    fn time(&self, time: Timestamp) -> String {
        time.to_zoned_datetime(self.zone.clone()).strftime("%Y-%m-%d %H:%M").to_string()
    }

    pub(super) fn list(&self, now: Timestamp, incidents: &[IncidentView], silences: &[Silence]) -> String {
        let mut text = String::new();
        if incidents.is_empty() {
            text += self.t("Nothing fires.\n", "Aucune alerte en cours.\n");
        }
        for incident in incidents {
            let about: Vec<&str> = incident.group.values().map(String::as_str).collect();
            let state = match (incident.is_firing(), &incident.acknowledged) {
                (false, _) => self.t("over", "terminé").to_owned(),
                (true, Some(who)) => format!("{} {}", self.t("acknowledged by", "pris en charge par"), who.by),
                (true, None) => self.t("fires", "en cours").to_owned(),
            };
            let lasts = lasted(incident.incident.ended_at.unwrap_or(now).duration_since(incident.incident.started_at));
            let since = self.time(incident.incident.started_at);
            let id = &incident.incident.id;
            let _ = writeln!(text, "{id:<11} {state:<10} {since}  {lasts:>9}  {}", about.join(", "));
            for entry in incident.alerts.iter().filter(|entry| entry.alert.ends_at.is_none() || !incident.is_firing()) {
                let _ = writeln!(text, "            {}: {}", entry.alert.rule, self.summary(entry));
            }
        }
        if !silences.is_empty() {
            let _ = writeln!(text, "\n{}", self.t("Silences", "Silences"));
        }
        for silence in silences {
            let _ = write!(text, "{}", self.silence(silence));
        }
        text
    }

    fn summary(&self, entry: &AlertEntry) -> String {
        let annotations = &entry.alert.annotations;
        let french = annotations.get("summary_fr").filter(|_| self.french);
        let mut summary = printable(french.or_else(|| annotations.get("summary")).map_or("", String::as_str), 160);
        for (by, why) in [
            (&entry.silenced_by, self.t("silenced by", "réduite au silence par")),
            (&entry.inhibited_by, self.t("kept quiet by", "tue à cause de")),
        ] {
            if let Some(by) = by {
                let _ = write!(summary, " [{why} {by}]");
            }
        }
        summary
    }

    pub(super) fn incident(&self, view: &IncidentView) -> String {
        let incident = &view.incident;
        let state = if view.is_firing() { self.t("fires", "en cours") } else { self.t("over", "terminé") };
        let mut text = format!("{} {state}\n", incident.id);
        let mut row = |name: &str, value: String| {
            let _ = writeln!(text, "  {name:<14}{value}");
        };
        for (name, value) in &view.group {
            row(name, value.clone());
        }
        row(self.t("since", "depuis"), self.time(incident.started_at));
        if let Some(ended) = incident.ended_at {
            let lasted = lasted(ended.duration_since(incident.started_at));
            row(self.t("over", "terminé"), format!("{} ({lasted})", self.time(ended)));
        }
        if let Some(who) = &view.acknowledged {
            row(self.t("acknowledged", "pris en charge"), format!("{}, {}", who.by, self.time(who.at)));
        }
        for (name, telling) in &view.told {
            let last = telling.last.map_or_else(|| self.t("not yet", "pas encore").to_owned(), |last| self.time(last));
            let fault = telling.fault.as_ref().map(|fault| format!(" – {}", printable(fault, 160))).unwrap_or_default();
            let count = telling.notifications;
            row(
                self.t("told", "prévenu"),
                format!("{name}: {count} {}, {last}{fault}", self.t("messages", "messages")),
            );
        }
        for entry in &view.alerts {
            text += &self.alert(entry);
        }
        text
    }

    fn alert(&self, entry: &AlertEntry) -> String {
        let alert = &entry.alert;
        let severity = alert.labels.get("severity").map_or("", String::as_str);
        let state = if alert.ends_at.is_some() { self.t("over", "terminée") } else { severity };
        let mut text = format!("\n{} ({state})\n  {}\n", alert.rule, self.summary(entry));
        if alert.is_rate || alert.latest.posts > 0 {
            for (name, measured) in [
                (self.t("when it fired", "au début"), &alert.fired_on),
                (self.t("at its worst", "au pire"), &alert.peak),
                (self.t("now", "maintenant"), &alert.latest),
            ] {
                let (negative, posts) = (measured.negative, measured.posts);
                let of = self.t("of", "sur");
                let _ = writeln!(text, "  {name:<14}{negative} {of} {posts} ({:.0} %)", measured.rate * 100.0);
            }
        }
        explain(&alert.explanation, 1, &mut text);
        for sample in &alert.samples {
            let _ = writeln!(text, "  > {}", printable(&sample.text, SAMPLE));
        }
        text
    }

    fn silence(&self, silence: &Silence) -> String {
        let matchers: Vec<String> = silence.matchers.iter().map(ToString::to_string).collect();
        let (until, by) = (self.t("until", "jusqu’à"), self.t("by", "par"));
        let (end, who, comment) = (self.time(silence.ends_at), &silence.by, printable(&silence.comment, 120));
        format!("{:<11} {}  {until} {end}, {by} {who}: {comment}\n", silence.id, matchers.join(", "))
    }

    pub(super) fn silenced(&self, silence: &Silence) -> String {
        self.silence(silence)
    }

    pub(super) fn acknowledged(&self, id: &str) -> String {
        let what = self.t(
            "is acknowledged: no more reminders; its end is told",
            "est pris en charge : plus de rappels ; la fin sera annoncée",
        );
        format!("{} {what}", id.to_ascii_uppercase())
    }

    pub(super) fn taken_back(&self, id: &str) -> String {
        let what = self.t("is not acknowledged any more", "n’est plus pris en charge");
        format!("{} {what}", id.to_ascii_uppercase())
    }

    pub(super) fn unsilenced(&self, id: &str) -> String {
        let what = self.t("has ended: what still fires is told", "a pris fin : ce qui dure encore est annoncé");
        format!("{} {what}", id.to_ascii_uppercase())
    }
}

/// The numbers that decided, a line each, as deep as conditions are combined.
fn explain(explanation: &crate::rule::Explanation, depth: usize, text: &mut String) {
    if explanation.condition.is_empty() {
        return;
    }
    let holds = if explanation.holds { "" } else { " (-)" };
    let numbers: Vec<String> =
        explanation.numbers.iter().map(|(name, number)| format!("{name} {}", short(*number))).collect();
    let indent = "  ".repeat(depth);
    let _ = writeln!(text, "{indent}{}{holds}: {}", explanation.condition, numbers.join(", "));
    explanation.parts.iter().for_each(|part| explain(part, depth + 1, text));
}

fn short(number: f64) -> String {
    let text = format!("{number:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// `2 h 10 min`.
fn lasted(length: SignedDuration) -> String {
    let minutes = length.as_mins().max(0);
    match (minutes / 1_440, minutes / 60 % 24, minutes % 60) {
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, minutes) => format!("{hours} h {minutes:02}"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::notify::dispatch::Telling;
    use crate::notify::{Acknowledged, SampleKind, sample};

    fn incident() -> IncidentView {
        let told = sample("desk", SampleKind::Opened, "2026-11-24T12:00:00Z".parse().unwrap(), None);
        let telling =
            Telling { notifications: 2, last: Some(told.at), fault: Some("HTTP 401".into()), escalated: false };
        let entry = |alert| AlertEntry { alert, silenced_by: Some("S-AAAA".into()), inhibited_by: None };
        IncidentView {
            incident: told.incident,
            group: told.group,
            acknowledged: Some(Acknowledged { by: "ann".into(), at: told.at }),
            alerts: told.alerts.into_iter().map(entry).collect(),
            told: BTreeMap::from([("desk".to_owned(), telling)]),
        }
    }

    #[test]
    fn a_list_and_an_incident_say_what_is_needed_in_both_languages() {
        let now = "2026-11-24T12:30:00Z".parse().unwrap();
        let english = Words::new(Language::English, "Europe/Paris");
        let list = english.list(now, &[incident()], &[]);
        for wanted in ["TEST-1124", "acknowledged by ann", "silenced by S-AAAA"] {
            assert!(list.contains(wanted), "{wanted} is not in\n{list}");
        }
        let shown = english.incident(&incident());
        for wanted in ["2026-11-24 13:00", "desk: 2 messages", "HTTP 401", "when it fired"] {
            assert!(shown.contains(wanted), "{wanted} is not in\n{shown}");
        }
        let french = Words::new(Language::French, "Europe/Paris");
        assert!(french.list(now, &[], &[]).contains("Aucune"));
        assert!(french.incident(&incident()).contains("pris en charge"));
    }

    #[test]
    fn lengths_are_as_people_say_them() {
        let said = |minutes| lasted(SignedDuration::from_mins(minutes));
        assert_eq!([said(0), said(130), said(1_500)], ["0 min", "2 h 10", "1 d 1 h"]);
    }
}
