//! Queries in X's language: built from the topics, or validated before they are sent to X.

use std::collections::BTreeSet;

use crate::post::Topic;

/// Characters of a query of recent search, on self-serve plans.
pub(super) const MAX_CHARS: usize = 512;
/// Characters of a rule of the filtered stream, on self-serve plans.
pub(super) const MAX_RULE_CHARS: usize = 1_024;

/// Operators that can be used alone.
const STANDALONE: [&str; 19] = [
    "from",
    "to",
    "url",
    "url_title",
    "url_description",
    "retweets_of",
    "context",
    "entity",
    "conversation_id",
    "list",
    "in_reply_to_tweet_id",
    "in_reply_to_status_id",
    "retweets_of_tweet_id",
    "retweets_of_status_id",
    "quotes_of_tweet_id",
    "place",
    "place_country",
    "point_radius",
    "bounding_box",
];
/// Operators that must be combined with one of those or a word.
const CONJUNCTION: [&str; 12] = [
    "lang",
    "is",
    "has",
    "sample",
    "source",
    "bio",
    "bio_name",
    "bio_location",
    "followers_count",
    "tweets_count",
    "following_count",
    "listed_count",
];
const IS: [&str; 7] = ["retweet", "reply", "quote", "verified", "blue_verified", "nullcast", "note_tweet"];
const HAS: [&str; 9] =
    ["hashtags", "cashtags", "links", "mentions", "media", "media_link", "images", "videos", "video_link"];

/// Builds the query for `topics`: their keywords and handles, in their languages, without plain retweets.
pub(super) fn build_query(topics: &[&Topic]) -> String {
    const NO_RETWEETS: &str = "-is:retweet";
    let same_languages = topics.windows(2).all(|pair| languages(pair[0]) == languages(pair[1]));
    if same_languages {
        let all = terms(topics.iter().copied());
        let languages = topics.first().map(|topic| languages(topic)).unwrap_or_default();
        let parts = [any_of(&all), any_of(&languages), NO_RETWEETS.to_owned()];
        return parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
    }
    let clause = |topic: &&Topic| match (any_of(&terms([*topic])), any_of(&languages(topic))) {
        (terms, languages) if languages.is_empty() => terms,
        (terms, languages) => format!("({terms} {languages})"),
    };
    let clauses: Vec<String> = topics.iter().map(clause).collect();
    format!("({}) {NO_RETWEETS}", clauses.join(" OR "))
}

/// Builds queries of at most `max` characters that find the posts of all `topics`: one, or as many as they need.
///
/// # Errors
/// When one keyword or handle alone makes a longer query; the message names its topic.
pub(super) fn build_queries(topics: &[&Topic], max: usize) -> Result<Vec<String>, String> {
    let whole = build_query(topics);
    if topics.is_empty() || whole.chars().count() <= max {
        return Ok(vec![whole]);
    }
    let (mut queries, mut parts) = (Vec::new(), Vec::<Topic>::new());
    for topic in topics {
        for term in single_terms(topic) {
            let mut more = parts.clone();
            match more.last_mut().filter(|last| last.name == topic.name) {
                Some(last) => {
                    last.keywords.extend(term.keywords.iter().cloned());
                    last.handles.extend(term.handles.iter().cloned());
                }
                None => more.push(term.clone()),
            }
            if length(&more) <= max {
                parts = more;
                continue;
            }
            let alone = vec![term];
            if length(&alone) > max {
                let (name, term) = (&topic.name, terms(&alone).join(" "));
                let length = length(&alone);
                return Err(format!(
                    "topic {name:?}: {term} alone makes a query of {length} characters, X accepts {max}"
                ));
            }
            let full = std::mem::replace(&mut parts, alone);
            queries.push(build_query(&full.iter().collect::<Vec<_>>()));
        }
    }
    queries.push(build_query(&parts.iter().collect::<Vec<_>>()));
    Ok(queries)
}

fn length(topics: &[Topic]) -> usize {
    build_query(&topics.iter().collect::<Vec<_>>()).chars().count()
}

/// `topic` once for each of its keywords and handles, with that one alone.
fn single_terms(topic: &Topic) -> impl Iterator<Item = Topic> {
    let empty = Topic { keywords: Vec::new(), handles: Vec::new(), ..topic.clone() };
    let keywords = topic.keywords.iter().map(|keyword| (Some(keyword.clone()), None));
    let handles = topic.handles.iter().map(|handle| (None, Some(handle.clone())));
    keywords.chain(handles).map(move |(keyword, handle): (Option<String>, Option<String>)| Topic {
        keywords: keyword.into_iter().collect(),
        handles: handle.into_iter().collect(),
        ..empty.clone()
    })
}

/// The search terms of the topics, without duplicates.
fn terms<'a>(topics: impl IntoIterator<Item = &'a Topic>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let all = topics.into_iter().flat_map(|topic| {
        let handles = topic.handles.iter().map(|handle| format!("@{}", handle.trim().trim_start_matches('@')));
        topic.keywords.iter().map(|keyword| term(keyword)).chain(handles)
    });
    all.filter(|term| seen.insert(term.to_lowercase())).collect()
}

