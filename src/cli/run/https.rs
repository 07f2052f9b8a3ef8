//! The second address of the daemon, for HTTPS.

use std::net::TcpListener;

use anyhow::Context as _;

use crate::config::WebConfig;
use crate::web::{CertificateFiles, ServerTls};

/// Listens on `web.tls_listen`; `None` if it is not set.
///
/// # Errors
/// When the address or the certificate cannot be used.
pub(super) async fn bind(web: &WebConfig) -> anyhow::Result<Option<(TcpListener, ServerTls)>> {
    // The configuration has all three or none.
    let (Some(listen), Some(certificate), Some(key)) = (web.tls_listen, &web.tls_certificate_file, &web.tls_key_file)
    else {
        return Ok(None);
    };
    let listener = tokio::net::TcpListener::bind(listen).await;
    let listener = listener.with_context(|| format!("cannot listen on {listen} (web.tls_listen)"))?.into_std()?;
    let tls = ServerTls::load(CertificateFiles { certificate: certificate.clone(), key: key.clone() })?;
    tracing::info!("console over HTTPS: https://{}/", listener.local_addr()?);
    Ok(Some((listener, tls)))
}
