//! Synchronises the rules of the stream with the configuration. Our rules carry a tag: missing ones are added, stale ones
//! are removed, rules of other programs are never touched.

use reqwest::Method;
use serde_json::{Value, json};

use super::account::Account;
use super::client::Request;
use super::error::{ApiError, Problem};
use super::rate_limits::Endpoint;
use crate::metrics::SourceMetrics;

const PATH: &str = "/2/tweets/search/stream/rules";
/// X allows a few thousand rules, a thousand per page.
const MAX_PAGES: usize = 25;
/// Prefix of the tags of our rules.
const PREFIX: &str = "vigie:";

#[derive(Debug, Clone, PartialEq, Eq)]
struct StreamRule {
    id: String,
    value: String,
    tag: Option<String>,
}

/// The changes to make.
#[derive(Debug, PartialEq, Eq)]
struct RulePlan {
    /// Queries that no rule has.
    add: Vec<String>,
    /// IDs of our stale rules.
    delete: Vec<String>,
    /// IDs of existing rules with our queries, ours or not.
    found: Vec<String>,
}

/// The tag of the rules of the source `name`.
pub(super) fn tag_of(name: &str) -> String {
    format!("{PREFIX}{name}")
}

/// Makes `values`, under `tag`, our only rules. Returns the IDs of the rules, as far as X reports them.
///
/// # Errors
/// When a request fails, or X rejects a rule.
pub(super) async fn sync_rules(
    account: &Account,
    metrics: &SourceMetrics,
    tag: &str,
    values: &[String],
) -> Result<Vec<String>, ApiError> {
    let plan = plan(&list_rules(account, metrics).await?, tag, values);
    let mut found = plan.found;
    // New rules come first, so that the stream always has some.
    if !plan.add.is_empty() {
        tracing::info!(tag, rules = plan.add.len(), "adding stream rules");
        let rules: Vec<Value> = plan.add.iter().map(|value| json!({"value": value, "tag": tag})).collect();
        found.extend(added_rule_ids(change_rules(account, metrics, json!({"add": rules})).await)?);
    }
    if !plan.delete.is_empty() {
        tracing::info!(tag, rules = plan.delete.len(), "removing stale stream rules");
        change_rules(account, metrics, json!({"delete": {"ids": plan.delete}})).await?;
    }
    Ok(found)
}

fn plan(rules: &[StreamRule], tag: &str, values: &[String]) -> RulePlan {
    let ours = |rule: &&StreamRule| rule.tag.as_deref().is_some_and(|tag| tag.starts_with(PREFIX));
    let (mut add, mut found) = (Vec::new(), Vec::new());
    for value in values {
        let same = |rule: &&StreamRule| rule.value == *value;
        let own = rules.iter().find(|rule| same(rule) && rule.tag.as_deref() == Some(tag));
        // X rejects a second rule with the same query, so a rule of another program serves us too. A rule of ours under an
        // old tag is deleted once its query changes.
        match own.or_else(|| rules.iter().find(same)) {
            Some(rule) => found.push(rule.id.clone()),
            None => add.push(value.clone()),
        }
    }
    let stale = rules.iter().filter(ours).filter(|rule| !found.contains(&rule.id));
    RulePlan { add, delete: stale.map(|rule| rule.id.clone()).collect(), found }
}

async fn list_rules(account: &Account, metrics: &SourceMetrics) -> Result<Vec<StreamRule>, ApiError> {
    let mut rules = Vec::new();
    let mut token: Option<String> = None;
    for _ in 0..MAX_PAGES {
        let query = token.iter().map(|token| ("pagination_token", token.clone())).collect();
        let response = account.fetch_json(Endpoint::Rules, &Request::get(PATH, query), metrics).await?;
        rules.extend(response.get("data").and_then(Value::as_array).into_iter().flatten().filter_map(parse_rule));
        let next = response.get("meta").and_then(|meta| meta.get("next_token")).and_then(Value::as_str);
        if next.is_none() || next == token.as_deref() {
            return Ok(rules);
        }
        token = next.map(str::to_owned);
    }
    Err(ApiError::Malformed(format!("the list of stream rules has more than {MAX_PAGES} pages")))
}

fn parse_rule(value: &Value) -> Option<StreamRule> {
    let text = |key| value.get(key).and_then(Value::as_str).map(str::to_owned);
    Some(StreamRule { id: text("id")?, value: text("value")?, tag: text("tag") })
}

async fn change_rules(account: &Account, metrics: &SourceMetrics, body: Value) -> Result<Value, ApiError> {
    let request = Request { method: Method::POST, path: PATH.into(), query: Vec::new(), body: Some(body) };
    account.fetch_json(Endpoint::Rules, &request, metrics).await
}

