//! `vigie lab sync`, and the flags by which the lab's commands log to MLflow.

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;

use crate::lab::mlflow::{Server, Spool, Synced, Target, Tracker};

const URI: &str = "MLFLOW_TRACKING_URI";
const SPOOL: &str = "mlruns-spool";

/// Where runs are logged.
#[derive(Debug, Clone, Args)]
pub(super) struct MlflowFlags {
    /// Log runs to the MLflow server (2.8 or newer) at this address, such as http://127.0.0.1:5000; without it the
    /// environment's MLFLOW_TRACKING_URI, if that is a server's; `none` logs nowhere. Credentials are taken from
    /// MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN. A server that is down costs a
    /// warning, never the run
    #[arg(long, value_name = "URL")]
    mlflow: Option<String>,
    /// Experiment that runs are logged in [default: the environment's MLFLOW_EXPERIMENT_NAME, else vigie]
    #[arg(long, value_name = "NAME")]
    mlflow_experiment: Option<String>,
    /// Registered model that a run's model becomes a version of
    #[arg(long, value_name = "NAME", default_value = "vigie")]
    mlflow_model: String,
    /// Where runs wait that MLflow did not take yet, a folder each; `vigie lab sync` sends them
    #[arg(long, value_name = "DIR", default_value = SPOOL)]
    spool: PathBuf,
}

impl MlflowFlags {
    /// What to log runs with; none where that is not wanted.
    ///
    /// # Errors
    /// When `--mlflow` is no address of a server, or what the environment says of it is wrong.
    pub(super) fn tracker(&self) -> anyhow::Result<Option<Tracker>> {
        let environment = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let server = match &self.mlflow {
            Some(url) if url == "none" => return Ok(None),
            Some(url) => Server::new(url, &environment).context("--mlflow")?,
            None => {
                // The environment may mean other programs, which keep runs in files.
                let Some(url) = environment(URI).filter(|uri| uri.starts_with("http")) else { return Ok(None) };
                Server::new(&url, &environment).with_context(|| format!("environment {URI}"))?
            }
        };
        let experiment = self.mlflow_experiment.clone().or_else(|| environment("MLFLOW_EXPERIMENT_NAME"));
        let registered_model = self.mlflow_model.clone();
        let experiment = experiment.unwrap_or_else(|| Target::default().experiment);
        let target = Target { experiment, registered_model };
        Ok(Some(Tracker::new(server, Spool::new(&self.spool), target)?))
    }
}

/// Send the runs to MLflow that wait in the spool, as the server was down
///
/// Each is sent once, in order, even where an earlier attempt broke off half-way, and then removed. What MLflow will never
/// take is set aside as DIR/*.rejected, with the reason in reason.txt. Exits with 1 where anything is left.
#[derive(Debug, Args)]
pub(super) struct SyncArgs {
    /// Address of the MLflow server, such as http://127.0.0.1:5000 [default: the environment's MLFLOW_TRACKING_URI]
    #[arg(long, value_name = "URL")]
    mlflow: Option<String>,
    /// Where the runs wait
    #[arg(long, value_name = "DIR", default_value = SPOOL)]
    spool: PathBuf,
}

pub(super) fn sync(args: &SyncArgs) -> anyhow::Result<()> {
    let flags = MlflowFlags {
        mlflow: args.mlflow.clone(),
        mlflow_experiment: None,
        mlflow_model: Target::default().registered_model,
        spool: args.spool.clone(),
    };
    let Some(tracker) = flags.tracker()? else {
        bail!(
            "no MLflow server is named: give its address with --mlflow, such as --mlflow http://127.0.0.1:5000, or in {URI}"
        );
    };
    report(&tracker.sync()?, args)
}

fn report(synced: &Synced, args: &SyncArgs) -> anyhow::Result<()> {
    for name in &synced.sent {
        println!("sent      {name}");
    }
    for left in &synced.left {
        let word = if left.rejected { "rejected" } else { "left" };
        let name = left.name.as_deref().unwrap_or("a run");
        println!("{word:<10}{name} ({}): {}", left.path.display(), left.reason);
    }
    for path in &synced.rejected {
        println!("rejected  earlier: {}; its reason.txt says why, remove it when it is not wanted", path.display());
    }
    match (synced.sent.len(), synced.left.len()) {
        (0, 0) => println!("nothing waits in {}", args.spool.display()),
        (sent, 0) => println!("{sent} sent, nothing is left"),
        (sent, left) => bail!("{sent} sent, {left} left in {}", args.spool.display()),
    }
    Ok(())
}
