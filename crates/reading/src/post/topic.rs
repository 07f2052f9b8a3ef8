//! [`Topics`] decides which watched brands a post is about: by the dump's topic column, otherwise by keywords and handles.

use std::collections::HashMap;

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::Post;
use super::fold::fold_into;

/// One watched brand, as configured. It needs at least one keyword or handle.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Topic {
    pub name: String,
    /// Words or phrases. They match whole words; case, accents and the kind of white space are ignored.
    #[serde(default)]
    pub keywords: Vec<String>,
    /// Account names, with or without `@`: a post that mentions one belongs to the topic.
    #[serde(default)]
    pub handles: Vec<String>,
    /// BCP 47 languages; a post marked as another language does not match. Empty: any language.
    #[serde(default)]
    pub languages: Vec<String>,
    /// The IANA time zone in which its rhythm is learned; none: that of the messages.
    pub time_zone: Option<String>,
    /// Only watched, to compare others with: it never raises an alert.
    #[serde(default)]
    pub watch_only: bool,
}

impl Topic {
    /// Returns the first problem, if any.
    pub fn check(&self) -> Result<(), TopicError> {
        self.validate().into_iter().next().map_or(Ok(()), Err)
    }

    /// All problems of this topic alone.
    pub fn validate(&self) -> Vec<TopicError> {
        let name = || self.name.clone();
        let mut problems = Vec::new();
        if self.name.trim().is_empty() {
            problems.push(TopicError::Unnamed);
        }
        if self.keywords.is_empty() && self.handles.is_empty() {
            problems.push(TopicError::MatchesNothing(name()));
        }
        let blank = self.keywords.iter().filter(|keyword| !keyword.chars().any(char::is_alphanumeric));
        problems.extend(blank.map(|keyword| TopicError::Keyword(name(), keyword.clone())));
        let odd = self.handles.iter().filter(|handle| !is_handle(handle));
        problems.extend(odd.map(|handle| TopicError::Handle(name(), handle.clone())));
        let unknown = self.languages.iter().filter(|language| !is_language(language));
        problems.extend(unknown.map(|language| TopicError::Language(name(), language.clone())));
        let zone = self.time_zone.iter().filter(|zone| TimeZone::get(zone).is_err());
        problems.extend(zone.map(|zone| TopicError::TimeZone(name(), zone.clone())));
        problems
    }
}

/// A problem in the configured topics.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TopicError {
    #[error("a topic has no name; expected e.g. name = \"Air Paradis\"")]
    Unnamed,
    #[error("topic {0:?} is defined twice; merge both into one")]
    Duplicate(String),
    #[error("topic {0:?} matches no post; expected at least one keyword or handle")]
    MatchesNothing(String),
    #[error("topic {0:?}: keyword {1:?} contains no letter or digit")]
    Keyword(String, String),
    #[error("topic {0:?}: {1:?} is not a valid handle; expected letters, digits and _, e.g. \"airparadis\"")]
    Handle(String, String),
    #[error("topic {0:?}: {1:?} is not a valid language; expected e.g. \"fr\"")]
    Language(String, String),
    #[error("topic {0:?}: unknown time zone {1:?}; expected e.g. \"Europe/Paris\"")]
    TimeZone(String, String),
}

/// Index of a topic, in order of first appearance; configured topics come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TopicId(u32);

impl TopicId {
    /// 0, 1, 2 ...: for tables indexed by topic.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// Matches posts to topics and maps topic identifiers to names.
#[derive(Debug)]
pub struct Topics {
    names: Vec<String>,
    ids: HashMap<String, TopicId>,
    /// Patterns to search for, indexed by their first byte.
    patterns: Vec<Vec<Pattern>>,
    /// The primary languages of each configured topic, by its index; empty for any language.
    languages: Vec<Vec<String>>,
    unmatched: Option<TopicId>,
    folded: String,
    found: Vec<TopicId>,
}

#[derive(Debug)]
struct Pattern {
    folded: String,
    topic: TopicId,
    /// The pattern ends in a letter or digit: a match must end at a word boundary.
    ends_in_word: bool,
}

impl Topics {
    /// `unmatched` names the topic for posts that match no other; without it they have no topic.
    pub fn new(topics: &[Topic], unmatched: Option<&str>) -> Result<Self, TopicError> {
        let mut matcher = Self {
            names: Vec::new(),
            ids: HashMap::new(),
            patterns: (0..=usize::from(u8::MAX)).map(|_| Vec::new()).collect(),
            languages: Vec::new(),
            unmatched: None,
            folded: String::new(),
            found: Vec::new(),
        };
        for topic in topics {
            topic.check()?;
            if matcher.ids.contains_key(topic.name.trim()) {
                return Err(TopicError::Duplicate(topic.name.clone()));
            }
            matcher.add(topic);
        }
        matcher.unmatched = unmatched.map(|name| matcher.intern(name));
        Ok(matcher)
    }