/// A keyword as a word, or in quotes when it has several words or special characters.
fn term(keyword: &str) -> String {
    let words: Vec<&str> =
        keyword.split(|c: char| c.is_whitespace() || c == '"').filter(|word| !word.is_empty()).collect();
    let phrase = words.join(" ");
    let plain = phrase.strip_prefix('#').unwrap_or(&phrase).chars().all(|c| c.is_alphanumeric() || c == '_');
    let reserved = ["or", "and", "not"].contains(&phrase.to_lowercase().as_str());
    if plain && !reserved { phrase } else { format!("\"{phrase}\"") }
}

/// X uses `und` when it cannot detect the language, e.g. of a handle and an emoji: such posts are included.
fn languages(topic: &Topic) -> Vec<String> {
    let primary = |language: &String| language.split(['-', '_']).next().unwrap_or_default().to_lowercase();
    let mut all: BTreeSet<String> = topic.languages.iter().map(primary).collect();
    if !all.is_empty() {
        all.insert("und".into());
    }
    all.iter().map(|language| format!("lang:{language}")).collect()
}

fn any_of(alternatives: &[String]) -> String {
    match alternatives {
        [] => String::new(),
        [one] => one.clone(),
        several => format!("({})", several.join(" OR ")),
    }
}

/// Finds the problems of a query of at most `max` characters.
pub(super) fn validate(query: &str, max: usize) -> Vec<String> {
    let mut problems = Vec::new();
    let length = query.chars().count();
    if length > max {
        problems.push(format!("it has {length} characters, X accepts {max}"));
    }
    let terms = match split_terms(query) {
        Ok(terms) => terms,
        Err(problem) => {
            problems.push(problem);
            return problems;
        }
    };
    problems.extend(terms.iter().filter_map(|term| operator_problem(term)));
    if problems.is_empty() && !terms.iter().any(|term| stands_alone(term)) {
        let expected = "a word, \"a phrase\", #hashtag, @handle or an operator such as from:, not negated";
        problems.push(format!("it has no term that can be used alone; expected {expected}"));
    }
    problems
}

/// Splits a query into terms, without brackets; phrases keep their opening quote.
fn split_terms(query: &str) -> Result<Vec<String>, String> {
    let (mut terms, mut term) = (Vec::new(), String::new());
    let (mut depth, mut quoted, mut empty_bracket) = (0_usize, false, false);
    for character in query.chars() {
        match character {
            '"' => {
                quoted = !quoted;
                if quoted || term.ends_with('"') {
                    term.push('"');
                }
            }
            other if quoted => term.push(other),
            '(' | ')' | ' ' | '\t' | '\n' => {
                let ended = !std::mem::take(&mut empty_bracket) || !term.is_empty() || character != ')';
                // A lone minus negates the bracket that follows.
                terms.extend(Some(std::mem::take(&mut term)).filter(|term| !term.is_empty() && term != "-"));
                match character {
                    '(' => (depth, empty_bracket) = (depth + 1, true),
                    ')' if !ended => return Err("brackets () are empty".into()),
                    ')' => depth = depth.checked_sub(1).ok_or("a closing bracket has no opening bracket")?,
                    _ => empty_bracket = !ended,
                }
            }
            other => term.push(other),
        }
    }
    terms.extend(Some(term).filter(|term| !term.is_empty()));
    match (quoted, depth) {
        (true, _) => Err("a quote is not closed".into()),
        (_, 0) if terms.is_empty() => Err("it is empty".into()),
        (_, 0) => Ok(terms),
        (_, open) => Err(format!("{open} bracket(s) are not closed")),
    }
}

fn operator(term: &str) -> Option<(&str, &str)> {
    let term = term.strip_prefix('-').unwrap_or(term);
    let (name, value) = term.split_once(':')?;
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    is_name.then_some((name, value))
}

fn operator_problem(term: &str) -> Option<String> {
    let (name, value) = operator(term)?;
    let known: Vec<&str> = STANDALONE.iter().chain(&CONJUNCTION).copied().collect();
    if !known.contains(&name) {
        let near = nearest(name, &known).map(|near| format!(" (did you mean {near}:?)")).unwrap_or_default();
        return Some(format!("unknown operator {name}:{near}; put it in quotes to search for it as text"));
    }
    let values: &[&str] = match name {
        "is" => &IS,
        "has" => &HAS,
        _ if value.is_empty() => return Some(format!("{name}: has no value")),
        _ => return None,
    };
    (!values.contains(&value)).then(|| format!("unknown {name}:{value}; expected one of {}", values.join(", ")))
}

fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let near = known.iter().map(|known| (strsim::damerau_levenshtein(name, known), *known)).min()?;
    (near.0 <= 2).then_some(near.1)
}

