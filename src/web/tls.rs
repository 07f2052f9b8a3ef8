//! HTTPS: the certificate of the second listener, `web.tls_listen`. A certificate that was renewed on disk is used for the next
//! connection, so that whatever renews it needs to tell nobody.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use anyhow::Context as _;
use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

/// Where the certificate is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The certificate of the server, then those that lead to its authority, as PEM.
    pub certificate: PathBuf,
    /// Its private key, as PEM.
    pub key: PathBuf,
}

/// When both files were last written.
type Written = [SystemTime; 2];

/// The certificate in use, read again when its files change.
#[derive(Debug)]
struct Certificate {
    files: CertificateFiles,
    provider: Arc<CryptoProvider>,
    current: Mutex<(Written, Arc<CertifiedKey>)>,
}

/// What a server speaks TLS 1.2 and 1.3 with.
#[derive(Debug, Clone)]
pub struct ServerTls(pub(super) Arc<ServerConfig>);

impl ServerTls {
    /// # Errors
    /// When a file cannot be read, has no certificate or key, or the key does not belong to the certificate.
    pub fn load(files: CertificateFiles) -> anyhow::Result<Self> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let certificate = Certificate::open(files, Arc::clone(&provider))?;
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        let mut config = config.with_no_client_auth().with_cert_resolver(Arc::new(certificate));
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self(Arc::new(config)))
    }
}

impl CertificateFiles {
    fn written(&self) -> anyhow::Result<Written> {
        let written = |path: &Path| -> anyhow::Result<SystemTime> {
            let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
            file.metadata().and_then(|file| file.modified()).with_context(|| format!("cannot read {}", path.display()))
        };
        Ok([written(&self.certificate)?, written(&self.key)?])
    }

    fn read(&self, provider: &CryptoProvider) -> anyhow::Result<CertifiedKey> {
        let (certificate, key) = (self.certificate.display(), self.key.display());
        let chain = CertificateDer::pem_file_iter(&self.certificate).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let chain = chain.with_context(|| format!("{certificate}: not a certificate in PEM form"))?;
        anyhow::ensure!(!chain.is_empty(), "{certificate}: no certificate in PEM form (-----BEGIN CERTIFICATE-----)");
        let private = PrivateKeyDer::from_pem_file(&self.key);
        let private =
            private.with_context(|| format!("{key}: no private key in PEM form (-----BEGIN PRIVATE KEY-----)"))?;
        CertifiedKey::from_der(chain, private, provider)
            .with_context(|| format!("{key} is not the key of {certificate}, or of a kind that is not supported"))
    }
}

impl Certificate {
    fn open(files: CertificateFiles, provider: Arc<CryptoProvider>) -> anyhow::Result<Self> {
        let current = (files.written()?, Arc::new(files.read(&provider)?));
        Ok(Self { files, provider, current: Mutex::new(current) })
    }

    /// The certificate of now. While new files are not valid, such as between the writing of the two, the old one serves.
    fn current(&self) -> Arc<CertifiedKey> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let Ok(written) = self.files.written() else { return Arc::clone(&current.1) };
        if written != current.0 {
            // Not read again before the files change again.
            current.0 = written;
            match self.files.read(&self.provider) {
                Ok(new) => {
                    current.1 = Arc::new(new);
                    tracing::info!(certificate = %self.files.certificate.display(), "a renewed certificate is in use");
                }
                Err(error) => {
                    let error = format!("{error:#}");
                    tracing::error!(error, "the new certificate cannot be used; the one before stays in use");
                }
            }
        }
        Arc::clone(&current.1)
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(dir: &Path, certificate: &str) -> CertificateFiles {
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tls");
        let files = CertificateFiles { certificate: dir.join("certificate.pem"), key: dir.join("key.pem") };
        std::fs::copy(fixtures.join(certificate), &files.certificate).unwrap();
        std::fs::copy(fixtures.join("server.key"), &files.key).unwrap();
        files
    }

    fn written_at(path: &Path, second: u64) {
        let file = File::options().append(true).open(path).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(second)).unwrap();
    }

    #[test]
    fn a_renewed_certificate_is_used_and_a_broken_one_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let files = files(dir.path(), "good.pem");
        written_at(&files.certificate, 1);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let certificate = Certificate::open(files.clone(), provider).unwrap();
        let first = certificate.current();
        assert!(Arc::ptr_eq(&first, &certificate.current()), "nothing changed");
        std::fs::write(&files.certificate, "rubbish").unwrap();
        written_at(&files.certificate, 2);
        assert!(Arc::ptr_eq(&first, &certificate.current()), "the one before serves");
        self::files(dir.path(), "other.pem");
        written_at(&files.certificate, 3);
        assert!(first.cert != certificate.current().cert, "the renewed one");
        std::fs::remove_file(&files.certificate).unwrap();
        assert!(first.cert != certificate.current().cert, "while it is away, the last one");
    }

    #[test]
    fn what_is_wrong_with_the_files_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let good = files(dir.path(), "good.pem");
        assert!(ServerTls::load(good.clone()).is_ok());
        let message = |files: &CertificateFiles| format!("{:#}", ServerTls::load(files.clone()).unwrap_err());
        let missing = CertificateFiles { certificate: dir.path().join("none.pem"), ..good.clone() };
        assert!(message(&missing).contains("cannot open") && message(&missing).contains("none.pem"));
        let swapped = CertificateFiles { certificate: good.key.clone(), key: good.certificate.clone() };
        assert!(message(&swapped).contains("no certificate in PEM form"), "{}", message(&swapped));
        let no_key = CertificateFiles { key: good.certificate.clone(), ..good.clone() };
        assert!(message(&no_key).contains("no private key in PEM form"), "{}", message(&no_key));
        let other = CertificateFiles {
            certificate: Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tls/ca.pem"),
            ..good
        };
        assert!(message(&other).contains("is not the key of"), "{}", message(&other));
    }
}