    /// The topics of a post, in ascending order: the one in its topic column if it has one, otherwise all configured topics
    /// that it matches, otherwise the topic for unmatched posts.
    pub fn match_post(&mut self, post: &Post) -> &[TopicId] {
        self.found.clear();
        match &post.topic {
            Some(name) => {
                let topic = self.intern(name);
                self.found.push(topic);
            }
            None => self.search(post),
        }
        &self.found
    }

    /// The name of a topic; empty for an identifier of another `Topics`.
    pub fn name(&self, topic: TopicId) -> &str {
        self.names.get(topic.index()).map_or("", String::as_str)
    }

    /// Names of all topics so far, by [`TopicId::index`].
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The identifier of a name; a new name gets a new identifier. For state that is stored by name.
    pub fn intern(&mut self, name: &str) -> TopicId {
        let name = name.trim();
        if let Some(known) = self.ids.get(name) {
            return *known;
        }
        let topic = TopicId(u32::try_from(self.names.len()).unwrap_or(u32::MAX));
        self.names.push(name.to_owned());
        self.ids.insert(name.to_owned(), topic);
        topic
    }

    fn add(&mut self, topic: &Topic) {
        let id = self.intern(&topic.name);
        let handles = topic.handles.iter().map(|handle| format!("@{}", handle.trim_start_matches('@')));
        for pattern in topic.keywords.iter().map(|keyword| keyword.trim().to_owned()).chain(handles) {
            let mut folded = String::with_capacity(pattern.len());
            fold_into(&pattern, &mut folded);
            let ends_in_word = folded.chars().next_back().is_some_and(is_word);
            let first = folded.as_bytes().first().copied().unwrap_or_default();
            if let Some(bucket) = self.patterns.get_mut(usize::from(first)) {
                bucket.push(Pattern { folded, topic: id, ends_in_word });
            }
        }
        self.languages.push(topic.languages.iter().map(|language| primary(language).to_ascii_lowercase()).collect());
    }

    fn search(&mut self, post: &Post) {
        let mut folded = std::mem::take(&mut self.folded);
        folded.clear();
        fold_into(&post.text, &mut folded);
        for (at, byte) in folded.bytes().enumerate() {
            let Some(bucket) = self.patterns.get(usize::from(byte)).filter(|bucket| !bucket.is_empty()) else {
                continue;
            };
            for pattern in bucket {
                if pattern.matches_at(&folded, at) && !self.found.contains(&pattern.topic) {
                    self.found.push(pattern.topic);
                }
            }
        }
        self.folded = folded;
        let languages = &self.languages;
        self.found.retain(|topic| {
            languages.get(topic.index()).is_none_or(|allowed| language_matches(allowed, post.lang.as_deref()))
        });
        self.found.sort_unstable();
        if self.found.is_empty() {
            self.found.extend(self.unmatched);
        }
    }
}

impl Pattern {
    /// Whether the pattern occurs at this byte of the text, as whole words.
    fn matches_at(&self, folded: &str, at: usize) -> bool {
        let Some((before, from)) = folded.split_at_checked(at) else { return false };
        let Some(behind) = from.strip_prefix(self.folded.as_str()) else { return false };
        let cut_before = before.chars().next_back().is_some_and(is_word);
        let cut_behind = self.ends_in_word && behind.chars().next().is_some_and(is_word);
        !cut_before && !cut_behind
    }
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

fn is_handle(handle: &str) -> bool {
    let handle = handle.strip_prefix('@').unwrap_or(handle);
    (1..=50).contains(&handle.len()) && handle.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn is_language(language: &str) -> bool {
    let primary = primary(language);
    (2..=3).contains(&primary.len()) && primary.bytes().all(|byte| byte.is_ascii_alphabetic())
}

/// `fr` of `fr-CA`.
fn primary(language: &str) -> &str {
    language.split(['-', '_']).next().unwrap_or_default()
}

/// Whether a post may be in one of the allowed languages. X uses `und`, `zxx`, `art` and the private codes `qaa` to `qtz`
/// (`qme`, `qht` ...) for posts whose language it does not know; they match any topic.
fn language_matches(allowed: &[String], stated: Option<&str>) -> bool {
    let Some(stated) = stated.map(primary).filter(|_| !allowed.is_empty()) else { return true };
    let private = stated.len() == 3 && stated.starts_with(['q', 'Q']);
    private
        || ["und", "zxx", "art", ""].iter().any(|unknown| unknown.eq_ignore_ascii_case(stated))
        || allowed.iter().any(|language| language.eq_ignore_ascii_case(stated))
}

#[cfg(test)]
mod tests;
