//! Tests of overrides: environment variables and `--set`.

use std::ffi::OsString;

use super::*;
use crate::source::twitter;

fn environment(variables: &[(&str, &str)]) -> Vec<Override> {
    Override::from_environment(variables.iter().map(|(name, value)| (OsString::from(name), OsString::from(value))))
}

fn with(text: &str, overrides: Vec<Override>) -> Result<Config, ConfigError> {
    origin(overrides).check(Path::new(FILE), Some(text.as_bytes()), None).map(|loaded| loaded.config)
}

fn x_search(config: &Config) -> &twitter::Config {
    match &config.sources[0] {
        SourceConfig::Twitter(config) => config,
        other => panic!("{other:?} is not of X"),
    }
}

#[test]
fn the_environment_overrides_the_file_and_flags_override_both() {
    let text = "[web]\nlisten = '127.0.0.1:1'\n";
    let variables = environment(&[("VIGIE__WEB__LISTEN", "0.0.0.0:2"), ("PATH", "/bin"), ("VIGIE_X_TOKEN", "t")]);
    assert_eq!(variables.len(), 1, "others are not ours");
    assert_eq!(with(text, variables.clone()).unwrap().web.listen.port(), 2);
    let both = [variables, vec![Override::set("web.listen=[::1]:3")]].concat();
    assert_eq!(with(text, both).unwrap().web.listen.port(), 3);
}

#[test]
fn values_are_strings_where_a_string_is_valid_and_toml_elsewhere() {
    let config = with(
        "",
        environment(&[
            ("VIGIE__X__BUDGET__DOLLARS_PER_DAY", "5"),
            ("VIGIE__X__BUDGET__POSTS_PER_DAY", "2000"),
            ("VIGIE__X__TIMEOUT", "10s"),
            ("VIGIE__SOURCE__0__QUERY", "\"Air Paradis\" lang:fr"),
            ("VIGIE__SOURCE__X_SEARCH__USER_ID", "123456"),
            ("VIGIE__SOURCE__x-search__PAGE", "50"),
            ("VIGIE__TOPIC__AIR_PARADIS__LANGUAGES", "[\"fr\", \"en\"]"),
            ("VIGIE__RETENTION", "{ posts_days = 7 }"),
        ]),
    )
    .unwrap();
    assert_eq!(config.x.budget.dollars_per_day, Some(5.0));
    assert_eq!(config.x.budget.posts_per_day, Some(2000));
    assert_eq!(config.x.timeout, SignedDuration::from_secs(10));
    let source = x_search(&config);
    assert_eq!((source.query.as_deref(), source.user_id.as_deref()), (Some("\"Air Paradis\" lang:fr"), Some("123456")));
    assert_eq!(source.page, 50);
    assert_eq!(config.topics[0].languages, ["fr", "en"]);
    assert_eq!((config.retention.posts_days, config.retention.history_days), (7, 400), "tables are merged");
}

#[test]
fn a_list_can_be_replaced_whole() {
    let value = "source=[{ name = 'push', type = 'http' }]";
    let config = with("", vec![Override::set(value)]).unwrap();
    assert_eq!(config.sources.len(), 1);
    assert_eq!(config.sources[0].name(), "push");
    assert!(with("", vec![Override::set("source=[]")]).unwrap().sources.is_empty());
}

#[test]
fn a_path_from_outside_the_file_is_relative_to_the_working_directory() {
    let config = with("", vec![Override::flag("--model", "classify.model", "models/mine".into())]).unwrap();
    assert_eq!(config.classify.model, Path::new("models/mine"));
}

#[test]
fn invalid_overrides_are_reported_with_their_name() {
    for (name, value, expected) in [
        ("VIGIE__WBE__LISTEN", "x", "environment VIGIE__WBE__LISTEN: wbe: no such key; did you mean `web`?"),
        ("VIGIE__WEB__LISTNE", "x", "web.listne: no such key; did you mean `listen`?"),
        ("VIGIE__WEB__LISTEN", "x", "environment VIGIE__WEB__LISTEN: web.listen: invalid socket address"),
        ("VIGIE__SOURCE__3__PAGE", "5", "no entry with number 3; numbers start at 0; entries: x-search"),
        ("VIGIE__SOURCE__X_SERCH__PAGE", "5", "no entry is named `x_serch`; did you mean `x-search`?"),
        ("VIGIE__SOURCE__0__PAGE", "many", "source[0].page: found string \"many\", expected a whole number"),
        ("VIGIE__X____TIMEOUT", "5", "a part of the key is empty"),
        ("VIGIE__X", "5", "x: found integer `5`, expected a table"),
    ] {
        let problems = problems_of(with("", environment(&[(name, value)])));
        assert!(problems.len() == 1 && problems[0].contains(expected), "{name}\n{problems:#?}");
    }
    let problems = problems_of(with("", vec![Override::set("web.listen")]));
    assert!(problems[0].starts_with("--set web.listen: web.listen: no value"), "{problems:#?}");
}

#[test]
fn entries_with_the_same_name_are_addressed_by_number() {
    let text = "[[source]]\nname = 'a-b'\ntype = 'http'\n[[source]]\nname = 'a_b'\ntype = 'twitter'\nmode = 'search'\n";
    let problems = problems_of(with(text, environment(&[("VIGIE__SOURCE__A_B__TOPIC", "x")])));
    assert!(problems[0].contains("is the name of several entries; use the number"), "{problems:#?}");
    assert!(with(text, environment(&[("VIGIE__SOURCE__1__PAGE", "10")])).is_ok());
}
