//! Problems: one invalid example per check, and all problems of a file at once, in order.

use super::*;

/// One invalid example per check: the text, the line of the problem, and a part of the message.
const INVALID: [(&str, usize, &str); 76] = [
    ("langage = \"fr\"", 1, "langage: no such key; did you mean `language`?"),
    ("colour = \"red\"", 1, "colour: no such key; expected one of"),
    ("language = \"de\"", 1, "language: unknown value `de`; expected one of: en, fr"),
    ("rules = 5", 1, "rules: found integer `5`, expected a string"),
    ("\n[window]\nbuket = \"1m\"", 3, "window.buket: no such key; did you mean `bucket`?"),
    ("[window]\nbucket = \"7s\"", 2, "window.bucket: 7s is not valid"),
    ("[window]\nlateness = \"-1m\"", 2, "window.lateness: "),
    ("[window]\nlateness = 5", 2, "window.lateness: found integer `5`, expected a duration"),
    ("[window]\nlateness = \"soon\"", 2, "expected a duration"),
    ("window = 5", 1, "window: found integer `5`, expected a table"),
    ("[dump]\ndelimiter = \"é\"", 2, "dump.delimiter"),
    ("[dump]\ndelimiter = \"ab\"", 2, "dump.delimiter"),
    ("[dump]\ntime_format = \"%Q\"", 2, "dump.time_format"),
    ("[dump]\nlayout = \"xml\"", 2, "dump.layout: unknown value `xml`"),
    ("[dump.columns]\ntxt = \"a\"", 2, "dump.columns.txt: no such key; did you mean `text`?"),
    ("[dump.colums]\ntext = \"a\"\nid = \"b\"", 1, "dump.colums: no such key; did you mean `columns`?"),
    ("topic = 5", 1, "topic: invalid type, expected [[topic]] tables"),
    ("[[topic]]\nname = \"\"\nkeywords = [\"a\"]", 2, "topic[0].name: a topic has no name"),
    ("[[topic]]\nname = \"A\"", 2, "topic \"A\" matches no post"),
    ("[[topic]]\nname = \"A\"\nkeywords = [\"a\", \"!\"]", 3, "keyword \"!\" contains no letter"),
    ("[[topic]]\nname = \"A\"\nhandles = [\"a b\"]", 3, "\"a b\" is not a valid handle"),
    ("[[topic]]\nname = \"A\"\nkeywords = [\"a\"]\nlanguages = [\"x\"]", 4, "\"x\" is not a valid language"),
    ("[[topic]]\nname = \"A\"\nkeywords = \"a\"", 3, "topic[0].keywords: found string \"a\", expected a list"),
    ("[[topic]]\nname = \"A\"\nkeywords = [\"a\"]\n[[topic]]\nname = \"A\"\nkeywords = [\"b\"]", 5, "defined twice"),
    ("[[topic]]\nkeywords = [\"a\"]", 1, "topic[0].name: missing"),
    ("[classify]\nmodle = \"x\"", 2, "classify.modle: no such key"),
    ("[daemon]\ndrain = \"1h\"", 2, "daemon.drain: 1h is not valid"),
    ("[web]\nlisten = \"9469\"", 2, "web.listen: invalid socket address syntax; expected an address with a port"),
    ("[retention]\nposts_days = 0", 2, "retention.posts_days: 0 is not valid"),
    ("[retention]\nhistory_days = -1", 2, "retention.history_days: found integer `-1`, expected a whole number"),
    ("[log]\nlevel = \"inof\"", 2, "log.level: \"inof\" is not a log filter"),
    ("[log]\nformat = \"xml\"", 2, "log.format: unknown value `xml`"),
    ("[x]\nbase_url = \"api.x.com\"", 2, "x.base_url = \"api.x.com\" is not a URL"),
    ("[x]\ntimeout = \"0s\"", 2, "x.timeout = 0s; expected"),
    ("x.budget.dollars_per_day = -1", 1, "x.budget.dollars_per_day = -1; expected"),
    ("x.budget.dollars_per_day = \"ten\"", 1, "x.budget.dollars_per_day: found string \"ten\", expected a number"),
    ("[x.bugdet]\n", 1, "x.bugdet: no such key; did you mean `budget`?"),
    (
        "[[receiver]]\nname = \"a\"\ntype = \"mail\"",
        3,
        "receiver[0].type: unknown receiver type `mail`; did you mean `email`?",
    ),
    ("[[receiver]]\nname = \"a\"\ntype = \"log\"\nrate_limit = 0", 4, "rate_limit is 0"),
    (
        "[[receiver]]\nname = \"a\"\ntype = \"log\"\n[[receiver]]\nname = \"a\"\ntype = \"log\"",
        5,
        "duplicate receiver name",
    ),
    ("[[route]]\nreceivers = [\"lgo\"]", 2, "unknown receiver \"lgo\"; did you mean `log`?"),
    ("[[route]]\nreceivers = [\"log\"]\nmatchers = [\"severity\"]", 3, "is not a matcher"),
    ("[[route]]\nreceivers = [\"log\"]\nactive_times = [\"mon-fry\"]", 3, "is not a time interval"),
    ("[[route]]\nreceivers = [\"log\"]\n[[route]]\nreceivers = [\"log\"]", 3, "unreachable route: route[0]"),
    ("[[route]]\nreceivers = [\"log\"]\nescalate_to = \"log\"", 1, "escalate_after: missing"),
    (
        "[[receiver]]\nname = \"d\"\ntype = \"teams\"\n[[report]]\nname = \"r\"\nevery = \"month\"\nreceivers = [\"d\"]",
        6,
        "report[0].every: unknown value `month`",
    ),
    (
        "[[receiver]]\nname = \"d\"\ntype = \"teams\"\n[[report]]\nname = \"r\"\nevery = \"day\"\nat = \"8\"\nreceivers = [\"d\"]",
        7,
        "\"8\" is not a time of day; expected e.g. \"08:00\"",
    ),
    (
        "[[receiver]]\nname = \"d\"\ntype = \"teams\"\n[[report]]\nname = \"r\"\nevery = \"week\"\nreceivers = []",
        7,
        "receivers: it is empty",
    ),
    (
        "[[receiver]]\nname = \"d\"\ntype = \"teams\"\n[[report]]\nname = \"r\"\nevery = \"week\"\nreceivers = [\"e\"]",
        7,
        "unknown receiver \"e\"",
    ),
    (
        "[[report]]\nname = \"r\"\nevery = \"week\"\nreceivers = [\"log\"]",
        4,
        "receiver \"log\" of type \"log\" takes no reports; name one of type email or teams",
    ),
    (
        "[[receiver]]\nname = \"d\"\ntype = \"teams\"\n[[report]]\nname = \"r\"\nevery = \"day\"\nday = \"mon\"\nreceivers = [\"d\"]",
        7,
        "day: only a report with every = \"week\" has a day",
    ),
    (
        "[[receiver]]\nname = \"d\"\ntype = \"teams\"\n[[report]]\nname = \"r\"\nevery = \"week\"\nreceivers = [\"d\"]\n[[report]]\nname = \"r\"\nevery = \"week\"\nreceivers = [\"d\"]",
        9,
        "duplicate report name \"r\"",
    ),
    ("[notify]\ntime_zone = \"Europe/Pari\"", 2, "unknown time zone"),
    ("[[source]]\nname = \"a\"", 1, "source[0].type: missing; expected type = \"twitter\""),
    (
        "[[source]]\nname = \"a\"\ntype = \"twiter\"",
        3,
        "source[0].type: unknown source type `twiter`; did you mean `twitter`?",
    ),
    ("[[source]]\nname = \"a\"\ntype = \"twitter\"", 1, "source[0].mode: missing; expected e.g. mode = \"search\""),
    ("[[source]]\ntype = \"http\"\nname = \"a\"\npage = 5", 4, "source[0].page: no such key"),
    ("[[source]]\ntype = \"http\"\nname = \"\"", 3, "source[0].name: it is empty"),
    (
        "[[source]]\ntype = \"http\"\nname = \"a\"\ntopic = \"Air Paradi\"",
        4,
        "unknown topic \"Air Paradi\"; did you mean `Air Paradis`?",
    ),
    (
        "[[source]]\ntype = \"http\"\nname = \"a\"\n[[source]]\ntype = \"http\"\nname = \"b\"",
        5,
        "duplicate source of type \"http\"",
    ),
    (
        "[[source]]\ntype = \"twitter\"\nname = \"a\"\nmode = \"stream\"\n[[source]]\ntype = \"twitter\"\nname = \"b\"\nmode = \"stream\"",
        8,
        "duplicate source with mode = \"stream\"",
    ),
    ("[[receiver]]\nname = \"a\"", 1, "receiver[0].type: missing; expected type = \"email\", \"teams\""),
    (
        "[[receiver]]\nname = \"a\"\ntype = \"team\"",
        3,
        "receiver[0].type: unknown receiver type `team`; did you mean `teams`?",
    ),
    ("[[receiver]]\ntype = \"log\"", 1, "receiver[0].name: missing"),
    ("[[receiver]]\ntype = \"log\"\nname = \"a b\"", 3, "name is \"a b\": expected letters"),
    ("[[receiver]]\ntype = \"log\"\nname = \"a\"\nrate_limit = 0", 4, "rate_limit is 0"),
    ("[[receiver]]\ntype = \"log\"\nname = \"a\"\nlanguage = \"de\"", 4, "unknown value `de`; expected one of: en, fr"),
    (
        "[[receiver]]\ntype = \"log\"\nname = \"a-b\"\n[[receiver]]\ntype = \"log\"\nname = \"A_b\"",
        6,
        "duplicate receiver name \"A_b\"",
    ),
    ("[[receiver]]\ntype = \"teams\"\nname = \"a\"\nurl = \"https://x\"", 4, "receiver[0].url: no such key"),
    ("[[receiver]]\ntype = \"webhook\"\nname = \"a\"\nurl = \"http://x\"", 4, "url uses plain http"),
    ("[[receiver]]\ntype = \"webhook\"\nname = \"a\"\ntimeout = \"1h\"", 4, "timeout is 1h"),
    ("[[receiver]]\ntype = \"command\"\nname = \"a\"", 1, "receiver[0].program: missing; expected e.g. program ="),
    (
        "[[receiver]]\ntype = \"email\"\nname = \"a\"\nserver = \"s\"\nfrom = \"v@x.y\"\nto = [\"\"]",
        6,
        "to: \"\" is not a valid email address",
    ),
    ("[notify.digest]\nactive_times = [\"noon\"]", 2, "\"noon\" is not a time interval"),
    ("[notify.digest]\ngroup_interval = \"0s\"", 2, "notify.digest.group_interval: 0s is not valid"),
    ("a = 1\n[window\n", 2, "invalid TOML"),
];