fn stands_alone(term: &str) -> bool {
    if term.starts_with('-') || term == "OR" || term == "AND" {
        return false;
    }
    match operator(term) {
        Some((name, _)) => STANDALONE.contains(&name),
        None => term.chars().any(|c| !c.is_ascii_punctuation()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topic(name: &str, keywords: &[&str], handles: &[&str], languages: &[&str]) -> Topic {
        let owned = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect();
        let (keywords, handles, languages) = (owned(keywords), owned(handles), owned(languages));
        Topic { name: name.into(), keywords, handles, languages, ..Topic::default() }
    }

    #[test]
    fn the_query_contains_the_terms_of_the_topics() {
        let paradis = topic("Air Paradis", &["Air Paradis", "AirParadis", "airparadis"], &["@AirParadis"], &[]);
        assert_eq!(build_query(&[&paradis]), "(\"Air Paradis\" OR AirParadis OR @AirParadis) -is:retweet");
        let hop = topic("Hop", &["hop!", "#hop", "or"], &[], &["fr-FR"]);
        assert_eq!(build_query(&[&hop]), "(\"hop!\" OR #hop OR \"or\") (lang:fr OR lang:und) -is:retweet");
        assert_eq!(
            build_query(&[&paradis, &topic("Hop", &["hop"], &[], &["fr"])]),
            "((\"Air Paradis\" OR AirParadis OR @AirParadis) OR (hop (lang:fr OR lang:und))) -is:retweet"
        );
        for topics in [&[&paradis][..], &[&hop], &[&paradis, &hop]] {
            assert_eq!(validate(&build_query(topics), MAX_CHARS), Vec::<String>::new());
        }
        assert_eq!(term("say \"hi\""), "\"say hi\"");
    }

    fn any_language() -> impl proptest::strategy::Strategy<Value = Vec<String>> {
        proptest::sample::select(vec![vec![], vec!["fr".to_owned()], vec!["en".to_owned(), "fr".to_owned()]])
    }

    #[test]
    fn a_term_that_no_query_can_hold_is_named() {
        let long = topic("Air Paradis", &["ok", &"a".repeat(600)], &[], &[]);
        let problem = build_queries(&[&long], MAX_CHARS).unwrap_err();
        assert!(problem.contains("\"Air Paradis\"") && problem.contains("X accepts 512"), "{problem}");
    }

    #[test]
    fn each_problem_of_a_query_is_named() {
        let long = "a ".repeat(300);
        let cases = [
            (long.as_str(), "600 characters, X accepts 512"),
            ("", "empty"),
            ("(a OR b", "not closed"),
            ("a) b", "no opening bracket"),
            ("a ()", "() are empty"),
            ("\"Air Paradis", "quote"),
            ("form:airparadis", "did you mean from:?"),
            ("a is:retweeted", "unknown is:retweeted; expected one of retweet"),
            ("a lang:", "lang: has no value"),
            ("-is:retweet lang:fr", "used alone"),
            ("-airparadis", "used alone"),
        ];
        for (query, expected) in cases {
            let problems = validate(query, MAX_CHARS).join("; ");
            assert!(problems.contains(expected), "{query:?}: {problems}");
        }
    }

    #[test]
    fn a_valid_query_has_no_problem() {
        for query in [
            "(\"Air Paradis\" OR @AirParadis) -is:retweet",
            "#avion lang:fr -has:links -(pub OR promo)",
            "from:airparadis",
            "url:\"https://airparadis.example\" (a ( b OR c ))",
            "\"12:30 (departure\" vol",
            "😡 avion 12:30",
        ] {
            assert_eq!(validate(query, MAX_CHARS), Vec::<String>::new(), "{query}");
        }
    }

    proptest::proptest! {
        /// Every term is in one of the queries, each of which X accepts.
        #[test]
        fn many_topics_make_several_queries(
            topics in proptest::collection::vec(("[a-z]{3,9}", proptest::collection::vec("[a-z]{3,20}", 1..30), any_language()), 1..40),
            max in 90_usize..600,
        ) {
            let topics: Vec<Topic> = topics
                .into_iter()
                .map(|(name, keywords, languages)| Topic { name, keywords, languages, ..Topic::default() })
                .collect();
            let queries = build_queries(&topics.iter().collect::<Vec<_>>(), max).unwrap();
            for query in &queries {
                proptest::prop_assert_eq!(validate(query, max), Vec::<String>::new());
            }
            for keyword in topics.iter().flat_map(|topic| &topic.keywords) {
                let term = term(keyword);
                let has = |query: &String| split_terms(query).unwrap().contains(&term.replace('"', ""));
                proptest::prop_assert!(
                    queries.iter().any(|query| has(query) || query.contains(&term)), "{} is in no query", term
                );
            }
        }

        #[test]
        fn any_text_can_be_validated_and_any_topic_gives_a_valid_query(
            text in ".{0,60}", keywords in proptest::collection::vec("[^\\p{Cc}]{0,12}[a-z]{2}", 1..4),
        ) {
            let _ = validate(&text, MAX_CHARS);
            let topic = Topic { name: "t".into(), keywords, ..Topic::default() };
            proptest::prop_assert_eq!(validate(&build_query(&[&topic]), MAX_CHARS), Vec::<String>::new());
        }
    }
}
