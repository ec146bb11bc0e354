//! The client: plain HTTP to a local endpoint, TLS with compiled-in roots to AWS.

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region, SharedHttpClient};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};

use crate::error::StoreError;
use crate::meter::Meter;

/// The tables' names.
#[derive(Debug, Clone, Default)]
pub struct Tables {
    /// People.
    pub people: String,
    /// Items.
    pub items: String,
    /// Catalogue.
    pub catalogue: String,
    /// Board.
    pub board: String,
    /// Connections.
    pub connections: String,
}

/// Where DynamoDB is, and as whom.
#[derive(Clone)]
pub struct Options {
    /// The tables.
    pub tables: Tables,
    /// The model generation that is read and written.
    pub generation: String,
    /// AWS region.
    pub region: String,
    /// Another endpoint than AWS's: `http://…` or `https://…`.
    pub endpoint: Option<String>,
    /// `AWS_ACCESS_KEY_ID`.
    pub access_key_id: String,
    /// `AWS_SECRET_ACCESS_KEY`.
    pub secret_access_key: String,
    /// `AWS_SESSION_TOKEN`.
    pub session_token: Option<String>,
}

impl Options {
    /// Reads a function's environment.
    ///
    /// # Errors
    /// Names the first variable that is missing.
    pub fn from_env(get: impl Fn(&str) -> Option<String>) -> Result<Self, StoreError> {
        let given = |name: &str| get(name).filter(|value| !value.is_empty());
        let need = |name: &'static str| given(name).ok_or(StoreError::MissingVariable(name));
        Ok(Self {
            tables: Tables {
                people: need("TABLE_PEOPLE")?,
                items: need("TABLE_ITEMS")?,
                catalogue: need("TABLE_CATALOGUE")?,
                board: need("TABLE_BOARD")?,
                connections: need("TABLE_CONNECTIONS")?,
            },
            generation: given("GENERATION").unwrap_or_else(|| "g1".to_owned()),
            region: need("AWS_REGION")?,
            endpoint: given("AWS_ENDPOINT_URL_DYNAMODB").or_else(|| given("AWS_ENDPOINT_URL")),
            access_key_id: need("AWS_ACCESS_KEY_ID")?,
            secret_access_key: need("AWS_SECRET_ACCESS_KEY")?,
            session_token: given("AWS_SESSION_TOKEN"),
        })
    }
}

/// The tables of one model generation.
#[derive(Debug)]
pub struct Store {
    pub(crate) client: Client,
    pub(crate) tables: Tables,
    pub(crate) generation: String,
    /// What the tables consumed.
    pub meter: Meter,
}

impl Store {
    /// Makes the client; nothing is sent yet.
    pub fn new(options: Options) -> Self {
        let credentials = Credentials::new(
            options.access_key_id,
            options.secret_access_key,
            options.session_token,
            None,
            "environment",
        );
        let http = http_client(options.endpoint.as_deref());
        let mut config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(options.region))
            .credentials_provider(credentials)
            .http_client(http)
            .retry_config(RetryConfig::standard().with_max_attempts(4).with_initial_backoff(Duration::from_millis(50)))
            .timeout_config(
                TimeoutConfig::builder()
                    .connect_timeout(Duration::from_secs(1))
                    .operation_attempt_timeout(Duration::from_secs(4))
                    .operation_timeout(Duration::from_secs(12))
                    .build(),
            );
        if let Some(endpoint) = options.endpoint {
            config = config.endpoint_url(endpoint);
        }
        Self {
            client: Client::from_conf(config.build()),
            tables: options.tables,
            generation: options.generation,
            meter: Meter::default(),
        }
    }

    /// The key of `id` in this generation.
    pub(crate) fn key(&self, id: &str) -> String {
        format!("{}#{id}", self.generation)
    }
}

/// The HTTP client of an AWS client that talks to `endpoint` (`None`: AWS's own).
pub fn http_client(endpoint: Option<&str>) -> SharedHttpClient {
    if endpoint.is_some_and(|endpoint| endpoint.starts_with("http://")) {
        return Builder::new().build_http();
    }
    Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).tls_context(compiled_in_roots()).build_https()
}

/// Scanning the system's certificates would cost 45 ms at every cold start.
fn compiled_in_roots() -> TlsContext {
    let store = webpki_root_certs::TLS_SERVER_ROOT_CERTS
        .iter()
        .fold(TrustStore::empty(), |store, der| store.with_pem_certificate(pem(der.as_ref())));
    TlsContext::builder().with_trust_store(store).build().unwrap_or_default()
}

fn pem(der: &[u8]) -> Vec<u8> {
    let text = aws_smithy_types::base64::encode(der);
    let mut pem = String::with_capacity(text.len() + 64);
    pem.push_str("-----BEGIN CERTIFICATE-----\n");
    for line in text.as_bytes().chunks(64) {
        pem.push_str(&String::from_utf8_lossy(line));
        pem.push('\n');
    }
    pem.push_str("-----END CERTIFICATE-----\n");
    pem.into_bytes()
}
