//! [`HubSettings`]: address of the Hub, token and cache directory, from the environment variables that all tools of the
//! Hub share.

use std::path::PathBuf;

use super::HubError;

const PUBLIC: &str = "https://huggingface.co";

/// The Hub's settings in the environment. `Debug` hides the token.
#[derive(Clone, PartialEq, Eq)]
pub struct HubSettings {
    /// `HF_ENDPOINT`, without a trailing slash.
    pub endpoint: String,
    /// `HF_TOKEN`, otherwise the content of the file `HF_TOKEN_PATH` or `HF_HOME/token`.
    pub(super) token: Option<String>,
    /// `HF_HUB_CACHE`, or `HF_HOME/hub`, or `~/.cache/huggingface/hub`.
    pub cache: PathBuf,
}

impl HubSettings {
    /// `variable` returns the value of an environment variable.
    pub fn from_env(variable: impl Fn(&str) -> Option<String>) -> Result<Self, HubError> {
        let set = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
        let endpoint = set("HF_ENDPOINT").unwrap_or_else(|| PUBLIC.to_owned());
        let endpoint = endpoint.trim().trim_end_matches('/').to_owned();
        if !["https://", "http://"].iter().any(|scheme| endpoint.starts_with(scheme)) || endpoint.contains('@') {
            // An address with a password would end up in messages and manifests.
            return Err(HubError::Endpoint);
        }
        let home = || {
            let own = || {
                set("XDG_CACHE_HOME").map(PathBuf::from).or_else(|| Some(PathBuf::from(set("HOME")?).join(".cache")))
            };
            set("HF_HOME").map(PathBuf::from).or_else(|| Some(own()?.join("huggingface")))
        };
        let cache =
            set("HF_HUB_CACHE").map(PathBuf::from).or_else(|| Some(home()?.join("hub"))).ok_or(HubError::NoCache)?;
        let file = set("HF_TOKEN_PATH").map(PathBuf::from).or_else(|| Some(home()?.join("token")));
        let from_file = || std::fs::read_to_string(file?).ok();
        let token =
            set("HF_TOKEN").or_else(from_file).map(|token| token.trim().to_owned()).filter(|token| !token.is_empty());
        if token.as_ref().is_some_and(|token| !token.chars().all(|c| c.is_ascii_graphic())) {
            return Err(HubError::Token);
        }
        Ok(Self { endpoint, token, cache: std::path::absolute(&cache).unwrap_or(cache) })
    }

    pub(super) fn has_token(&self) -> bool {
        self.token.is_some()
    }
}

impl std::fmt::Debug for HubSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { endpoint, cache, .. } = self;
        let token = self.token.as_ref().map(|_| "…");
        f.debug_struct("HubSettings").field("endpoint", endpoint).field("token", &token).field("cache", cache).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(variables: &[(&str, &str)]) -> Result<HubSettings, HubError> {
        HubSettings::from_env(|name| {
            variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_public_hub_and_the_cache_of_the_home_are_the_defaults() {
        let plain = settings(&[("HOME", "/home/nobody-here")]).unwrap();
        assert_eq!((plain.endpoint.as_str(), plain.has_token()), (PUBLIC, false));
        assert_eq!(plain.cache, PathBuf::from("/home/nobody-here/.cache/huggingface/hub"));
        let moved =
            settings(&[("HOME", "/h"), ("HF_HOME", "/data/hf"), ("HF_ENDPOINT", "http://mirror:8080/")]).unwrap();
        assert_eq!((moved.endpoint.as_str(), moved.cache.as_path()), ("http://mirror:8080", "/data/hf/hub".as_ref()));
        assert_eq!(settings(&[("HF_HUB_CACHE", "/c"), ("HF_HOME", "/d")]).unwrap().cache, PathBuf::from("/c"));
        assert!(matches!(settings(&[]), Err(HubError::NoCache)));
    }

    #[test]
    fn a_token_comes_from_the_variable_or_the_file_and_is_never_shown() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("token"), "hf_of_the_file\n").unwrap();
        let home = ("HF_HOME", dir.path().to_str().unwrap());
        let of_file = settings(&[home]).unwrap();
        assert_eq!(of_file.token.as_deref(), Some("hf_of_the_file"));
        assert!(!format!("{of_file:?}").contains("hf_of"), "{of_file:?}");
        assert_eq!(settings(&[home, ("HF_TOKEN", "hf_x")]).unwrap().token.as_deref(), Some("hf_x"));
        let message = settings(&[home, ("HF_TOKEN", "hf_a\r\nX-Evil: 1")]).unwrap_err().to_string();
        assert!(message.contains("HF_TOKEN") && !message.contains("hf_a"), "{message}");
    }

    #[test]
    fn an_endpoint_is_an_address_without_a_password() {
        for endpoint in ["huggingface.co", "ftp://x", "https://me:pw@mirror"] {
            let message = settings(&[("HF_HOME", "/d"), ("HF_ENDPOINT", endpoint)]).unwrap_err().to_string();
            assert!(message.starts_with("HF_ENDPOINT") && !message.contains("pw"), "{message}");
        }
    }
}
