//! Flags for the state directory of a command.

use std::path::PathBuf;

use anyhow::bail;
use clap::Args;

use crate::store::Store;

/// The state directory.
#[derive(Debug, Args)]
pub(super) struct StateFlags {
    /// Configuration file [default: config/vigie.toml, /etc/vigie/vigie.toml or the built-in defaults, the first that
    /// exists]
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// State directory; overrides $STATE_DIRECTORY and daemon.state
    #[arg(long, global = true, value_name = "DIR")]
    pub(super) state: Option<PathBuf>,
}

impl StateFlags {
    pub(super) fn directory(&self) -> anyhow::Result<PathBuf> {
        if let Some(state) = &self.state {
            return Ok(state.clone());
        }
        match of_systemd() {
            Some(directory) => Ok(directory),
            None => Ok(super::config_loader(self.config.clone()).load()?.config.daemon.state),
        }
    }

    /// The directory, which must contain a store.
    pub(super) fn with_store(&self) -> anyhow::Result<PathBuf> {
        let directory = self.directory()?;
        if !Store::is_in(&directory) {
            bail!("no store found in {}: set its directory with --state DIR", directory.display());
        }
        Ok(directory)
    }
}

/// The state directory of the systemd unit: the first one in the list of `STATE_DIRECTORY`.
pub(super) fn of_systemd() -> Option<PathBuf> {
    let all = std::env::var("STATE_DIRECTORY").ok()?;
    all.split(':').next().filter(|first| !first.is_empty()).map(PathBuf::from)
}
