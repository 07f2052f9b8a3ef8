//! A rule as people write it in `config/rules.toml`, for the backtest page: durations as `2h` and `14d`, conditions as inline
//! tables. What is written reads back as the same rule.

use std::fmt::Write as _;

use jiff::SignedDuration;
use toml::Value;

use crate::rule::AlertingRule;

/// Keys in the order of the shipped rules; other keys follow.
const ORDER: [&str; 7] = ["name", "for", "keep_firing_for", "max_open", "topics", "labels", "condition"];
/// Keys whose text is a duration. `baseline` may also be the word `seasonal`.
const DURATIONS: [&str; 10] = [
    "for",
    "keep_firing_for",
    "max_open",
    "window",
    "baseline",
    "false_alarm_every",
    "rest",
    "step",
    "at_least",
    "within",
];

/// `rule` as the table of a rule file.
///
/// # Errors
/// When it cannot be represented in TOML.
pub(super) fn write(rule: &AlertingRule) -> Result<String, toml::ser::Error> {
    let Value::Table(mut table) = Value::try_from(rule)? else { return Ok(String::new()) };
    let mut text = String::from("[[rule]]\n");
    let annotations = table.remove("annotations");
    // Without these keys the rule is the same.
    table.retain(|key, value| !(is_zero(value) && matches!(key, "for" | "keep_firing_for")));
    table.iter_mut().for_each(|(_, value)| drop_unused(value));
    let mut put = |key: &str, value: &Value| {
        // Empty lists and tables say what is so without them.
        let is_empty = matches!(value, Value::Array(items) if items.is_empty())
            || matches!(value, Value::Table(entries) if entries.is_empty());
        if !is_empty {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{key} = {}", inline(key, value, 0));
        }
    };
    ORDER.iter().for_each(|key| {
        if let Some(value) = table.remove(*key) {
            put(key, &value);
        }
    });
    table.iter().for_each(|(key, value)| put(key, value));
    if let Some(Value::Table(annotations)) = annotations.filter(|all| all.as_table().is_some_and(|all| !all.is_empty()))
    {
        text.push_str("\n[rule.annotations]\n");
        annotations.iter().for_each(|(key, value)| {
            let _ = writeln!(text, "{} = {}", bare(key), inline(key, value, 0));
        });
    }
    Ok(text)
}

fn is_zero(length: &Value) -> bool {
    length.as_str().and_then(crate::duration::parse).is_some_and(|length| length.is_zero())
}

/// Removes the sizes that a condition of `rising` does not test, where they are the usual ones.
fn drop_unused(value: &mut Value) {
    match value {
        Value::Array(parts) => parts.iter_mut().for_each(drop_unused),
        Value::Table(condition) => {
            condition.iter_mut().for_each(|(_, part)| drop_unused(part));
            let of = condition.get("of").and_then(Value::as_str);
            let (key, usual) = match of {
                Some("negative_rate") => ("times", [1.5, 2.0, 3.0, 6.0]),
                Some("negative_volume") => ("lift", [0.05, 0.1, 0.2, 0.3]),
                _ => return,
            };
            let sizes: Option<Vec<f64>> = condition
                .get(key)
                .and_then(Value::as_array)
                .map(|sizes| sizes.iter().filter_map(Value::as_float).collect());
            if sizes.is_some_and(|sizes| sizes == usual) {
                condition.remove(key);
            }
        }
        _ => {}
    }
}

/// A length of time as a rule file has it: `90s`, `1h 30m`, `14d`.
pub(super) fn duration(length: SignedDuration) -> String {
    const UNITS: [(i64, char); 4] = [(86_400, 'd'), (3_600, 'h'), (60, 'm'), (1, 's')];
    let mut rest = length.as_secs();
    // Below two days hours are clearer: a window of `24h` is not one of a calendar day.
    let from = usize::from(rest < 2 * 86_400);
    if rest <= 0 || length.subsec_nanos() != 0 {
        return format!("{length:#}");
    }
    let mut parts = Vec::new();
    for (seconds, unit) in UNITS.iter().skip(from) {
        if rest >= *seconds {
            parts.push(format!("{}{unit}", rest / seconds));
        }
        rest %= seconds;
    }
    parts.join(" ")
}

