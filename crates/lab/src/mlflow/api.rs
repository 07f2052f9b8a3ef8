//! [`Api`]: the endpoints of MLflow's REST API that tracking needs, one function each. Functions that create something
//! succeed if it already exists.

use reqwest::{Method, Url};
use serde_json::{Value, json};

use super::client::{Client, Payload};
use super::names::quote;
use super::request_error::RequestError;

const PROXY: &str = "/api/2.0/mlflow-artifacts/artifacts/";
const PAGE: &str = "1000";

/// See the module.
pub(super) struct Api {
    client: Client,
    /// As in artifact URIs, if they contain it.
    host: String,
}

/// A run on the server.
#[derive(Debug, Clone)]
pub(super) struct RunInfo {
    pub(super) id: String,
    pub(super) artifact_uri: String,
    pub(super) finished: bool,
    /// Names of the metrics that have a value.
    pub(super) metrics: Vec<String>,
}

/// A version of a registered model on the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ModelVersion {
    pub(super) version: String,
    pub(super) run_id: String,
}

impl Api {
    pub(super) fn new(client: Client, server: &Url) -> Self {
        let port = server.port().map(|port| format!(":{port}")).unwrap_or_default();
        Self { client, host: format!("{}{port}", server.host_str().unwrap_or_default()) }
    }

    fn get(&self, what: [&str; 2], query: &[(&str, &str)]) -> Result<Value, RequestError> {
        self.client.send(&Method::GET, &path(what), Payload::Query(query))
    }

    fn post(&self, what: [&str; 2], body: &Value) -> Result<Value, RequestError> {
        self.client.send(&Method::POST, &path(what), Payload::Json(body))
    }

    /// The id of the experiment with that name; created if needed.
    pub(super) fn experiment(&self, name: &str) -> Result<String, RequestError> {
        let find = || self.get(["experiments", "get-by-name"], &[("experiment_name", name)]);
        let found = match find() {
            Err(error) if error.is_missing() => {
                match self.post(["experiments", "create"], &json!({ "name": name })) {
                    Ok(made) => return text(&made, "/experiment_id"),
                    // Another process has just created it.
                    Err(error) if error.exists() => find()?,
                    Err(error) => return Err(error),
                }
            }
            found => found?,
        };
        if found.pointer("/experiment/lifecycle_stage").and_then(Value::as_str) == Some("deleted") {
            return Err(RequestError::run(format!(
                "experiment {name:?} is deleted on the server: restore it, or choose another"
            )));
        }
        text(&found, "/experiment/experiment_id")
    }

    /// The run with this `vigie.run_key`.
    pub(super) fn find_run(&self, experiment: &str, key: &str) -> Result<Option<RunInfo>, RequestError> {
        let filter = format!("tags.\"vigie.run_key\" = {}", quote(key));
        let body = json!({ "experiment_ids": [experiment], "filter": filter, "max_results": 1 });
        let found = self.post(["runs", "search"], &body)?;
        found.pointer("/runs/0").map(run_info).transpose()
    }

    pub(super) fn create_run(
        &self,
        experiment: &str,
        name: &str,
        key: &str,
        start: i64,
    ) -> Result<RunInfo, RequestError> {
        let tags = json!([
            { "key": "mlflow.runName", "value": name },
            { "key": "vigie.run_key", "value": key },
        ]);
        let body = json!({ "experiment_id": experiment, "run_name": name, "start_time": start, "tags": tags });
        let made = self.post(["runs", "create"], &body)?;
        run_info(made.get("run").or_null())
    }

    /// `body` is one of [`super::batch::batches`].
    pub(super) fn log_batch(&self, body: &Value) -> Result<(), RequestError> {
        self.post(["runs", "log-batch"], body).map(drop)
    }

    /// The steps at which a metric has a value.
    pub(super) fn steps(&self, run: &str, metric: &str) -> Result<Vec<i64>, RequestError> {
        let mut steps = Vec::new();
        let mut token = String::new();
        loop {
            let all = [("run_id", run), ("metric_key", metric), ("page_token", token.as_str())];
            let query = if token.is_empty() { all.get(..2).unwrap_or(&all) } else { &all };
            let page = self.get(["metrics", "get-history"], query)?;
            let metrics = page.get("metrics").and_then(Value::as_array);
            // UnsentRun out where it is 0.
            steps.extend(metrics.into_iter().flatten().map(|metric| integer(metric.get("step")).unwrap_or(0)));
            match page.get("next_page_token").and_then(Value::as_str) {
                Some(next) if !next.is_empty() => next.clone_into(&mut token),
                _ => return Ok(steps),
            }
        }
    }

    pub(super) fn finish_run(&self, run: &str, end: i64) -> Result<(), RequestError> {
        self.post(["runs", "update"], &json!({ "run_id": run, "status": "FINISHED", "end_time": end })).map(drop)
    }

    /// Uploads a file below `root`, as returned by [`Api::proxied_path`].
    pub(super) fn upload(&self, root: &[String], name: &str, file: &std::path::Path) -> Result<(), RequestError> {
        let fixed = PROXY.trim_matches('/').split('/');
        let whole: Vec<&str> = fixed.chain(root.iter().map(String::as_str)).chain(name.split('/')).collect();
        self.client.send(&Method::PUT, &whole, Payload::File(file)).map(drop)
    }

