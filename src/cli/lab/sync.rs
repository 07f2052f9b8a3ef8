//! `vigie lab sync`, and the flags with which the lab's commands log to MLflow.

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;

use crate::lab::mlflow::{LogTarget, Spool, SyncReport, Tracker, TrackingServer};

const URI: &str = "MLFLOW_TRACKING_URI";
const SPOOL: &str = "mlruns-spool";

/// Where runs are logged.
#[derive(Debug, Clone, Args)]
pub(super) struct MlflowFlags {
    /// Log runs to the MLflow server (2.8 or newer) at this address, e.g. http://127.0.0.1:5000; default is the
    /// environment's MLFLOW_TRACKING_URI, if that is a server; `none` disables logging. Credentials come from
    /// MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN. If the server is down, runs are
    /// kept in the spool and only a warning is logged
    #[arg(long, value_name = "URL")]
    mlflow: Option<String>,
    /// Experiment to log runs in [default: the environment's MLFLOW_EXPERIMENT_NAME, otherwise vigie]
    #[arg(long, value_name = "NAME")]
    mlflow_experiment: Option<String>,
    /// Registered model; a run's model becomes a version of it
    #[arg(long, value_name = "NAME", default_value = "vigie")]
    mlflow_model: String,
    /// Directory of runs that MLflow has not received yet, one folder per run; `vigie lab sync` sends them
    #[arg(long, value_name = "DIR", default_value = SPOOL)]
    spool: PathBuf,
}

impl MlflowFlags {
    /// The tracker to log runs with; `None` if logging is disabled.
    ///
    /// # Errors
    /// If `--mlflow` is not the address of a server, or a variable in the environment is invalid.
    pub(super) fn tracker(&self) -> anyhow::Result<Option<Tracker>> {
        let environment = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let server = match &self.mlflow {
            Some(url) if url == "none" => return Ok(None),
            Some(url) => TrackingServer::new(url, &environment).context("--mlflow")?,
            None => {
                // The variable may be meant for other programs, which store runs in files.
                let Some(url) = environment(URI).filter(|uri| uri.starts_with("http")) else { return Ok(None) };
                TrackingServer::new(&url, &environment).with_context(|| format!("environment {URI}"))?
            }
        };
        let experiment = self.mlflow_experiment.clone().or_else(|| environment("MLFLOW_EXPERIMENT_NAME"));
        let registered_model = self.mlflow_model.clone();
        let experiment = experiment.unwrap_or_else(|| LogTarget::default().experiment);
        let target = LogTarget { experiment, registered_model };
        Ok(Some(Tracker::new(server, Spool::new(&self.spool), target)?))
    }
}

/// Send the runs in the spool to MLflow
///
/// Each run is sent once, in order, even if an earlier attempt was interrupted, and then removed. Runs that MLflow
/// refuses are moved to DIR/*.rejected, with the reason in reason.txt. Exits with 1 if any run remains.
#[derive(Debug, Args)]
pub(super) struct SyncArgs {
    /// Address of the MLflow server, e.g. http://127.0.0.1:5000 [default: the environment's MLFLOW_TRACKING_URI]
    #[arg(long, value_name = "URL")]
    mlflow: Option<String>,
    /// Directory of the waiting runs
    #[arg(long, value_name = "DIR", default_value = SPOOL)]
    spool: PathBuf,
}

pub(super) fn sync(args: &SyncArgs) -> anyhow::Result<()> {
    let flags = MlflowFlags {
        mlflow: args.mlflow.clone(),
        mlflow_experiment: None,
        mlflow_model: LogTarget::default().registered_model,
        spool: args.spool.clone(),
    };
    let Some(tracker) = flags.tracker()? else {
        bail!("no MLflow server: set its address with --mlflow, e.g. --mlflow http://127.0.0.1:5000, or in {URI}");
    };
    report(&tracker.sync()?, args)
}

fn report(synced: &SyncReport, args: &SyncArgs) -> anyhow::Result<()> {
    for name in &synced.sent {
        println!("sent      {name}");
    }
    for left in &synced.left {
        let word = if left.rejected { "rejected" } else { "left" };
        let name = left.name.as_deref().unwrap_or("a run");
        println!("{word:<10}{name} ({}): {}", left.path.display(), left.reason);
    }
    for path in &synced.rejected {
        println!("rejected  earlier: {}; see its reason.txt, remove it once it is not needed", path.display());
    }
    match (synced.sent.len(), synced.left.len()) {
        (0, 0) => println!("no runs waiting in {}", args.spool.display()),
        (sent, 0) => println!("{sent} sent, none left"),
        (sent, left) => bail!("{sent} sent, {left} left in {}", args.spool.display()),
    }
    Ok(())
}
