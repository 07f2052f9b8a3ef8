//! The stream's rules, kept in step with the configuration: ours carry a tag, what is missing is added, what is stale is
//! removed, and those of others are never touched.

use reqwest::Method;
use serde_json::{Value, json};

use super::account::Account;
use super::client::Request;
use super::error::{ApiError, Problem};
use super::limits::Endpoint;
use crate::metrics::SourceMetrics;

const PATH: &str = "/2/tweets/search/stream/rules";
/// X allows some thousand rules, a thousand a page.
const MOST_PAGES: usize = 25;
/// What the tags of our rules begin with.
const PREFIX: &str = "vigie:";

#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    id: String,
    value: String,
    tag: Option<String>,
}

/// What is to be changed.
#[derive(Debug, PartialEq, Eq)]
struct Plan {
    /// Whether the rule is missing.
    add: bool,
    /// Identifiers of stale rules of ours.
    delete: Vec<String>,
    /// Identifier of the rule that is there, be it somebody else's.
    found: Option<String>,
}

/// The tag of the rule of the source `name`.
pub(super) fn tag_of(name: &str) -> String {
    format!("{PREFIX}{name}")
}

/// Makes `value`, under `tag`, the one rule of ours. The identifier of the rule, where X told it.
///
/// # Errors
/// When X cannot be asked, or refuses the rule.
pub(super) async fn keep_in_step(
    account: &Account,
    metrics: &SourceMetrics,
    tag: &str,
    value: &str,
) -> Result<Option<String>, ApiError> {
    let plan = plan(&list(account, metrics).await?, tag, value);
    let mut found = plan.found;
    // First the new one, so that the stream is never without.
    if plan.add {
        tracing::info!(tag, "adding the stream's rule");
        let answer = change(account, metrics, json!({"add": [{"value": value, "tag": tag}]})).await;
        found = added(answer)?;
    }
    if !plan.delete.is_empty() {
        tracing::info!(tag, rules = plan.delete.len(), "removing rules of ours that are stale");
        change(account, metrics, json!({"delete": {"ids": plan.delete}})).await?;
    }
    Ok(found)
}

fn plan(rules: &[Rule], tag: &str, value: &str) -> Plan {
    let ours = |rule: &&Rule| rule.tag.as_deref().is_some_and(|tag| tag.starts_with(PREFIX));
    let same = |rule: &&Rule| rule.value == value;
    let own = rules.iter().find(|rule| same(rule) && rule.tag.as_deref() == Some(tag));
    // X takes no second rule of the same value: somebody else's does as well. One of ours under an old tag goes later.
    let found = own.or_else(|| rules.iter().find(same));
    let found_id = found.map(|rule| rule.id.clone());
    let stale = rules.iter().filter(ours).filter(|rule| Some(&rule.id) != found_id.as_ref());
    Plan { add: found.is_none(), delete: stale.map(|rule| rule.id.clone()).collect(), found: found_id }
}

async fn list(account: &Account, metrics: &SourceMetrics) -> Result<Vec<Rule>, ApiError> {
    let mut rules = Vec::new();
    let mut token: Option<String> = None;
    for _ in 0..MOST_PAGES {
        let query = token.iter().map(|token| ("pagination_token", token.clone())).collect();
        let answer = account.call(Endpoint::Rules, &Request::get(PATH, query), metrics).await?;
        rules.extend(answer.get("data").and_then(Value::as_array).into_iter().flatten().filter_map(rule));
        let next = answer.get("meta").and_then(|meta| meta.get("next_token")).and_then(Value::as_str);
        if next.is_none() || next == token.as_deref() {
            return Ok(rules);
        }
        token = next.map(str::to_owned);
    }
    Err(ApiError::Malformed(format!("the list of the stream's rules has over {MOST_PAGES} pages")))
}

fn rule(value: &Value) -> Option<Rule> {
    let text = |key| value.get(key).and_then(Value::as_str).map(str::to_owned);
    Some(Rule { id: text("id")?, value: text("value")?, tag: text("tag") })
}

async fn change(account: &Account, metrics: &SourceMetrics, body: Value) -> Result<Value, ApiError> {
    let request = Request { method: Method::POST, path: PATH.into(), query: Vec::new(), body: Some(body) };
    account.call(Endpoint::Rules, &request, metrics).await
}

