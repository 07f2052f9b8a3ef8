//! `/2/tweets/search/stream/rules`: listing, adding and deleting the stream's rules.

use serde_json::{Value, json};

use super::answer::Problem;
use super::params::{Query, get, number, only};
use super::world::World;

const MAX_LENGTH: usize = 1_024;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    pub id: u64,
    pub value: String,
    pub tag: Option<String>,
}

impl Rule {
    fn json(&self) -> Value {
        let mut rule = json!({"id": self.id.to_string(), "value": self.value});
        if let Some(tag) = &self.tag {
            rule["tag"] = json!(tag);
        }
        rule
    }
}

pub fn list(world: &World, query: &Query) -> Result<Value, Problem> {
    only(query, &["ids", "max_results", "pagination_token"], false)?;
    let max = number(query, "max_results")?.unwrap_or(1_000).min(world.settings.rules_page);
    let skip = match get(query, "pagination_token") {
        Some(token) => token.parse().map_err(|_| Problem::parameter("pagination_token", "is not a token"))?,
        None => 0,
    };
    let ids: Option<Vec<&str>> = get(query, "ids").map(|ids| ids.split(',').collect());
    let is_selected = |rule: &&Rule| ids.as_ref().is_none_or(|ids| ids.contains(&&*rule.id.to_string()));
    let rules: Vec<Value> = world.rules.iter().filter(is_selected).skip(skip).take(max).map(Rule::json).collect();
    let end = skip + rules.len();
    let mut meta = json!({"sent": world.now().to_string(), "result_count": rules.len()});
    if end < world.rules.len() && ids.is_none() {
        meta["next_token"] = json!(format!("{end:016}"));
    }
    let mut answer = json!({"meta": meta});
    if !rules.is_empty() {
        answer["data"] = json!(rules);
    }
    Ok(answer)
}

pub fn change(world: &mut World, query: &Query, body: &[u8]) -> Result<Value, Problem> {
    only(query, &["dry_run", "delete_all"], false)?;
    let dry = get(query, "dry_run") == Some("true");
    let body: Value = serde_json::from_slice(body).map_err(|_| Problem::invalid("The body is not JSON."))?;
    match (body.get("add"), body.get("delete")) {
        (Some(add), None) => self::add(world, add, dry),
        (None, Some(delete)) => self::delete(world, delete, dry),
        _ => Err(Problem::invalid("Exactly one of `add`, `delete`, or `?delete_all=true` must be specified.")),
    }
}

fn add(world: &mut World, add: &Value, dry: bool) -> Result<Value, Problem> {
    let asked = add.as_array().filter(|rules| !rules.is_empty());
    let asked = asked.ok_or_else(|| Problem::parameter("add", "is not a list of rules"))?;
    let before = world.rules.clone();
    let (mut created, mut errors) = (Vec::new(), Vec::new());
    for rule in asked {
        let value = rule.get("value").and_then(Value::as_str).unwrap_or_default();
        let problem = if value.is_empty() || value.chars().count() > MAX_LENGTH {
            Some(("Invalid Rule", "invalid-rules", format!("a rule has 1 to {MAX_LENGTH} characters")))
        } else if world.rules.iter().any(|known| known.value == value) {
            Some(("DuplicateRule", "duplicate-rules", "the rule exists already".into()))
        } else {
            None
        };
        if let Some((title, kind, detail)) = problem {
            let kind = format!("https://api.x.com/2/problems/{kind}");
            errors.push(json!({"type": kind, "title": title, "detail": detail, "value": value}));
            continue;
        }
        world.sequence += 1;
        let tag = rule.get("tag").and_then(Value::as_str).map(str::to_owned);
        let rule = Rule { id: 1_700_000_000_000_000_000 + world.sequence, value: value.to_owned(), tag };
        created.push(rule.json());
        world.rules.push(rule);
    }
    if dry {
        world.rules = before;
    }
    let (valid, invalid) = (created.len(), errors.len());
    let summary = json!({"created": valid, "not_created": invalid, "valid": valid, "invalid": invalid});
    let mut answer = json!({"meta": {"sent": world.now().to_string(), "summary": summary}});
    if !errors.is_empty() {
        answer["errors"] = json!(errors);
    }
    if created.is_empty() {
        answer["title"] = json!("Invalid Request");
        answer["detail"] = json!("One or more parameters to your request was invalid.");
        answer["type"] = json!("https://api.x.com/2/problems/invalid-request");
        return Err(Problem { status: 400, body: answer });
    }
    answer["data"] = json!(created);
    Ok(answer)
}

fn delete(world: &mut World, delete: &Value, dry: bool) -> Result<Value, Problem> {
    let list = |key| -> Vec<&str> {
        delete.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
    };
    let (ids, values) = (list("ids"), list("values"));
    if ids.is_empty() && values.is_empty() {
        return Err(Problem::parameter("delete", "names neither ids nor values"));
    }
    let goes = |rule: &Rule| ids.contains(&&*rule.id.to_string()) || values.contains(&&*rule.value);
    let deleted = world.rules.iter().filter(|rule| goes(rule)).count();
    if !dry {
        world.rules.retain(|rule| !goes(rule));
    }
    let missed = (ids.len() + values.len()).saturating_sub(deleted);
    let summary = json!({"deleted": deleted, "not_deleted": missed});
    Ok(json!({"meta": {"sent": world.now().to_string(), "summary": summary}}))
}
