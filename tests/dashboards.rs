//! `config/prometheus` and `config/grafana` query only metrics that vigie exports, and the metrics follow Prometheus'
//! naming conventions.
#![allow(clippy::unwrap_used, reason = "a test's helpers: a panic there is the failure it should be")]

mod common;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use common::repository;
use serde_json::Value;
use vigie::metrics::{Metrics, SeriesDefinition};

/// Labels and series of Prometheus itself.
const OUTSIDE_LABELS: [&str; 4] = ["job", "instance", "alertname", "severity"];
const OUTSIDE_SERIES: [&str; 2] = ["up", "ALERTS"];

/// Keywords and functions of PromQL.
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

fn is_histogram(series: &SeriesDefinition) -> bool {
    series.kind.starts_with("Histogram")
}

/// The declared metric that the series `name` of a query belongs to.
fn declared(name: &str) -> Option<&'static SeriesDefinition> {
    let of = |name: &str| Metrics::declared().find(|series| series.name == name);
    let part = ["_bucket", "_sum", "_count"].iter().find_map(|suffix| name.strip_suffix(suffix));
    match part.and_then(of) {
        Some(series) => is_histogram(series).then_some(series),
        None => of(name).filter(|series| !is_histogram(series)),
    }
}

/// Series names and label names of a query.
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

/// Labels that a template uses: `{{source}}` in Grafana and `{{ $labels.source }}` in Prometheus.
fn template_labels(text: &str) -> BTreeSet<String> {
    let inside = text.split("{{").skip(1).filter_map(|part| part.split_once("}}")).map(|(inside, _)| inside.trim());
    let label = |inside: &str| match inside.strip_prefix("$labels.") {
        Some(label) => Some(label.split_whitespace().next().unwrap_or_default().to_owned()),
        None => (!inside.starts_with('$')).then(|| inside.to_owned()),
    };
    inside.filter_map(label).collect()
}

fn problems(query: &Query) -> Vec<String> {
    let (series, mut labels) = names(&query.expr);
    labels.extend(query.templates.iter().flat_map(|text| template_labels(text)));
    let process = Metrics::new().with_process().render().unwrap();
    let mut known: BTreeSet<&str> = OUTSIDE_LABELS.into();
    let mut problems = Vec::new();
    for name in &series {
        match declared(name) {
            Some(found) => {
                known.extend(found.labels);
                known.extend(is_histogram(found).then_some("le"));
            }
            None if OUTSIDE_SERIES.contains(&name.as_str()) => {}
            None if name.starts_with("process_") && process.contains(&format!("\n{name} ")) => {}
            None => problems.push(format!("{}: `{name}` is not declared in src/metrics.rs", query.place)),
        }
    }
    for label in labels.iter().filter(|label| !known.contains(label.as_str())) {
        problems.push(format!("{}: none of {series:?} has a label `{label}`", query.place));
    }
    if series.is_empty() {
        problems.push(format!("{}: the query `{}` reads nothing", query.place, query.expr));
    }
    problems
}

/// The queries of every rule. The layout of the file is known, so no YAML library is needed.
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

/// The queries of every panel and annotation.
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
fn rules_and_dashboard_query_exported_metrics_only() {
    let queries: Vec<Query> = rules().into_iter().chain(dashboard()).collect();
    assert!(queries.len() > 40, "only {} queries were found", queries.len());
    let problems: Vec<String> = queries.iter().flat_map(problems).collect();
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

#[test]
fn unknown_metrics_and_labels_are_found() {
    let query = |expr: &str, template: &str| Query {
        place: "here".into(),
        expr: expr.into(),
        templates: vec![template.into()],
    };
    for (expr, template, expected) in [
        ("rate(vigie_source_recieved_total[5m])", "", "`vigie_source_recieved_total` is not declared"),
        ("vigie_source_lag_seconds", "", "`vigie_source_lag_seconds` is not declared"),
        ("vigie_ready_bucket", "", "`vigie_ready_bucket` is not declared"),
        ("sum by (topic) (vigie_source_received_total)", "", "has a label `topic`"),
        ("vigie_ready{source=\"x\"}", "", "has a label `source`"),
        ("vigie_ready", "{{source}}", "has a label `source`"),
        ("vigie_ready", "{{ $labels.source }} is", "has a label `source`"),
        ("process_resident_bytes", "", "`process_resident_bytes` is not declared"),
    ] {
        let found = problems(&query(expr, template));
        assert!(found.len() == 1 && found[0].contains(expected), "{expr} {template}: {found:?}");
    }
    let good =
        "histogram_quantile(0.9, sum by (le, source) (rate(vigie_source_lag_seconds_bucket{source=\"a b\"}[5m]))) > 1";
    assert_eq!(problems(&query(good, "{{source}}")), [""; 0]);
}

/// <https://prometheus.io/docs/practices/naming/>
#[test]
fn metrics_are_named_by_convention() {
    let mut seen = BTreeSet::new();
    for SeriesDefinition { name, kind, labels, help } in Metrics::declared() {
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

/// Every declared metric with a value, in the format of `/metrics`.
fn exposition() -> String {
    let mut text = String::new();
    for SeriesDefinition { name, kind, labels, help } in Metrics::declared() {
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

/// promtool in `target/tools`, where `tests/run` unpacks it, or else from the PATH.
fn promtool() -> Command {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| repository("target"), PathBuf::from);
    let unpacked = target.join("tools/prometheus/usr/bin/promtool");
    if unpacked.exists() { Command::new(unpacked) } else { Command::new("promtool") }
}

#[test]
fn promtool_accepts_the_metrics() {
    let process = Metrics::new().with_process().render().unwrap();
    for text in [exposition(), process] {
        let mut promtool = promtool();
        promtool.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        let Ok(mut child) = promtool.spawn() else {
            println!("skipped: promtool is not installed (apt-get install prometheus)");
            return;
        };
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let complaints = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() && complaints.is_empty(), "{complaints}");
    }
}
