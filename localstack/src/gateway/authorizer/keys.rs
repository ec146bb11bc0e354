//! An issuer's public keys: found by OpenID Connect discovery, kept for two hours, fetched within API Gateway's bounds.
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html>

use std::collections::HashMap;
use std::time::{Duration, Instant};

use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_runtime_api::client::http::HttpConnector as _;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http_body_util::{BodyExt as _, Limited};
use serde::Deserialize;
use tokio::sync::Mutex;

use super::jwt::RsaKey;
use crate::template::is_reachable;

/// How long either endpoint may take.
const TIMEOUT: Duration = Duration::from_millis(1_500);
/// The most either may answer.
const MAX_BYTES: usize = 150_000;
/// The most keys that are kept of one issuer.
const MAX_KEYS: usize = 100;
/// How long keys are believed.
const KEPT: Duration = Duration::from_hours(2);
/// Between two attempts, be it that the last one failed or that a token names a key that is not among those known.
const PAUSE: Duration = Duration::from_secs(5);

/// Why there are no keys, as the client is told.
pub(crate) const NO_DISCOVERY: &str = "OIDC discovery endpoint communication error";
const NO_KEYS: &str = "JWKS communication error";

/// The keys of one issuer.
pub(crate) struct Keys {
    issuer: String,
    http: Connector,
    state: Mutex<Option<Fetched>>,
}

struct Fetched {
    at: Instant,
    keys: Result<HashMap<String, RsaKey>, &'static str>,
}

impl Keys {
    pub(crate) fn new(issuer: String) -> Self {
        // The client that the AWS SDK already brings along.
        let http = Connector::builder().tls_provider(Provider::Rustls(CryptoMode::Ring)).build();
        Self { issuer, http, state: Mutex::new(None) }
    }

    /// The key of that name; `None`: the issuer has none.
    ///
    /// # Errors
    /// What could not be reached. Asked again no sooner than after a pause.
    pub(crate) async fn get(&self, id: &str) -> Result<Option<RsaKey>, &'static str> {
        // Held while fetching: one request asks for all that wait.
        let mut state = self.state.lock().await;
        let is_good = state.as_ref().is_some_and(|fetched| match &fetched.keys {
            Ok(keys) if keys.contains_key(id) => fetched.at.elapsed() < KEPT,
            _ => fetched.at.elapsed() < PAUSE,
        });
        if !is_good {
            let keys = self.fetch().await;
            if let Err(what) = &keys {
                tracing::warn!(issuer = self.issuer, what, "the keys of a JWT authorizer's issuer can't be had");
            }
            *state = Some(Fetched { at: Instant::now(), keys });
        }
        match state.as_ref().map(|fetched| &fetched.keys) {
            Some(Ok(keys)) => Ok(keys.get(id).cloned()),
            Some(Err(what)) => Err(what),
            None => Ok(None),
        }
    }

    async fn fetch(&self) -> Result<HashMap<String, RsaKey>, &'static str> {
        let url = format!("{}/.well-known/openid-configuration", self.issuer.trim_end_matches('/'));
        let discovered = self.read(&url).await.and_then(|bytes| serde_json::from_slice::<Discovery>(&bytes).ok());
        let jwks_uri = discovered.map(|found| found.jwks_uri).filter(|uri| is_reachable(uri)).ok_or(NO_DISCOVERY)?;
        let bytes = self.read(&jwks_uri).await.ok_or(NO_KEYS)?;
        read(&bytes).ok_or(NO_KEYS)
    }

    /// A body within the bounds; `None`: there is none. Redirects are not followed.
    async fn read(&self, url: &str) -> Option<Vec<u8>> {
        let request = HttpRequest::get(url).ok()?;
        let read = async {
            let response = self.http.call(request).await.ok()?;
            if response.status().as_u16() != 200 {
                return None;
            }
            let body = Limited::new(response.into_body(), MAX_BYTES).collect().await.ok()?;
            Some(body.to_bytes().to_vec())
        };
        tokio::time::timeout(TIMEOUT, read).await.ok().flatten()
    }
}

#[derive(Deserialize)]
struct Discovery {
    jwks_uri: String,
}

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct Key {
    kty: String,
    kid: String,
    #[serde(rename = "use")]
    usage: Option<String>,
    n: String,
    e: String,
}

/// The RSA keys for signatures in a JSON Web Key Set; others are passed over.
pub(crate) fn read(bytes: &[u8]) -> Option<HashMap<String, RsaKey>> {
    let set: KeySet = serde_json::from_slice(bytes).ok()?;
    let keys = set.keys.into_iter().filter_map(|key| serde_json::from_value::<Key>(key).ok());
    let signing = keys.filter(|key| key.kty == "RSA" && key.usage.as_deref().is_none_or(|usage| usage == "sig"));
    let decoded = signing.filter_map(|key| {
        let decode = |text: &str| URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok();
        Some((key.kid, RsaKey { n: decode(&key.n)?, e: decode(&key.e)? }))
    });
    Some(decoded.take(MAX_KEYS).collect())
}
