//! A WebSocket API (API Gateway v2) on a loopback port: routes by the message's action, and the @connections API.
//!
//! | file | what |
//! |---|---|
//! | `open` | the handshake: throttling, authorizer, `$connect` |
//! | `connection` | one open socket, to its `$disconnect` |
//! | `registry` | the open sockets: what is sent to one, and how it is cut off |
//! | `management` | `POST`, `GET` and `DELETE /@connections/{id}`; 410 for one that has gone |
//! | `event` | the request as the functions get it |
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api.html>

mod connection;
mod event;
mod management;
mod open;
mod registry;

use std::collections::HashMap;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::error::CloudError;
use crate::functions::{Invoke, Outcome};
use crate::gateway::answer::words;
use crate::gateway::throttle::Bucket;
use crate::template::model::{WebSocketApi, WebSocketRoute};
use registry::Registry;

/// API Gateway's quotas for WebSocket APIs.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Largest message, in bytes (128 KB).
    pub message_bytes: usize,
    /// Largest frame, in bytes (32 KB).
    pub frame_bytes: usize,
    /// A socket without a message in either direction is closed after this long (10 min).
    pub idle: Duration,
    /// A socket is closed after this long, whatever it does (2 h).
    pub lifetime: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_bytes: 128 * 1_024,
            frame_bytes: 32 * 1_024,
            idle: Duration::from_mins(10),
            lifetime: Duration::from_hours(2),
        }
    }
}

/// Open sockets at one time; further ones are answered with 429.
const MAX_CONNECTIONS: usize = 20_000;

/// What all sockets of an API share.
pub(crate) struct Shared {
    pub(crate) api: WebSocketApi,
    pub(crate) limits: Limits,
    pub(crate) registry: Registry,
    pub(crate) invoke: Arc<dyn Invoke>,
    /// By route key.
    buckets: HashMap<String, Bucket>,
}

/// Why a route has no answer; it is in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failed {
    /// The function was too slow.
    TimedOut,
    /// Nobody was free to take it.
    Throttled,
    /// It failed, or its answer is not JSON.
    Error,
}

impl Shared {
    pub(crate) fn route(&self, key: &str) -> Option<&WebSocketRoute> {
        self.api.routes.iter().find(|route| route.key == key)
    }

    /// Takes a token of the route's throttling.
    pub(crate) fn lets_through(&self, key: &str) -> bool {
        self.buckets.get(key).is_none_or(Bucket::take)
    }

    /// The function's answer.
    pub(crate) async fn invoke(&self, route: &WebSocketRoute, event: bytes::Bytes) -> Result<Value, Failed> {
        let (function, key) = (route.function.as_str(), route.key.as_str());
        let invocation = self.invoke.invoke(function, event);
        match tokio::time::timeout(Duration::from_millis(route.timeout_ms), invocation).await {
            Ok(Outcome::Response(bytes)) => serde_json::from_slice(&bytes).map_err(|error| {
                tracing::warn!(function, route = key, %error, "the answer of a WebSocket route is not JSON");
                Failed::Error
            }),
            Ok(Outcome::FunctionError(error)) => {
                tracing::warn!(function, route = key, error = words(&error), "a WebSocket route failed");
                Err(Failed::Error)
            }
            Ok(Outcome::Throttled(reason)) => {
                tracing::warn!(function, route = key, reason, "a WebSocket route was throttled");
                Err(Failed::Throttled)
            }
            Err(_) => {
                tracing::warn!(function, route = key, timeout_ms = route.timeout_ms, "a WebSocket route took too long");
                Err(Failed::TimedOut)
            }
        }
    }
}

/// `statusCode` of a function's answer; `None`: it has none that is valid.
fn status(answer: &Value) -> Option<StatusCode> {
    let status = match answer.get("statusCode")? {
        Value::Number(number) => u16::try_from(number.as_u64()?).ok()?,
        Value::String(text) => text.parse().ok()?,
        _ => return None,
    };
    StatusCode::from_u16(status).ok()
}

/// A running gateway.
pub struct WebSocketGateway {
    address: SocketAddr,
    shared: Arc<Shared>,
    closing: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

/// Takes a port before the functions start, which must know it.
///
/// # Errors
/// The port is taken.
pub fn listen(port: u16) -> Result<TcpListener, CloudError> {
    let listener = TcpListener::bind(("127.0.0.1", port)).map_err(|source| CloudError::Port { port, source })?;
    listener.set_nonblocking(true).map_err(|source| CloudError::Port { port, source })?;
    Ok(listener)
}

impl WebSocketGateway {
    /// Serves `api` on a port that was taken with [`listen`].
    ///
    /// # Errors
    /// The listener is of no use.
    pub fn start(
        api: WebSocketApi,
        limits: Limits,
        listener: TcpListener,
        invoke: Arc<dyn Invoke>,
    ) -> Result<Self, CloudError> {
        let failed = |source| CloudError::Io { what: "the WebSocket gateway".to_owned(), source };
        let address = listener.local_addr().map_err(failed)?;
        let listener = tokio::net::TcpListener::from_std(listener).map_err(failed)?;
        let keys = api.routes.iter().map(|route| route.key.clone()).chain(["$connect".to_owned()]);
        let limited = keys.filter_map(|key| api.throttling.of(&key).map(|throttle| (key, Bucket::new(throttle))));
        let buckets = limited.collect();
        let registry = Registry::new(MAX_CONNECTIONS);
        let shared = Arc::new(Shared { api, limits, registry, invoke, buckets });
        let connections = get(management::look).post(management::post).delete(management::delete);
        let router = Router::new()
            .route("/@connections/{id}", connections.clone())
            // As in the cloud, where the stage comes first.
            .route("/{stage}/@connections/{id}", connections)
            .fallback(open::open)
            .with_state(Arc::clone(&shared))
            .into_make_service_with_connect_info::<SocketAddr>();
        let closing = CancellationToken::new();
        let stopping = closing.clone();
        let task = tokio::spawn(async move {
            tokio::select! {
                served = async { axum::serve(listener, router).await } => {
                    if let Err(error) = served {
                        tracing::error!(%error, "the WebSocket gateway has ended");
                    }
                }
                () = stopping.cancelled() => {}
            }
        });
        Ok(Self { address, shared, closing, task })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Open sockets.
    pub fn connections(&self) -> usize {
        self.shared.registry.len()
    }

    /// Takes no more sockets and closes those that are open.
    pub async fn stop(self) {
        self.closing.cancel();
        self.shared.registry.close_all();
        let _ = self.task.await;
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