/// Whether the rule was added. X may say no within a success.
fn added(answer: Result<Value, ApiError>) -> Result<Option<String>, ApiError> {
    let is_there = |problem: &Problem| {
        let said = format!("{problem} {}", problem.kind).to_lowercase();
        said.contains("duplicaterule") || said.contains("duplicate-rule")
    };
    match answer {
        Ok(answer) => {
            let created = answer.get("data").and_then(|data| data.get(0)).and_then(rule);
            let problem = Problem::read(&answer, None);
            match created {
                Some(rule) => Ok(Some(rule.id)),
                None if answer.get("errors").is_some() && !is_there(&problem) => {
                    Err(ApiError::Invalid { status: 200, problem })
                }
                None => Ok(None),
            }
        }
        // Somebody was faster.
        Err(ApiError::Invalid { problem, .. }) if is_there(&problem) => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rule(id: &str, value: &str, tag: Option<&str>) -> Rule {
        Rule { id: id.into(), value: value.into(), tag: tag.map(str::to_owned) }
    }

    fn wanted(add: bool, delete: &[&str], found: Option<&str>) -> Plan {
        Plan { add, delete: delete.iter().map(ToString::to_string).collect(), found: found.map(str::to_owned) }
    }

    #[test]
    fn what_is_missing_is_added_and_what_is_stale_removed() {
        let plan = |rules: &[Rule]| plan(rules, "vigie:x", "paradis");
        assert_eq!(plan(&[]), wanted(true, &[], None));
        assert_eq!(plan(&[rule("1", "paradis", Some("vigie:x"))]), wanted(false, &[], Some("1")));
        assert_eq!(plan(&[rule("1", "old", Some("vigie:x"))]), wanted(true, &["1"], None));
        assert_eq!(plan(&[rule("1", "old", Some("vigie:renamed"))]), wanted(true, &["1"], None));
        assert_eq!(plan(&[rule("1", "cats", Some("theirs")), rule("2", "dogs", None)]), wanted(true, &[], None));
        assert_eq!(plan(&[rule("1", "paradis", None)]), wanted(false, &[], Some("1")), "somebody else's does");
        let both = [rule("1", "paradis", Some("vigie:y")), rule("2", "paradis", Some("vigie:x"))];
        assert_eq!(plan(&both), wanted(false, &["1"], Some("2")));
    }

    #[test]
    fn a_rule_that_x_refuses_is_an_error_and_one_that_is_there_is_none() {
        let refused = |kind: &str| json!({"errors": [{"title": kind, "type": "t", "value": "v"}]});
        assert_eq!(added(Ok(refused("DuplicateRule"))), Ok(None));
        assert!(matches!(added(Ok(refused("UnprocessableEntity"))), Err(ApiError::Invalid { .. })));
        let created = json!({"data": [{"id": "5", "value": "v", "tag": "t"}], "meta": {}});
        assert_eq!(added(Ok(created)), Ok(Some("5".into())));
        let problem = Problem::read(&refused("DuplicateRule"), None);
        assert_eq!(added(Err(ApiError::Invalid { status: 400, problem })), Ok(None));
    }

    fn rules() -> impl Strategy<Value = Vec<Rule>> {
        let tag = proptest::option::of(prop_oneof![Just("vigie:x"), Just("vigie:y"), Just("theirs"), Just("vigie")]);
        let one = ("[ab]", tag).prop_map(|(value, tag)| rule("", &value, tag));
        proptest::collection::vec(one, 0..6).prop_map(|rules| {
            rules.into_iter().enumerate().map(|(at, rule)| Rule { id: at.to_string(), ..rule }).collect()
        })
    }

    proptest! {
        #[test]
        fn after_the_plan_the_rule_is_there_and_others_are_as_they_were(before in rules()) {
            let plan = plan(&before, "vigie:x", "a");
            let mut after: Vec<Rule> =
                before.iter().filter(|rule| !plan.delete.contains(&rule.id)).cloned().collect();
            if plan.add {
                after.push(rule("new", "a", Some("vigie:x")));
            }
            prop_assert!(after.iter().any(|rule| rule.value == "a"));
            let theirs = |rules: &[Rule]| -> Vec<Rule> {
                let theirs = |rule: &&Rule| !rule.tag.as_deref().is_some_and(|tag| tag.starts_with("vigie:"));
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
