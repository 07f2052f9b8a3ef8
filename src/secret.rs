//! [`Secret`]: a token from the environment, a systemd credential or a file. It is never printed.

use std::fmt;
use std::path::{Path, PathBuf};

/// A token. `Debug` hides it; it has no `Display` and is never serialised.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

/// Why a secret cannot be loaded. Names locations, never contents.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    #[error("{0}")]
    Missing(Box<SecretSpec>),
    #[error("cannot read the {what} from {path}: {cause}")]
    Unreadable { what: String, path: PathBuf, cause: std::io::Error },
    #[error("the {what} from {location} is {problem}; expected one line of {expected}")]
    Malformed { what: String, location: String, problem: &'static str, expected: &'static str },
}

/// Which characters a secret may have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SecretKind {
    /// Visible ASCII: for a header or a URL.
    #[default]
    Token,
    /// Any visible text, blanks included.
    Password,
}

/// Where to look for a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretSpec {
    /// For messages, e.g. `bearer token of X`.
    pub what: String,
    /// Environment variable.
    pub variable: String,
    /// systemd credential.
    pub credential: String,
    /// Key of the file in the configuration, e.g. `x.token_file`.
    pub key: String,
    pub file: Option<PathBuf>,
    pub kind: SecretKind,
}

impl fmt::Display for SecretSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, variable, credential, key, .. } = self;
        write!(
            f,
            "no {what}: set {variable} in the environment, or {key} to a file that contains it, or under systemd \
             LoadCredential={credential}:/path/to/file"
        )
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Secret {
    /// The secret itself, for a header; never for a message.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Compares in constant time.
    pub fn matches(&self, candidate: &str) -> bool {
        bool::from(subtle::ConstantTimeEq::ct_eq(self.0.as_bytes(), candidate.as_bytes()))
    }

    /// Loads a secret from the environment (`environment` reads a variable), else the systemd credential, else the file.
    ///
    /// # Errors
    /// When it is in none of them, or has characters that its kind does not allow.
    pub fn load(spec: &SecretSpec, environment: impl Fn(&str) -> Option<String>) -> Result<Self, SecretError> {
        if let Some(value) = environment(&spec.variable) {
            return Self::parse(spec, format!("the environment's {}", spec.variable), &value);
        }
        let credential = environment("CREDENTIALS_DIRECTORY").map(|dir| Path::new(&dir).join(&spec.credential));
        let credential = credential.filter(|path| path.exists());
        let Some(path) = credential.or_else(|| spec.file.clone()) else {
            return Err(SecretError::Missing(Box::new(spec.clone())));
        };
        match std::fs::read_to_string(&path) {
            Ok(value) => Self::parse(spec, path.display().to_string(), &value),
            Err(cause) => Err(SecretError::Unreadable { what: spec.what.clone(), path, cause }),
        }
    }

    fn parse(spec: &SecretSpec, location: String, value: &str) -> Result<Self, SecretError> {
        let (value, is_allowed, not_allowed, expected): (_, fn(char) -> bool, _, _) = match spec.kind {
            SecretKind::Token => (value.trim(), |c| c.is_ascii_graphic(), "not a token", "visible ASCII"),
            SecretKind::Password => {
                (value.trim_matches(['\r', '\n']), |c| !c.is_control(), "not a password", "visible text")
            }
        };
        let problem = if value.is_empty() {
            "empty"
        } else if !value.chars().all(is_allowed) {
            not_allowed
        } else {
            return Ok(Self(value.to_owned()));
        };
        Err(SecretError::Malformed { what: spec.what.clone(), location, problem, expected })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(file: Option<PathBuf>) -> SecretSpec {
        SecretSpec {
            what: "bearer token of X".into(),
            variable: "VIGIE_X_TOKEN".into(),
            credential: "x-token".into(),
            key: "x.token_file".into(),
            file,
            kind: SecretKind::Token,
        }
    }

    #[test]
    fn the_environment_overrides_the_credential_which_overrides_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("token");
        std::fs::write(&file, "from-file\n").unwrap();
        std::fs::write(dir.path().join("x-token"), "from-credential\n").unwrap();
        let credentials = dir.path().to_str().map(str::to_owned);
        let load = |variable: Option<&str>, credentials: Option<String>| {
            Secret::load(&spec(Some(file.clone())), |name| match name {
                "VIGIE_X_TOKEN" => variable.map(str::to_owned),
                _ => credentials.clone(),
            })
        };
        assert_eq!(load(Some("from-env"), credentials.clone()).unwrap().expose(), "from-env");
        assert_eq!(load(None, credentials).unwrap().expose(), "from-credential");
        assert_eq!(load(None, None).unwrap().expose(), "from-file");
    }

    #[test]
    fn errors_do_not_contain_the_secret() {
        let missing = Secret::load(&spec(None), |_| None).unwrap_err().to_string();
        for location in ["VIGIE_X_TOKEN", "x.token_file", "LoadCredential=x-token"] {
            assert!(missing.contains(location), "{missing}");
        }
        let wrong = Secret::load(&spec(None), |_| Some("two words".into())).unwrap_err().to_string();
        assert!(!wrong.contains("words") && wrong.contains("VIGIE_X_TOKEN"), "{wrong}");
        assert!(matches!(Secret::load(&spec(None), |_| Some(" ".into())), Err(SecretError::Malformed { .. })));
        assert_eq!(format!("{:?}", Secret("abc".into())), "Secret(…)");
    }

    #[test]
    fn a_password_may_contain_blanks_and_a_token_may_not() {
        let (token, password) = (spec(None), SecretSpec { kind: SecretKind::Password, ..spec(None) });
        let load = |spec, value: &str| Secret::load(spec, |_| Some(value.into())).map(|secret| secret.0);
        assert_eq!(load(&password, "abcd éfgh \n").unwrap(), "abcd éfgh ");
        assert!(load(&token, "abcd efgh").is_err());
        for wrong in ["", "\n", "two\nlines"] {
            assert!(load(&password, wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn only_the_whole_secret_matches() {
        let secret = Secret("abc".into());
        assert!(secret.matches("abc") && !secret.matches("ab") && !secret.matches("abcd") && !secret.matches(""));
    }
}