/// The IDs of the rules that were added. X may report an error in a successful response.
fn added_rule_ids(response: Result<Value, ApiError>) -> Result<Vec<String>, ApiError> {
    let is_duplicate = |problem: &Problem| {
        let text = format!("{problem} {}", problem.kind).to_lowercase();
        text.contains("duplicaterule") || text.contains("duplicate-rule")
    };
    match response {
        Ok(response) => {
            let problem = Problem::read(&response, None);
            // Posts that only the rejected rule matches would be missing.
            if response.get("errors").is_some() && !is_duplicate(&problem) {
                return Err(ApiError::Invalid { status: 200, problem });
            }
            let created = response.get("data").and_then(Value::as_array).into_iter().flatten();
            Ok(created.filter_map(parse_rule).map(|rule| rule.id).collect())
        }
        // Another program has added it in the meantime.
        Err(ApiError::Invalid { problem, .. }) if is_duplicate(&problem) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rule(id: &str, value: &str, tag: Option<&str>) -> StreamRule {
        StreamRule { id: id.into(), value: value.into(), tag: tag.map(str::to_owned) }
    }

    fn expected(add: bool, delete: &[&str], found: Option<&str>) -> RulePlan {
        let add = if add { vec!["paradis".to_owned()] } else { Vec::new() };
        let owned = |ids: &[&str]| ids.iter().map(ToString::to_string).collect();
        RulePlan { add, delete: owned(delete), found: owned(found.as_slice()) }
    }

    fn values(values: &[&str]) -> Vec<String> {
        values.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn missing_rules_are_added_and_stale_ones_removed() {
        let plan = |rules: &[StreamRule]| plan(rules, "vigie:x", &values(&["paradis"]));
        assert_eq!(plan(&[]), expected(true, &[], None));
        assert_eq!(plan(&[rule("1", "paradis", Some("vigie:x"))]), expected(false, &[], Some("1")));
        assert_eq!(plan(&[rule("1", "old", Some("vigie:x"))]), expected(true, &["1"], None));
        assert_eq!(plan(&[rule("1", "old", Some("vigie:renamed"))]), expected(true, &["1"], None));
        assert_eq!(plan(&[rule("1", "cats", Some("theirs")), rule("2", "dogs", None)]), expected(true, &[], None));
        assert_eq!(
            plan(&[rule("1", "paradis", None)]),
            expected(false, &[], Some("1")),
            "a rule of another program serves us"
        );
        let both = [rule("1", "paradis", Some("vigie:y")), rule("2", "paradis", Some("vigie:x"))];
        assert_eq!(plan(&both), expected(false, &["1"], Some("2")));
    }

    #[test]
    fn a_rejected_rule_is_an_error_and_a_duplicate_is_not() {
        let rejected = |kind: &str| json!({"errors": [{"title": kind, "type": "t", "value": "v"}]});
        assert_eq!(added_rule_ids(Ok(rejected("DuplicateRule"))), Ok(Vec::new()));
        assert!(matches!(added_rule_ids(Ok(rejected("UnprocessableEntity"))), Err(ApiError::Invalid { .. })));
        let in_part =
            json!({"data": [{"id": "5", "value": "v"}], "errors": [{"title": "UnprocessableEntity", "value": "w"}]});
        assert!(matches!(added_rule_ids(Ok(in_part)), Err(ApiError::Invalid { .. })));
        let created = json!({"data": [{"id": "5", "value": "v", "tag": "t"}], "meta": {}});
        assert_eq!(added_rule_ids(Ok(created)), Ok(vec!["5".into()]));
        let problem = Problem::read(&rejected("DuplicateRule"), None);
        assert_eq!(added_rule_ids(Err(ApiError::Invalid { status: 400, problem })), Ok(Vec::new()));
    }

    fn rules() -> impl Strategy<Value = Vec<StreamRule>> {
        let tag = proptest::option::of(prop_oneof![Just("vigie:x"), Just("vigie:y"), Just("theirs"), Just("vigie")]);
        let one = ("[ab]", tag).prop_map(|(value, tag)| rule("", &value, tag));
        proptest::collection::vec(one, 0..6).prop_map(|rules| {
            rules.into_iter().enumerate().map(|(at, rule)| StreamRule { id: at.to_string(), ..rule }).collect()
        })
    }

    proptest! {
        #[test]
        fn after_the_plan_our_rules_exist_and_others_are_unchanged(before in rules(), both in any::<bool>()) {
            let ours = if both { values(&["a", "b"]) } else { values(&["a"]) };
            let plan = plan(&before, "vigie:x", &ours);
            let mut after: Vec<StreamRule> =
                before.iter().filter(|rule| !plan.delete.contains(&rule.id)).cloned().collect();
            after.extend(plan.add.iter().map(|value| rule(&format!("new {value}"), value, Some("vigie:x"))));
            for value in &ours {
                prop_assert!(after.iter().any(|rule| rule.value == *value));
            }
            let theirs = |rules: &[StreamRule]| -> Vec<StreamRule> {
                let theirs = |rule: &&StreamRule| !rule.tag.as_deref().is_some_and(|tag| tag.starts_with("vigie:"));
                rules.iter().filter(theirs).cloned().collect()
            };
            prop_assert_eq!(theirs(&after), theirs(&before));
            let tagged = after.iter().filter(|rule| rule.tag.as_deref().is_some_and(|tag| tag.starts_with("vigie:")));
            prop_assert!(tagged.count() <= ours.len());
            let again = super::plan(&after, "vigie:x", &ours);
            prop_assert!(again.add.is_empty() && again.delete.is_empty());
        }
    }
}
