//! [`RunSender`]: sends one run of the spool to the server. May be interrupted anywhere and repeated: it looks up what
//! the server has, and sends only the rest.

use std::collections::BTreeSet;
use std::sync::Once;

use serde_json::json;

use super::api::{Api, ModelVersion, RunInfo};
use super::batch::batches;
use super::champion;
use super::files;
use super::request_error::RequestError;
use super::spool::LockedRun;
use super::spooled_run::{MODEL, ModelRegistration, SpooledRun};

/// See the module.
pub(super) struct RunSender {
    api: Api,
    warned: Once,
}

impl RunSender {
    pub(super) fn new(api: Api) -> Self {
        Self { api, warned: Once::new() }
    }

    /// Sends the whole run.
    ///
    /// # Errors
    /// The request that failed; sending the run again resumes there.
    pub(super) fn send(&self, locked: &LockedRun) -> Result<(), RequestError> {
        let Some(promotion) = &locked.spooled.promotion else { return self.send_run(locked).map(drop) };
        let Some(registration) = &locked.spooled.model else {
            return Err(RequestError::permanent("the promotion names no model"));
        };
        let known = self.versions(registration, "tags.\"vigie.model_id\"", &promotion.model_id)?;
        let version = match known.into_iter().next() {
            Some(version) => version,
            None => self.send_run(locked)?.ok_or_else(|| {
                RequestError::permanent("the server does not store the artifacts, so no model version can be promoted")
            })?,
        };
        champion::set(&self.api, &registration.registered, &version, promotion.at)
    }

    /// Sends the run, and the version of its model if it has one.
    fn send_run(&self, locked: &LockedRun) -> Result<Option<ModelVersion>, RequestError> {
        let spooled = &locked.spooled;
        let experiment = self.api.experiment(&spooled.experiment)?;
        let found = self.api.find_run(&experiment, &spooled.key)?;
        let run = match &found {
            Some(run) => run.clone(),
            None => self.api.create_run(&experiment, &spooled.name, &spooled.key, spooled.start)?,
        };
        let root = self.root(&run);
        if !run.finished {
            let present = if found.is_some() { self.present_points(spooled, &run)? } else { BTreeSet::new() };
            let missing = spooled.points.iter().filter(|point| !present.contains(&(point.key.as_str(), point.step)));
            for batch in batches(&run.id, &spooled.tags, &spooled.params, missing) {
                self.api.log_batch(&batch)?;
            }
            if let Some(root) = &root {
                self.upload(locked, root)?;
            }
            self.api.finish_run(&run.id, spooled.end)?;
        }
        match (&spooled.model, root) {
            (Some(registration), Some(_)) => self.version(spooled, registration, &run).map(Some),
            _ => Ok(None),
        }
    }

    /// The points that the server already has: some of its stores would store them twice.
    fn present_points<'a>(
        &self,
        spooled: &'a SpooledRun,
        run: &RunInfo,
    ) -> Result<BTreeSet<(&'a str, i64)>, RequestError> {
        let keys: BTreeSet<&str> = spooled.points.iter().map(|point| point.key.as_str()).collect();
        let mut present = BTreeSet::new();
        for key in keys.into_iter().filter(|key| run.metrics.iter().any(|known| known == key)) {
            present.extend(self.api.steps(&run.id, key)?.into_iter().map(|step| (key, step)));
        }
        Ok(present)
    }

    /// Where artifacts are uploaded; `None`, with a warning, if the server does not accept them.
    fn root(&self, run: &RunInfo) -> Option<Vec<String>> {
        let root = self.api.proxied_path(&run.artifact_uri);
        if root.is_none() {
            let scheme = run.artifact_uri.split_once(':').map_or("a folder", |(scheme, _)| scheme);
            self.warned.call_once(|| {
                tracing::warn!(
                    artifact_store = scheme,
                    "MLflow does not accept artifacts through its server: runs are logged without files and models; start the \
                     server with --artifacts-destination, and use an experiment created afterwards"
                );
            });
        }
        root
    }

    fn upload(&self, locked: &LockedRun, root: &[String]) -> Result<(), RequestError> {
        for (n, file) in locked.spooled.files.iter().enumerate() {
            let path = locked.file(n);
            let found = files::sha256(&path);
            let (_, hash) =
                found.map_err(|error| RequestError::run(format!("{} cannot be read: {error}", path.display())))?;
            if hash != file.sha256 {
                return Err(RequestError::permanent(format!(
                    "{} has changed since it was spooled ({})",
                    file.name,
                    path.display()
                )));
            }
            self.api.upload(root, &file.name, &path)?;
        }
        Ok(())
    }

    fn version(
        &self,
        spooled: &SpooledRun,
        registration: &ModelRegistration,
        run: &RunInfo,
    ) -> Result<ModelVersion, RequestError> {
        self.api.register_model(&registration.registered)?;
        if let Some(existing) = self.versions(registration, "run_id", &run.id)?.into_iter().next() {
            return Ok(existing);
        }
        let tag = |key: &str, value: &str| json!({ "key": key, "value": value });
        let id = registration.id.as_deref().map(|id| tag("vigie.model_id", id));
        let tags: Vec<_> = id.into_iter().chain([tag("vigie.run_key", &spooled.key)]).collect();
        self.api.create_version(&json!({
            "name": registration.registered,
            "source": format!("{}/{MODEL}", run.artifact_uri.trim_end_matches('/')),
            "run_id": run.id,
            "tags": tags,
            "description": registration.description,
        }))
    }

    /// Empty if the registered model does not exist yet.
    fn versions(
        &self,
        registration: &ModelRegistration,
        attribute: &str,
        value: &str,
    ) -> Result<Vec<ModelVersion>, RequestError> {
        match self.api.versions(&registration.registered, attribute, value) {
            Err(error) if error.is_missing() => Ok(Vec::new()),
            found => found,
        }
    }
}
