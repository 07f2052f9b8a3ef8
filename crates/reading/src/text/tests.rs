//! All profiles on real texts, and their properties on any text.

use proptest::prelude::*;

use super::{Profile, clean};

const PROFILES: [Profile; 3] = [Profile::Classic, Profile::Words, Profile::Transformer];

#[test]
fn transformer_masks_and_keeps_the_rest() {
    for (text, expected) in [
        (
            "@VirginAmerica it was amazing, and arrived an hour early. You're too good to me.",
            "@user it was amazing, and arrived an hour early. You're too good to me.",
        ),
        (
            "RT @united: Thx &amp; sorry!!  #fail ✈️ http://t.co/ahlXHhKiyn\nnever again",
            "RT @user: Thx & sorry!! #fail ✈️ http never again",
        ),
        ("@SouthwestAir 2 HOURS on hold&gt;:( 😡😡", "@user 2 HOURS on hold>:( 😡😡"),
        (
            "Merci @AirParadis pour l’accueil à bord ❤️ 👨‍👩‍👧 https://t.co/x",
            "Merci @user pour l’accueil à bord ❤️ 👨‍👩‍👧 http",
        ),
        (
            "Toujours\u{a0}rien… vol AP123 annulé, écrit à service.client@airparadis.fr : aucune réponse #honte",
            "Toujours rien… vol AP123 annulé, écrit à service.client@airparadis.fr : aucune réponse #honte",
        ),
        ("\u{feff}  ", ""),
    ] {
        assert_eq!(clean(Profile::Transformer, text), expected, "{text}");
    }
}

#[test]
fn words_keeps_stopwords_too() {
    for (text, expected) in [
        ("@united Don't fly with them, it's NOT worth it!! http://t.co/x", "not fly with them it not worth it"),
        ("L'avion n'est pas là, j'ai attendu 3 h :(", "avion ne est pas là ai attendu h"),
    ] {
        assert_eq!(clean(Profile::Words, text), expected, "{text}");
    }
}

#[test]
fn classic_keeps_the_words_that_count() {
    for (text, expected) in [
        ("@united Don't fly with them, it's NOT worth it!! http://t.co/x", "not fly not worth"),
        (
            "RT @AmericanAir: can't &amp; won't wait 3 hours 4 my bags #CancelledFlight",
            "not not wait hours bags cancelledflight",
        ),
        ("The A320 is great 😍, never been happier", "a320 great never happier"),
        (
            "Je n'ai jamais vu ça : l'avion n’est pas parti, aujourd'hui @AirParadis !",
            "ne jamais vu avion ne pas parti aujourdhui",
        ),
        ("Qu'est-ce que j'aime l'équipage d'Air Paradis ❤️ www.airparadis.fr", "aime équipage air paradis"),
        ("Écrit à jean@airparadis.fr, AUCUNE réponse #honte #Air_Paradis", "écrit aucune réponse honte air paradis"),
        ("the 'best' crew's smile, shouldn't've 'left'", "best crew smile not left"),
        ("e\u{301}crit \u{301}l'\u{301} retard", "e\u{301}crit retard"),
        ("RT @user: masked before, http", "masked"),
        ("I am to be 100% 2015 😡 @you http://t.co/x", ""),
    ] {
        assert_eq!(clean(Profile::Classic, text), expected, "{text}");
    }
}

/// Texts made of the parts that the rules look for, in any order: far more likely to break them than random characters.
fn tricky() -> impl Strategy<Value = String> {
    let parts = prop::sample::select(vec![
        "@",
        "@bob",
        "bob",
        "http",
        "https",
        "://",
        "http://",
        "www.",
        "t.co/",
        "pic.twitter.com/",
        "co",
        ".",
        "-",
        ":",
        "/",
        ";",
        "&",
        "amp",
        "&amp;",
        "&lt;",
        "&#59;",
        "&#38;",
        "&#97;",
        "&#8205;",
        "&#32;",
        "#",
        "x",
        "7",
        "'",
        "’",
        "n't",
        "n'",
        "l'",
        "'s",
        "not",
        "the",
        "le",
        " ",
        "\n",
        "\u{a0}",
        "\u{200b}",
        "\u{200d}",
        "\u{fe0f}",
        "😀",
        "👩",
        "❤",
        "é",
        "e\u{301}",
        "\u{301}",
        "İ",
        "Σ",
        "ß",
        "²",
        "_",
        "+",
        ")",
        "…",
        "\"",
        "<",
        "\u{ad}",
        "\u{345}",
        "\u{e0067}",
        "🏴",
        "\u{2bc}",
        "ℹ",
        "🅰",
        "\u{20e3}",
    ]);
    prop::collection::vec(parts, 0..14).prop_map(|parts| parts.concat())
}

fn assert_clean(text: &str) -> Result<(), TestCaseError> {
    for profile in PROFILES {
        let once = clean(profile, text);
        prop_assert_eq!(&clean(profile, &once), &once, "{:?} of {:?}", profile, text);
        prop_assert!(once.trim() == once && !once.contains("  "), "{:?} of {:?}: {:?}", profile, text, once);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, ..ProptestConfig::default() })]

    #[test]
    fn cleaning_twice_changes_nothing(text in tricky()) {
        assert_clean(&text)?;
    }

    #[test]
    fn cleaning_any_text_twice_changes_nothing(text in any::<String>()) {
        assert_clean(&text)?;
    }

    #[test]
    fn classic_contains_only_words(text in tricky()) {
        let cleaned = clean(Profile::Classic, &text);
        let belongs = |c: char| c == ' ' || c.is_alphanumeric() || matches!(c, '\u{300}'..='\u{36f}');
        prop_assert!(cleaned.chars().all(belongs), "{:?}", cleaned);
        prop_assert_eq!(cleaned.to_lowercase().len(), cleaned.len());
    }
}
