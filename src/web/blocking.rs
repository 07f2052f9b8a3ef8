//! Work that blocks, such as reading the store, away from other requests.

use super::error::Problem;

/// Runs `work` on a thread for such work. Its error means that the daemon cannot answer now.
pub(super) async fn run<T, E>(work: impl FnOnce() -> Result<T, E> + Send + 'static) -> Result<T, Problem>
where
    T: Send + 'static,
    E: Into<anyhow::Error> + Send + 'static,
{
    let done = tokio::task::spawn_blocking(move || work().map_err(Into::into)).await;
    done.map_err(anyhow::Error::from).flatten().map_err(|error| Problem::unavailable(&error))
}
