//! What `config/prometheus` and `config/grafana` ask for is what vigie exports, and what it exports is named by
//! convention.
#![allow(clippy::unwrap_used, reason = "a test's helpers: a panic there is the failure it should be")]

mod common;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};

use common::repository;
use serde_json::Value;
use vigie::metrics::{Declared, Metrics};

/// Prometheus' own labels and series.
const OUTSIDE_LABELS: [&str; 4] = ["job", "instance", "alertname", "severity"];
const OUTSIDE_SERIES: [&str; 2] = ["up", "ALERTS"];

/// Words of PromQL that stand before a bracket or between series.
const WORDS: [&str; 28] = [
    "sum",
    "by",
    "rate",
    "increase",
    "min",
    "max",
    "count",
    "group",
    "histogram_quantile",
    "time",
    "absent",
    "and",
    "or",
    "on",
    "min_over_time",
    "changes",
    "vector",
    "label_values",
    "le",
    "unless",
    "without",
    "avg",
    "ignoring",
    "abs",
    "clamp_min",
    "avg_over_time",
    "max_over_time",
    "delta",
];

/// A query, with the templates of its legend or annotations.
#[derive(Debug)]
struct Query {
    place: String,
    expr: String,
    templates: Vec<String>,
}

fn is_histogram(series: &Declared) -> bool {
    series.kind.starts_with("Histogram")
}

/// The declared series that `name`, as a query has it, is of.
fn declared(name: &str) -> Option<&'static Declared> {
    let of = |name: &str| Metrics::declared().find(|series| series.name == name);
    let part = ["_bucket", "_sum", "_count"].iter().find_map(|suffix| name.strip_suffix(suffix));
    match part.and_then(of) {
        Some(series) => is_histogram(series).then_some(series),
        None => of(name).filter(|series| !is_histogram(series)),
    }
}

/// Words outside of strings, ranges and numbers, each with whether it is inside `{}` or a label list.
fn names(expr: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut series, mut labels) = (BTreeSet::new(), BTreeSet::new());
    let (mut braces, mut brackets, mut list, mut quoted) = (0, 0, 0, false);
    let (mut word, mut last) = (String::new(), String::new());
    for c in expr.chars().chain(Some(' ')) {
        if c == '"' {
            quoted = !quoted;
        }
        if quoted {
            continue;
        }
        if c.is_ascii_alphanumeric() || c == '_' || c == '$' {
            word.push(c);
            continue;
        }
        if !word.is_empty() {
            let plain = word.starts_with(|c: char| c.is_ascii_alphabetic()) && brackets == 0;
            if plain && (braces > 0 || list > 0) {
                labels.insert(word.clone());
            } else if plain && !WORDS.contains(&word.as_str()) {
                series.insert(word.clone());
            }
            last = std::mem::take(&mut word);
        }
        match c {
            '{' => braces += 1,
            '}' => braces -= 1,
            '[' => brackets += 1,
            ']' => brackets -= 1,
            '(' if list > 0 || ["by", "on", "ignoring", "without"].contains(&last.as_str()) => list += 1,
            ')' if list > 0 => list -= 1,
            _ => {}
        }
        if !c.is_whitespace() {
            last.clear();
        }
    }
    (series, labels)
}

/// Labels that a text takes from its query: `{{source}}` of Grafana and `{{ $labels.source }}` of Prometheus.
fn template_labels(text: &str) -> BTreeSet<String> {
    let inside = text.split("{{").skip(1).filter_map(|part| part.split_once("}}")).map(|(inside, _)| inside.trim());
    let label = |inside: &str| match inside.strip_prefix("$labels.") {
        Some(label) => Some(label.split_whitespace().next().unwrap_or_default().to_owned()),
        None => (!inside.starts_with('$')).then(|| inside.to_owned()),
    };
    inside.filter_map(label).collect()
}

fn faults(query: &Query) -> Vec<String> {
    let (series, mut labels) = names(&query.expr);
    labels.extend(query.templates.iter().flat_map(|text| template_labels(text)));
    let process = Metrics::new().with_process().render().unwrap();
    let mut known: BTreeSet<&str> = OUTSIDE_LABELS.into();
    let mut faults = Vec::new();
    for name in &series {
        match declared(name) {
            Some(found) => {
                known.extend(found.labels);
                known.extend(is_histogram(found).then_some("le"));
            }
            None if OUTSIDE_SERIES.contains(&name.as_str()) => {}
            None if name.starts_with("process_") && process.contains(&format!("\n{name} ")) => {}
            None => faults.push(format!("{}: `{name}` is no series of src/metrics.rs", query.place)),
        }
    }
    for label in labels.iter().filter(|label| !known.contains(label.as_str())) {
        faults.push(format!("{}: none of {series:?} has a label `{label}`", query.place));
    }
    if series.is_empty() {
        faults.push(format!("{}: the query `{}` reads nothing", query.place, query.expr));
    }
    faults
}

/// Of every rule: the file is ours, so that its lines can be read without a YAML library.
fn rules() -> Vec<Query> {
    let text = fs::read_to_string(repository("config/prometheus/rules.yml")).unwrap();
    let mut queries: Vec<Query> = Vec::new();
    for block in text.split("- alert:").skip(1) {
        let name = block.lines().next().unwrap().trim();
        let value = |key: &str| {
            let (_, rest) = block.split_once(&format!("{key}:"))?;
            let rest = rest.trim_start_matches([' ', '|']).trim_start_matches('\n');
            Some(rest.lines().next()?.trim().to_owned())
        };
        let templates = ["summary", "action"].iter().map(|key| value(key).unwrap()).collect();
        queries.push(Query { place: format!("rules.yml, {name}"), expr: value("expr").unwrap(), templates });
    }
    queries
}

