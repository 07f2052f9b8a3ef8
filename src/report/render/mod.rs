//! Renders a [`PeriodReport`] in one language: a self-contained page, and the message that receivers get.
//!
//! ```text
//! PeriodReport --wording (en.jinja, fr.jinja)--> ReportView --+--> page.html (with SVG charts), mail.html (with PNG charts), mail.txt
//!                                                       \--> card
//! ```
//!
//! The view is plain text: each form does its own escaping. Posts are shown as alerts show them.

mod card;
mod chart;
mod lists;
mod surface;
mod tables;
mod values;
mod view;
mod wording;

use jiff::tz::TimeZone;

use super::PeriodReport;
use crate::chart::Canvas;
use crate::language::Language;
use crate::notify::{DueReport, Picture, ReportMessage};
use surface::PageSvg;
use view::ReportView;
use wording::Wording;

/// Topics with a section of their own in a mail: mail programs cut off what is longer than about 100 KB.
const MAX_MAIL_TOPICS: usize = 6;
/// Pixels per point of a PNG.
const DENSITY: f32 = 2.0;

/// The report as one HTML file that loads nothing from elsewhere.
pub fn page(report: &PeriodReport, language: Language, zone: &TimeZone) -> String {
    let wording = Wording::new(language, zone, report.made_at);
    let mut view = ReportView::new(report, &wording, usize::MAX);
    for (shown, topic) in view.topics.iter_mut().zip(&report.topics) {
        let mut svg = PageSvg::new(chart::WIDTH, chart::HEIGHT, &shown.chart_alt);
        shown.svg = chart::draw(&mut svg, topic, report, &wording).then(|| svg.finish());
    }
    wording.document("page.html", &view)
}

/// The report as a message to `receiver`.
pub fn message(
    report: &PeriodReport,
    due: &DueReport,
    receiver: &str,
    (language, zone): (Language, &TimeZone),
) -> ReportMessage {
    let wording = Wording::new(language, zone, report.made_at);
    let mut view = ReportView::new(report, &wording, MAX_MAIL_TOPICS);
    let mut pictures = Vec::new();
    for (shown, topic) in view.topics.iter_mut().zip(&report.topics) {
        let Some(mut canvas) = Canvas::new(chart::WIDTH, chart::HEIGHT, DENSITY) else { continue };
        if chart::draw(&mut canvas, topic, report, &wording)
            && let Some(png) = canvas.into_png()
        {
            let cid = format!("chart-{}@vigie", pictures.len() + 1);
            shown.cid = Some(cid.clone());
            pictures.push(Picture { cid, png });
        }
    }
    let posts = report.topics.iter().flat_map(|topic| topic.copied.iter().chain(&topic.reached));
    ReportMessage {
        key: format!("report-{}-{receiver}-{}", due.name, due.span.until.as_second()),
        name: due.name.clone(),
        at: report.made_at,
        lang: view.lang,
        subject: view.subject.clone(),
        summary: view.summary.clone(),
        text: wording.document("mail.txt", &view),
        html: wording.document("mail.html", &view),
        pictures,
        card: card::card(&view),
        posts: posts.map(|post| post.post.clone()).collect(),
    }
}
