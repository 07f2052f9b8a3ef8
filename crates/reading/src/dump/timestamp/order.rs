//! [`DateOrder`]: whether `04/05/2021` is 4 May or 5 April. One row does not say; the rows of a file together mostly do.

use std::fmt;

/// The order of day and month in dates such as `04/05/2021`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateOrder {
    DayFirst,
    MonthFirst,
}

/// The two numbers before the year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DayAndMonth {
    first: i8,
    second: i8,
    /// Written as `04.05.2021`: where dots are used, the day is first.
    dotted: bool,
}

const UNDECIDED: &str = "is day first or month first, which nothing in this file decides; \
                         set --time-format (time_format), e.g. \"%d/%m/%Y %H:%M\" or \"%m/%d/%Y %H:%M\"";
const NOT_DAY_FIRST: &str = "contradicts the other dates of this file, which are day first (--time-format decides)";
const NOT_MONTH_FIRST: &str = "contradicts the other dates of this file, which are month first (--time-format decides)";

impl DayAndMonth {
    /// `None` unless one is a month and the other a day.
    pub(super) fn new(first: i32, second: i32, dotted: bool) -> Option<Self> {
        let (low, high) = (first.min(second), first.max(second));
        if !(1..=12).contains(&low) || high > 31 {
            return None;
        }
        Some(Self { first: first.try_into().ok()?, second: second.try_into().ok()?, dotted })
    }

    /// The order that these numbers alone allow; `None` if both do.
    pub(super) fn evidence(self) -> Option<DateOrder> {
        match (self.first > 12, self.second > 12) {
            (true, _) => Some(DateOrder::DayFirst),
            (_, true) => Some(DateOrder::MonthFirst),
            _ => None,
        }
    }

    /// Whether both orders give a date, and not the same one.
    pub(super) fn is_ambiguous(self) -> bool {
        self.evidence().is_none() && self.first != self.second && !self.dotted
    }

    /// Day and month in the order of the file, or in the only one possible.
    pub(super) fn resolve(self, order: Option<DateOrder>) -> Result<(i8, i8), &'static str> {
        let day_first = (self.first, self.second);
        let month_first = (self.second, self.first);
        match (order, self.evidence()) {
            (Some(DateOrder::DayFirst), Some(DateOrder::MonthFirst)) => Err(NOT_DAY_FIRST),
            (Some(DateOrder::MonthFirst), Some(DateOrder::DayFirst)) => Err(NOT_MONTH_FIRST),
            (Some(DateOrder::DayFirst), _) | (None, Some(DateOrder::DayFirst)) => Ok(day_first),
            (Some(DateOrder::MonthFirst), _) | (None, Some(DateOrder::MonthFirst)) => Ok(month_first),
            // Equal numbers, or dots.
            (None, None) if !self.is_ambiguous() => Ok(day_first),
            (None, None) => Err(UNDECIDED),
        }
    }
}

/// What the dates of a file say about their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrderEvidence {
    /// Dates that can only be day first, and the first of them.
    day_first: (u64, Option<String>),
    month_first: (u64, Option<String>),
    /// The first date that can be both.
    ambiguous: Option<DateDoubt>,
}

/// A date that may mean two days, where nothing decides which one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DateDoubt {
    example: String,
    numbers: DayAndMonth,
    year: i16,
}

impl fmt::Display for DateDoubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { example, numbers: DayAndMonth { first, second, .. }, year } = self;
        let [day_first, month_first] = [("%d", "%m"), ("%m", "%d")].map(|order| strptime_format(example, order));
        write!(
            f,
            "dates such as {example:?} may be {year}-{second:02}-{first:02} (day first) or \
             {year}-{first:02}-{second:02} (month first), and no date decides; \
             set --time-format \"{day_first}\" or --time-format \"{month_first}\""
        )
    }
}

/// The format of a date such as `04/05/2021 10:18 PM`, as far as its form shows it.
fn strptime_format(example: &str, (first, second): (&str, &str)) -> String {
    let separator = if example.contains('/') { '/' } else { '-' };
    let date_ends = example.find([' ', ',', 'T']).unwrap_or(example.len());
    let (date, rest) = example.split_at_checked(date_ends).unwrap_or((example, ""));
    let long_year = date.rsplit(separator).next().is_some_and(|year| year.len() == 4);
    let half = rest.contains(['M', 'm']);
    let clock = match rest.matches(':').count() {
        0 => "",
        1 if half => "%I:%M %p",
        1 => "%H:%M",
        _ if half => "%I:%M:%S %p",
        _ => "%H:%M:%S",
    };
    let joint: String = rest.chars().take_while(|c| !c.is_ascii_digit()).collect();
    let joint = if clock.is_empty() { "" } else { joint.as_str() };
    format!("{first}{separator}{second}{separator}{}{joint}{clock}", if long_year { "%Y" } else { "%y" })
}

impl OrderEvidence {
    pub(super) fn add(&mut self, numbers: DayAndMonth, year: i16, date: &str) {
        let side = match numbers.evidence() {
            Some(DateOrder::DayFirst) => &mut self.day_first,
            Some(DateOrder::MonthFirst) => &mut self.month_first,
            None if numbers.is_ambiguous() => {
                self.ambiguous.get_or_insert_with(|| DateDoubt { example: date.to_owned(), numbers, year });
                return;
            }
            None => return,
        };
        side.0 += 1;
        side.1.get_or_insert_with(|| date.to_owned());
    }

    /// The order of the file: that of most dates that allow only one.
    pub fn order(&self) -> Option<DateOrder> {
        match (self.day_first.0, self.month_first.0) {
            (0, 0) => None,
            (day, month) if day >= month => Some(DateOrder::DayFirst),
            _ => Some(DateOrder::MonthFirst),
        }
    }

    /// The first date that can be both, if nothing decides.
    pub fn doubt(&self) -> Option<DateDoubt> {
        self.ambiguous.clone().filter(|_| self.order().is_none())
    }

    /// The decision in words, if there was one to make.
    pub fn remark(&self) -> Option<String> {
        let (order, example) = match self.order()? {
            DateOrder::DayFirst => ("day first", self.day_first.1.as_deref()?),
            DateOrder::MonthFirst => ("month first", self.month_first.1.as_deref()?),
        };
        Some(format!("dates are read {order}, as {example:?} shows (--time-format decides)"))
    }
}