    /// The path of `artifact_uri` behind the server's proxy; `None` if artifacts are stored elsewhere.
    pub(super) fn proxied_path(&self, artifact_uri: &str) -> Option<Vec<String>> {
        let path = if let Some(rest) = artifact_uri.strip_prefix("mlflow-artifacts:") {
            match rest.strip_prefix("//") {
                Some(rest) => rest.split_once('/').filter(|(host, _)| host.is_empty() || *host == self.host)?.1,
                None => rest,
            }
        } else {
            let rest = artifact_uri.strip_prefix("http://").or_else(|| artifact_uri.strip_prefix("https://"))?;
            let (before, path) = rest.split_once(PROXY)?;
            (before.split('/').next() == Some(self.host.as_str())).then_some(path)?
        };
        Some(path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect())
    }

    pub(super) fn register_model(&self, name: &str) -> Result<(), RequestError> {
        match self.post(["registered-models", "create"], &json!({ "name": name })) {
            Err(error) if error.exists() => Ok(()),
            made => made.map(drop),
        }
    }

    /// Versions of a registered model whose `attribute` is `value`.
    pub(super) fn versions(&self, name: &str, attribute: &str, value: &str) -> Result<Vec<ModelVersion>, RequestError> {
        let filter = format!("name = {} and {attribute} = {}", quote(name), quote(value));
        let found = self.get(["model-versions", "search"], &[("filter", &filter), ("max_results", PAGE)])?;
        let versions = found.get("model_versions").and_then(Value::as_array);
        versions.into_iter().flatten().map(version).collect()
    }

    pub(super) fn create_version(&self, body: &Value) -> Result<ModelVersion, RequestError> {
        let made = self.post(["model-versions", "create"], body)?;
        version(made.get("model_version").or_null())
    }

    /// A tag of a registered model.
    pub(super) fn model_tag(&self, name: &str, tag: &str) -> Result<Option<String>, RequestError> {
        let model = self.get(["registered-models", "get"], &[("name", name)])?;
        let tags = model.pointer("/registered_model/tags").and_then(Value::as_array);
        let mut tags = tags.into_iter().flatten();
        let found = tags.find(|found| found.get("key").and_then(Value::as_str) == Some(tag));
        Ok(found.and_then(|tag| tag.get("value")?.as_str().map(str::to_owned)))
    }

    pub(super) fn set_model_tag(&self, name: &str, key: &str, value: &str) -> Result<(), RequestError> {
        self.post(["registered-models", "set-tag"], &json!({ "name": name, "key": key, "value": value })).map(drop)
    }

    pub(super) fn set_alias(&self, name: &str, alias: &str, version: &str) -> Result<(), RequestError> {
        let body = json!({ "name": name, "alias": alias, "version": version });
        self.post(["registered-models", "alias"], &body).map(drop)
    }
}

fn path([noun, verb]: [&str; 2]) -> [&str; 5] {
    ["api", "2.0", "mlflow", noun, verb]
}

/// JSON `null` for a missing value.
trait OrNull<'a> {
    fn or_null(self) -> &'a Value;
}

impl<'a> OrNull<'a> for Option<&'a Value> {
    fn or_null(self) -> &'a Value {
        const NULL: &Value = &Value::Null;
        self.unwrap_or(NULL)
    }
}

fn run_info(run: &Value) -> Result<RunInfo, RequestError> {
    let metrics = run.pointer("/data/metrics").and_then(Value::as_array);
    let keys = metrics.into_iter().flatten().filter_map(|metric| metric.get("key")?.as_str().map(str::to_owned));
    Ok(RunInfo {
        id: text(run, "/info/run_id")?,
        artifact_uri: text(run, "/info/artifact_uri")?,
        finished: run.pointer("/info/status").and_then(Value::as_str) == Some("FINISHED"),
        metrics: keys.collect(),
    })
}

fn version(version: &Value) -> Result<ModelVersion, RequestError> {
    let run_id = version.get("run_id").and_then(Value::as_str).unwrap_or_default().to_owned();
    Ok(ModelVersion { version: text(version, "/version")?, run_id })
}

fn text(response: &Value, pointer: &str) -> Result<String, RequestError> {
    let found = response.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    found.ok_or_else(|| RequestError::server(format!("its response has no {pointer}; is this an MLflow server?")))
}

/// Protobuf writes 64-bit integers as text, older servers as numbers.
fn integer(value: Option<&Value>) -> Option<i64> {
    let value = value?;
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mlflow::TrackingServer;

    #[test]
    fn artifacts_go_through_the_proxy_of_this_server_alone() {
        let server = TrackingServer::new("http://host:5000/ml", &|_| None).unwrap();
        let api = Api::new(Client::new(&server).unwrap(), &server.url);
        let expected = Some(vec!["1".to_owned(), "r".to_owned(), "artifacts".to_owned()]);
        for uri in [
            "mlflow-artifacts:/1/r/artifacts",
            "mlflow-artifacts:///1/r/artifacts",
            "mlflow-artifacts://host:5000/1/r/artifacts",
            "http://host:5000/ml/api/2.0/mlflow-artifacts/artifacts/1/r/artifacts",
        ] {
            assert_eq!(api.proxied_path(uri), expected, "{uri}");
        }
        for uri in [
            "file:///mlruns/1/r/artifacts",
            "./mlruns/1",
            "s3://bucket/1",
            "mlflow-artifacts://other/1/r",
            "http://other/api/2.0/mlflow-artifacts/artifacts/1",
        ] {
            assert_eq!(api.proxied_path(uri), None, "{uri}");
        }
    }

    #[test]
    fn integers_are_read_as_old_and_new_servers_write_them() {
        assert_eq!(integer(Some(&json!(3))), Some(3));
        assert_eq!(integer(Some(&json!("3"))), Some(3));
        assert_eq!(integer(None), None);
    }
}
