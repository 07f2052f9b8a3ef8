//! The names under which public exports hold each field, and when two names are the same. `columns` puts a mapped name before
//! them.

use super::columns::Field;

/// The known names of a field, the best first. A topic has none: only the user knows which column names the brand.
///
/// The order decides between columns of one file: the whole text goes before a shortened one, the post's own time before the
/// time at which it was collected, the handle before the display name.
pub(super) fn known_names(field: Field) -> &'static [&'static str] {
    match field {
        Field::Id => ID,
        Field::CreatedAt => CREATED_AT,
        Field::Text => TEXT,
        Field::Author => AUTHOR,
        Field::Label => LABEL,
        Field::Lang => LANG,
        Field::Reason => &["negative_reason", "negativereason"],
        Field::Incident => &["incident"],
        _ => &[],
    }
}

/// Not `user_id`, `conversation_id`, `thread_id` and the like, nor a link, which several posts share.
const ID: &[&str] = &[
    "id",
    "tweet_id",
    "post_id",
    "id_str",
    "status_id",
    "comment_id",
    "message_id",
    "ids", // Sentiment140 on Kaggle
    "cid", // YouTube comment scrapers
    "review_id",
    "identifiant",
    "resource_id", // Brandwatch
    "mention_id",
    "document_id",
    "item_id",
];

const CREATED_AT: &[&str] = &[
    "created_at",
    "tweet_created",
    "timestamp",
    "timestamp_utc", // minet
    "datetime",
    "date_time",
    "created_time", // Facepager
    "created_utc",  // Reddit
    "date_created",
    "created_date",
    "creation_date",
    "published_at", // YouTube, Mention
    "publish_date",
    "published_date",
    "date_published",
    "published",    // Talkwalker
    "post_created", // CrowdTangle
    "posted_at",
    "post_date",
    "date_posted",
    "tweet_date",
    "tweeted_at",
    "tweet_at",
    "time_parsed", // YouTube comment scrapers; their `time` is "2 years ago"
    "unix_timestamp",
    "taken_at",
    "created",
    "date_utc",
    "date",
    "date_heure",
    "horodatage",
    "date_de_publication",
    "date_publication",
    "publie_le",
    "date_de_creation",
    "date_creation",
    "cree_le",
    "time",
    "local_time",
    "utc_time",
];

/// Names that say that the column holds the post's text.
const TEXT: &[&str] = &[
    "full_text", // v1.1, Brandwatch, which cuts `text`
    "text",
    "tweet",
    "tweet_text",
    "tweet_content",
    "raw_content", // snscrape
    "content",
    "body",
    "message",
    "text_original", // YouTube
    "comment_text",
    "comment_body",
    "comment",
    "post_text",
    "post_content",
    "post_message",
    "message_text",
    "review_text",
    "review_content",
    "review_body",
    "review",
    "original_tweet",
    "sentiment_text",
    "hit_sentence", // Meltwater
    "opening_text",
    "selftext", // Reddit
    "caption",
    "texte",
    "texte_du_tweet",
    "texte_integral",
    "contenu",
    "commentaire",
    "avis",
    "corps",
    "clean_text",
    "text_display",
    "rendered_content",
    "snippet",
    "extrait",
    "description",
    "title",
    "headline",
    "titre",
];

/// From here on, a name of [`TEXT`] also names other things, such as the title of a report.
const FIRST_WEAK_TEXT: &str = "text_display";

const AUTHOR: &[&str] = &[
    "author",
    "screen_name",
    "user_screen_name", // minet; its `user_name` is the display name
    "user.screen_name",
    "twitter_screen_name", // Meltwater
    "username",
    "user_name",
    "author.username", // twarc-csv
    "author_username",
    "author_name",
    "author_display_name", // YouTube
    "from.username",
    "from.name",                          // Facepager
    "extra_author_attributes.short_name", // Talkwalker
    "handle",
    "user_handle",
    "user",
    "influencer",
    "auteur",
    "utilisateur",
    "nom_utilisateur",
    "nom_d_utilisateur",
    "pseudo",
    "pseudonyme",
    "page_name", // CrowdTangle
    "from_user",
    "name",
    "nom",
    "author_id",
];

const LABEL: &[&str] = &[
    "label_text", // Hugging Face, where `label` is a number
    "label",
    "airline_sentiment",
    "sentiment",
    "sentiment_label",
    "polarity",
    "target", // Sentiment140 on Kaggle
    "tonalite",
    "tone", // Mention
    "tonality",
    "polarite",
    "etiquette",
];

const LANG: &[&str] = &["lang", "language", "language_code", "lang_code", "tweet_lang", "tweet_language", "langue"];

/// The names of texts; in the second list, those that other columns have as well.
pub(super) fn text_names() -> (&'static [&'static str], &'static [&'static str]) {
    let certain = TEXT.iter().position(|known| *known == FIRST_WEAK_TEXT).unwrap_or(TEXT.len());
    TEXT.split_at(certain)
}

/// Whether one of `TEXT`'s names that other columns have as well.
pub(super) fn is_weak_text_name(name: &str) -> bool {
    let name = comparable_name(name);
    text_names().1.iter().any(|known| comparable_name(known) == name)
}

/// A name without what people write differently: case, accents, blanks, underscores, hyphens and dots.
pub fn comparable_name(name: &str) -> String {
    name.chars()
        .filter(|character| character.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .map(without_accent)
        .collect()
}

fn without_accent(character: char) -> char {
    match character {
        'à' | 'â' | 'ä' | 'á' | 'ã' => 'a',
        'é' | 'è' | 'ê' | 'ë' => 'e',
        'î' | 'ï' | 'í' => 'i',
        'ô' | 'ö' | 'ó' | 'õ' => 'o',
        'ù' | 'û' | 'ü' | 'ú' => 'u',
        'ç' => 'c',
        'ñ' => 'n',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_compare_without_case_accents_and_separators() {
        for (one, other) in [
            ("Tweet Id", "tweet_id"),
            ("TweetID", "tweet_id"),
            ("Created At", "created_at"),
            ("from.name", "From Name"),
            ("Publié le", "publie_le"),
            ("Étiquette", "etiquette"),
        ] {
            assert_eq!(comparable_name(one), comparable_name(other), "{one}");
        }
        assert_ne!(comparable_name("user_id"), comparable_name("id"));
        assert_eq!(comparable_name(" _-."), "");
    }

    #[test]
    fn a_title_is_a_weak_name_of_a_text() {
        assert!(is_weak_text_name("Title") && is_weak_text_name("Snippet"));
        assert!(!is_weak_text_name("Full Text") && !is_weak_text_name("clean_text"));
    }

    #[test]
    fn no_name_belongs_to_two_fields() {
        let mut owners = std::collections::BTreeMap::new();
        for field in Field::ALL {
            for name in known_names(field) {
                let owner = *owners.entry(comparable_name(name)).or_insert(field);
                assert_eq!(owner, field, "{name}");
            }
        }
    }
}
