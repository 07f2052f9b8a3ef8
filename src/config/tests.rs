//! Tests of the configuration: defaults, the shipped files, and that nothing makes it panic.

mod overridden;
mod problems;
mod spelling;

use proptest::prelude::*;

use super::*;
use crate::notify::IntegrationConfig;

const FILE: &str = "/etc/vigie/vigie.toml";

fn shipped_rules() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("config/rules.toml")
}

fn origin(overrides: Vec<Override>) -> ConfigLoader {
    ConfigLoader { rules: Some(shipped_rules()), overrides, ..ConfigLoader::default() }
}

fn parse(text: &str) -> Result<Config, ConfigError> {
    origin(Vec::new()).check(Path::new(FILE), Some(text.as_bytes()), None).map(|loaded| loaded.config)
}

/// The problems of `result`, one per line.
fn problems_of<T: std::fmt::Debug>(result: Result<T, ConfigError>) -> Vec<String> {
    match result.unwrap_err() {
        ConfigError::Invalid { problems } => problems.iter().map(ToString::to_string).collect(),
        error @ ConfigError::Read { .. } => vec![error.to_string()],
    }
}

#[test]
fn the_shipped_file_is_the_default() {
    let shipped = parse(DEFAULTS).unwrap();
    assert_eq!(parse("").unwrap(), shipped);
    assert_eq!(shipped.window, window::Config::default());
    assert_eq!(shipped.language, Language::default());
    assert_eq!(shipped.log, logging::Config::default());
}

/// The package's file differs from the defaults in its paths alone.
#[test]
fn the_packaged_file_is_sound() {
    let packaged = parse(include_str!("../../systemd/deb/vigie.toml")).unwrap();
    assert_eq!(packaged.rules, Path::new("/etc/vigie/rules.toml"));
    assert_eq!(packaged.classify.model, Path::new("/usr/share/vigie/models/default"));
    assert_eq!(packaged.daemon.state, Path::new("/var/lib/vigie"));
    let Config { classify, daemon, .. } = packaged.clone();
    assert_eq!(packaged, Config { classify, daemon, ..parse("").unwrap() });
}

/// Every key stands in the shipped file, as a value or, where unset is the default, as a comment.
#[test]
fn the_shipped_file_is_complete() {
    let full = ReadOptions {
        delimiter: Some(';'),
        time_format: Some("x".into()),
        time_zone: Some("x".into()),
        columns: crate::dump::Columns::parse("id=a,created_at=a,text=a,author=a,label=a,topic=a,lang=a,reason=a")
            .unwrap(),
        ..ReadOptions::default()
    };
    let receivers = assemble::RECEIVERS.map(|(_, text)| toml::from_str(text).unwrap()).to_vec();
    let config = Config { dump: full, receivers, ..parse("").unwrap() };
    let table = toml::Table::try_from(&config).unwrap();
    let mut keys = Vec::new();
    collect(&table, &mut keys);
    for key in keys {
        let stands = |line: &str| {
            line.trim_start_matches(['#', ' ']).starts_with(&format!("{key} ="))
                || line.ends_with(&format!("[[{key}]]"))
        };
        assert!(DEFAULTS.lines().any(stands), "`{key}` is not in config/vigie.toml");
    }
}

fn collect(table: &toml::Table, keys: &mut Vec<String>) {
    for (key, value) in table {
        match value {
            toml::Value::Table(inner) => collect(inner, keys),
            toml::Value::Array(items) if items.iter().any(toml::Value::is_table) => {
                items.iter().filter_map(toml::Value::as_table).for_each(|item| collect(item, keys));
            }
            _ => keys.push(key.clone()),
        }
    }
}

#[test]
fn a_file_of_differences_is_enough() {
    let config = parse("[dump.columns]\ntext = \"body\"\n[window]\nlateness = \"5m\"\n").unwrap();
    assert_eq!(config.dump.columns.text.as_deref(), Some("body"));
    assert_eq!(config.dump.columns.topic.as_deref(), Some("airline"), "the other columns keep their defaults");
    assert_eq!(config.window.bucket, window::Config::default().bucket);
}