/// The text of a value that a rule file has under `key`.
pub(super) fn plain(key: &str, value: &Value) -> String {
    match value {
        Value::String(text) => readable(key, text),
        Value::Float(number) => number.to_string(),
        Value::Integer(number) => number.to_string(),
        Value::Array(items) => items.iter().map(|item| plain(key, item)).collect::<Vec<_>>().join(", "),
        Value::Boolean(_) | Value::Datetime(_) | Value::Table(_) => String::new(),
    }
}

fn readable(key: &str, text: &str) -> String {
    let length = DURATIONS.contains(&key).then(|| crate::duration::parse(text)).flatten();
    length.map_or_else(|| text.to_owned(), duration)
}

/// `depth` counts the tables around it: the parts of a condition stand on lines of their own.
fn inline(key: &str, value: &Value, depth: usize) -> String {
    match value {
        Value::String(text) => quoted(&readable(key, text)),
        // Without a point TOML reads an integer, and a share must be a float.
        Value::Float(number) => format!("{number:?}"),
        Value::Array(items) if items.iter().any(Value::is_table) => {
            let indent = "    ".repeat(depth);
            let lines: Vec<String> =
                items.iter().map(|item| format!("{indent}    {},\n", inline(key, item, depth + 1))).collect();
            format!("[\n{}{indent}]", lines.concat())
        }
        Value::Array(items) => {
            format!("[{}]", items.iter().map(|item| inline(key, item, depth)).collect::<Vec<_>>().join(", "))
        }
        Value::Table(entries) => {
            // What it is comes first, its parts last.
            let rank = |key: &str| match key {
                "type" => 0,
                "of" => 1,
                "any" | "all" => 3,
                _ => 2,
            };
            let mut entries: Vec<_> = entries.iter().collect();
            entries.sort_by_key(|(key, _)| rank(key));
            let entries: Vec<String> =
                entries.iter().map(|(key, value)| format!("{} = {}", bare(key), inline(key, value, depth))).collect();
            format!("{{ {} }}", entries.join(", "))
        }
        Value::Integer(number) => number.to_string(),
        Value::Boolean(truth) => truth.to_string(),
        Value::Datetime(time) => time.to_string(),
    }
}

/// A key, in quotes where it needs them.
fn bare(key: &str) -> String {
    let is_bare = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    if is_bare { key.to_owned() } else { quoted(key) }
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            c if c.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::Rules;

    const OTHERS: &str = r#"
        [[rule]]
        name = "Both"
        for = "90s"
        max_open = "0s"
        topics = ["Air \"Paradis\"", "Été\\"]
        labels = { severity = "critical", "équipe presse" = "a\tb" }
        [rule.condition]
        type = "and"
        all = [
            { type = "negative_volume", window = "26h", above = 20 },
            { type = "or", any = [
                { type = "negative_rate", window = "1h", above = { baseline = "seasonal", margin = 0.1, recover_margin = 0.05 } },
                { type = "negative_rate", window = "3h", above = 0.8, recover_below = 0.7 },
                { type = "negative_rate", window = "3h", above = { baseline = "96h" } },
                { type = "negative_volume", window = "2h", above = { baseline = "72h", times = 3.0 } },
                { type = "negative_volume", window = "2h", above = { baseline = "seasonal", step = "10m", rest = "0s" } },
            ] },
        ]
        [rule.annotations]
        summary = "{{ topic }}:\n{{ rate | percent }} \u0001"
    "#;

    #[test]
    fn every_rule_reads_back_as_it_was() {
        let shipped: Rules = toml::from_str(include_str!("../../../../config/rules.toml")).unwrap();
        let others: Rules = toml::from_str(OTHERS).unwrap();
        for rule in shipped.rules.into_iter().chain(others.rules) {
            let text = write(&rule).unwrap();
            let read: Rules = toml::from_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
            assert_eq!(read.rules, [rule], "{text}");
            assert!(!text.contains("PT"), "durations as people write them:\n{text}");
        }
    }

    #[test]
    fn durations_are_those_of_a_rule_file() {
        for (seconds, expected) in
            [(0, "0s"), (90, "1m 30s"), (3_600, "1h"), (86_400, "24h"), (2_592_000, "30d"), (180_060, "2d 2h 1m")]
        {
            let length = SignedDuration::from_secs(seconds);
            assert_eq!(duration(length), expected);
            assert_eq!(crate::duration::parse(expected), Some(length));
        }
    }
}
