//! AWS's other services at an endpoint, such as LocalStack's: what the template wants of them, and what mappings give up.
//!
//! | file | what |
//! |---|---|
//! | `request` | one signed request |
//! | `create` | queues, secrets and parameters of a template, made where they are missing |
//! | `parameters` | template parameters whose value is in Systems Manager's store |

mod create;
mod parameters;
mod request;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;

pub(crate) use create::{create, tell_missing};
pub(crate) use parameters::resolve;
pub(crate) use request::{Call, CallError};

/// How long an answer may take: LocalStack loads a service at the first request for it.
const ANSWER: Duration = Duration::from_secs(30);

/// Why an endpoint can't be used.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    /// It is not the address of a server.
    #[error("http://host:port was expected as the endpoint of AWS's services; \"{0}\" came")]
    Address(String),
    /// Nobody answers there, or not as AWS's services do.
    #[error("AWS's services at {endpoint}: {what}: {message}")]
    Call {
        /// Where.
        endpoint: String,
        /// What was asked for.
        what: String,
        /// Why there is none.
        message: String,
    },
}

/// A server that speaks for AWS's services. Cheap to clone.
#[derive(Clone)]
pub struct Endpoint {
    url: String,
    credentials: Credentials,
    connector: Arc<Connector>,
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Endpoint").field("url", &self.url).finish_non_exhaustive()
    }
}

impl Endpoint {
    /// The server at `url` (`http://host:port`). Nothing is asked yet.
    ///
    /// # Errors
    /// It is no such address.
    pub fn new(url: &str) -> Result<Self, EndpointError> {
        let url = url.trim_end_matches('/');
        let wrong = || EndpointError::Address(url.to_owned());
        let parsed: http::Uri = url.parse().map_err(|_| wrong())?;
        let scheme = parsed.scheme_str().unwrap_or_default();
        if !matches!(scheme, "http" | "https") || parsed.host().is_none_or(str::is_empty) || parsed.path() != "/" {
            return Err(wrong());
        }
        let connector = Connector::builder().tls_provider(Provider::Rustls(CryptoMode::Ring)).build();
        // What the functions have as well: such a server takes any, and never learns the user's own.
        let credentials = Credentials::new("local", "local", None, None, "local");
        Ok(Self { url: url.to_owned(), credentials, connector: Arc::new(connector) })
    }

    /// `http://host:port`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What leads the functions' own clients here, by the variable that AWS's SDKs know. That of one service wins over it.
    ///
    /// Source: AWS SDKs and Tools reference guide, "Service-specific endpoints".
    pub(crate) fn environment(&self) -> BTreeMap<String, String> {
        BTreeMap::from([("AWS_ENDPOINT_URL".to_owned(), self.url.clone())])
    }

    fn failed(&self, what: String, error: &CallError) -> EndpointError {
        EndpointError::Call { endpoint: self.url.clone(), what, message: error.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::Endpoint;

    #[test]
    fn an_endpoint_is_the_address_of_a_server() {
        for good in ["http://127.0.0.1:4566", "http://localhost:4566/", "https://example.com"] {
            assert_eq!(Endpoint::new(good).unwrap().url(), good.trim_end_matches('/'));
        }
        for bad in ["", "127.0.0.1:4566", "ftp://host", "http://", "http://host/path", "http://a b"] {
            let error = Endpoint::new(bad).unwrap_err().to_string();
            assert!(error.contains("http://host:port was expected") && error.contains(bad), "{error}");
        }
    }
}
