//! [`Filter`]: which posts a question is about; every part that is set must match.

use jiff::Timestamp;

use super::compared_post::ComparedPost;
use crate::classify::{Label, normalise_reason};
use crate::monitor::{ALWAYS, CascadeId, normal_author};

/// The default selects every post.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Filter {
    /// Posts of any of these; empty: of all.
    pub topics: Vec<String>,
    /// Posts with any of these; empty: with all.
    pub labels: Vec<Label>,
    pub source: Option<String>,
    /// BCP 47; `fr` selects `fr-CA` too.
    pub language: Option<String>,
    /// Handle or identifier, `@` or not, in any case.
    pub author: Option<String>,
    pub cascade: Option<CascadeId>,
    /// From this time on.
    pub since: Option<Timestamp>,
    /// Before this time.
    pub until: Option<Timestamp>,
    /// What the text contains, in any case: all of these.
    pub texts: Vec<String>,
    /// Why the post is negative, in any spelling: `Late Flight` is `late_flight`.
    pub reason: Option<String>,
    /// Whether a person gave it another label than the model.
    pub corrected: Option<bool>,
}

/// A parameter that does not make a filter. Names the parameter and not its value, which may be personal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    #[error(
        "unknown parameter `{0}`; expected one of: topic, label, source, language, author, cascade, since, until, text, reason, corrected"
    )]
    Unknown(String),
    #[error("{name}: expected {expected}")]
    Value { name: &'static str, expected: &'static str },
}

