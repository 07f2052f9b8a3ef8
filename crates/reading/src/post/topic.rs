//! Which watched brands a post is about: by the dump's topic column, else by keywords and handles.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::Post;
use super::fold::fold_into;

/// One watched brand, as configured. At least one keyword or handle.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Topic {
    pub name: String,
    /// Words or phrases, matched whole, without regard to case, accents and kind of white space.
    #[serde(default)]
    pub keywords: Vec<String>,
    /// Account names, with or without `@`: a post that mentions one belongs to the topic.
    #[serde(default)]
    pub handles: Vec<String>,
    /// BCP 47 languages; a post stated to be in another does not belong. Empty: any language.
    #[serde(default)]
    pub languages: Vec<String>,
}

impl Topic {
    /// Names the first fault, if any.
    pub fn check(&self) -> Result<(), TopicError> {
        self.faults().into_iter().next().map_or(Ok(()), Err)
    }

    /// Every fault of this topic alone.
    pub fn faults(&self) -> Vec<TopicError> {
        let name = || self.name.clone();
        let mut faults = Vec::new();
        if self.name.trim().is_empty() {
            faults.push(TopicError::Unnamed);
        }
        if self.keywords.is_empty() && self.handles.is_empty() {
            faults.push(TopicError::MatchesNothing(name()));
        }
        let blank = self.keywords.iter().filter(|keyword| !keyword.chars().any(char::is_alphanumeric));
        faults.extend(blank.map(|keyword| TopicError::Keyword(name(), keyword.clone())));
        let odd = self.handles.iter().filter(|handle| !is_handle(handle));
        faults.extend(odd.map(|handle| TopicError::Handle(name(), handle.clone())));
        let unknown = self.languages.iter().filter(|language| !is_language(language));
        faults.extend(unknown.map(|language| TopicError::Language(name(), language.clone())));
        faults
    }
}

/// A fault in the configured topics.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TopicError {
    #[error("a topic has no name: wanted such as name = \"Air Paradis\"")]
    Unnamed,
    #[error("topic {0:?} is given twice: keep one, with the keywords and handles of both")]
    Twice(String),
    #[error("topic {0:?} matches no post: wanted at least one of keywords and handles")]
    MatchesNothing(String),
    #[error("topic {0:?}: keyword {1:?} holds neither letter nor digit")]
    Keyword(String, String),
    #[error("topic {0:?}: {1:?} is no handle (wanted such as \"airparadis\": letters, digits and _)")]
    Handle(String, String),
    #[error("topic {0:?}: {1:?} is no language (wanted such as \"fr\")")]
    Language(String, String),
}

/// A topic's place in the order in which topics came up; configured ones come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TopicId(u32);

impl TopicId {
    /// For tables kept per topic: 0, 1, 2 ...
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// Tells the topics of posts, and knows their names.
#[derive(Debug)]
pub struct Topics {
    names: Vec<String>,
    ids: HashMap<String, TopicId>,
    /// What the texts are searched for, by first byte.
    patterns: Vec<Vec<Pattern>>,
    /// The primary languages a configured topic is limited to, by its index.
    languages: Vec<Vec<String>>,
    unmatched: Option<TopicId>,
    folded: String,
    found: Vec<TopicId>,
}

#[derive(Debug)]
struct Pattern {
    folded: String,
    topic: TopicId,
    /// It ends in a letter or digit, so that another must not follow.
    ends_in_word: bool,
}

impl Topics {
    /// `unmatched` names the topic of posts that belong to no other; without it they have none.
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
                return Err(TopicError::Twice(topic.name.clone()));
            }
            matcher.add(topic);
        }
        matcher.unmatched = unmatched.map(|name| matcher.intern(name));
        Ok(matcher)
    }

    /// The topics of a post, in ascending order: that of its topic column alone where it has one, else all configured
    /// ones it matches, else the one for unmatched posts.
    pub fn of(&mut self, post: &Post) -> &[TopicId] {
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

    /// The name of a topic that this matcher gave; empty for one of another's.
    pub fn name(&self, topic: TopicId) -> &str {
        self.names.get(topic.index()).map_or("", String::as_str)
    }

    /// Names of all topics so far, in the order of their [`TopicId::index`].
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The identifier of a name, which is taken up if it is new: for state that is kept by name.
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
                if pattern.stands_at(&folded, at) && !self.found.contains(&pattern.topic) {
                    self.found.push(pattern.topic);
                }
            }
        }
        self.folded = folded;
        let languages = &self.languages;
        self.found
            .retain(|topic| languages.get(topic.index()).is_none_or(|wanted| speaks(wanted, post.lang.as_deref())));
        self.found.sort_unstable();
        if self.found.is_empty() {
            self.found.extend(self.unmatched);
        }
    }
}

impl Pattern {
    /// Whether it stands at a byte of the text as whole words.
    fn stands_at(&self, folded: &str, at: usize) -> bool {
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

/// Whether a post may be in one of the wanted languages: X states `und`, `zxx`, `art` and codes from `qaa` to `qtz`
/// (`qme`, `qht` ...) for what it cannot tell.
fn speaks(wanted: &[String], stated: Option<&str>) -> bool {
    let Some(stated) = stated.map(primary).filter(|_| !wanted.is_empty()) else { return true };
    let private = stated.len() == 3 && stated.starts_with(['q', 'Q']);
    private
        || ["und", "zxx", "art", ""].iter().any(|unknown| unknown.eq_ignore_ascii_case(stated))
        || wanted.iter().any(|language| language.eq_ignore_ascii_case(stated))
}

#[cfg(test)]
mod tests;
