//! Tests of the configuration of X.

use super::*;

fn config(text: &str) -> Config {
    let base = "name = \"x\"\nmode = \"search\"\n";
    let mut table: toml::Table = toml::from_str(base).unwrap();
    table.extend(toml::from_str::<toml::Table>(text).unwrap());
    table.try_into().unwrap()
}

fn topics(keywords: &[&str]) -> Vec<Topic> {
    let topic =
        |keyword: &&str| Topic { name: (*keyword).into(), keywords: vec![(*keyword).into()], ..Topic::default() };
    keywords.iter().map(topic).collect()
}

#[test]
fn each_problem_of_a_source_names_its_key() {
    let cases = [
        ("name = \" \"", "name is empty"),
        ("mode = \"mentions\"", "needs user_id"),
        ("mode = \"mentions\"\nuser_id = \"@airparadis\"", "user_id = \"@airparadis\""),
        ("interval_min = \"0s\"", "interval_min"),
        ("interval_max = \"1s\"", "interval_max = 1s is below interval_min = 30s"),
        ("overlap = \"2h\"", "overlap"),
        ("backfill = \"200h\"", "backfill"),
        ("page = 9", "page = 9"),
        ("page = 101", "page = 101"),
        ("query = \"form:a\"", "query: unknown operator form:"),
    ];
    for (text, expected) in cases {
        let problems = config(text).validate(&topics(&["air"]));
        assert!(
            problems.len() == 1 && problems[0].contains(expected) && problems[0].starts_with("source "),
            "{problems:?}"
        );
    }
    assert_eq!(config("").validate(&topics(&["air"])), Vec::<String>::new());
    assert!(config("").validate(&[])[0].contains("no [[topic]]"));
    assert_eq!(config("mode = \"mentions\"\nuser_id = \"12\"").validate(&[]), Vec::<String>::new());
}

#[test]
fn many_topics_are_searched_by_several_queries() {
    let long = ["a", "b", "c"].map(|letter| letter.repeat(200));
    let topics = topics(&long.each_ref().map(String::as_str));
    let all = config("");
    assert_eq!(all.validate(&topics), Vec::<String>::new());
    let parts = all.split(&topics);
    assert_eq!(parts.iter().map(|part| part.name.as_str()).collect::<Vec<_>>(), ["x", "x/2"]);
    assert_eq!(parts[1].searches(&topics), [format!("{} -is:retweet", long[2])]);
    let stream = config("mode = \"stream\"");
    assert_eq!((stream.stream_rules(&topics).len(), stream.searches(&topics).len()), (1, 2));
    assert_eq!(stream.split(&topics).len(), 1);
    let own = config(&format!("topic = {:?}", long[0]));
    assert_eq!(own.searches(&topics), [format!("{} -is:retweet", long[0])]);
    assert_eq!(own.split(&topics), [own]);
}

#[test]
fn a_query_is_checked_in_every_mode_that_uses_it() {
    let long = "a ".repeat(300);
    for (mode, more) in [("search", ""), ("stream", "fills gaps")] {
        let problem = config(&format!("mode = {mode:?}\nquery = {long:?}")).validate(&[]).join("\n");
        assert!(problem.contains("X accepts 512") && problem.contains(more), "{mode}: {problem}");
        let problem = config(&format!("mode = {mode:?}\nquery = \"form:a\"")).validate(&[]).join("\n");
        assert!(problem.contains("unknown operator form:"), "{mode}: {problem}");
        assert!(config(&format!("mode = {mode:?}")).validate(&[])[0].contains("no [[topic]]"), "{mode}");
        let endless = topics(&["ok", &"a".repeat(600)]);
        assert!(config(&format!("mode = {mode:?}")).validate(&endless)[0].contains("shorten that keyword"), "{mode}");
    }
}

#[test]
fn each_problem_of_the_account_names_its_key() {
    let cases = [
        ("base_url = \"api.x.com\"", "x.base_url"),
        ("base_url = \"http://api.x.com\"", "unencrypted"),
        ("base_url = \"ftp://api.x.com\"", "x.base_url"),
        ("base_url = \"https://user@api.x.com\"", "x.base_url"),
        ("timeout = \"0s\"", "x.timeout"),
        ("[budget]\nprice_per_post = -1.0", "x.budget.price_per_post"),
        ("[budget]\nprice_per_mention = nan", "x.budget.price_per_mention"),
        ("[budget]\ndollars_per_day = 0.01", "x.budget.dollars_per_day"),
        ("[budget]\ndollars_per_month = inf", "x.budget.dollars_per_month"),
        ("[budget]\nposts_per_day = 9", "x.budget.posts_per_day"),
        ("[budget]\nposts_per_month = 0", "x.budget.posts_per_month"),
    ];
    for (text, expected) in cases {
        let problems = toml::from_str::<AccountConfig>(text).unwrap().validate();
        assert!(problems.len() == 1 && problems[0].contains(expected), "{text}: {problems:?}");
    }
    for sound in ["", "base_url = \"http://127.0.0.1:8080/\"", "base_url = \"http://[::1]:80\""] {
        assert_eq!(toml::from_str::<AccountConfig>(sound).unwrap().validate(), Vec::<String>::new());
    }
}

#[test]
fn costs_are_described_in_one_line() {
    let costs = config("").describe_costs(&AccountConfig::default(), &topics(&["air"]));
    assert_eq!(
        costs,
        "recent search, every 30s to 5m: air -is:retweet; $0.005 a post, $5.00 for 1000, and about the same again for \
         reading the last 1m twice; all sources on X together stop at $10.00 a day, $150.00 a month"
    );
    let unlimited = Budget { dollars_per_day: None, dollars_per_month: None, ..Budget::default() };
    let account = AccountConfig { budget: unlimited, ..AccountConfig::default() };
    assert!(config("overlap = \"0s\"").describe_costs(&account, &[]).contains("no spending limit"));
}