#[test]
fn each_problem_has_its_line_and_a_hint() {
    for (text, line, expected) in INVALID {
        let daemon = ConfigLoader { purpose: Purpose::Daemon, ..origin(vec![Override::set("classify.model=.")]) };
        let problems = problems_of(daemon.check(Path::new(FILE), Some(text.as_bytes()), None));
        let location = format!("{FILE}:{line}: ");
        assert!(
            problems.iter().any(|problem| problem.starts_with(&location) && problem.contains(expected)),
            "{text}\n{problems:#?}"
        );
        assert!(problems.len() == 1 || text.starts_with("a = 1"), "{text}\n{problems:#?}");
    }
}

#[test]
fn duplicate_sources_are_reported() {
    let text = "[[source]]\ntype = 'http'\nname = 'a'\n[[source]]\ntype = 'http'\nname = 'a'\n";
    let problems = problems_of(parse(text));
    assert!(problems[0].starts_with("/etc/vigie/vigie.toml:5: source[1].type: duplicate source"), "{problems:#?}");
    assert!(
        problems[1].starts_with("/etc/vigie/vigie.toml:6: source[1].name: duplicate source name \"a\""),
        "{problems:#?}"
    );
}

#[test]
fn all_problems_of_a_file_are_reported_in_order() {
    let text = "\
language = 'de'
wnidow = 3

[[topic]]
name = 'A'
handles = ['a b', '@c d']

[[topic]]
name = 'A'
keywords = ['b']
colour = 1

[window]
bucket = '7s'
lateness = 5

[x.budget]
dollars_per_day = -1
price_per_post = 'much'

[[source]]
name = 's'
type = 'file'
layout = 'cvs'

[[source]]
type = 'gopher'

[[source]]
name = 's'
type = 'http'
topic = 'B'
";
    let problems = problems_of(origin(Vec::new()).check(Path::new("v.toml"), Some(text.as_bytes()), None));
    let keys: Vec<(String, String)> = problems
        .iter()
        .map(|problem| {
            let mut parts = problem.splitn(4, ':');
            let line = parts.nth(1).unwrap().to_owned();
            (line, parts.next().unwrap().trim().split(' ').next().unwrap().to_owned())
        })
        .collect();
    let expected = [
        ("1", "language"),
        ("2", "wnidow"),
        ("6", "topic[0].handles"),
        ("6", "topic[0].handles"),
        ("9", "topic[1].name"),
        ("11", "topic[1].colour"),
        ("14", "window.bucket"),
        ("15", "window.lateness"),
        ("18", "x.budget.dollars_per_day"),
        ("19", "x.budget.price_per_post"),
        ("21", "source[0].path"),
        ("24", "source[0].layout"),
        ("27", "source[1].type"),
        ("30", "source[2].name"),
    ];
    let keys: Vec<(&str, &str)> = keys.iter().map(|(line, key)| (line.as_str(), key.as_str())).collect();
    assert_eq!(keys, expected, "{problems:#?}");
}

