//! [`Scale`]: what numbers in a label column mean. All numbers of the file decide together; where they leave a doubt, the file
//! is refused, because a wrong scale turns neutral posts into negative ones. Below [`LabelRules`](super::LabelRules).

use std::collections::BTreeSet;

use super::words::{Word, of_stars, read};

/// Different values that are kept.
const MAX_VALUES: usize = 64;

/// What numbers mean.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::dump) enum Scale {
    /// Numbers are not labels, or their meaning is in doubt.
    #[default]
    Unknown,
    /// 0 and 1: negative and positive.
    Two,
    /// 0, 1, 2.
    Three,
    /// -1, 0, 1.
    Signed,
    /// 0, 2, 4, as in Sentiment140.
    ZeroTwoFour,
    /// 0 to 4, as in SST-5: 2 is neutral.
    ZeroToFour,
    /// 1 to 5 stars.
    Stars,
    /// N and P.
    Letters,
}

impl Scale {
    /// The label of a number or letter.
    pub(super) fn read(self, word: Word) -> Option<&'static str> {
        if self == Self::Letters {
            return match word {
                Word::Letter('n') => Some("negative"),
                Word::Letter('p') => Some("positive"),
                _ => None,
            };
        }
        let Word::Number(number) = word else { return None };
        let number = whole(number)?;
        match (self, number) {
            (Self::Two | Self::Three | Self::ZeroTwoFour, 0) | (Self::Signed, -1) | (Self::ZeroToFour, 0 | 1) => {
                Some("negative")
            }
            (Self::Three, 1) | (Self::Signed, 0) | (Self::ZeroTwoFour | Self::ZeroToFour, 2) => Some("neutral"),
            (Self::Two | Self::Signed, 1) | (Self::Three, 2) | (Self::ZeroTwoFour, 4) | (Self::ZeroToFour, 3 | 4) => {
                Some("positive")
            }
            (Self::Stars, 1..=5) => u8::try_from(number).ok().map(of_stars),
            _ => None,
        }
    }

    /// Its values, for a message.
    pub(super) fn values(self) -> Option<&'static str> {
        Some(match self {
            Self::Unknown => return None,
            Self::Two => "0, 1",
            Self::Three => "0, 1, 2",
            Self::Signed => "-1, 0, 1",
            Self::ZeroTwoFour => "0, 2, 4",
            Self::ZeroToFour => "0, 1, 2, 3, 4",
            Self::Stars => "1, 2, 3, 4, 5",
            Self::Letters => "N, P",
        })
    }

    /// How it reads the labels, in words.
    pub(in crate::dump) fn remark(self) -> Option<String> {
        let meaning = match self {
            Self::Unknown => return None,
            Self::Two | Self::Letters => "negative, positive",
            Self::Three | Self::Signed | Self::ZeroTwoFour => "negative, neutral, positive",
            Self::ZeroToFour => "negative up to 1, neutral at 2, positive from 3",
            Self::Stars => "stars: negative up to 2, neutral at 3, positive from 4",
        };
        self.values().map(|values| format!("labels {values} are read as {meaning} (--labels-map decides)"))
    }
}

fn whole(number: f64) -> Option<i64> {
    (number.fract() == 0.0 && number.abs() < 1e6).then_some(number as i64)
}

/// The numbers and letters of a label column.
#[derive(Debug, Clone, Default)]
pub(in crate::dump) struct LabelEvidence {
    numbers: BTreeSet<i64>,
    letters: BTreeSet<char>,
    /// A number with a fraction.
    score: Option<f64>,
}

/// Numbers that may mean several things.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{found}, a scale that {doubt}; set what they mean, e.g. --labels-map {example}")]
pub struct ScaleError {
    found: String,
    doubt: &'static str,
    example: String,
}

impl LabelEvidence {
    /// Adds a cell, trimmed and not empty.
    pub(in crate::dump) fn add(&mut self, cell: &str) {
        match read(cell) {
            Word::Number(number) => match whole(number) {
                Some(whole) if self.numbers.len() < MAX_VALUES => {
                    self.numbers.insert(whole);
                }
                Some(_) => {}
                None => {
                    self.score.get_or_insert(number);
                }
            },
            Word::Letter(letter) => {
                self.letters.insert(letter);
            }
            _ => {}
        }
    }

    /// Whether a scale is needed.
    pub(in crate::dump) fn is_needed(&self) -> bool {
        !self.numbers.is_empty() || !self.letters.is_empty() || self.score.is_some()
    }

    /// The scale that alone explains the values.
    ///
    /// # Errors
    /// When several scales do, or none.
    pub(in crate::dump) fn scale(&self) -> Result<Scale, ScaleError> {
        if let Some(score) = self.score {
            return Err(ScaleError {
                found: format!("labels such as {score}"),
                doubt: "has no fixed limits between negative, neutral and positive",
                example: "'<=-0.05=negative,>=0.05=positive,*=neutral'".into(),
            });
        }
        let numbers: Vec<i64> = self.numbers.iter().copied().collect();
        match numbers.as_slice() {
            [] if self.letters.len() == 2 => Ok(Scale::Letters),
            [] if self.letters.is_empty() => Ok(Scale::Unknown),
            [-1, 1] | [-1, 0, 1] => Ok(Scale::Signed),
            [0, 1] => Ok(Scale::Two),
            [0, 1, 2] => Ok(Scale::Three),
            [0, 4] | [0, 2, 4] => Ok(Scale::ZeroTwoFour),
            [0, 1, 2, 3, 4] | [0, 1, 3, 4] => Ok(Scale::ZeroToFour),
            // A 5 and no 0: stars, if there is another value to compare with.
            [1..=4, .., 5] => Ok(Scale::Stars),
            _ => Err(self.ambiguous()),
        }
    }

    fn ambiguous(&self) -> ScaleError {
        let values: Vec<String> = match self.numbers.is_empty() {
            true => self.letters.iter().map(|letter| letter.to_ascii_uppercase().to_string()).collect(),
            false => self.numbers.iter().map(i64::to_string).collect(),
        };
        let shown = |values: &[String]| match values {
            [values @ .., last] if values.len() > 7 => format!("{}, ..., {last}", values[..7].join(", ")),
            values => values.join(", "),
        };
        let example: Vec<String> = match values.as_slice() {
            [only] => vec![format!("{only}=negative")],
            [first, last] => vec![format!("{first}=negative"), format!("{last}=positive")],
            [first, .., last] => vec![format!("{first}=negative"), "*=neutral".into(), format!("{last}=positive")],
            [] => Vec::new(),
        };
        let found = format!("{} {}", if values.len() == 1 { "only the label" } else { "the labels" }, shown(&values));
        ScaleError { found, doubt: "may mean several things", example: example.join(",") }
    }
}
