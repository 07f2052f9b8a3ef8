//! Identifiers as spreadsheets, pandas and JavaScript leave them: which are still an identity. Used by the row builder; a row
//! without an identity gets one from its author, time and text.

use std::borrow::Cow;

/// Whole numbers up to 2^53 are exact in a floating-point number.
const MAX_EXACT: u64 = 1 << 53;
/// Significant digits that a spreadsheet keeps.
const KEPT_DIGITS: usize = 15;
/// So many long identifiers must all end in zeros before they are taken for rounded ones: one in a thousand ends so by chance.
const MIN_LONG_IDS: u64 = 3;

/// What an identifier in a dump is worth.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum IdCell<'a> {
    /// An identity, without the `.0` of a floating-point number.
    Exact(Cow<'a, str>),
    /// Its last digits are lost: other posts may have the same one.
    Rounded,
}

/// Judges an identifier, trimmed and not empty. `long_are_rounded`: see [`IdEvidence`].
pub(super) fn read(cell: &str, long_are_rounded: bool) -> IdCell<'_> {
    if !cell.starts_with(|c: char| c.is_ascii_digit()) {
        return IdCell::Exact(Cow::Borrowed(cell));
    }
    if is_digits(cell) {
        return match long_are_rounded && is_cut(cell) {
            true => IdCell::Rounded,
            false => IdCell::Exact(Cow::Borrowed(cell)),
        };
    }
    let Some(number) = Float::parse(cell) else { return IdCell::Exact(Cow::Borrowed(cell)) };
    match number.whole() {
        Some(whole) if whole <= MAX_EXACT => IdCell::Exact(Cow::Owned(whole.to_string())),
        _ => IdCell::Rounded,
    }
}

/// Whether a long identifier has only zeros after the digits that a spreadsheet keeps.
fn is_cut(cell: &str) -> bool {
    is_long(cell) && cell.bytes().skip(KEPT_DIGITS).all(|byte| byte == b'0')
}

/// Longer than a spreadsheet keeps by three digits or more, as the identifiers of X since 2010.
fn is_long(cell: &str) -> bool {
    cell.len() >= KEPT_DIGITS + 3 && is_digits(cell)
}

/// A number with a fraction or an exponent: `7.91557E+17`, `5,70306E+17`, `1101.0`.
struct Float<'a> {
    whole: &'a str,
    fraction: &'a str,
    exponent: usize,
}

impl<'a> Float<'a> {
    fn parse(cell: &'a str) -> Option<Self> {
        let Some((mantissa, exponent)) = cell.split_once(['e', 'E']) else {
            // Only `.0` is the mark of a number: 1.10 may be a version.
            let (whole, fraction) = cell.split_once('.')?;
            return (fraction == "0" && is_digits(whole)).then_some(Self { whole, fraction, exponent: 0 });
        };
        let (whole, fraction) = mantissa.split_once(['.', ',']).unwrap_or((mantissa, ""));
        let (signed, exponent) = exponent.strip_prefix('+').map_or((false, exponent), |exponent| (true, exponent));
        let digits = exponent;
        let exponent: usize = Some(exponent).filter(|digits| is_digits(digits))?.parse().ok()?;
        // `3e8` may be a hexadecimal name: without a sign, a point or a large exponent must show that it is a number.
        let is_number = signed || !fraction.is_empty() || (KEPT_DIGITS..=30).contains(&exponent);
        let is_float = whole.len() == 1 && is_digits(whole) && is_digits(fraction) && exponent <= 30;
        (is_number && is_float && digits.len() <= 2).then_some(Self { whole, fraction, exponent })
    }

    /// The number, if its digits reach to the unit and it has no fraction.
    fn whole(&self) -> Option<u64> {
        let fraction = self.fraction.trim_end_matches('0');
        if self.exponent == 0 {
            return self.whole.parse().ok().filter(|_| fraction.is_empty());
        }
        (self.fraction.len() == self.exponent).then(|| format!("{}{}", self.whole, self.fraction).parse().ok())?
    }
}

fn is_digits(part: &str) -> bool {
    part.bytes().all(|byte| byte.is_ascii_digit())
}

/// What the identifiers at the start of a file say about all of them.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct IdEvidence {
    long: u64,
    cut: u64,
}

impl IdEvidence {
    pub(super) fn add(&mut self, cell: &str) {
        self.long += u64::from(is_long(cell));
        self.cut += u64::from(is_cut(cell));
    }

    /// All long identifiers have zeros after 15 digits, as a spreadsheet writes them.
    pub(super) fn long_are_rounded(self) -> bool {
        self.long >= MIN_LONG_IDS && self.cut == self.long
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rounded_ids_are_no_identity() {
        for cell in [
            "7.91557E+17",
            "5,70306E+17",
            "7.91557e+17",
            "8e+17",
            "8e17",
            "7.91557e17",
            "791557083012345600.0",
            "1.6E+04",
        ] {
            assert_eq!(read(cell, false), IdCell::Rounded, "{cell}");
        }
        assert_eq!(read("791557083012345000", true), IdCell::Rounded);
    }

    #[test]
    fn other_ids_are_kept() {
        for (cell, id) in [
            ("1101.0", "1101"),
            ("1.101e+3", "1101"),
            ("791557083012345678", "791557083012345678"),
            ("791557083012345000", "791557083012345000"),
            ("t3_abc", "t3_abc"),
            ("1.10", "1.10"),
            ("2.3.4", "2.3.4"),
            ("12e5f", "12e5f"),
            ("3e8", "3e8"),
            ("12e+45", "12e+45"),
            ("é", "é"),
        ] {
            assert_eq!(read(cell, false), IdCell::Exact(id.into()), "{cell}");
        }
        assert_eq!(read("1101", true), IdCell::Exact("1101".into()));
    }

    #[test]
    fn all_long_ids_must_be_cut() {
        let evidence = |cells: &[&str]| {
            let mut evidence = IdEvidence::default();
            cells.iter().for_each(|cell| evidence.add(cell));
            evidence.long_are_rounded()
        };
        let cut = ["791557083012345000", "791557083012346000", "1101", "791557083012347000"];
        assert!(evidence(&cut));
        assert!(!evidence(&cut[..3]), "two may be chance");
        assert!(!evidence(&[&cut[..], &["791557083012345678"]].concat()));
    }

    proptest! {
        #[test]
        fn numbers_of_pandas_are_read_back(id in 0_u64..MAX_EXACT) {
            let cell = format!("{id}.0");
            prop_assert_eq!(read(&cell, false), IdCell::Exact(id.to_string().into()));
        }

        #[test]
        fn any_id_is_judged(cell in "\\PC{1,30}|[0-9]{1,20}([.,][0-9]{0,20})?([eE][+-]?[0-9]{0,3})?", long: bool) {
            if let IdCell::Exact(id) = read(&cell, long) {
                prop_assert!(!id.is_empty());
            }
        }
    }
}
