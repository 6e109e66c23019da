//! TLS of the default client: rustls with one of two providers, or the platform's.
//!
//! Invariant: the provider is named here and not taken from the process, where other crates may have installed another
//! one or none. Nothing is installed for the process.

use reqwest::ClientBuilder;

#[cfg(all(feature = "native-tls", not(any(feature = "rustls", feature = "rustls-ring"))))]
pub(super) use by_platform::Tls;
#[cfg(any(feature = "rustls", feature = "rustls-ring"))]
pub(super) use by_rustls::Tls;
#[cfg(not(any(feature = "rustls", feature = "rustls-ring", feature = "native-tls")))]
pub(super) use none::Tls;

use crate::error::SettingsError;

#[cfg(any(feature = "rustls", feature = "rustls-ring"))]
mod by_rustls {
    use std::sync::Arc;

    use rustls::client::WantsClientCert;
    #[cfg(feature = "rustls")]
    use rustls::crypto::aws_lc_rs as provider;
    #[cfg(not(feature = "rustls"))]
    use rustls::crypto::ring as provider;
    use rustls::{ClientConfig, ConfigBuilder, RootCertStore, WantsVerifier};
    use rustls_platform_verifier::BuilderVerifierExt;

    use super::{ClientBuilder, SettingsError};
    use crate::error::BoxError;

    type Unverified = ConfigBuilder<ClientConfig, WantsVerifier>;
    type Verified = ConfigBuilder<ClientConfig, WantsClientCert>;

    #[derive(Clone)]
    pub(in crate::transport) struct Tls(ClientConfig);

    impl Tls {
        /// Checks servers against the certificates of this machine.
        pub(in crate::transport) fn checked() -> Result<Self, SettingsError> {
            Self::verified(|builder| Ok(builder.with_platform_verifier()?))
                .map_err(|error| SettingsError::http_client("the TLS certificates of this machine", error))
        }

        /// Needs no certificates, and trusts no server.
        pub(in crate::transport) fn trusting_nobody() -> Result<Self, SettingsError> {
            Self::verified(|builder| Ok(builder.with_root_certificates(RootCertStore::empty())))
                .map_err(|error| SettingsError::http_client("TLS", error))
        }

        fn verified(verify: impl FnOnce(Unverified) -> Result<Verified, BoxError>) -> Result<Self, BoxError> {
            let builder = ClientConfig::builder_with_provider(Arc::new(provider::default_provider()))
                .with_safe_default_protocol_versions()?;
            Ok(Self(verify(builder)?.with_no_client_auth()))
        }

        pub(in crate::transport) fn of(&self, client: ClientBuilder) -> ClientBuilder {
            client.tls_backend_preconfigured(self.0.clone())
        }
    }
}

#[cfg(all(feature = "native-tls", not(any(feature = "rustls", feature = "rustls-ring"))))]
mod by_platform {
    use super::{ClientBuilder, SettingsError};

    #[derive(Clone)]
    pub(in crate::transport) struct Tls;

    impl Tls {
        /// Checks servers against the certificates of this machine.
        pub(in crate::transport) fn checked() -> Result<Self, SettingsError> {
            Ok(Self)
        }

        /// The platform reads its certificates when it needs them.
        pub(in crate::transport) fn trusting_nobody() -> Result<Self, SettingsError> {
            Ok(Self)
        }

        pub(in crate::transport) fn of(&self, client: ClientBuilder) -> ClientBuilder {
            client.tls_backend_native()
        }
    }
}

#[cfg(not(any(feature = "rustls", feature = "rustls-ring", feature = "native-tls")))]
mod none {
    use super::{ClientBuilder, SettingsError};

    #[derive(Clone)]
    pub(in crate::transport) struct Tls;

    impl Tls {
        pub(in crate::transport) fn checked() -> Result<Self, SettingsError> {
            let problem = "speaks no TLS: switch on one of the features rustls, rustls-ring and native-tls of tracklane, \
                           or give the client an HTTP client of your own";
            Err(SettingsError::without_value("http_client", problem))
        }

        pub(in crate::transport) fn trusting_nobody() -> Result<Self, SettingsError> {
            Ok(Self)
        }

        pub(in crate::transport) fn of(&self, client: ClientBuilder) -> ClientBuilder {
            client
        }
    }
}
