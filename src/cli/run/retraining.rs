//! [`Retrainer`]: retrains for the console's button and for the schedule, as a child process, so that a fit takes neither the
//! daemon's memory nor its threads; and puts models in use.

mod child;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use jiff::Timestamp;

use super::reload::Reloader;
use crate::classify::{ModelError, RETRAINING, RetrainedModels};
use crate::cli::{ConfigFlags, retrained_models};
use crate::monitor::last_labels;
use crate::pipeline::DaemonHandle;
use crate::web::{Models, Retraining, RetrainingEnd, RetrainingProgress};
use child::ChildArgs;

/// How often the schedule looks whether a retraining is due.
const SCHEDULE_INTERVAL: Duration = Duration::from_secs(600);

/// Clones share one retraining.
#[derive(Clone)]
pub(super) struct Retrainer {
    daemon: DaemonHandle,
    reloader: Reloader,
    flags: Arc<ConfigFlags>,
    state: Arc<PathBuf>,
    runtime: tokio::runtime::Handle,
    retraining: Arc<Mutex<Retraining>>,
}

impl Retrainer {
    /// Of the daemon whose state is in `state`; must be made within the daemon's runtime.
    pub(super) fn new(daemon: DaemonHandle, reloader: Reloader, flags: ConfigFlags, state: PathBuf) -> Self {
        Self {
            daemon,
            reloader,
            flags: Arc::new(flags),
            state: Arc::new(state),
            runtime: tokio::runtime::Handle::current(),
            retraining: Arc::default(),
        }
    }

    /// Retrains as often as the configuration says, until it is aborted.
    pub(super) async fn schedule(self) {
        let mut interval = tokio::time::interval(SCHEDULE_INTERVAL);
        loop {
            interval.tick().await;
            match self.is_due().await {
                Ok(true) => drop(self.retrain()),
                Ok(false) => {}
                Err(error) => tracing::warn!(error = format!("{error:#}"), "cannot tell whether a retraining is due"),
            }
        }
    }

    async fn is_due(&self) -> anyhow::Result<bool> {
        let config = self.daemon.loaded().config.retrain.clone();
        if config.every.is_zero() {
            return Ok(false);
        }
        let (models, query) = (self.retrained(), self.daemon.query.clone());
        let read = move || -> anyhow::Result<_> {
            let latest = models.list()?.into_iter().next().and_then(|model| model.manifest);
            Ok((latest, query.feedback(usize::MAX, None)?.feedback))
        };
        let (latest, feedback) = tokio::task::spawn_blocking(read).await??;
        let times = latest.map(|manifest| {
            let time = |name: &str| manifest.training[RETRAINING][name].as_str().and_then(|time| time.parse().ok());
            (time("at"), time("until"))
        });
        let (at, until): (Option<Timestamp>, Option<Timestamp>) = times.unwrap_or_default();
        let new =
            last_labels(&feedback).into_iter().filter(|given| until.is_none_or(|until| given.feedback.at > until));
        let is_time = at.is_none_or(|at| Timestamp::now().duration_since(at) >= config.every);
        Ok(is_time && new.count() >= config.min_corrections)
    }

    /// Runs the child to its end, and blocks.
    fn run(&self) {
        let ended = child::run(&self.child_args(), |read, posts| {
            if let Some(running) = &mut self.locked().running {
                (running.read, running.posts) = (read, posts);
            }
        });
        let (model, error) = match ended {
            Ok(ended) => {
                tracing::info!(model = ended.model, verdict = ended.verdict, "retrained");
                let error = self.runtime.block_on(self.promote_by_itself(&ended)).err();
                (Some(ended.model), error)
            }
            Err(error) => (None, Some(error)),
        };
        let error = error.map(|error| format!("{error:#}"));
        if let Some(error) = &error {
            tracing::error!(error, "retraining failed");
        }
        *self.locked() = Retraining { running: None, last: Some(RetrainingEnd { at: Timestamp::now(), model, error }) };
    }

    async fn promote_by_itself(&self, ended: &child::Ended) -> anyhow::Result<()> {
        // A person looks at both first, unless the operator left that to the figures.
        if !self.daemon.loaded().config.retrain.auto_promote || ended.verdict != "better" {
            return Ok(());
        }
        Models::promote(self, ended.model.clone(), "retrain.auto_promote".into(), false).await
    }

    fn child_args(&self) -> ChildArgs {
        let config = &self.daemon.loaded().config;
        ChildArgs {
            config: self.flags.config.clone(),
            state: self.state.to_path_buf(),
            model: config.classify.model.clone(),
            retrain: config.retrain.clone(),
        }
    }

    fn locked(&self) -> MutexGuard<'_, Retraining> {
        self.retraining.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Loads the model in use; where that fails, `undo` brings back the former one.
    async fn apply(&self, undo: impl FnOnce() -> Result<(), ModelError>) -> anyhow::Result<()> {
        if let Err(error) = self.reloader.reload().await {
            undo().context("the former model could not be restored")?;
            return Err(error.context("the model was not changed"));
        }
        Ok(())
    }
}

impl Models for Retrainer {
    fn retrained(&self) -> RetrainedModels {
        retrained_models(&self.state, &self.daemon.loaded().config.classify.model)
    }

    fn retraining(&self) -> Retraining {
        self.locked().clone()
    }

    fn retrain(&self) -> bool {
        let mut retraining = self.locked();
        if retraining.running.is_some() {
            return false;
        }
        retraining.running = Some(RetrainingProgress { since: Timestamp::now(), read: 0, posts: 0 });
        drop(retraining);
        let retrainer = self.clone();
        let thread = std::thread::Builder::new().name("retraining".into()).spawn(move || retrainer.run());
        if let Err(error) = thread {
            tracing::error!(%error, "cannot start a thread for the retraining");
            self.locked().running = None;
        }
        true
    }

    fn promote(&self, name: String, by: String, force: bool) -> BoxFuture<'static, anyhow::Result<()>> {
        let retrainer = self.clone();
        async move {
            let models = retrainer.retrained();
            models.promote(&name, &by, force, Timestamp::now())?;
            retrainer.apply(|| models.roll_back().map(drop)).await?;
            tracing::info!(model = name, by, "a retrained model is in use");
            Ok(())
        }
        .boxed()
    }

    fn roll_back(&self, by: String) -> BoxFuture<'static, anyhow::Result<()>> {
        let retrainer = self.clone();
        async move {
            let models = retrainer.retrained();
            let (left, now) = models.roll_back()?;
            let undo = || models.promote(&left.model, &by, true, Timestamp::now()).map(drop);
            retrainer.apply(undo).await?;
            let now = now.map_or_else(|| "the configured model".to_owned(), |now| now.model_id);
            tracing::info!(model = now, by, "rolled back to an earlier model");
            Ok(())
        }
        .boxed()
    }
}
