//! The text output of `vigie alerts`, in English and French.

use std::fmt::Write as _;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::super::printable;
use crate::language::Language;
use crate::notify::Silence;
use crate::notify::dispatch::{AlertEntry, HistoryEvent, IncidentView};
use crate::rule::{CLOSED_AFTER_HOURS, LEARNED_HOURS};

/// Maximum number of characters shown of a sample post.
const MAX_SAMPLE_CHARS: usize = 120;

pub(super) struct AlertsText {
    french: bool,
    zone: TimeZone,
}

impl AlertsText {
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
            text += self.t("No firing incidents.\n", "Aucun incident en cours.\n");
        }
        for incident in incidents {
            let about: Vec<&str> = incident.group.values().map(String::as_str).collect();
            let state = match (incident.is_firing(), &incident.acknowledged) {
                (false, _) => self.t("resolved", "terminé").to_owned(),
                (true, Some(who)) => format!("{} {}", self.t("acknowledged by", "pris en charge par"), who.by),
                (true, None) => self.t("firing", "en cours").to_owned(),
            };
            let lasts =
                format_duration(incident.incident.ended_at.unwrap_or(now).duration_since(incident.incident.started_at));
            let since = self.time(incident.incident.started_at);
            let id = &incident.incident.id;
            let _ = writeln!(text, "{id:<11} {state:<10} {since}  {lasts:>9}  {}", about.join(", "));
            for entry in incident.alerts.iter().filter(|entry| entry.alert.ends_at.is_none() || !incident.is_firing()) {
                let _ = writeln!(text, "            {}: {}", entry.alert.rule, self.summary(entry));
            }
        }
        if !silences.is_empty() {
            let _ = writeln!(text, "\n{}", self.t("Silences", "Mises en sourdine"));
        }
        for silence in silences {
            let _ = write!(text, "{}", self.silence(silence));
        }
        text
    }

    /// `1 message`, `2 messages`; French uses the singular for 0 too.
    fn messages(&self, count: u32) -> String {
        let is_singular = count == 1 || (count == 0 && self.french);
        format!("{count} {}", if is_singular { "message" } else { "messages" })
    }

    fn severity<'a>(&self, severity: &'a str) -> &'a str {
        match severity {
            "critical" => self.t(severity, "crise"),
            "warning" => self.t(severity, "vigilance"),
            severity => severity,
        }
    }

    fn summary(&self, entry: &AlertEntry) -> String {
        let annotations = &entry.alert.annotations;
        let french = annotations.get("summary_fr").filter(|_| self.french);
        let mut summary = printable(french.or_else(|| annotations.get("summary")).map_or("", String::as_str), 160);
        for (by, why) in [
            (&entry.silenced_by, self.t("silenced by", "en sourdine :")),
            (&entry.inhibited_by, self.t("inhibited by", "masquée par l’alerte")),
        ] {
            if let Some(by) = by {
                let _ = write!(summary, " [{why} {by}]");
            }
        }
        let number = |name| entry.alert.explanation.number(name);
        if number(LEARNED_HOURS).is_some() {
            let why = self.t(
                "day 1 of 2 of learning: fixed limits only",
                "jour 1 sur 2 de l’apprentissage\u{a0}: limites fixes seulement",
            );
            let _ = write!(summary, " [{why}]");
        }
        if let Some(hours) = number(CLOSED_AFTER_HOURS) {
            let (closed, not_over) = (self.t("closed after", "close après"), self.t("not over", "sans être terminée"));
            let _ = write!(summary, " [{closed} {} h, {not_over}]", format_number(hours));
        }
        summary
    }

    pub(super) fn incident(&self, view: &IncidentView) -> String {
        let incident = &view.incident;
        let state = if view.is_firing() { self.t("firing", "en cours") } else { self.t("resolved", "terminé") };
        let mut text = format!("{} {state}\n", incident.id);
        let mut row = |name: &str, value: String| {
            let _ = writeln!(text, "  {name:<16}{value}");
        };
        for (name, value) in &view.group {
            row(name, value.clone());
        }
        row(self.t("since", "depuis"), self.time(incident.started_at));
        if let Some(ended) = incident.ended_at {
            let lasted = format_duration(ended.duration_since(incident.started_at));
            row(self.t("resolved", "terminé"), format!("{} ({lasted})", self.time(ended)));
        }
        if let Some(who) = &view.acknowledged {
            let comment =
                if who.comment.is_empty() { String::new() } else { format!(" – {}", printable(&who.comment, 320)) };
            row(self.t("acknowledged", "pris en charge"), format!("{}, {}{comment}", who.by, self.time(who.at)));
        }
        for (name, delivery) in &view.deliveries {
            let last = delivery.last.map_or_else(|| self.t("not yet", "pas encore").to_owned(), |last| self.time(last));
            let error =
                delivery.error.as_ref().map(|error| format!(" – {}", printable(error, 160))).unwrap_or_default();
            let messages = self.messages(delivery.notifications);
            let colon = self.t(":", "\u{a0}:");
            row(self.t("notified", "notifié"), format!("{name}{colon} {messages}, {last}{error}"));
        }
        for entry in &view.history {
            if let HistoryEvent::Noted { by, text: note } = &entry.event {
                row(self.t("note", "note"), format!("{by}, {} – {}", self.time(entry.at), printable(note, 4_000)));
            }
        }
        for entry in &view.alerts {
            text += &self.alert(entry);
        }
        text
    }

    fn alert(&self, entry: &AlertEntry) -> String {
        let alert = &entry.alert;
        let severity = alert.labels.get("severity").map_or("", String::as_str);
        let state = if alert.ends_at.is_some() { self.t("resolved", "terminée") } else { self.severity(severity) };
        let mut text = format!("\n{} ({state})\n  {}\n", alert.rule, self.summary(entry));
        if alert.is_rate || alert.latest.posts > 0 {
            for (name, measured) in [
                (self.t("when it fired", "au début"), &alert.fired_on),
                (self.t("peak", "au plus haut"), &alert.peak),
                (self.t("now", "maintenant"), &alert.latest),
            ] {
                let (negative, posts) = (measured.negative, measured.posts);
                let of = self.t("of", "sur");
                let (share, sign) = (measured.rate * 100.0, self.t("%", "\u{a0}%"));
                let _ = writeln!(text, "  {name:<16}{negative} {of} {posts} ({share:.0}{sign})");
            }
        }
        write_explanation(&alert.explanation, 1, &mut text);
        for sample in &alert.samples {
            let _ = writeln!(text, "  > {}", printable(&sample.text, MAX_SAMPLE_CHARS));
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
            "acknowledged: no more reminders; the resolved notification is still sent",
            "pris en charge\u{a0}: plus de rappels\u{a0}; la fin de l’incident sera annoncée",
        );
        format!("{} {what}", id.to_ascii_uppercase())
    }

    pub(super) fn noted(&self, id: &str) -> String {
        format!("{} {}", id.to_ascii_uppercase(), self.t("note added", "note ajoutée"))
    }

    pub(super) fn unacknowledged(&self, id: &str) -> String {
        let what = self.t("acknowledgement removed", "prise en charge annulée");
        format!("{} {what}", id.to_ascii_uppercase())
    }

    pub(super) fn unsilenced(&self, id: &str) -> String {
        let what = self
            .t("ended: alerts that still fire are sent", "terminée\u{a0}: les alertes encore actives sont envoyées");
        format!("{} {what}", id.to_ascii_uppercase())
    }
}

