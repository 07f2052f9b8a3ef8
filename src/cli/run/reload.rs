//! SIGHUP and `POST /-/reload`: the configuration is read anew; the daemon takes it, or keeps the old one and says why.

use std::sync::Arc;

use anyhow::Context as _;
use futures_util::FutureExt;
use jiff::Timestamp;
use tokio::sync::Mutex;

use super::super::ConfigFlags;
use super::systemd;
use crate::clock::Clock;
use crate::config::{Config, Loaded, Purpose};
use crate::pipeline::assembly;
use crate::pipeline::assembly::Labels;
use crate::pipeline::{Handle, Receiving, Reloaded};
use crate::web::Reload;

/// Reads the configuration from where it was read at the start. Clones are the same.
#[derive(Clone)]
pub(super) struct Reloader {
    daemon: Handle,
    flags: Arc<ConfigFlags>,
    /// One at a time.
    turn: Arc<Mutex<()>>,
}

impl Reloader {
    pub(super) fn new(daemon: Handle, flags: ConfigFlags) -> Self {
        Self { daemon, flags: Arc::new(flags), turn: Arc::default() }
    }

    pub(super) fn into_reload(self) -> Reload {
        Arc::new(move || {
            let reloader = self.clone();
            async move { reloader.reload().await }.boxed()
        })
    }

    /// # Errors
    /// When the new configuration has a fault, or asks for what needs a restart: the old one stays.
    pub(super) async fn reload(&self) -> anyhow::Result<()> {
        let _turn = self.turn.lock().await;
        systemd::reloading();
        let taken = self.take().await;
        systemd::ready(&self.daemon);
        let series = &self.daemon.metrics.daemon;
        series.reload_successful.set(i64::from(taken.is_ok()));
        match &taken {
            Ok(()) => {
                series.reload_time.set(Timestamp::now().as_second() as f64);
                tracing::info!("the configuration was taken anew");
            }
            Err(error) => tracing::error!(error = format!("{error:#}"), "the old configuration stays"),
        }
        taken
    }

    async fn take(&self) -> anyhow::Result<()> {
        let reloader = self.clone();
        let (loaded, classifier, receivers) = tokio::task::spawn_blocking(move || reloader.read()).await??;
        self.daemon.reload(loaded, classifier, receivers).await
    }

    /// Everything that can fail, before anything changes.
    fn read(&self) -> anyhow::Result<(Loaded, Reloaded, Vec<Receiving>)> {
        let loaded = self.flags.origin(None, Purpose::Daemon).load()?;
        let old = self.daemon.loaded();
        if let Some(section) = needs_restart(&old.config, &loaded.config) {
            anyhow::bail!("[{section}] has changed, which a reload cannot take: restart vigie");
        }
        // Made anew always: the directory's name may be the same and the model in it another.
        let mut make = Labels::Model(loaded.config.classify.model.clone()).classifier();
        let classifier = make().context("the model cannot be taken")?;
        let clock: Clock = Arc::new(Timestamp::now);
        let receivers = assembly::receivers(&loaded, &clock)?;
        Ok((loaded, (classifier, make), receivers))
    }
}

/// The first section that differs and that only a restart takes.
fn needs_restart(old: &Config, new: &Config) -> Option<&'static str> {
    [
        ("source", old.sources != new.sources),
        ("x", old.x != new.x),
        ("web", old.web != new.web),
        ("daemon", old.daemon != new.daemon),
        ("window", old.window != new.window),
        ("log", old.log != new.log),
    ]
    .into_iter()
    .find_map(|(section, changed)| changed.then_some(section))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Origin, Override};

    #[test]
    fn only_what_can_be_swapped_is_reloaded() {
        let with = |set: &str| {
            let overrides = set.split(' ').filter(|set| !set.is_empty()).map(Override::set).collect();
            Origin { overrides, ..Origin::default() }.load().unwrap().config
        };
        let old = with("");
        assert_eq!(needs_restart(&old, &with("language=fr unmatched_topic=elsewhere")), None);
        assert_eq!(needs_restart(&old, &with("retention.posts_days=7")), None);
        assert_eq!(needs_restart(&old, &with("window.bucket=5m")), Some("window"));
        assert_eq!(needs_restart(&old, &with("web.listen=127.0.0.1:1")), Some("web"));
    }
}
