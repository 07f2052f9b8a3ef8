//! [`TimeParts`]: the columns of a date, a time of day and an offset that together are an event time, as Twint writes them.

use super::columns::{Columns, Field};

/// The names of the columns: those of `--columns created_at=date+time+timezone`, or Twint's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TimeParts<'a> {
    pub(super) date: &'a str,
    pub(super) time: &'a str,
    pub(super) zone: Option<&'a str>,
    /// The user named them: they are the event time, and must exist.
    pub(super) mapped: bool,
}

impl<'a> TimeParts<'a> {
    /// Twint's columns. They help where `created_at` cannot be read or does not say its zone for certain.
    const USUAL: Self = Self { date: "date", time: "time", zone: Some("timezone"), mapped: false };

    pub(super) fn of(columns: &'a Columns) -> Self {
        columns.mapped(Field::CreatedAt).and_then(Self::parse).unwrap_or(Self::USUAL)
    }

    /// `date+time` or `date+time+timezone`.
    fn parse(mapped: &'a str) -> Option<Self> {
        let mut names = mapped.split('+').map(str::trim);
        let (date, time, zone) = (names.next()?, names.next()?, names.next());
        let complete = names.next().is_none() && !date.is_empty() && !time.is_empty() && zone != Some("");
        complete.then_some(Self { date, time, zone, mapped: true })
    }

    pub(super) fn names(self) -> impl Iterator<Item = &'a str> {
        [Some(self.date), Some(self.time), self.zone].into_iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_named_by_the_user_or_usual() {
        let of = |flag: &str| Columns::parse(flag).unwrap();
        let columns = of("created_at=jour + heure");
        let parts = TimeParts::of(&columns);
        assert_eq!(parts, TimeParts { date: "jour", time: "heure", zone: None, mapped: true });
        let columns = of("created_at=d+t+z");
        assert_eq!(TimeParts::of(&columns).names().collect::<Vec<_>>(), ["d", "t", "z"]);
        for flag in ["created_at=when", "created_at=d+", "created_at=a+b+c+d", "text=a"] {
            let columns = of(flag);
            assert_eq!(TimeParts::of(&columns), TimeParts::USUAL, "{flag}");
        }
    }
}
