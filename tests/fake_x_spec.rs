//! The fake X API responds as the official specification says, and rejects what the documents forbid.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test's helpers: a panic there is the failure it should be")]
#![allow(clippy::print_stdout, reason = "reports that it is skipped")]

mod fake_x;

use std::path::Path;

use fake_x::{Act, Endpoint, FakeX, Fault, Names, Visible, tokio_clock};
use jiff::SignedDuration;
use serde_json::{Value, json};

const START: &str = "2026-11-20T12:00:00Z";
const TWEET_FIELDS: &str = "created_at,author_id,lang,conversation_id,public_metrics,referenced_tweets,note_tweet";
const POST_FIELDS: &str = "created_at,lang,conversation_id,public_metrics,note_post";

struct Client {
    http: reqwest::Client,
    fake: FakeX,
}

impl Client {
    async fn new() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let redirect = reqwest::redirect::Policy::none();
        let http = reqwest::Client::builder().no_proxy().redirect(redirect).build().unwrap();
        Self { http, fake: FakeX::start(tokio_clock(START.parse().unwrap())).await }
    }

    async fn ask(&self, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        let url = format!("{}{path}", self.fake.url());
        let mut request = self.http.request(method.parse().unwrap(), url).bearer_auth(self.fake.token());
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        self.ask("GET", path, None).await
    }

    async fn search(&self, more: &str) -> (u16, Value) {
        self.get(&format!("/2/tweets/search/recent?query=paradis{more}")).await
    }
}

fn ids(page: &Value) -> Vec<u64> {
    let posts = page["data"].as_array().cloned().unwrap_or_default();
    posts.iter().map(|post| post["id"].as_str().unwrap().parse().unwrap()).collect()
}

/// The specification; absent where `shared` is missing.
struct Specification(Value);

impl Specification {
    fn read() -> Option<Self> {
        let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/x-api/openapi.json"));
        if !path.exists() {
            println!("skipped: {} does not exist", path.display());
            return None;
        }
        Some(Self(serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()))
    }

    fn check(&self, schema: &str, value: &Value) {
        let root = json!({"$ref": format!("#/components/schemas/{schema}"), "components": self.0["components"]});
        let validator = jsonschema::options().should_validate_formats(true).build(&root).unwrap();
        let errors: Vec<String> =
            validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(errors.is_empty(), "{schema}: {errors:?} in {value:#}");
        // The schemas allow other keys: an unknown key would not be an error.
        let known = &self.0["components"]["schemas"][schema]["properties"];
        for key in value.as_object().into_iter().flatten().map(|(key, _)| key) {
            assert!(known.is_null() || known.get(key).is_some(), "{schema} has no {key}");
        }
    }
}

#[tokio::test]
async fn answers_follow_the_specification() {
    let Some(specification) = Specification::read() else { return };
    let client = Client::new().await;
    client.fake.set(|settings| settings.names = Names::Post);
    let first = client.fake.say("Air Paradis is late");
    let long = format!("Air Paradis {}", "again and ".repeat(60));
    client.fake.publish(client.fake.draft(&long).refers("quoted", first).edit_of(&[first]).mentioning(7));
    let more = format!(
        "&post.fields={POST_FIELDS}&expansions=author_id,referenced_posts&user.fields=public_metrics&max_results=10"
    );
    let (status, page) = client.search(&more).await;
    assert_eq!((status, ids(&page).len()), (200, 2));
    assert_eq!(page["data"][0]["note_post"]["text"], json!(long));
    specification.check("SearchPostsRecentResponse", &page);
    for kind in ["data", "includes"] {
        let posts = page[kind].as_array().or_else(|| page[kind]["posts"].as_array()).unwrap();
        posts.iter().for_each(|post| specification.check("Post", post));
    }
    specification.check("User", &page["includes"]["users"][0]);

    let (_, mentions) = client.get(&format!("/2/users/7/mentions?post.fields={POST_FIELDS}")).await;
    assert_eq!(ids(&mentions).len(), 1);
    specification.check("GetUsersMentionsResponse", &mentions);

    let rules = "/2/tweets/search/stream/rules";
    specification.check("GetRulesResponse", &client.get(rules).await.1);
    let add = json!({"add": [{"value": "paradis", "tag": "a"}, {"value": "air"}]});
    specification.check("UpdateRulesRequest", &add);
    specification.check("UpdateRulesResponse", &client.ask("POST", rules, Some(add)).await.1);
    let (_, listed) = client.get(rules).await;
    specification.check("GetRulesResponse", &listed);
    let delete = json!({"delete": {"ids": [listed["data"][0]["id"]]}});
    specification.check("UpdateRulesRequest", &delete);
    specification.check("UpdateRulesResponse", &client.ask("POST", rules, Some(delete)).await.1);
    client.fake.stranger_connects();
    let ended = client.ask("DELETE", "/2/connections/all", None).await.1;
    assert_eq!(ended["data"]["successful_kills"], json!(1));
    specification.check("DeleteAllConnectionsResponse", &ended);
    specification.check("GetUsageResponse", &client.get("/2/usage/tweets").await.1);
}

