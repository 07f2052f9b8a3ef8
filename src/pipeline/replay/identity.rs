//! [`Identity`]: the inputs of a replay's state. Resuming with another dump, model or rules would mix two replays.

use std::path::Path;

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::config::LoadedConfig;
use crate::store::{Batch, Key, Store, Table};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Identity {
    dump: String,
    model: String,
    settings: String,
}

impl Identity {
    /// `dump` is the fingerprint of its bytes.
    pub(super) fn new(dump: &str, model: &str, loaded: &LoadedConfig) -> anyhow::Result<Self> {
        let config = &loaded.config;
        // Only what decides the result: the language or a model's path does not.
        let settings = (&config.unmatched_topic, &config.topics, &config.dump, &config.window, &loaded.rules);
        let bytes = serde_json::to_vec(&settings).context("cannot encode the settings")?;
        let settings = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { dump: dump.into(), model: model.into(), settings })
    }

    /// Writes the identity into a new state, or checks that the state belongs to this replay.
    pub(super) fn claim(&self, store: &Store, state: &Path) -> anyhow::Result<()> {
        let key = Key::new(Table::Meta).text("replay");
        let Some(found) = store.get::<Self>(&key)? else {
            let mut batch = Batch::default();
            batch.put(&key, self)?;
            store.commit(batch)?;
            return Ok(store.flush()?);
        };
        let parts = [
            ("dump", found.dump == self.dump),
            ("model", found.model == self.model),
            ("rules or settings", found.settings == self.settings),
        ];
        let changed: Vec<&str> = parts.iter().filter(|(_, same)| !same).map(|(part, _)| *part).collect();
        if !changed.is_empty() {
            let state = state.display();
            bail!(
                "the state in {state} belongs to a replay with other {}; choose another --state, or delete {state} to start over",
                changed.join(" and ")
            );
        }
        Ok(())
    }
}
