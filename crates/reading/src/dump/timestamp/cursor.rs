//! [`Cursor`]: reads a time from left to right. Below the parsers of times.

use jiff::civil::Time;

/// The rest of a text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'a>(&'a str);

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self(text)
    }

    pub(super) fn rest(self) -> &'a str {
        self.0
    }

    pub(super) fn starts_with_digit(self) -> bool {
        self.0.as_bytes().first().is_some_and(u8::is_ascii_digit)
    }

    /// How many digits come next.
    pub(super) fn digits(self) -> usize {
        self.0.bytes().take_while(u8::is_ascii_digit).count()
    }

    pub(super) fn eat(&mut self, expected: char) -> bool {
        let rest = self.0.strip_prefix(expected);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    /// The first of `expected` that comes next.
    pub(super) fn eat_any(&mut self, expected: &[char]) -> Option<char> {
        expected.iter().copied().find(|c| self.eat(*c))
    }

    pub(super) fn skip_spaces(&mut self) {
        self.0 = self.0.trim_start();
    }

    /// A word of letters, with accents; empty if none comes next.
    pub(super) fn word(&mut self) -> &'a str {
        let end = self.0.find(|c: char| !c.is_alphabetic()).unwrap_or(self.0.len());
        let (word, rest) = self.0.split_at_checked(end).unwrap_or((self.0, ""));
        self.0 = rest;
        word
    }

    /// A number of `min` to `max` digits.
    pub(super) fn number(&mut self, min: usize, max: usize) -> Option<i32> {
        let digits = self.digits().min(max);
        if digits < min || digits == 0 {
            return None;
        }
        let (number, rest) = self.0.split_at_checked(digits)?;
        self.0 = rest;
        number.parse().ok()
    }

    /// `11:35[:52[.123]]`.
    pub(super) fn clock(&mut self) -> Option<Time> {
        let hour = self.number(1, 2)?;
        self.eat(':').then_some(())?;
        self.minutes(hour)
    }

    /// The rest of a clock after `11:`.
    pub(super) fn minutes(&mut self, hour: i32) -> Option<Time> {
        let minute = self.number(2, 2)?;
        let (mut second, mut nanosecond) = (0, 0);
        if self.eat(':') {
            second = self.number(2, 2)?;
            nanosecond = self.fraction()?;
        }
        time(hour, minute, second, nanosecond)
    }

    /// `.123` in nanoseconds; 0 if no fraction comes next, `None` if it has no digit.
    pub(super) fn fraction(&mut self) -> Option<i32> {
        if self.eat_any(&['.', ',']).is_none() {
            return Some(0);
        }
        let digits = self.digits();
        let (fraction, rest) = self.0.split_at_checked(digits).filter(|(fraction, _)| !fraction.is_empty())?;
        self.0 = rest;
        let padded = fraction.bytes().chain(std::iter::repeat(b'0')).take(9);
        Some(padded.fold(0, |sum, digit| sum * 10 + i32::from(digit - b'0')))
    }
}

/// A time of day. A leap second is the second before it.
pub(super) fn time(hour: i32, minute: i32, second: i32, nanosecond: i32) -> Option<Time> {
    let second = if second == 60 { 59 } else { second };
    Time::new(hour.try_into().ok()?, minute.try_into().ok()?, second.try_into().ok()?, nanosecond).ok()
}
