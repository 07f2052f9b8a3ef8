//! SIGHUP and `POST /-/reload`: reloads the configuration. If the new one is not valid, the daemon keeps the old one.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use futures_util::FutureExt;
use jiff::Timestamp;
use tokio::sync::Mutex;

use super::super::{ConfigFlags, retrained_models};
use super::systemd;
use crate::clock::Clock;
use crate::config::{Config, LoadedConfig, Purpose};
use crate::pipeline::assembly;
use crate::pipeline::assembly::LabelSource;
use crate::pipeline::{ClassifierSwap, DaemonHandle, ReceiverHandle};
use crate::web::Reload;

/// Reloads the configuration from the same file and flags as at the start. Clones share one lock.
#[derive(Clone)]
pub(super) struct Reloader {
    daemon: DaemonHandle,
    flags: Arc<ConfigFlags>,
    state: Arc<PathBuf>,
    /// Only one reload at a time.
    lock: Arc<Mutex<()>>,
}

impl Reloader {
    pub(super) fn new(daemon: DaemonHandle, flags: ConfigFlags, state: PathBuf) -> Self {
        Self { daemon, flags: Arc::new(flags), state: Arc::new(state), lock: Arc::default() }
    }

    pub(super) fn into_reload(self) -> Reload {
        Arc::new(move || {
            let reloader = self.clone();
            async move { reloader.reload().await }.boxed()
        })
    }

    /// # Errors
    /// When the new configuration is not valid, or changes a section that needs a restart. The old one stays active.
    pub(super) async fn reload(&self) -> anyhow::Result<()> {
        let _lock = self.lock.lock().await;
        systemd::reloading();
        let result = self.apply().await;
        systemd::ready(&self.daemon);
        let series = &self.daemon.metrics.daemon;
        series.reload_successful.set(i64::from(result.is_ok()));
        match &result {
            Ok(()) => {
                series.reload_time.set(Timestamp::now().as_second() as f64);
                tracing::info!("configuration reloaded");
            }
            Err(error) => tracing::error!(
                error = format!("{error:#}"),
                "configuration reload failed; the old configuration stays active"
            ),
        }
        result
    }

    async fn apply(&self) -> anyhow::Result<()> {
        let reloader = self.clone();
        let (loaded, classifier, receivers) = tokio::task::spawn_blocking(move || reloader.read()).await??;
        self.daemon.reload(loaded, classifier, receivers).await
    }

    /// Everything that can fail, before anything changes.
    fn read(&self) -> anyhow::Result<(LoadedConfig, ClassifierSwap, Vec<ReceiverHandle>)> {
        let loaded = self.flags.loader(None, Purpose::Daemon).load()?;
        let old = self.daemon.loaded();
        if let Some(section) = needs_restart(&old.config, &loaded.config) {
            anyhow::bail!("[{section}] has changed: this needs a restart of vigie");
        }
        // Always loaded again: the directory may contain another model under the same name.
        let models = retrained_models(&self.state, &loaded.config.classify.model);
        let mut make =
            LabelSource::InUse(models).classifier(loaded.config.classify.cache, loaded.config.classify.precision);
        let classifier = make().context("cannot load the model")?;
        let clock: Clock = Arc::new(Timestamp::now);
        let receivers = assembly::receivers(&loaded, &clock)?;
        Ok((loaded, (classifier, make), receivers))
    }
}

/// The first changed section that needs a restart.
fn needs_restart(old: &Config, new: &Config) -> Option<&'static str> {
    [
        ("source", old.sources != new.sources),
        ("x", old.x != new.x),
        ("web", old.web != new.web),
        ("daemon", old.daemon != new.daemon),
        ("window", old.window != new.window),
        ("log", old.log != new.log),
        ("telemetry", old.telemetry != new.telemetry),
    ]
    .into_iter()
    .find_map(|(section, changed)| changed.then_some(section))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{ConfigLoader, Override};

    #[test]
    fn only_what_can_be_swapped_is_reloaded() {
        let with = |set: &str| {
            let overrides = set.split(' ').filter(|set| !set.is_empty()).map(Override::set).collect();
            ConfigLoader { overrides, ..ConfigLoader::default() }.load().unwrap().config
        };
        let old = with("");
        assert_eq!(needs_restart(&old, &with("language=fr unmatched_topic=elsewhere")), None);
        assert_eq!(needs_restart(&old, &with("retention.posts_days=7")), None);
        assert_eq!(needs_restart(&old, &with("window.bucket=5m")), Some("window"));
        assert_eq!(needs_restart(&old, &with("web.listen=127.0.0.1:1")), Some("web"));
        assert_eq!(needs_restart(&old, &with("telemetry.traces=false")), Some("telemetry"));
    }
}