#[test]
fn broken_syntax_hides_no_other_line() {
    let text = "language = 'fr\n\n[window]\nbucket = \"1m\"\nbucket = \"2m\"\nlateness = '-1h'\n[web]\nlisten = 127.0.0.1\n[lgo]\n";
    let problems = problems_of(parse(text));
    let at = |line: usize, message: &str| {
        problems.iter().any(|f| f.starts_with(&format!("{FILE}:{line}: ")) && f.contains(message))
    };
    assert!(
        at(1, "invalid TOML") && at(5, "invalid TOML") && at(6, "lateness") && at(8, "invalid TOML"),
        "{problems:#?}"
    );
    assert!(at(9, "did you mean `log`?"), "{problems:#?}");
    let problems = problems_of(origin(Vec::new()).check(Path::new(FILE), Some(b"language = 'en'\n# \xff\n"), None));
    assert!(problems[0].starts_with("/etc/vigie/vigie.toml:2: not valid UTF-8"), "{problems:#?}");
}

#[test]
fn problems_of_the_rule_file_come_with_those_of_the_configuration() {
    let dir = tempfile::tempdir().unwrap();
    let rules = dir.path().join("rules.toml");
    let text = "\
[[rule]]
name = 'A'
for = '-1m'
condition = { type = 'negative_rate', window = '90s', above = { baseline = '24h', marjin = 1 } }
fro = '1m'
topics = ['Air Paradi']

[[rule]]
name = 'A'
condition = { type = 'tea_leaves' }

[[rule]]
name = 'A'
condition = { type = 'negative_volume', above = 5 }
labels = { topic = 'x' }

[[rules]]
";
    std::fs::write(&rules, text).unwrap();
    let file = dir.path().join("vigie.toml");
    std::fs::write(&file, "rules = 'rules.toml'\nlanguage = 'de'\n[classify]\nmodel = 'none'\n").unwrap();
    let origin = ConfigLoader { path: Some(file.clone()), purpose: Purpose::Daemon, ..ConfigLoader::default() };
    let problems = problems_of(origin.load());
    for (file, line, expected) in [
        (&file, 2, "language: unknown value `de`; expected one of: en, fr"),
        (&file, 4, "classify.model: directory"),
        (&rules, 3, "for: "),
        (&rules, 4, "rule[0].condition.above"),
        (&rules, 5, "rule[0].fro: no such key; did you mean `for`?"),
        (&rules, 6, "unknown topic \"Air Paradi\""),
        (&rules, 10, "rule[1].condition.type: unknown condition type `tea_leaves`"),
        (&rules, 13, "duplicate rule name `A`"),
        (&rules, 14, "rule[2].condition.window: missing; expected e.g. window = \"1h\""),
        (&rules, 15, "labels.topic: reserved label"),
        (&rules, 17, "rules: no such key; did you mean `rule`?"),
    ] {
        let location = format!("{}:{line}: ", file.display());
        assert!(
            problems.iter().any(|f| f.starts_with(&location) && f.contains(expected)),
            "{line} {expected}\n{problems:#?}"
        );
    }

    std::fs::remove_file(&rules).unwrap();
    let problems = problems_of(origin.load());
    assert!(
        problems
            .iter()
            .any(|f| f.contains("vigie.toml:1: rules: cannot read the rule file") || f.contains("cannot be read")),
        "{problems:#?}"
    );
    assert!(problems_of(LoadedConfig::find(Some(Path::new("/no/vigie.toml")), None))[0].contains("--config FILE"));
}
