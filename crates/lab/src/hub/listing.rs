//! [`Listing`]: the Hub's description of a model at one revision: its commit, licence, and files with their hashes.

use serde::Deserialize;
use serde_json::Value;

/// Identifies a file's content on the Hub; also the name of its blob in the cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Hash {
    /// For a large file.
    Sha256(String),
    /// For a small one: git's hash of a blob, SHA-1 over `blob <bytes>\0` and the content.
    Git(String),
}

impl Hash {
    pub(super) fn hex(&self) -> &str {
        match self {
            Self::Sha256(hex) | Self::Git(hex) => hex,
        }
    }

    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Sha256(_) => "sha256",
            Self::Git(_) => "git hash",
        }
    }
}

/// One file of the model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RemoteFile {
    pub(super) name: String,
    pub(super) size: u64,
    pub(super) hash: Hash,
}

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listing {
    /// The current name on the Hub; an old name redirects to it.
    pub(super) repo: String,
    pub(super) commit: String,
    pub(super) licence: String,
    pub(super) files: Vec<RemoteFile>,
}

/// Why a response is not a listing.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ListingError {
    Protocol(String),
    /// This file's name leaves the directory.
    Escape(String),
}

#[derive(Deserialize)]
struct ModelResponse {
    id: Option<String>,
    sha: String,
    #[serde(default, rename = "cardData")]
    card: Value,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default)]
    siblings: Vec<Sibling>,
}

#[derive(Deserialize)]
struct Sibling {
    rfilename: String,
    size: Option<u64>,
    #[serde(rename = "blobId")]
    blob_id: Option<String>,
    lfs: Option<Lfs>,
}

#[derive(Deserialize)]
struct Lfs {
    sha256: String,
    size: u64,
}

impl Listing {
    /// Parses the response of `/api/models/REPO/revision/REV?blobs=true`, for the model requested as `repo`.
    pub(super) fn parse(repo: &str, json: &[u8]) -> Result<Self, ListingError> {
        let response: ModelResponse = serde_json::from_slice(json)
            .map_err(|error| ListingError::Protocol(format!("its description of a model cannot be parsed: {error}")))?;
        if !is_hex(&response.sha, 40) {
            return Err(ListingError::Protocol("its description of a model has no commit".to_owned()));
        }
        if let Some(sibling) = response.siblings.iter().find(|sibling| escapes(&sibling.rfilename)) {
            return Err(ListingError::Escape(sibling.rfilename.escape_debug().to_string()));
        }
        let licence = licence(&response.card, &response.tags);
        // The name becomes part of addresses, so an invalid one is ignored.
        let repo = response.id.filter(|id| id.parse::<super::RepoName>().is_ok()).unwrap_or_else(|| repo.to_owned());
        let files = response.siblings.into_iter().map(remote_file).collect::<Result<_, _>>()?;
        Ok(Self { repo, commit: response.sha, licence, files })
    }

    pub(super) fn file(&self, name: &str) -> Option<&RemoteFile> {
        self.files.iter().find(|file| file.name == name)
    }
}

fn remote_file(sibling: Sibling) -> Result<RemoteFile, ListingError> {
    let name = sibling.rfilename;
    let found = match (sibling.lfs, sibling.blob_id, sibling.size) {
        (Some(lfs), _, _) if is_hex(&lfs.sha256, 64) => Some((Hash::Sha256(lfs.sha256), lfs.size)),
        (None, Some(id), Some(size)) if is_hex(&id, 40) => Some((Hash::Git(id), size)),
        _ => None,
    };
    let (hash, size) = found
        .ok_or_else(|| ListingError::Protocol(format!("it lists no size and hash for {}", name.escape_debug())))?;
    Ok(RemoteFile { name, size, hash })
}

/// A hash becomes a file name in the cache, so it must be valid.
fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

fn escapes(name: &str) -> bool {
    name.is_empty() || name.contains(['\\', '\0', ':']) || name.split('/').any(|part| ["", ".", ".."].contains(&part))
}

/// The model card's `license`, otherwise the tag that the Hub derives from it.
fn licence(card: &Value, tags: &[String]) -> String {
    let own = match &card["license"] {
        Value::String(licence) if licence == "other" => {
            card["license_name"].as_str().or(Some("other")).map(str::to_owned)
        }
        Value::String(licence) => Some(licence.clone()),
        Value::Array(several) => Some(several.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")),
        _ => None,
    };
    let tag = || tags.iter().find_map(|tag| tag.strip_prefix("license:").map(str::to_owned));
    own.filter(|licence| !licence.is_empty()).or_else(tag).unwrap_or_else(|| "not stated in its model card".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHA: &str = "12040accade4e8a0f71eabdb258fecc2e7e948be";

    fn answer(sibling: &str) -> String {
        format!(
            r#"{{"id":"a/b","modelId":"a/b","sha":"{SHA}","cardData":{{"license":"apache-2.0"}},"siblings":[{sibling}]}}"#
        )
    }

    #[test]
    fn large_and_small_files_have_their_hashes() {
        let sha256 = "5".repeat(64);
        let json = answer(&format!(
            r#"{{"rfilename":"model.safetensors","size":130,"blobId":"x","lfs":{{"sha256":"{sha256}","size":7,"pointerSize":9}}}},
               {{"rfilename":"config.json","size":483,"blobId":"{SHA}"}}"#
        ));
        let listing = Listing::parse("b", json.as_bytes()).unwrap();
        assert_eq!((listing.repo.as_str(), listing.licence.as_str()), ("a/b", "apache-2.0"));
        let weights = listing.file("model.safetensors").unwrap();
        assert_eq!((weights.size, &weights.hash), (7, &Hash::Sha256(sha256)));
        assert_eq!(listing.file("config.json").unwrap().hash, Hash::Git(SHA.to_owned()));
    }

    #[test]
    fn paths_that_leave_the_directory_are_refused() {
        for name in ["../x", "/etc/passwd", "a/../../x", "a\\\\..\\\\x", "c:x", "a//b", ""] {
            let json = answer(&format!(r#"{{"rfilename":"{name}","size":1,"blobId":"{SHA}"}}"#));
            assert!(matches!(Listing::parse("b", json.as_bytes()), Err(ListingError::Escape(_))), "{name}");
        }
        let id = format!(r#"{{"rfilename":"config.json","size":1,"blobId":"../{}"}}"#, "a".repeat(37));
        assert!(matches!(Listing::parse("b", answer(&id).as_bytes()), Err(ListingError::Protocol(_))));
        assert!(matches!(Listing::parse("b", br#"{"sha":"../../x"}"#), Err(ListingError::Protocol(_))));
        let named = Listing::parse("b", format!(r#"{{"id":"../b","sha":"{SHA}"}}"#).as_bytes()).unwrap();
        assert_eq!(named.repo, "b");
    }

    #[test]
    fn the_licence_comes_from_the_card_or_a_tag() {
        let card = |json: &str| serde_json::from_str::<Value>(json).unwrap();
        assert_eq!(licence(&card(r#"{"license":["mit","apache-2.0"]}"#), &[]), "mit, apache-2.0");
        assert_eq!(licence(&card(r#"{"license":"other","license_name":"llama3"}"#), &[]), "llama3");
        assert_eq!(licence(&Value::Null, &["pytorch".to_owned(), "license:mit".to_owned()]), "mit");
        assert_eq!(licence(&Value::Null, &[]), "not stated in its model card");
    }
}
