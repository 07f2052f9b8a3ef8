//! [`Settings`]: `[telemetry]` completed from the environment: the standard `OTEL_...` variables, and the secret headers.

use std::borrow::Cow;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use super::config::Config;
use crate::http_client::{self, Options};
use crate::notify::parse_url;
use crate::secret::{Secret, SecretError, SecretKind, SecretSpec};

/// Standard variables of OpenTelemetry; keys of the configuration take precedence.
const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
const PROTOCOL: &str = "OTEL_EXPORTER_OTLP_PROTOCOL";
const HEADERS: &str = "OTEL_EXPORTER_OTLP_HEADERS";
const SERVICE_NAME: &str = "OTEL_SERVICE_NAME";

/// The only encoding that vigie sends.
const HTTP_PROTOBUF: &str = "http/protobuf";

/// Why telemetry cannot start. One line that says what to do, without secrets.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    #[error(transparent)]
    Secret(SecretError),
    #[error("{0}")]
    Invalid(String),
    #[error("cannot start the telemetry thread: {0}")]
    Thread(std::io::Error),
}

/// What is sent, and where.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) config: Config,
    /// Base URL, without a slash at its end.
    pub(super) endpoint: Url,
    pub(super) service_name: String,
    headers: HeaderMap,
}

impl Settings {
    /// None where no endpoint is set. `environment` reads a variable.
    pub(super) fn find(
        config: &Config,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>, TelemetryError> {
        let standard = |name| environment(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
        let endpoint = match (&config.endpoint, standard(ENDPOINT)) {
            (Some(endpoint), _) => endpoint.clone(),
            (None, Some(endpoint)) => {
                // A variable that other programs share may name a gRPC port.
                if let Some(protocol) = standard(PROTOCOL).filter(|protocol| protocol != HTTP_PROTOBUF) {
                    let message = format!(
                        "environment {PROTOCOL}: {protocol:?} is not supported; expected {HTTP_PROTOBUF}, or set telemetry.endpoint"
                    );
                    return Err(TelemetryError::Invalid(message));
                }
                if let Some(problem) = endpoint_problem(&endpoint, config.insecure) {
                    return Err(TelemetryError::Invalid(format!("environment {ENDPOINT} {problem}")));
                }
                endpoint
            }
            (None, None) => return Ok(None),
        };
        let endpoint = parse_url(endpoint.trim_end_matches('/'), config.insecure)
            .map_err(|problem| TelemetryError::Invalid(format!("telemetry.endpoint {problem}")))?;
        Ok(Some(Self {
            config: config.clone(),
            endpoint,
            service_name: config.service_name.clone().or_else(|| standard(SERVICE_NAME)).unwrap_or("vigie".into()),
            headers: headers(config, environment)?,
        }))
    }

    pub(super) fn client(&self) -> Result<reqwest::Client, TelemetryError> {
        let timeout = Duration::try_from(self.config.timeout).unwrap_or_default();
        let options = Options {
            timeout: Some(timeout),
            headers: self.headers.clone(),
            ca_file: self.config.ca_file.as_deref(),
            ..Options::default()
        };
        http_client::client(&self.endpoint, options)
            .map_err(|error| TelemetryError::Invalid(format!("telemetry: {error}")))
    }
}

/// The second half of a sentence about an endpoint that cannot be used.
pub(super) fn endpoint_problem(endpoint: &str, insecure: bool) -> Option<String> {
    match parse_url(endpoint, insecure) {
        Err(problem) => Some(format!("{problem}; expected the base URL of a collector, e.g. http://127.0.0.1:4318")),
        // It would be shown and logged.
        Ok(url) if !url.username().is_empty() || url.password().is_some() => {
            Some("contains a password; put it into the headers, and set telemetry.headers_file".into())
        }
        Ok(url) if url.query().is_some() || url.fragment().is_some() => {
            Some("has a query; expected the base URL of a collector, e.g. http://127.0.0.1:4318".into())
        }
        Ok(_) => None,
    }
}

fn headers(config: &Config, environment: &dyn Fn(&str) -> Option<String>) -> Result<HeaderMap, TelemetryError> {
    let spec = SecretSpec {
        what: "headers of telemetry".into(),
        variable: "VIGIE_TELEMETRY_HEADERS".into(),
        credential: "telemetry-headers".into(),
        key: "telemetry.headers_file".into(),
        file: config.headers_file.clone(),
        kind: SecretKind::Password,
    };
    let secret = match Secret::load(&spec, environment) {
        Err(SecretError::Missing(_)) => {
            // The standard variable is the last place, and none is needed.
            let standard = SecretSpec { variable: HEADERS.into(), file: None, ..spec };
            match Secret::load(&standard, |name| environment(name).filter(|value| !value.trim().is_empty())) {
                Err(SecretError::Missing(_)) => return Ok(HeaderMap::new()),
                found => found,
            }
        }
        found => found,
    };
    parse_headers(secret.map_err(TelemetryError::Secret)?.expose())
}

/// `name=value,name=value`, with `%20` for a blank, as OpenTelemetry writes them. Errors count the headers and quote none.
fn parse_headers(text: &str) -> Result<HeaderMap, TelemetryError> {
    let mut headers = HeaderMap::new();
    for (number, pair) in text.split(',').map(str::trim).filter(|pair| !pair.is_empty()).enumerate() {
        let parsed = pair.split_once('=').and_then(|(name, value)| {
            let name = HeaderName::from_bytes(name.trim().as_bytes()).ok()?;
            let mut value = HeaderValue::from_bytes(&Cow::from(percent_decode_str(value.trim()))).ok()?;
            value.set_sensitive(true);
            Some((name, value))
        });
        let Some((name, value)) = parsed else {
            let message =
                format!("the headers of telemetry: number {} is not valid; expected name=value,name=value", number + 1);
            return Err(TelemetryError::Invalid(message));
        };
        headers.insert(name, value);
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(config: &Config, variables: &[(&str, &str)]) -> Result<Option<Settings>, TelemetryError> {
        let find =
            |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        Settings::find(config, &find)
    }

    fn at(endpoint: &str) -> Config {
        Config { endpoint: Some(endpoint.into()), ..Config::default() }
    }

    #[test]
    fn the_configuration_comes_before_the_standard_variables() {
        assert!(find(&Config::default(), &[]).unwrap().is_none());
        let variables = [(ENDPOINT, "http://localhost:1/"), (SERVICE_NAME, "other"), (HEADERS, "a=b%20c")];
        let standard = find(&Config::default(), &variables).unwrap().unwrap();
        assert_eq!((standard.endpoint.as_str(), standard.service_name.as_str()), ("http://localhost:1/", "other"));
        assert_eq!(standard.headers["a"], "b c");
        let own = Config { service_name: Some("mine".into()), ..at("http://localhost:2/otlp/") };
        let variables = [&variables[..], &[("VIGIE_TELEMETRY_HEADERS", "x=y,z=1=2")]].concat();
        let own = find(&own, &variables).unwrap().unwrap();
        assert_eq!((own.endpoint.as_str(), own.service_name.as_str()), ("http://localhost:2/otlp", "mine"));
        assert!(own.headers.len() == 2 && own.headers["z"] == "1=2" && own.headers["x"].is_sensitive());
    }

    #[test]
    fn what_cannot_be_used_is_said_without_secrets() {
        let error = find(&Config::default(), &[(ENDPOINT, "http://localhost:4317"), (PROTOCOL, "grpc")]).unwrap_err();
        assert!(error.to_string().contains(PROTOCOL) && error.to_string().contains(HTTP_PROTOBUF), "{error}");
        let error = find(&Config::default(), &[(ENDPOINT, "http://collector:4318")]).unwrap_err().to_string();
        assert!(error.contains(ENDPOINT) && error.contains("insecure"), "{error}");
        let error =
            find(&at("http://localhost"), &[(HEADERS, "authorization=hunter2,hunter3")]).unwrap_err().to_string();
        assert!(error.contains("number 2") && !error.contains("hunter"), "{error}");
        assert!(endpoint_problem("https://me:hunter2@example.com", false).is_some_and(|it| !it.contains("hunter")));
        assert!(endpoint_problem("https://example.com/?a=b", false).is_some());
    }
}
