//! Which directory of state a command is about.

use std::path::PathBuf;

use anyhow::bail;
use clap::Args;

use crate::store::Store;

/// Where the state is.
#[derive(Debug, Args)]
pub(super) struct StateFlags {
    /// Configuration; without it config/vigie.toml, /etc/vigie/vigie.toml or the built-in defaults, the first there is
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Directory of the state, instead of $STATE_DIRECTORY or the configuration's
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
            None => Ok(super::over_environment(self.config.clone()).load()?.config.daemon.state),
        }
    }

    /// The directory, which must hold a store.
    pub(super) fn with_store(&self) -> anyhow::Result<PathBuf> {
        let directory = self.directory()?;
        if !Store::is_in(&directory) {
            bail!("there is no store in {}: name its directory with --state DIR", directory.display());
        }
        Ok(directory)
    }
}

/// The state directory of the systemd unit this runs in. systemd names all directories of a unit, the first one first.
pub(super) fn of_systemd() -> Option<PathBuf> {
    let all = std::env::var("STATE_DIRECTORY").ok()?;
    all.split(':').next().filter(|first| !first.is_empty()).map(PathBuf::from)
}
