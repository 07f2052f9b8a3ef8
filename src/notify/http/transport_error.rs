//! A request without an answer: what failed, and whether a retry may help.

use std::error::Error;

use crate::http_client::{causes, root_cause};
use crate::notify::NotifyError;

/// Why a request got no answer. URLs are left out: they may be secrets.
pub(super) fn transport_error(error: &reqwest::Error) -> NotifyError {
    if let Some(problem) = certificate_error(error) {
        return NotifyError::Permanent { reason: certificate_reason(&problem) };
    }
    let cause = root_cause(error);
    if error.is_builder() {
        let reason = cause
            .map_or_else(|| "its URL is not valid".to_owned(), |cause| format!("cannot build the request: {cause}"));
        return NotifyError::Permanent { reason };
    }
    let what = match error {
        error if error.is_timeout() => "timed out",
        error if error.is_connect() => "no connection",
        _ => "connection lost",
    };
    let reason = cause.map_or_else(|| what.to_owned(), |cause| format!("{what}: {cause}"));
    NotifyError::Transient { reason, retry_after: None }
}

/// Describes a rejected certificate for people.
pub(in crate::notify) fn certificate_reason(error: &rustls::CertificateError) -> String {
    let hint = match error {
        rustls::CertificateError::UnknownIssuer => "; for a private CA, set ca_file to its certificate",
        rustls::CertificateError::NotValidForName | rustls::CertificateError::NotValidForNameContext { .. } => {
            "; use the server name that the certificate contains"
        }
        _ => "",
    };
    format!("the server's TLS certificate was rejected: {error}{hint}")
}

/// The certificate error that caused `error`, if any.
pub(in crate::notify) fn certificate_error(error: &(dyn Error + 'static)) -> Option<rustls::CertificateError> {
    causes(error).find_map(|cause| match cause.downcast_ref()? {
        rustls::Error::InvalidCertificate(problem) => Some(problem.clone()),
        _ => None,
    })
}