impl Filter {
    /// Sets the parameter `name`, as in a URL; `topic`, `label` and `text` may be set again.
    ///
    /// # Errors
    /// When the parameter is unknown, or cannot have this value.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), FilterError> {
        match name {
            "topic" => self.topics.push(value.to_owned()),
            "label" => {
                let label = Label::parse(value);
                let expected = "negative, neutral or positive";
                self.labels.push(label.ok_or(FilterError::Value { name: "label", expected })?);
            }
            "source" => self.source = Some(value.to_owned()),
            "language" => self.language = Some(value.to_owned()),
            "author" => self.author = Some(value.to_owned()),
            "cascade" => {
                let expected = "16 hexadecimal digits";
                self.cascade = Some(value.parse().map_err(|_| FilterError::Value { name: "cascade", expected })?);
            }
            "since" => self.since = Some(time("since", value)?),
            "until" => self.until = Some(time("until", value)?),
            "text" => self.texts.push(value.to_owned()),
            "reason" => self.reason = Some(value.to_owned()),
            "corrected" => {
                let expected = "true or false";
                let corrected = value.parse().map_err(|_| FilterError::Value { name: "corrected", expected })?;
                self.corrected = Some(corrected);
            }
            unknown => return Err(FilterError::Unknown(unknown.to_owned())),
        }
        Ok(())
    }

    /// The parameters that [`Filter::set`] makes this filter of.
    pub fn parameters(&self) -> Vec<(&'static str, String)> {
        let mut all: Vec<(&'static str, String)> = Vec::new();
        all.extend(self.topics.iter().map(|topic| ("topic", topic.clone())));
        all.extend(self.labels.iter().map(|label| ("label", label.as_str().to_owned())));
        let texts = [
            ("source", &self.source),
            ("language", &self.language),
            ("author", &self.author),
            ("reason", &self.reason),
        ];
        all.extend(texts.into_iter().filter_map(|(name, value)| Some((name, value.clone()?))));
        all.extend(self.texts.iter().map(|text| ("text", text.clone())));
        all.extend(self.cascade.map(|cascade| ("cascade", cascade.to_string())));
        all.extend(self.corrected.map(|corrected| ("corrected", corrected.to_string())));
        let times = [("since", self.since), ("until", self.until)];
        all.extend(times.into_iter().filter_map(|(name, time)| Some((name, time?.to_string()))));
        all
    }

    /// Bits of [`Filter::mismatches`]: the parts that are facets.
    pub(super) const TOPIC: u8 = 1;
    pub(super) const LABEL: u8 = 1 << 1;
    pub(super) const REASON: u8 = 1 << 2;
    pub(super) const LANGUAGE: u8 = 1 << 3;
    pub(super) const SOURCE: u8 = 1 << 4;
    pub(super) const CASCADE: u8 = 1 << 5;
    pub(super) const CORRECTED: u8 = 1 << 6;
    /// Any other part.
    const OTHER: u8 = 1 << 7;

    pub(crate) fn matches(&self, post: &impl ComparedPost) -> bool {
        self.mismatches(post) == 0
    }

    /// The parts that `post` does not match.
    pub(super) fn mismatches(&self, post: &impl ComparedPost) -> u8 {
        let matches_others = self.since.is_none_or(|since| since <= post.created_at())
            && self.until.is_none_or(|until| post.created_at() < until)
            && self.author.as_ref().is_none_or(|author| is_author(post, author))
            && contains_all(post.text(), &self.texts);
        if !matches_others {
            return Self::OTHER;
        }
        let parts = [
            (Self::TOPIC, self.topics.is_empty() || post.is_of_any(&self.topics)),
            (Self::LABEL, self.labels.is_empty() || self.labels.contains(&post.label())),
            (Self::REASON, self.reason.as_ref().is_none_or(|reason| is_reason(post.reason(), reason))),
            (Self::LANGUAGE, self.language.as_ref().is_none_or(|asked| is_language(post.lang(), asked))),
            (Self::SOURCE, self.source.as_ref().is_none_or(|source| source == post.source())),
            (Self::CASCADE, self.cascade.is_none_or(|cascade| cascade == post.cascade())),
            (Self::CORRECTED, self.corrected.is_none_or(|corrected| corrected == post.is_corrected())),
        ];
        parts.into_iter().filter(|(_, matches)| !matches).fold(0, |all, (part, _)| all | part)
    }

    /// The seconds in which its posts lie: from the first, up to and not including the second.
    pub(super) fn span(&self) -> (i64, i64) {
        let since = self.since.map_or(ALWAYS.0, Timestamp::as_second);
        // A post may be of the same second as `until`, and before it.
        (since, self.until.map_or(ALWAYS.1, |until| until.as_second() + 1))
    }

    pub(super) fn labels_or_all(&self) -> Vec<Label> {
        let selected = |label: &Label| self.labels.is_empty() || self.labels.contains(label);
        Label::ALL.into_iter().filter(selected).collect()
    }

    /// The topic, where nothing but one topic, labels and times are set.
    pub(super) fn is_of_one_topic(&self) -> Option<&str> {
        let Self { topics, source, language, author, cascade, texts, reason, corrected, labels: _, since: _, until: _ } =
            self;
        let others = [source, language, author, reason].into_iter().any(Option::is_some)
            || !texts.is_empty()
            || cascade.is_some()
            || corrected.is_some();
        match topics.as_slice() {
            [topic] if !others => Some(topic),
            _ => None,
        }
    }
}

fn time(name: &'static str, value: &str) -> Result<Timestamp, FilterError> {
    let expected = "a time such as 2026-11-28T09:00:00Z";
    value.parse().map_err(|_| FilterError::Value { name, expected })
}

/// Whether `text` contains each of `parts`, in any case.
fn contains_all(text: &str, parts: &[String]) -> bool {
    if parts.is_empty() {
        return true;
    }
    let text = text.to_lowercase();
    parts.iter().all(|part| text.contains(&part.to_lowercase()))
}

fn is_language(found: Option<&str>, expected: &str) -> bool {
    let found = found.unwrap_or_default();
    let (primary, rest) = found.split_at_checked(expected.len()).unwrap_or((found, ""));
    primary.eq_ignore_ascii_case(expected) && (rest.is_empty() || rest.starts_with('-'))
}

fn is_reason(found: Option<&str>, expected: &str) -> bool {
    found.is_some_and(|found| normalise_reason(found) == normalise_reason(expected))
}

fn is_author(post: &impl ComparedPost, expected: &str) -> bool {
    let expected = normal_author(expected);
    post.authors().into_iter().flatten().any(|name| normal_author(&name) == expected)
}
