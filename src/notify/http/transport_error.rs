//! A request without an answer: what went wrong, and whether it may pass.

use std::error::Error;

use crate::notify::NotifyError;

/// Why `error` left a request without an answer. Addresses are left out: they may be secrets.
pub(super) fn lost(error: &reqwest::Error) -> NotifyError {
    if let Some(fault) = certificate_fault(error) {
        return NotifyError::Permanent { reason: certificate_reason(&fault) };
    }
    let cause = deepest(error);
    if error.is_builder() {
        let reason =
            cause.map_or_else(|| "its address is none".to_owned(), |cause| format!("no request can be made: {cause}"));
        return NotifyError::Permanent { reason };
    }
    let what = match error {
        error if error.is_timeout() => "timed out",
        error if error.is_connect() => "no connection",
        _ => "the connection broke off",
    };
    let reason = cause.map_or_else(|| what.to_owned(), |cause| format!("{what}: {cause}"));
    NotifyError::Passing { reason, retry_after: None }
}

/// For people, of a certificate that was not accepted.
pub(in crate::notify) fn certificate_reason(fault: &rustls::CertificateError) -> String {
    let way_out = match fault {
        rustls::CertificateError::UnknownIssuer => {
            "; if your company signs its own, set ca_file to the certificate it signs with"
        }
        rustls::CertificateError::NotValidForName | rustls::CertificateError::NotValidForNameContext { .. } => {
            "; give the server's name as the certificate has it"
        }
        _ => "",
    };
    format!("the server's TLS certificate was refused: {fault}{way_out}")
}

/// What is wrong with the server's certificate, if that is what stopped `error`.
pub(in crate::notify) fn certificate_fault(error: &(dyn Error + 'static)) -> Option<rustls::CertificateError> {
    causes(error).find_map(|cause| match cause.downcast_ref()? {
        rustls::Error::InvalidCertificate(fault) => Some(fault.clone()),
        _ => None,
    })
}

/// The first cause of all; none where `error` is its own, whose text holds the address.
fn deepest(error: &reqwest::Error) -> Option<String> {
    causes(error).last().filter(|cause| !cause.is::<reqwest::Error>()).map(ToString::to_string)
}

/// `error`, its cause, and so on. What an I/O error wraps is a cause that its own `source` passes over.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn Error + 'static)| {
        let error = *error;
        let wrapped = error.downcast_ref().and_then(std::io::Error::get_ref);
        wrapped.map(|inner| inner as &(dyn Error + 'static)).or_else(|| error.source())
    })
}