/// Writes the numbers of each condition on a line, indented by nesting.
fn write_explanation(explanation: &crate::rule::Explanation, depth: usize, text: &mut String) {
    if explanation.condition.is_empty() {
        return;
    }
    let holds = if explanation.holds { "" } else { " (-)" };
    let numbers: Vec<String> =
        explanation.numbers.iter().map(|(name, number)| format!("{name} {}", format_number(*number))).collect();
    let indent = "  ".repeat(depth);
    let _ = writeln!(text, "{indent}{}{holds}: {}", explanation.condition, numbers.join(", "));
    explanation.parts.iter().for_each(|part| write_explanation(part, depth + 1, text));
}

fn format_number(number: f64) -> String {
    let text = format!("{number:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// `2 h 10 min`.
fn format_duration(length: SignedDuration) -> String {
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
    use crate::notify::dispatch::{DeliveryView, HistoryEntry};
    use crate::notify::{Acknowledged, SampleKind, sample};

    fn incident() -> IncidentView {
        let sample = sample("desk", SampleKind::Opened, "2026-11-24T12:00:00Z".parse().unwrap(), None);
        let delivery =
            DeliveryView { notifications: 2, last: Some(sample.at), error: Some("HTTP 401".into()), escalated: false };
        let entry = |alert| AlertEntry { alert, silenced_by: Some("S-AAAA".into()), inhibited_by: None };
        IncidentView {
            incident: sample.incident,
            group: sample.group,
            acknowledged: Some(Acknowledged { by: "ann".into(), at: sample.at, comment: "on it".into() }),
            alerts: sample.alerts.into_iter().map(entry).collect(),
            deliveries: BTreeMap::from([("desk".to_owned(), delivery)]),
            history: vec![HistoryEntry {
                at: sample.at,
                event: HistoryEvent::Noted { by: "Bob".into(), text: "the airport\nsays noon".into() },
                last_at: None,
                times: 1,
            }],
        }
    }

    #[test]
    fn lists_and_incidents_in_both_languages() {
        let now = "2026-11-24T12:30:00Z".parse().unwrap();
        let english = AlertsText::new(Language::English, "Europe/Paris");
        let list = english.list(now, &[incident()], &[]);
        for expected in ["TEST-1124", "acknowledged by ann", "silenced by S-AAAA"] {
            assert!(list.contains(expected), "{expected} is not in\n{list}");
        }
        let shown = english.incident(&incident());
        for expected in [
            "2026-11-24 13:00",
            "desk: 2 messages",
            "HTTP 401",
            "when it fired",
            "ann, 2026-11-24 13:00 – on it",
            "Bob, 2026-11-24 13:00 – the airport says noon",
        ] {
            assert!(shown.contains(expected), "{expected} is not in\n{shown}");
        }
        let french = AlertsText::new(Language::French, "Europe/Paris");
        assert!(french.list(now, &[], &[]).contains("Aucun incident"));
        assert!(french.incident(&incident()).contains("  pris en charge  ann, "));
    }

    #[test]
    fn one_message_is_singular() {
        let (english, french) = (AlertsText::new(Language::English, "UTC"), AlertsText::new(Language::French, "UTC"));
        assert_eq!([0, 1, 2].map(|count| english.messages(count)), ["0 messages", "1 message", "2 messages"]);
        assert_eq!([0, 1, 2].map(|count| french.messages(count)), ["0 message", "1 message", "2 messages"]);
    }

    #[test]
    fn durations_are_short() {
        let said = |minutes| format_duration(SignedDuration::from_mins(minutes));
        assert_eq!([said(0), said(130), said(1_500)], ["0 min", "2 h 10", "1 d 1 h"]);
    }
}