#[test]
fn paths_are_relative_to_the_file() {
    let config =
        parse("x.token_file = 'x-token'\n[[source]]\ntype = 'file'\nname = 'a'\nlayout = 'csv'\npath = '../p'\n[[receiver]]\nname = 'a'\ntype = 'teams'\nurl_file = 'url'")
            .unwrap();
    let IntegrationConfig::Teams(teams) = &config.receivers[0].integration else { panic!("not a Teams receiver") };
    assert_eq!(teams.url_file.as_deref(), Some(Path::new("/etc/vigie/url")));
    assert_eq!(config.classify.model, Path::new("/etc/models"));
    assert_eq!(config.rules, Path::new("/etc/vigie/rules.toml"));
    assert_eq!(config.x.token_file.as_deref(), Some(Path::new("/etc/vigie/x-token")));
    let SourceConfig::File(file) = &config.sources[0] else { panic!("not a file source") };
    assert_eq!(file.path, Path::new("/etc/p"));
    let config = origin(Vec::new()).check(Path::new("vigie.toml"), Some(b""), None).unwrap().config;
    assert_eq!(config.classify.model, Path::new("../models"));
}

#[test]
fn a_configuration_without_rules_needs_no_rule_file() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("vigie.toml");
    std::fs::write(&file, "[window]\nbucket = '5m'\n").unwrap();
    let loaded = LoadedConfig::find(Some(&file), None).unwrap();
    assert_eq!(loaded.rules, LoadedConfig::find(None, None).unwrap().rules);
    std::fs::write(&file, "rules = 'rules.toml'\n").unwrap();
    assert!(
        problems_of(LoadedConfig::find(Some(&file), None))[0]
            .contains("vigie.toml:1: rules: cannot read the rule file")
    );
}

#[test]
fn a_dump_s_column_may_name_any_topic() {
    let dir = tempfile::tempdir().unwrap();
    let rules = dir.path().join("rules.toml");
    let text = "[[rule]]\nname = 'A'\ntopics = ['United']\ncondition = { type = 'negative_volume', window = '1h', above = 5 }\n";
    std::fs::write(&rules, text).unwrap();
    let origin = |purpose| ConfigLoader { rules: Some(rules.clone()), purpose, ..ConfigLoader::default() };
    assert!(origin(Purpose::Dump).check(Path::new(FILE), None, None).is_ok());
    assert!(origin(Purpose::Daemon).check(Path::new(FILE), None, None).is_err());
}

#[test]
fn the_shipped_rules_are_sound() {
    let loaded = ConfigLoader::default().check(Path::new(DEFAULT_PATHS[0]), None, None).unwrap();
    let names: Vec<&str> = loaded.rules.rules.iter().map(|rule| rule.name.as_str()).collect();
    assert!(
        names.len() >= 4 && names.contains(&"IncorrectPredictions") && names.contains(&"PipelineErrors"),
        "{names:?}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = origin(Vec::new()).check(Path::new(FILE), Some(&bytes), None);
    }

    #[test]
    fn no_change_of_the_shipped_file_makes_it_panic(
        edits in prop::collection::vec((0..DEFAULTS.len(), 0..12_usize, "[\\[\\]{}=\"'.,\\n#a-z0-9 é-]{0,6}"), 1..8),
    ) {
        let mut bytes = DEFAULTS.as_bytes().to_vec();
        for (at, cut, text) in edits {
            let at = at.min(bytes.len());
            let end = (at + cut).min(bytes.len());
            bytes.splice(at..end, text.bytes());
        }
        if let Err(ConfigError::Invalid { problems }) = origin(Vec::new()).check(Path::new(FILE), Some(&bytes), None) {
            prop_assert!(!problems.is_empty() && problems.iter().all(|problem| !problem.message.is_empty()));
        }
    }
}

#[test]
fn depth_does_not_cost_the_stack() {
    let problems = problems_of(parse(&format!("a{} = 1\n", ".a".repeat(200_000))));
    assert!(problems[0].contains("dots"), "{problems:#?}");
    let _ = parse(&format!("a = {}\n", "[".repeat(200_000)));
}