/// Of every panel, variable and annotation.
fn dashboard() -> Vec<Query> {
    let text = fs::read_to_string(repository("config/grafana/vigie.json")).unwrap();
    let dashboard: Value = serde_json::from_str(&text).unwrap();
    let mut queries = Vec::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        let title = panel["title"].as_str().unwrap();
        for target in panel["targets"].as_array().into_iter().flatten() {
            let text = |key: &str| target[key].as_str().unwrap().to_owned();
            queries.push(Query {
                place: format!("vigie.json, {title}"),
                expr: text("expr"),
                templates: vec![text("legendFormat")],
            });
        }
    }
    for annotation in dashboard["annotations"]["list"].as_array().unwrap() {
        let expr = annotation["expr"].as_str().unwrap().to_owned();
        queries.push(Query { place: "vigie.json, annotations".into(), expr, templates: Vec::new() });
    }
    queries
}

#[test]
fn rules_and_dashboard_use_only_what_is_exported() {
    let queries: Vec<Query> = rules().into_iter().chain(dashboard()).collect();
    assert!(queries.len() > 40, "only {} queries were found", queries.len());
    let faults: Vec<String> = queries.iter().flat_map(faults).collect();
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn what_is_not_exported_is_found() {
    let query = |expr: &str, template: &str| Query {
        place: "here".into(),
        expr: expr.into(),
        templates: vec![template.into()],
    };
    for (expr, template, wanted) in [
        ("rate(vigie_source_recieved_total[5m])", "", "`vigie_source_recieved_total` is no series"),
        ("vigie_source_lag_seconds", "", "`vigie_source_lag_seconds` is no series"),
        ("vigie_ready_bucket", "", "`vigie_ready_bucket` is no series"),
        ("sum by (topic) (vigie_source_received_total)", "", "has a label `topic`"),
        ("vigie_ready{source=\"x\"}", "", "has a label `source`"),
        ("vigie_ready", "{{source}}", "has a label `source`"),
        ("vigie_ready", "{{ $labels.source }} is", "has a label `source`"),
        ("process_resident_bytes", "", "`process_resident_bytes` is no series"),
    ] {
        let found = faults(&query(expr, template));
        assert!(found.len() == 1 && found[0].contains(wanted), "{expr} {template}: {found:?}");
    }
    let good =
        "histogram_quantile(0.9, sum by (le, source) (rate(vigie_source_lag_seconds_bucket{source=\"a b\"}[5m]))) > 1";
    assert_eq!(faults(&query(good, "{{source}}")), [""; 0]);
}

/// <https://prometheus.io/docs/practices/naming/>
#[test]
fn series_are_named_by_convention() {
    let mut seen = BTreeSet::new();
    for Declared { name, kind, labels, help } in Metrics::declared() {
        assert!(seen.insert(name), "{name} is declared twice");
        assert!(name.starts_with("vigie_") && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{name}");
        assert_eq!(
            kind.starts_with("IntCounter"),
            name.ends_with("_total"),
            "{name}: counters, and only they, end in _total"
        );
        assert!(
            !["_milliseconds", "_minutes", "_percent", "_kilobytes"].iter().any(|unit| name.contains(unit)),
            "{name}"
        );
        let timed = ["duration", "latency", "lag", "timestamp"].iter().any(|word| name.contains(word));
        assert!(!timed || name.ends_with("_seconds"), "{name}: times are in seconds");
        if kind.starts_with("Histogram") {
            assert!(
                ["_seconds", "_posts"].iter().any(|unit| name.ends_with(unit)),
                "{name}: a histogram names its unit"
            );
        }
        let help = help.trim();
        assert!(help.len() > 10 && help.ends_with('.'), "{name}: its help text is {help:?}");
        for label in *labels {
            assert!(!["le", "job", "instance", "author", "text", "id"].contains(label), "{name}: label {label}");
        }
    }
    assert!(seen.len() > 30, "only {} series were found", seen.len());
}

/// Every declared series with a value, as `/metrics` would show it.
fn exposition() -> String {
    let mut text = String::new();
    for Declared { name, kind, labels, help } in Metrics::declared() {
        let of = |more: &[&str]| {
            let pairs: Vec<String> = labels.iter().chain(more).map(|label| format!("{label}=\"+Inf\"")).collect();
            if pairs.is_empty() { String::new() } else { format!("{{{}}}", pairs.join(",")) }
        };
        let kind = if kind.starts_with("Histogram") {
            "histogram"
        } else if kind.starts_with("IntCounter") {
            "counter"
        } else {
            "gauge"
        };
        writeln!(text, "# HELP {name} {}\n# TYPE {name} {kind}", help.trim()).unwrap();
        if kind == "histogram" {
            let (plain, bucket) = (of(&[]), of(&["le"]));
            writeln!(text, "{name}_bucket{bucket} 0\n{name}_sum{plain} 0\n{name}_count{plain} 0").unwrap();
        } else {
            writeln!(text, "{name}{} 0", of(&[])).unwrap();
        }
    }
    text
}

/// The real judge, where it is installed: `tests/run` sees to that.
#[test]
fn promtool_has_nothing_against_the_series() {
    let process = Metrics::new().with_process().render().unwrap();
    for text in [exposition(), process] {
        let mut promtool = Command::new("promtool");
        promtool.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        let Ok(mut child) = promtool.spawn() else {
            println!("skipped: promtool is not installed");
            return;
        };
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() && told.is_empty(), "{told}");
    }
}