#[tokio::test]
async fn problems_and_lines_of_the_stream_follow_the_specification() {
    let Some(specification) = Specification::read() else { return };
    let client = Client::new().await;
    client.fake.set(|settings| settings.names = Names::Post);
    for (fault, schema) in
        [(Fault::bad_request(), "InvalidRequestProblem"), (Fault::server_error(), "InternalErrorProblem")]
    {
        client.fake.fault(Endpoint::Search, fault);
        specification.check(schema, &client.search("").await.1);
    }
    client.fake.fault(Endpoint::Search, Fault::PartialErrors);
    let (status, partial) = client.search("").await;
    assert_eq!(status, 200);
    specification.check("SearchPostsRecentResponse", &partial);

    client.fake.add_rule("paradis", Some("vigie:x"));
    let url = format!("{}/2/tweets/search/stream?tweet.fields={TWEET_FIELDS}", client.fake.url());
    let mut stream = client.http.get(url).bearer_auth("fake-token").send().await.unwrap();
    client.fake.say("Air Paradis is late");
    client.fake.say("another airline is late");
    client.fake.comply("delete", 1, 2);
    client.fake.comply("withheld", 1, 2);
    client.fake.comply("drop", 1, 2);
    client.fake.comply_edit(&[1, 2, 3]);
    client.fake.act(&Act::End);
    let mut text = String::new();
    while let Some(chunk) = stream.chunk().await.unwrap() {
        text.push_str(std::str::from_utf8(&chunk).unwrap());
    }
    let lines: Vec<Value> = text.split_terminator("\r\n").map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 5, "a post that matches no rule is not sent: {text}");
    specification.check("StreamPostsResponse", &lines[0]);
    specification.check("Post", &lines[0]["data"]);
    lines[1..].iter().for_each(|line| specification.check("StreamPostsComplianceResponse", line));
}

#[tokio::test]
async fn without_the_token_requests_are_rejected() {
    let client = Client::new().await;
    let url = format!("{}/2/tweets/search/recent?query=paradis", client.fake.url());
    assert_eq!(client.http.get(&url).send().await.unwrap().status(), 401);
    assert_eq!(client.http.get(&url).bearer_auth("other").send().await.unwrap().status(), 401);
    assert_eq!(client.search("").await.0, 200);
    let authorised: Vec<bool> = client.fake.requests().iter().map(|request| request.authorised).collect();
    assert_eq!(authorised, [false, false, true]);
}

#[tokio::test(start_paused = true)]
async fn pages_contain_every_post_once_newest_first() {
    let client = Client::new().await;
    // IDs of different lengths: as text, their order would differ.
    let old = client.fake.index(fake_x::FakePost::new(999_999_999_999_999_999, "paradis of 2018"));
    let mut expected = client.fake.backlog(25, SignedDuration::from_secs(1), "Air Paradis");
    let mut found = Vec::new();
    let mut token = String::new();
    for page in 0..3 {
        // A post that is published while the pages are read is newer than all of them.
        client.fake.index_after_pages(page, client.fake.draft("paradis, just now"));
        let (_, answer) = client.search(&format!("&max_results=10{token}")).await;
        assert_eq!(answer["meta"]["result_count"], json!(ids(&answer).len()));
        assert_eq!(answer["meta"]["oldest_id"].as_str().unwrap(), ids(&answer).last().unwrap().to_string());
        found.extend(ids(&answer));
        token = answer["meta"]["next_token"].as_str().map(|token| format!("&next_token={token}")).unwrap_or_default();
    }
    assert!(token.is_empty());
    expected.reverse();
    // The first page contains one such post; later ones are after the token.
    assert_eq!(found[1..], expected);
    assert!(!found.contains(&old), "older than seven days");
}

