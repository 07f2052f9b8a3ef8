//! The address of the running daemon, in its state directory: commands that are given the directory find the daemon, whatever
//! its configuration says. Beside `auth`.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::Context as _;

/// Name of the file in the state directory.
const FILE: &str = "web-address";

/// Writes where the daemon with its state in `state` listens.
///
/// # Errors
/// When the file cannot be written.
pub fn publish_address(state: &Path, address: SocketAddr) -> anyhow::Result<()> {
    let path = state.join(FILE);
    std::fs::write(&path, format!("{address}\n")).with_context(|| format!("cannot write {}", path.display()))
}

/// Where the daemon with its state in `state` listens, or did when it last ran.
pub fn published_address(state: &Path) -> Option<SocketAddr> {
    std::fs::read_to_string(state.join(FILE)).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_found_in_the_state_directory() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(published_address(dir.path()), None);
        let address = "127.0.0.1:9469".parse().unwrap();
        publish_address(dir.path(), address).unwrap();
        assert_eq!(published_address(dir.path()), Some(address));
    }
}
