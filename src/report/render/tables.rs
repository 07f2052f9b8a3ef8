//! The tables of a [`ReportView`](super::view::ReportView): topics, periods, incidents, sources.

use minijinja::{Value, context};

use super::view::{MAX_NAME, TableView, name};
use super::wording::Wording;
use crate::language::Language;
use crate::notify::render::{clip, line};
use crate::report::{Acknowledgement, IncidentFacts, PeriodRate, PeriodReport, ReportLength, ReportTopic, SourceFacts};
use crate::source::SourceState;

/// Characters of a sentence of the configuration or of a server.
const MAX_SENTENCE: usize = 200;
const MAX_INCIDENTS: usize = 30;

/// All topics.
pub(super) fn overview(report: &PeriodReport, wording: &Wording) -> TableView {
    let columns = ["topic", "posts_column", "negative_column", "interval", "change_column", "incidents_column"];
    let row = |topic: &ReportTopic| {
        let mut row = vec![name(&topic.name)];
        row.extend(rate(&topic.now, wording));
        row.extend([change(topic, wording), wording.number(topic.incidents as u64)]);
        row
    };
    TableView {
        heading: wording.label("overview"),
        columns: columns.map(|column| wording.label(column)).into(),
        rows: report.topics.iter().map(row).collect(),
    }
}

/// The time and the periods before.
pub(super) fn compared(topic: &ReportTopic, report: &PeriodReport, wording: &Wording) -> TableView {
    let columns = ["period", "posts_column", "negative_column", "interval"];
    let row = |period: &PeriodRate| {
        let values = context! {
            whole_days => !matches!(report.length, ReportLength::Hours(_)),
            // The heading of the report has the year.
            with_year => false,
            since => period.span.since.as_second(),
            until => period.span.until.as_second(),
        };
        let days = wording.say("days", &[values]);
        let note = match (period.span == report.span, period.is_partial) {
            (true, _) => Some("this"),
            (false, true) => Some("partial"),
            (false, false) => None,
        };
        let note = note.map_or_else(String::new, |note| format!(" ({})", wording.label(note)));
        [vec![format!("{days}{note}")], rate(period, wording)].concat()
    };
    // Without periods before, the tiles say it all.
    let rows = if topic.before.is_empty() {
        Vec::new()
    } else {
        std::iter::once(&topic.now).chain(&topic.before).map(row).collect()
    };
    TableView { heading: wording.label("compared"), columns: columns.map(|column| wording.label(column)).into(), rows }
}

/// Posts, share and interval.
fn rate(period: &PeriodRate, wording: &Wording) -> Vec<String> {
    let posts = wording.number(period.counts.posts());
    let Some(share) = period.rate else { return vec![posts, "–".into(), "–".into()] };
    let [low, high] = period.interval;
    vec![posts, wording.percent(share), wording.range(low, high)]
}

/// The change as a number; a dash without anything to compare with.
pub(super) fn change(topic: &ReportTopic, wording: &Wording) -> String {
    let difference = topic.change.difference;
    if topic.change.before.is_none() || topic.now.rate.is_none() {
        return "–".into();
    }
    let sign = if difference < 0.0 { "−" } else { "+" };
    format!("{sign}{}", wording.points(difference))
}

pub(super) fn incidents(report: &PeriodReport, wording: &Wording) -> TableView {
    let mut columns = vec!["what", "when", "peak"];
    if report.knows_acknowledgements {
        columns.push("acknowledged");
    }
    let rows = report.incidents.iter().take(MAX_INCIDENTS).map(|incident| incident_row(incident, report, wording));
    TableView {
        heading: wording.label("incidents_heading"),
        columns: columns.into_iter().map(|column| wording.label(column)).collect(),
        rows: rows.collect(),
    }
}

fn incident_row(incident: &IncidentFacts, report: &PeriodReport, wording: &Wording) -> Vec<String> {
    let values = incident_values(incident);
    let sentence = incident.summary_fr.as_ref().filter(|_| wording.language == Language::French);
    let sentence = clip(&line(sentence.unwrap_or(&incident.summary)), MAX_SENTENCE);
    let subject = name(&incident.subject);
    let id = incident.id.as_ref().map_or_else(String::new, |id| format!(" ({id})"));
    // The sentence mostly names the topic.
    let what = match (sentence.is_empty(), sentence.contains(&subject)) {
        (true, _) => format!("{subject}{} {}", wording.colon(), incident.rules.join(", ")),
        (false, true) => sentence,
        (false, false) => format!("{subject}{} {sentence}", wording.colon()),
    };
    let mut row = vec![format!("{what}{id}")];
    row.push(wording.say("incident_when", std::slice::from_ref(&values)));
    row.push(wording.say("incident_peak", std::slice::from_ref(&values)));
    if report.knows_acknowledgements {
        row.push(wording.say("acknowledged", &[values]));
    }
    row
}

fn incident_values(incident: &IncidentFacts) -> Value {
    let (by, after, nobody) = match &incident.acknowledged {
        Acknowledgement::By { name, after } => (Some(clip(&line(name), MAX_NAME)), after.as_secs(), false),
        Acknowledgement::Nobody => (None, 0, true),
        Acknowledgement::Unknown => (None, 0, false),
    };
    let peak = incident.peak.as_ref().map(|peak| {
        context! {
            at => peak.at.as_second(), posts => peak.posts, negative => peak.negative, rate => peak.rate, is_rate => peak.is_rate,
        }
    });
    context! {
        started_at => incident.started_at.as_second(),
        ended_at => incident.ended_at.map(jiff::Timestamp::as_second),
        peak => peak,
        acknowledged_by => by,
        acknowledged_after => after,
        nobody => nobody,
    }
}

pub(super) fn sources(report: &PeriodReport, wording: &Wording) -> TableView {
    let columns = ["source", "posts_column", "gaps", "state"];
    let row = |source: &SourceFacts| {
        let mut gaps: Vec<String> =
            source.gaps.iter().map(|gap| wording.say("gap", &[gap.alert.as_str().into()])).collect();
        gaps.dedup();
        let values = context! {
            state => state_name(&source.state),
            error => source.error.as_deref().map(|error| clip(&line(error), MAX_SENTENCE)),
            gap => source.gap().as_secs(),
            gaps => gaps,
        };
        vec![
            name(&source.name),
            wording.number(source.posts),
            wording.say("source_gaps", std::slice::from_ref(&values)),
            wording.say("source_state", &[values]),
        ]
    };
    TableView {
        heading: wording.label("sources"),
        columns: columns.map(|column| wording.label(column)).into(),
        rows: report.sources.iter().map(row).collect(),
    }
}

fn state_name(state: &SourceState) -> &'static str {
    match state {
        SourceState::Starting => "starting",
        SourceState::Working => "working",
        SourceState::Waiting { .. } => "waiting",
        SourceState::Blocked { .. } => "blocked",
        SourceState::Stopped => "stopped",
    }
}
