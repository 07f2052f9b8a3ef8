//! [`RepoName`]: `REPO[@REV]` as typed by the user, validated before it becomes part of an address or a path.

use std::fmt;
use std::str::FromStr;

/// A model of the Hub at a revision: a branch, a tag or a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepoName {
    /// `name`, or `owner/name`.
    pub repo: String,
    pub revision: String,
}

/// Why a name is not a model of the Hub.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is not a model name: {reason}; expected NAME or OWNER/NAME, optionally followed by @REVISION")]
pub struct RepoNameError {
    given: String,
    reason: &'static str,
}

impl RepoName {
    /// The last part of the name, used as the name of a directory.
    pub fn last_part(&self) -> &str {
        self.repo.rsplit('/').next().unwrap_or(&self.repo)
    }
}

impl fmt::Display for RepoName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.repo, self.revision)
    }
}

impl FromStr for RepoName {
    type Err = RepoNameError;

    fn from_str(given: &str) -> Result<Self, RepoNameError> {
        let fail = |reason| RepoNameError { given: given.escape_debug().to_string(), reason };
        let (repo, revision) = given.split_once('@').unwrap_or((given, "main"));
        let parts: Vec<&str> = repo.split('/').collect();
        if parts.len() > 2 {
            return Err(fail("it has more than one `/`"));
        }
        if parts.iter().any(|part| !is_safe_part(part)) {
            return Err(fail("each part is made of letters, digits, `-`, `_` and `.`, and does not begin with a `.`"));
        }
        // A branch such as `refs/pr/3` has several parts.
        if revision.split('/').any(|part| !is_safe_part(part)) {
            return Err(fail("its revision is not a valid branch, tag or commit"));
        }
        Ok(Self { repo: repo.to_owned(), revision: revision.to_owned() })
    }
}

/// Neither empty nor hidden nor `..`, and the same in a path as in an address.
fn is_safe_part(part: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    !part.is_empty() && !part.starts_with('.') && !part.contains("..") && part.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_revision_is_main_unless_it_is_given() {
        let name: RepoName = "distilbert-base-uncased".parse().unwrap();
        assert_eq!((name.repo.as_str(), name.revision.as_str()), ("distilbert-base-uncased", "main"));
        let name: RepoName = "owner/name@refs/pr/3".parse().unwrap();
        assert_eq!((name.last_part(), name.revision.as_str()), ("name", "refs/pr/3"));
    }

    #[test]
    fn path_tricks_are_refused_by_name() {
        for trick in
            ["../x", "a/../b", "a/b/c", "", "/", "a/", ".ssh", "a b", "a@", "a@../main", "a@b@c", "a%2f..", "é"]
        {
            let message = trick.parse::<RepoName>().unwrap_err().to_string();
            assert!(message.starts_with(&format!("`{trick}` is not a model name: ")), "{message}");
        }
    }

    proptest! {
        #[test]
        fn whatever_parses_stays_below_its_directory(given in "[a-zA-Z./@_\\\\-]{0,20}") {
            if let Ok(name) = given.parse::<RepoName>() {
                for part in name.repo.split('/').chain(name.revision.split('/')) {
                    prop_assert!(!part.is_empty() && part != "." && part != ".." && !part.contains('\\'));
                }
                prop_assert_eq!(name.to_string().parse::<RepoName>(), Ok(name));
            }
        }
    }
}
