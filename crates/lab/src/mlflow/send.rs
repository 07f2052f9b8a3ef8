//! [`Sender`]: brings one run of the spool to the server. May be broken off anywhere and begun again: what is there is
//! looked up, and only what is missing is sent.

use std::collections::BTreeSet;
use std::sync::Once;

use serde_json::json;

use super::api::{Api, RunInfo, Version};
use super::batch::batches;
use super::champion;
use super::entry::{Entry, MODEL, ModelNote};
use super::fault_scope::Fault;
use super::files;
use super::spool::Parcel;

/// See the module.
pub(super) struct Sender {
    api: Api,
    elsewhere: Once,
}

impl Sender {
    pub(super) fn new(api: Api) -> Self {
        Self { api, elsewhere: Once::new() }
    }

    /// Sends all of it.
    ///
    /// # Errors
    /// Where it broke off; sending it again goes on from there.
    pub(super) fn send(&self, parcel: &Parcel) -> Result<(), Fault> {
        let Some(promotion) = &parcel.entry.promotion else { return self.send_run(parcel).map(drop) };
        let Some(note) = &parcel.entry.model else { return Err(Fault::forever("it promotes no model")) };
        let known = self.versions(note, "tags.\"vigie.model_id\"", &promotion.model_id)?;
        let version = match known.into_iter().next() {
            Some(version) => version,
            None => self.send_run(parcel)?.ok_or_else(|| {
                Fault::forever("the server keeps artifacts elsewhere, and so there is no version to be champion")
            })?,
        };
        champion::set(&self.api, &note.registered, &version, promotion.at)
    }

    /// Sends the run, and the version of its model where it has one.
    fn send_run(&self, parcel: &Parcel) -> Result<Option<Version>, Fault> {
        let entry = &parcel.entry;
        let experiment = self.api.experiment(&entry.experiment)?;
        let found = self.api.find_run(&experiment, &entry.key)?;
        let run = match &found {
            Some(run) => run.clone(),
            None => self.api.create_run(&experiment, &entry.name, &entry.key, entry.start)?,
        };
        let root = self.root(&run);
        if !run.finished {
            let there = if found.is_some() { self.there(entry, &run)? } else { BTreeSet::new() };
            let missing = entry.points.iter().filter(|point| !there.contains(&(point.key.as_str(), point.step)));
            for batch in batches(&run.id, &entry.tags, &entry.params, missing) {
                self.api.log_batch(&batch)?;
            }
            if let Some(root) = &root {
                self.upload(parcel, root)?;
            }
            self.api.finish_run(&run.id, entry.end)?;
        }
        match (&entry.model, root) {
            (Some(note), Some(_)) => self.version(entry, note, &run).map(Some),
            _ => Ok(None),
        }
    }

    /// The points that the server has: some of its stores would keep them twice.
    fn there<'a>(&self, entry: &'a Entry, run: &RunInfo) -> Result<BTreeSet<(&'a str, i64)>, Fault> {
        let keys: BTreeSet<&str> = entry.points.iter().map(|point| point.key.as_str()).collect();
        let mut there = BTreeSet::new();
        for key in keys.into_iter().filter(|key| run.metrics.iter().any(|known| known == key)) {
            there.extend(self.api.steps(&run.id, key)?.into_iter().map(|step| (key, step)));
        }
        Ok(there)
    }

    /// Where artifacts go; none, and a warning, where the server does not take them.
    fn root(&self, run: &RunInfo) -> Option<Vec<String>> {
        let root = self.api.proxied(&run.artifact_uri);
        if root.is_none() {
            let scheme = run.artifact_uri.split_once(':').map_or("a folder", |(scheme, _)| scheme);
            self.elsewhere.call_once(|| {
                tracing::warn!(
                    kept_in = scheme,
                    "MLflow keeps artifacts where only its own clients reach them: runs are logged without files and \
                     models; start the server with --artifacts-destination, and use an experiment made since"
                );
            });
        }
        root
    }

    fn upload(&self, parcel: &Parcel, root: &[String]) -> Result<(), Fault> {
        for (n, kept) in parcel.entry.files.iter().enumerate() {
            let path = parcel.file(n);
            let found = files::sha256(&path);
            let (_, hash) = found.map_err(|error| Fault::run(format!("{} cannot be read: {error}", path.display())))?;
            if hash != kept.sha256 {
                return Err(Fault::forever(format!(
                    "{} is not what it was when it was kept ({})",
                    kept.name,
                    path.display()
                )));
            }
            self.api.upload(root, &kept.name, &path)?;
        }
        Ok(())
    }

    fn version(&self, entry: &Entry, note: &ModelNote, run: &RunInfo) -> Result<Version, Fault> {
        self.api.register_model(&note.registered)?;
        if let Some(there) = self.versions(note, "run_id", &run.id)?.into_iter().next() {
            return Ok(there);
        }
        let tag = |key: &str, value: &str| json!({ "key": key, "value": value });
        let id = note.id.as_deref().map(|id| tag("vigie.model_id", id));
        let tags: Vec<_> = id.into_iter().chain([tag("vigie.run_key", &entry.key)]).collect();
        self.api.create_version(&json!({
            "name": note.registered,
            "source": format!("{}/{MODEL}", run.artifact_uri.trim_end_matches('/')),
            "run_id": run.id,
            "tags": tags,
            "description": note.description,
        }))
    }

    /// None where the registered model is none yet.
    fn versions(&self, note: &ModelNote, attribute: &str, value: &str) -> Result<Vec<Version>, Fault> {
        match self.api.versions(&note.registered, attribute, value) {
            Err(fault) if fault.is_missing() => Ok(Vec::new()),
            found => found,
        }
    }
}
