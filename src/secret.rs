//! [`Secret`]: a token from the environment, a systemd credential or a file, which nothing prints.

use std::fmt;
use std::path::{Path, PathBuf};

/// A token. Its `Debug` form hides it, it has no `Display`, and it is never serialised.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

/// Why there is no secret. Names places, never contents.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    #[error("{0}")]
    Missing(Box<Wanted>),
    #[error("the file {path} with the {what} cannot be read: {cause}")]
    Unreadable { what: String, path: PathBuf, cause: std::io::Error },
    #[error("the {what} from {place} is {fault}; wanted one line of {wanted}")]
    Malformed { what: String, place: String, fault: &'static str, wanted: &'static str },
}

/// What a secret may consist of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Form {
    /// Visible ASCII: it goes into a header or is an address.
    #[default]
    Token,
    /// Whatever people choose, blanks too.
    Password,
}

/// Where a secret may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// For people, such as `bearer token of X`.
    pub what: String,
    /// Environment variable.
    pub variable: String,
    /// systemd credential.
    pub credential: String,
    /// The configuration's key for the file, such as `x.token_file`.
    pub key: String,
    pub file: Option<PathBuf>,
    pub form: Form,
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, variable, credential, key, .. } = self;
        write!(
            f,
            "there is no {what}: set {variable} in the environment, or {key} to a file that holds it, or under systemd \
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
    /// The secret itself: for a header, never for a message.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether `given` is this secret, in a time that does not tell how much of it is right.
    pub fn is(&self, given: &str) -> bool {
        bool::from(subtle::ConstantTimeEq::ct_eq(self.0.as_bytes(), given.as_bytes()))
    }

    /// Looks in the environment (`environment` reads a variable), then for the systemd credential, then in the file.
    ///
    /// # Errors
    /// When it is nowhere, or not a token.
    pub fn find(wanted: &Wanted, environment: impl Fn(&str) -> Option<String>) -> Result<Self, SecretError> {
        if let Some(value) = environment(&wanted.variable) {
            return Self::checked(wanted, format!("the environment's {}", wanted.variable), &value);
        }
        let credential = environment("CREDENTIALS_DIRECTORY").map(|dir| Path::new(&dir).join(&wanted.credential));
        let credential = credential.filter(|path| path.exists());
        let Some(path) = credential.or_else(|| wanted.file.clone()) else {
            return Err(SecretError::Missing(Box::new(wanted.clone())));
        };
        match std::fs::read_to_string(&path) {
            Ok(value) => Self::checked(wanted, path.display().to_string(), &value),
            Err(cause) => Err(SecretError::Unreadable { what: wanted.what.clone(), path, cause }),
        }
    }

    fn checked(wanted: &Wanted, place: String, value: &str) -> Result<Self, SecretError> {
        let (value, may_hold, fault, form): (_, fn(char) -> bool, _, _) = match wanted.form {
            Form::Token => (value.trim(), |c| c.is_ascii_graphic(), "not a token", "visible ASCII"),
            Form::Password => (value.trim_matches(['\r', '\n']), |c| !c.is_control(), "not a password", "visible text"),
        };
        let fault = if value.is_empty() {
            "empty"
        } else if !value.chars().all(may_hold) {
            fault
        } else {
            return Ok(Self(value.to_owned()));
        };
        Err(SecretError::Malformed { what: wanted.what.clone(), place, fault, wanted: form })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(file: Option<PathBuf>) -> Wanted {
        Wanted {
            what: "bearer token of X".into(),
            variable: "VIGIE_X_TOKEN".into(),
            credential: "x-token".into(),
            key: "x.token_file".into(),
            file,
            form: Form::Token,
        }
    }

    #[test]
    fn the_environment_goes_before_the_credential_and_that_before_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("token");
        std::fs::write(&file, "from-file\n").unwrap();
        std::fs::write(dir.path().join("x-token"), "from-credential\n").unwrap();
        let credentials = dir.path().to_str().map(str::to_owned);
        let find = |variable: Option<&str>, credentials: Option<String>| {
            Secret::find(&wanted(Some(file.clone())), |name| match name {
                "VIGIE_X_TOKEN" => variable.map(str::to_owned),
                _ => credentials.clone(),
            })
        };
        assert_eq!(find(Some("from-env"), credentials.clone()).unwrap().expose(), "from-env");
        assert_eq!(find(None, credentials).unwrap().expose(), "from-credential");
        assert_eq!(find(None, None).unwrap().expose(), "from-file");
    }

    #[test]
    fn what_is_missing_or_wrong_is_said_without_the_secret() {
        let missing = Secret::find(&wanted(None), |_| None).unwrap_err().to_string();
        for place in ["VIGIE_X_TOKEN", "x.token_file", "LoadCredential=x-token"] {
            assert!(missing.contains(place), "{missing}");
        }
        let wrong = Secret::find(&wanted(None), |_| Some("two words".into())).unwrap_err().to_string();
        assert!(!wrong.contains("words") && wrong.contains("VIGIE_X_TOKEN"), "{wrong}");
        assert!(matches!(Secret::find(&wanted(None), |_| Some(" ".into())), Err(SecretError::Malformed { .. })));
        assert_eq!(format!("{:?}", Secret("abc".into())), "Secret(…)");
    }

    #[test]
    fn a_password_may_hold_blanks_where_a_token_may_not() {
        let (token, password) = (wanted(None), Wanted { form: Form::Password, ..wanted(None) });
        let find = |wanted, value: &str| Secret::find(wanted, |_| Some(value.into())).map(|secret| secret.0);
        assert_eq!(find(&password, "abcd éfgh \n").unwrap(), "abcd éfgh ");
        assert!(find(&token, "abcd efgh").is_err());
        for wrong in ["", "\n", "two\nlines"] {
            assert!(find(&password, wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn only_the_whole_secret_is_right() {
        let secret = Secret("abc".into());
        assert!(secret.is("abc") && !secret.is("ab") && !secret.is("abcd") && !secret.is(""));
    }
}
