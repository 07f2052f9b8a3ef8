//! `/2/tweets/search/recent` and `/2/users/{id}/mentions`: newest first, in pages.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::answer::Problem;
use super::params::{Asked, Names, Query, get, number, only};
use super::post::{FakePost, snowflake, snowflake_time};
use super::query::matches;
use super::world::World;

const WEEK: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Length of a mentions timeline.
const MAX_MENTIONS: usize = 800;

/// Which posts a page may contain: IDs in `from..to`.
struct Range {
    from: u64,
    to: u64,
    page: usize,
    first: bool,
}

pub fn recent(world: &mut World, query: &Query) -> Result<Value, Problem> {
    only(
        query,
        &[
            "query",
            "max_results",
            "next_token",
            "pagination_token",
            "start_time",
            "end_time",
            "since_id",
            "until_id",
            "sort_order",
        ],
        true,
    )?;
    let text = get(query, "query").filter(|text| !text.is_empty());
    let text = text.ok_or_else(|| Problem::parameter("query", "is missing"))?;
    let length = text.chars().count();
    if length > world.settings.query_length {
        return Err(Problem::parameter(
            "query",
            &format!("is {length} characters long, over {}", world.settings.query_length),
        ));
    }
    let range = range(world, query, 10, &["next_token", "pagination_token"])?;
    recent_enough(world.now(), query)?;
    let asked = Asked::read(query, world.settings.names, false)?;
    world.count_page(range.first);
    // Since May 2026, search returns no retweets; the stream does.
    let shown = |post: &FakePost| matches(text, post) && !post.references.iter().any(|(kind, _)| *kind == "retweeted");
    Ok(page(world, &range, &asked, usize::MAX, shown))
}

pub fn mentions(world: &mut World, path: &str, query: &Query) -> Result<Value, Problem> {
    only(query, &["max_results", "pagination_token", "start_time", "end_time", "since_id", "until_id"], true)?;
    let user = path.split('/').nth(3).and_then(|id| id.parse().ok());
    let user: u64 = user.ok_or_else(|| Problem::parameter("id", "is not a number"))?;
    let range = range(world, query, 5, &["pagination_token"])?;
    let asked = Asked::read(query, world.settings.names, false)?;
    world.count_page(range.first);
    Ok(page(world, &range, &asked, MAX_MENTIONS, |post| post.mentions.contains(&user)))
}

fn range(world: &World, query: &Query, min: usize, tokens: &[&str]) -> Result<Range, Problem> {
    let page = number(query, "max_results")?.unwrap_or(10);
    if !(min..=100).contains(&page) {
        return Err(Problem::parameter("max_results", &format!("is not from {min} to 100")));
    }
    for (one, other) in [("start_time", "since_id"), ("end_time", "until_id"), ("next_token", "pagination_token")] {
        if get(query, one).is_some() && get(query, other).is_some() {
            return Err(Problem::invalid(&format!("At most one of `{one}`, `{other}` may be provided.")));
        }
    }
    let time = |key| -> Result<Option<Timestamp>, Problem> {
        get(query, key).map(|text| text.parse().map_err(|_| Problem::parameter(key, "is not a time"))).transpose()
    };
    let since = match (number::<u64>(query, "since_id")?, time("start_time")?) {
        (Some(id), _) => id + 1,
        (_, Some(start)) => snowflake(start, 0),
        _ => 0,
    };
    let mut until = match (number::<u64>(query, "until_id")?, time("end_time")?) {
        (Some(id), _) => id,
        (_, Some(end)) if end > world.now() - SignedDuration::from_secs(10) => {
            return Err(Problem::parameter("end_time", "must be at least 10 seconds prior to the request time"));
        }
        (_, Some(end)) => snowflake(end, 0),
        _ => u64::MAX,
    };
    if since > until {
        return Err(Problem::invalid("The start is not before the end."));
    }
    let token = tokens.iter().find_map(|key| get(query, key).map(|token| (*key, token)));
    if let Some((key, token)) = token {
        let below = token.strip_prefix("b26v").and_then(|hex| u64::from_str_radix(hex, 16).ok());
        until = until.min(below.ok_or_else(|| Problem::parameter(key, "is not a token of this search"))?);
    }
    Ok(Range { from: since, to: until.max(since), page, first: token.is_none() })
}

fn recent_enough(now: Timestamp, query: &Query) -> Result<(), Problem> {
    let oldest = now - WEEK;
    if let Some(id) = number::<u64>(query, "since_id")?.filter(|id| snowflake_time(*id) < oldest) {
        let detail = format!("must be a post id created after {oldest}; {id} is too old");
        return Err(Problem::parameter("since_id", &detail));
    }
    let start = get(query, "start_time").and_then(|text| text.parse::<Timestamp>().ok());
    if start.is_some_and(|start| start < oldest) {
        return Err(Problem::parameter("start_time", "must be within the last 7 days"));
    }
    Ok(())
}

fn page(world: &mut World, range: &Range, asked: &Asked, max: usize, shown: impl Fn(&FakePost) -> bool) -> Value {
    let oldest = snowflake(world.now() - WEEK, 0).max(range.from);
    let newest_first = world.posts.values().rev().filter(|post| world.shows(post) && shown(post)).take(max);
    let mut rest = newest_first.filter(|post| (oldest..range.to).contains(&post.id));
    let posts: Vec<&FakePost> = rest.by_ref().take(range.page).collect();
    let more = rest.next().is_some() || world.settings.endless_pages;
    let mut meta = json!({"result_count": posts.len()});
    if let (Some(newest), Some(last)) = (posts.first(), posts.last()) {
        meta["newest_id"] = json!(newest.id.to_string());
        meta["oldest_id"] = json!(last.id.to_string());
    }
    if more {
        meta["next_token"] = json!(format!("b26v{:016x}", posts.last().map_or(range.to, |post| post.id)));
    }
    let mut answer = json!({"meta": meta});
    if !posts.is_empty() {
        answer["data"] = posts.iter().map(|post| post.json(asked)).collect();
        let includes = includes(world, &posts, asked);
        if includes != json!({}) {
            answer["includes"] = includes;
        }
    }
    world.billed += posts.len() as u64;
    answer
}

/// `includes`: authors and referenced posts, if requested.
pub fn includes(world: &World, posts: &[&FakePost], asked: &Asked) -> Value {
    let mut includes = json!({});
    if asked.expands("author_id") {
        let users: BTreeMap<u64, Value> = posts.iter().map(|post| (post.author_id, post.user(asked))).collect();
        includes["users"] = users.into_values().collect();
    }
    if asked.expands_any(&["referenced_tweets.id", "referenced_posts"]) {
        let ids = posts.iter().flat_map(|post| &post.references).map(|(_, id)| id);
        let meant: BTreeMap<u64, Value> =
            ids.filter_map(|id| world.posts.get(id)).map(|post| (post.id, post.json(asked))).collect();
        if !meant.is_empty() {
            let key = if asked.names == Names::Tweet { "tweets" } else { "posts" };
            includes[key] = meant.into_values().collect();
        }
    }
    includes
}
