//! Connections with TLS and without.

use std::path::Path;

use tokio_postgres::config::SslMode;
use tokio_postgres::{CancelToken, Client, Config, Error, NoTls};
use tracklane_http::SettingError;

/// The security of connections.
#[derive(Clone)]
pub(crate) enum Tls {
    None,
    #[cfg(feature = "rustls")]
    Rustls(tokio_postgres_rustls::MakeRustlsConnect),
}

impl Tls {
    /// Makes the TLS that the connection string asks for. The database's certificate is checked against those of
    /// `roots`, or of this machine.
    pub(crate) fn new(config: &Config, roots: Option<&Path>) -> Result<Self, SettingError> {
        match config.get_ssl_mode() {
            SslMode::Disable if roots.is_some() => {
                let problem = "is set, and the connection is without TLS: write sslmode=require into the url";
                Err(SettingError::new("root_certificate", problem))
            }
            SslMode::Disable => Ok(Self::None),
            _ => Self::checked(roots),
        }
    }

    #[cfg(not(feature = "rustls"))]
    fn checked(_: Option<&Path>) -> Result<Self, SettingError> {
        let problem = "asks for TLS, and the feature rustls of tracklane-postgres is off: switch it on";
        Err(SettingError::new("url", problem))
    }

    #[cfg(feature = "rustls")]
    fn checked(roots: Option<&Path>) -> Result<Self, SettingError> {
        by_rustls::client_config(roots)
            .map(|config| Self::Rustls(tokio_postgres_rustls::MakeRustlsConnect::new(config)))
    }

    /// Connects. What reads the answers runs on the runtime until the client is dropped.
    pub(crate) async fn connect(&self, config: &Config) -> Result<Client, Error> {
        match self {
            Self::None => {
                let (client, connection) = config.connect(NoTls).await?;
                // Its error is that of every request from then on.
                tokio::spawn(connection);
                Ok(client)
            }
            #[cfg(feature = "rustls")]
            Self::Rustls(tls) => {
                let (client, connection) = config.connect(tls.clone()).await?;
                tokio::spawn(connection);
                Ok(client)
            }
        }
    }

    /// Asks the server to stop the statement of a connection.
    pub(crate) async fn cancel(&self, token: CancelToken) -> Result<(), Error> {
        match self {
            Self::None => token.cancel_query(NoTls).await,
            #[cfg(feature = "rustls")]
            Self::Rustls(tls) => token.cancel_query(tls.clone()).await,
        }
    }
}

#[cfg(feature = "rustls")]
mod by_rustls {
    use std::path::Path;
    use std::sync::Arc;

    use rustls::crypto::aws_lc_rs as provider;
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject;
    use rustls::{ClientConfig, RootCertStore};
    use rustls_platform_verifier::BuilderVerifierExt;
    use tracklane_http::SettingError;

    pub(super) fn client_config(roots: Option<&Path>) -> Result<ClientConfig, SettingError> {
        let unusable = |error| SettingError::new("url", "asks for TLS, which cannot be set up").caused_by(error);
        // Named here rather than taken from the process, where other crates may have installed another, or none.
        let builder = ClientConfig::builder_with_provider(Arc::new(provider::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(unusable)?;
        let verified = match roots {
            Some(path) => builder.with_root_certificates(read(path)?),
            None => builder.with_platform_verifier().map_err(unusable)?,
        };
        Ok(verified.with_no_client_auth())
    }

    fn read(path: &Path) -> Result<RootCertStore, SettingError> {
        let invalid = |problem: String| SettingError::new("root_certificate", format!("{}: {problem}", path.display()));
        let certificates = CertificateDer::pem_file_iter(path).map_err(|error| invalid(error.to_string()))?;
        let mut roots = RootCertStore::empty();
        for certificate in certificates {
            let certificate = certificate.map_err(|error| invalid(error.to_string()))?;
            roots.add(certificate).map_err(|error| invalid(error.to_string()))?;
        }
        if roots.is_empty() {
            return Err(invalid("has no certificate: give a file with one or more in PEM".to_owned()));
        }
        Ok(roots)
    }
}
