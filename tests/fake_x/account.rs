//! `/2/usage/tweets` and `/2/connections/all`.

use serde_json::{Value, json};

use super::answer::Problem;
use super::params::{Query, number, only};
use super::world::World;

pub fn usage(world: &World, query: &Query) -> Result<Value, Problem> {
    only(query, &["days", "usage.fields"], false)?;
    if !(1..=90).contains(&number(query, "days")?.unwrap_or(7)) {
        return Err(Problem::parameter("days", "is not from 1 to 90"));
    }
    Ok(json!({"data": {
        "cap_reset_day": 1, "project_cap": "2000000", "project_id": "1", "project_usage": world.billed.to_string(),
        "daily_project_usage": {"project_id": "1", "usage": [{"date": world.now().to_string(), "usage": world.billed.to_string()}]},
    }}))
}

pub fn end_connections(world: &mut World) -> Value {
    let ended = world.connections.len() + world.strangers;
    let results: Vec<Value> =
        (0..ended).map(|at| json!({"uuid": format!("00000000-0000-0000-0000-{at:012}"), "success": true})).collect();
    world.connections.clear();
    world.strangers = 0;
    json!({"data": {"successful_kills": ended, "failed_kills": 0, "results": results}})
}