#[tokio::test(start_paused = true)]
async fn since_and_until_are_exclusive_and_late_posts_appear_late() {
    let client = Client::new().await;
    let posts = client.fake.backlog(5, SignedDuration::from_secs(1), "paradis");
    let (_, page) = client.search(&format!("&since_id={}&until_id={}", posts[1], posts[4])).await;
    assert_eq!(ids(&page), [posts[3], posts[2]]);
    let soon = client.fake.now() + SignedDuration::from_secs(30);
    let late = client.fake.index(client.fake.draft("paradis").visible(Visible::At(soon)));
    let later = client.fake.index(client.fake.draft("paradis").visible(Visible::AfterPolls(1)));
    assert_eq!(ids(&client.search(&format!("&since_id={}", posts[4])).await.1), [later]);
    tokio::time::sleep(std::time::Duration::from_secs(31)).await;
    assert_eq!(ids(&client.search(&format!("&since_id={}", posts[4])).await.1), [later, late]);
}

#[tokio::test]
async fn what_the_documents_forbid_is_rejected() {
    let client = Client::new().await;
    let id = fake_x::snowflake(client.fake.now() - SignedDuration::from_hours(7 * 24 + 1), 0);
    let long = "a".repeat(512);
    for wrong in [
        "&max_results=9",
        "&max_results=101",
        "&since_id=x",
        "&next_token=nonsense",
        "&start_time=2026-11-01T00:00:00Z",
        "&start_time=2026-11-20T00:00:00Z&since_id=1",
        "&end_time=2026-11-20T12:00:00Z",
        "&tweet.fields=nonsense",
        "&expansions=nonsense",
        "&nonsense=1",
        "&max_results=10&max_results=10",
        &format!("&since_id={id}"),
        &long,
    ] {
        let (status, problem) = client.search(wrong).await;
        assert_eq!((status, problem["title"].as_str()), (400, Some("Invalid Request")), "{wrong}");
    }
    assert_eq!(client.get("/2/tweets/search/recent").await.0, 400);
    assert_eq!(client.get("/2/users/1/mentions?next_token=b26v1").await.0, 400);
    assert_eq!(client.get("/2/nonsense").await.0, 404);
    assert_eq!(client.get("/2/tweets/search/stream").await.0, 409, "no rules");
    let rules = json!({"add": [{"value": "a".repeat(1_025)}]});
    assert_eq!(client.ask("POST", "/2/tweets/search/stream/rules", Some(rules)).await.0, 400);
}

#[tokio::test(start_paused = true)]
async fn rate_limits_are_reported_and_enforced() {
    let client = Client::new().await;
    let reset = client.fake.now() + SignedDuration::from_secs(60);
    client.fake.limit(Endpoint::Search, 1, reset);
    let url = format!("{}/2/tweets/search/recent?query=paradis", client.fake.url());
    for (status, remaining) in [(200, "0"), (429, "0")] {
        let answer = client.http.get(&url).bearer_auth("fake-token").send().await.unwrap();
        assert_eq!(
            (answer.status().as_u16(), answer.headers()["x-rate-limit-remaining"].to_str().unwrap()),
            (status, remaining)
        );
        assert_eq!(answer.headers()["x-rate-limit-reset"].to_str().unwrap(), reset.as_second().to_string());
    }
    tokio::time::sleep(std::time::Duration::from_secs(60)).await;
    assert_eq!(client.search("").await.0, 200);
}

#[tokio::test(start_paused = true)]
async fn a_second_stream_is_rejected_and_a_quiet_one_kept_alive() {
    let client = Client::new().await;
    client.fake.add_rule("paradis", None);
    let url = format!("{}/2/tweets/search/stream", client.fake.url());
    let mut stream = client.http.get(&url).bearer_auth("fake-token").send().await.unwrap();
    let (status, problem) = client.get("/2/tweets/search/stream").await;
    assert_eq!((status, problem["connection_issue"].as_str()), (429, Some("TooManyConnections")));
    let before = client.fake.now();
    assert_eq!(stream.chunk().await.unwrap().unwrap(), "\r\n");
    assert_eq!(client.fake.now().duration_since(before).as_secs(), 20);
    drop(stream);
    while client.fake.connections() > 0 {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    assert_eq!(client.http.get(&url).bearer_auth("fake-token").send().await.unwrap().status(), 200);
}
