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
    /// Whether our rule is missing.
    add: bool,
    /// IDs of our stale rules.
    delete: Vec<String>,
    /// ID of an existing rule with our query, ours or not.
    found: Option<String>,
}

/// The tag of the rule of the source `name`.
pub(super) fn tag_of(name: &str) -> String {
    format!("{PREFIX}{name}")
}

/// Makes `value`, under `tag`, our only rule. Returns the ID of the rule, if X reports it.
///
/// # Errors
/// When a request fails, or X rejects the rule.
pub(super) async fn sync_rules(
    account: &Account,
    metrics: &SourceMetrics,
    tag: &str,
    value: &str,
) -> Result<Option<String>, ApiError> {
    let plan = plan(&list_rules(account, metrics).await?, tag, value);
    let mut found = plan.found;
    // The new rule comes first, so that the stream always has one.
    if plan.add {
        tracing::info!(tag, "adding stream rule");
        let response = change_rules(account, metrics, json!({"add": [{"value": value, "tag": tag}]})).await;
        found = added_rule_id(response)?;
    }
    if !plan.delete.is_empty() {
        tracing::info!(tag, rules = plan.delete.len(), "removing stale stream rules");
        change_rules(account, metrics, json!({"delete": {"ids": plan.delete}})).await?;
    }
    Ok(found)
}

fn plan(rules: &[StreamRule], tag: &str, value: &str) -> RulePlan {
    let ours = |rule: &&StreamRule| rule.tag.as_deref().is_some_and(|tag| tag.starts_with(PREFIX));
    let same = |rule: &&StreamRule| rule.value == value;
    let own = rules.iter().find(|rule| same(rule) && rule.tag.as_deref() == Some(tag));
    // X rejects a second rule with the same query, so a rule of another program serves us too. A rule of ours under an old
    // tag is deleted once its query changes.
    let found = own.or_else(|| rules.iter().find(same));
    let found_id = found.map(|rule| rule.id.clone());
    let stale = rules.iter().filter(ours).filter(|rule| Some(&rule.id) != found_id.as_ref());
    RulePlan { add: found.is_none(), delete: stale.map(|rule| rule.id.clone()).collect(), found: found_id }
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

/// The ID of the rule that was added. X may report an error in a successful response.
fn added_rule_id(response: Result<Value, ApiError>) -> Result<Option<String>, ApiError> {
    let is_duplicate = |problem: &Problem| {
        let text = format!("{problem} {}", problem.kind).to_lowercase();
        text.contains("duplicaterule") || text.contains("duplicate-rule")
    };
    match response {
        Ok(response) => {
            let created = response.get("data").and_then(|data| data.get(0)).and_then(parse_rule);
            let problem = Problem::read(&response, None);
            match created {
                Some(rule) => Ok(Some(rule.id)),
                None if response.get("errors").is_some() && !is_duplicate(&problem) => {
                    Err(ApiError::Invalid { status: 200, problem })
                }
                None => Ok(None),
            }
        }
        // Another program has added it in the meantime.
        Err(ApiError::Invalid { problem, .. }) if is_duplicate(&problem) => Ok(None),
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
        RulePlan { add, delete: delete.iter().map(ToString::to_string).collect(), found: found.map(str::to_owned) }
    }

    #[test]
    fn missing_rules_are_added_and_stale_ones_removed() {
        let plan = |rules: &[StreamRule]| plan(rules, "vigie:x", "paradis");
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
        assert_eq!(added_rule_id(Ok(rejected("DuplicateRule"))), Ok(None));
        assert!(matches!(added_rule_id(Ok(rejected("UnprocessableEntity"))), Err(ApiError::Invalid { .. })));
        let created = json!({"data": [{"id": "5", "value": "v", "tag": "t"}], "meta": {}});
        assert_eq!(added_rule_id(Ok(created)), Ok(Some("5".into())));
        let problem = Problem::read(&rejected("DuplicateRule"), None);
        assert_eq!(added_rule_id(Err(ApiError::Invalid { status: 400, problem })), Ok(None));
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
        fn after_the_plan_our_rule_exists_and_others_are_unchanged(before in rules()) {
            let plan = plan(&before, "vigie:x", "a");
            let mut after: Vec<StreamRule> =
                before.iter().filter(|rule| !plan.delete.contains(&rule.id)).cloned().collect();
            if plan.add {
                after.push(rule("new", "a", Some("vigie:x")));
            }
            prop_assert!(after.iter().any(|rule| rule.value == "a"));
            let theirs = |rules: &[StreamRule]| -> Vec<StreamRule> {
                let theirs = |rule: &&StreamRule| !rule.tag.as_deref().is_some_and(|tag| tag.starts_with("vigie:"));
                rules.iter().filter(theirs).cloned().collect()
            };
            prop_assert_eq!(theirs(&after), theirs(&before));
            let ours = after.iter().filter(|rule| rule.tag.as_deref().is_some_and(|tag| tag.starts_with("vigie:")));
            prop_assert!(ours.count() <= 1);
            let again = super::plan(&after, "vigie:x", "a");
            prop_assert!(!again.add && again.delete.is_empty());
        }
    }
}
