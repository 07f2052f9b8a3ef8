//! The page in both languages: its form with errors, and a result.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::comparison::tests::alert;
use super::*;
use crate::config::LoadedConfig;
use crate::language::Language;
use crate::pipeline::backtest::{FalseAlarms, MessageCounts, RuleOutcome};
use crate::web::Pages;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn form(address: &str, language: Language) -> BacktestForm {
    let repository = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let loaded = LoadedConfig::find(Some(&repository.join("config/vigie.toml")), None).unwrap();
    let now = at("2026-11-28T12:00:00Z");
    let topics = vec!["<Air> Paradis".to_owned()];
    let stored = Some((at("2026-11-20T08:10:00Z"), now));
    let around = Surroundings { loaded: &loaded, topics, stored, now, zone: &TimeZone::UTC, language };
    let parameters: Vec<(String, String)> = form_urlencoded::parse(address.as_bytes()).into_owned().collect();
    BacktestForm::read(&parameters, &around).unwrap()
}

fn render(
    form: &BacktestForm,
    comparison: Option<&Comparison>,
    refusal: Option<Refusal>,
    language: Language,
) -> String {
    let pages = Pages::new(language, "UTC").unwrap();
    let values = context(form, comparison, refusal, at("2026-11-28T12:00:00Z"));
    pages.render(&Visitor::speaking(language), ("backtest.html", &Frame::default()), values).unwrap()
}

fn holds(page: &str, expected: &[&str]) {
    for expected in expected {
        assert!(page.contains(expected), "{expected} is not in\n{page}");
    }
}

#[test]
fn the_form_shows_values_and_errors_in_both_languages() {
    let address = "rule=NegativeRising&for=abc&condition.any%5B0%5D.false_alarm_every=30d&topic=%3Cb%3E";
    let english = render(&form(address, Language::English), None, None, Language::English);
    let error = "aria-invalid=\"true\" aria-describedby=\"f1-1-error\"";
    holds(
        &english,
        &[
            error,
            "value=\"abc\"",
            "expected a duration",
            "name=\"condition.any[0].false_alarm_every\"",
            "value=\"30d\"",
        ],
    );
    holds(&english, &["now: 60d", "no posts of this topic", "&lt;Air&gt; Paradis"]);
    let hostile = render(&form("for=%3Cb%3E%22", Language::English), None, None, Language::English);
    holds(&hostile, &["value=\"&lt;b&gt;&quot;\""]);
    let french = render(&form(address, Language::French), None, None, Language::French);
    holds(&french, &["durée attendue", "en service\u{a0}: 60d", "Simuler une règle", "Fenêtre"]);
}

#[test]
fn a_refusal_keeps_the_values() {
    let form = form("for=7m&run=1", Language::French);
    let busy = render(&form, None, Some(Refusal::Busy), Language::French);
    holds(&busy, &["Une autre simulation est en cours", "value=\"7m\""]);
    holds(&render(&form, None, Some(Refusal::Role), Language::English), &["it needs the role analyst"]);
}

#[test]
fn a_result_has_both_rules_side_by_side() {
    let begins = at("2026-11-25T00:00:00Z").as_second();
    let outcome = |spans: &[(i64, Option<i64>)], first| RuleOutcome {
        alerts: spans.iter().map(|(from, to)| alert("<Air>", begins + from, to.map(|to| begins + to))).collect(),
        messages: MessageCounts { first, ..MessageCounts::default() },
    };
    let result = StoredBacktestResult {
        posts: 12_345,
        learned_posts: 678,
        learned_since: Some(at("2026-11-20T10:00:00Z")),
        stopped_at: None,
        models: 2,
        present: outcome(&[(3_600, Some(7_200)), (86_400, None)], 2),
        changed: outcome(&[(3_900, Some(7_000))], 1),
        false_alarms: Some(FalseAlarms { topics: 1, runs: 5, days: 60.0, present: 4, changed: 0 }),
        took: Duration::from_millis(3_140),
    };
    for (language, expected) in [
        (
            Language::English,
            [
                "12,345 posts of the range",
                "2.0 (0.5 to 5.1)",
                "0.0 (0.0 to 1.8)",
                "still open at the end",
                "only in use",
                "(4 days)",
                "computed in 3.1\u{a0}s",
            ],
        ),
        (
            Language::French,
            [
                "12\u{202f}345 messages",
                "2,0 (de 0,5 à 5,1)",
                "encore ouvert à la fin",
                "en service seulement",
                "(4 jours)",
                "calcul en 3,1\u{a0}s",
                "Fausses alertes attendues",
            ],
        ),
    ] {
        let form = form("since=2026-11-25&until=2026-11-27&for=5m&run=1", language);
        let asked = form.asked.clone().unwrap();
        let toml = rule_text::write(&asked.changed).unwrap();
        let comparison = Comparison::new(&result, &asked, toml, &TimeZone::UTC, language);
        let page = render(&form, Some(&comparison), None, language);
        holds(&page, &expected);
        holds(&page, &["for = &quot;5m&quot;", "&lt;Air&gt;", "class=\"present\"", "class=\"changed\""]);
        assert_eq!(page.matches("<rect class=").count(), 3);
        assert!(!page.contains("style="), "the policy of the pages forbids it");
    }
    // A limit ended it early.
    let form = form("since=2026-11-25&until=2026-11-27", Language::English);
    let asked = form.asked.clone().unwrap();
    let shown = |stopped_at| {
        let result = StoredBacktestResult { stopped_at: Some(stopped_at), false_alarms: None, ..result.clone() };
        let comparison = Comparison::new(&result, &asked, String::new(), &TimeZone::UTC, Language::English);
        render(&form, Some(&comparison), None, Language::English)
    };
    holds(&shown(at("2026-11-26T09:30:00Z")), &["it ended at", "cannot be simulated yet", "No value differs"]);
    holds(&shown(at("2026-11-24T09:30:00Z")), &["Only posts before the range were read"]);
}
