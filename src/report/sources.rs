//! [`SourceGap`]: when a source read nothing, or missed posts, by the operational alerts about it.

use std::str::FromStr as _;

use jiff::Timestamp;

use super::facts::{IncidentFacts, SourceFacts};
use crate::alert::OperationalAlert;
use crate::notify::ReportSpan;

/// A part of the report's time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceGap {
    /// The name of the operational alert, such as `SourceStalled`.
    pub alert: String,
    pub since: Timestamp,
    pub until: Timestamp,
}

/// Sets the gaps of `source` within `span`; one that lasts ends at `now`. `incidents` are those of all components.
pub(super) fn add_gaps(source: &mut SourceFacts, incidents: &[IncidentFacts], span: ReportSpan, now: Timestamp) {
    let of_source = incidents.iter().filter(|incident| incident.is_operational && incident.subject == source.name);
    let gaps = of_source.filter_map(|incident| {
        let alert = incident.rules.iter().find(|rule| OperationalAlert::from_str(rule).is_ok_and(is_gap))?;
        let since = incident.started_at.max(span.since);
        let until = incident.ended_at.unwrap_or(now).min(span.until);
        (since < until).then(|| SourceGap { alert: alert.clone(), since, until })
    });
    source.gaps = gaps.collect();
}

fn is_gap(alert: OperationalAlert) -> bool {
    matches!(
        alert,
        OperationalAlert::SourceStalled
            | OperationalAlert::SourceBlocked
            | OperationalAlert::BudgetSpent
            | OperationalAlert::StreamGapNotFilled
    )
}
