//! [`TimeCells`]: the cells of a row that say when its post was written, and which of them counts. Used by the row builder.

use jiff::Timestamp;

use super::timestamp::{OrderEvidence, TimeRules};

/// The cells about time, trimmed; empty ones are `None`.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct TimeCells<'a> {
    pub(super) created_at: Option<&'a str>,
    pub(super) date: Option<&'a str>,
    pub(super) time: Option<&'a str>,
    pub(super) zone: Option<&'a str>,
}

/// An event time, and what was assumed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct EventTime {
    pub(super) instant: Timestamp,
    pub(super) date_only: bool,
    /// No zone was written with the time: it is that of the zone column.
    pub(super) zone_of_column: bool,
}

impl<'a> TimeCells<'a> {
    /// The event time; `None` if no cell has one. `Err` has the cell that cannot be read.
    pub(super) fn read(self, rules: &TimeRules) -> Option<Result<EventTime, (&'a str, &'static str)>> {
        let whole = |instant| EventTime { instant, date_only: false, zone_of_column: false };
        let Some(cell) = self.created_at else {
            let read = self.of_parts(rules)?;
            return Some(read.map(whole).map_err(|problem| (self.date.unwrap_or_default(), problem)));
        };
        Some(match rules.parse(cell) {
            // `date` was taken for the time of the post, and `time` has the rest of it.
            Ok(read) if read.date_only => Ok(match self.of_parts(rules) {
                Some(Ok(instant)) => whole(instant),
                _ => EventTime { date_only: true, ..whole(read.instant) },
            }),
            Ok(read) => Ok(match (read.civil, self.zone) {
                // An abbreviation such as CST has several meanings, and Twint's column `timezone` says which one.
                (Some(civil), Some(zone)) if !(read.zone_absent && rules.zone_is_set()) => {
                    rules.with_offset(civil, zone).map_or(whole(read.instant), |instant| EventTime {
                        zone_of_column: read.zone_absent,
                        ..whole(instant)
                    })
                }
                _ => whole(read.instant),
            }),
            // Twint on Windows ends `created_at` with the zone's name in the language of the machine.
            Err(problem) => match self.of_parts(rules) {
                Some(Ok(instant)) => Ok(whole(instant)),
                _ => Err((cell, problem)),
            },
        })
    }

    /// The time of a date and a time of day in two columns.
    fn of_parts(self, rules: &TimeRules) -> Option<Result<Timestamp, &'static str>> {
        Some(rules.parse_parts(self.date?, self.time?, self.zone).map(|read| read.instant))
    }

    /// Adds what the dates say about the order of day and month.
    pub(super) fn look_at(self, rules: &TimeRules, evidence: &mut OrderEvidence) {
        for cell in [self.created_at, self.date.filter(|_| self.time.is_some())].into_iter().flatten() {
            rules.look_at(cell, evidence);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(created_at: &str, date: &str, time: &str, zone: &str) -> String {
        read_with(&TimeRules::default(), created_at, date, time, zone)
    }

    fn read_with(rules: &TimeRules, created_at: &str, date: &str, time: &str, zone: &str) -> String {
        let cell = |cell| Some(cell).filter(|cell: &&str| !cell.is_empty());
        let cells = TimeCells { created_at: cell(created_at), date: cell(date), time: cell(time), zone: cell(zone) };
        match cells.read(rules) {
            None => "none".to_owned(),
            Some(Err((cell, _))) => format!("error in {cell}"),
            Some(Ok(EventTime { instant, date_only, zone_of_column })) => {
                let marks = [(date_only, " date only"), (zone_of_column, " zone of column")];
                marks.iter().filter(|(on, _)| *on).fold(instant.to_string(), |text, (_, mark)| text + mark)
            }
        }
    }

    #[test]
    fn a_date_and_a_time_column_are_one_time() {
        for (cells, expected) in [
            (["", "2021-05-04", "22:18:04", "+0200"], "2021-05-04T20:18:04Z"),
            (["", "2021-05-04", "22:18:04", ""], "2021-05-04T22:18:04Z"),
            (["", "2021-05-04", "10:18 PM", "Europe/Paris"], "2021-05-04T20:18:00Z"),
            (["2021-05-04", "2021-05-04", "22:18:04", "+0200"], "2021-05-04T20:18:04Z"),
            (["2021-05-05 01:48:04 Heure d'Inde", "2021-05-05", "01:48:04", "+0530"], "2021-05-04T20:18:04Z"),
            // China's CST, not that of Chicago.
            (["2021-05-05 04:18:04 CST", "2021-05-05", "04:18:04", "+0800"], "2021-05-04T20:18:04Z"),
            (["2021-05-04 22:18:04", "", "", "+0200"], "2021-05-04T20:18:04Z zone of column"),
            (["2021-05-04 22:18:04", "", "", "Paris"], "2021-05-04T22:18:04Z"),
            (["2021-05-04T20:18:04Z", "2021-05-04", "22:18:04", "+0200"], "2021-05-04T20:18:04Z"),
            (["2021-05-04", "", "", ""], "2021-05-04T00:00:00Z date only"),
            (["soon", "", "", ""], "error in soon"),
            (["", "2021-05-04 10:00", "22:18:04", ""], "error in 2021-05-04 10:00"),
            (["", "2021-05-04", "", ""], "none"),
        ] {
            let [created_at, date, time, zone] = cells;
            assert_eq!(read(created_at, date, time, zone), expected, "{cells:?}");
        }
    }

    #[test]
    fn a_zone_that_was_set_is_not_overridden_for_times_without_one() {
        let rules = TimeRules::new(None, Some("Europe/Paris")).unwrap();
        assert_eq!(read_with(&rules, "2021-05-04 22:18:04", "", "", "-0800"), "2021-05-04T20:18:04Z");
        let rules = TimeRules::new(Some("%d.%m.%Y %H:%M"), Some("Europe/Paris")).unwrap();
        assert_eq!(read_with(&rules, "", "04.05.2021", "22:18", ""), "2021-05-04T20:18:00Z");
    }
}
