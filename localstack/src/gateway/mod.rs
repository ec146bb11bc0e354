//! An HTTP API (API Gateway v2) on a loopback port: routes, payload 2.0, CORS, limits and errors in API Gateway's words.
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>

mod cors;
mod event;
mod response;
mod routes;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use tokio_util::sync::CancellationToken;

use crate::error::CloudError;
use crate::functions::{Invoke, MAX_PAYLOAD_BYTES, Outcome};
use crate::template::model::HttpApi;

/// API Gateway's payload limit.
const MAX_BODY_BYTES: usize = 10 * 1024 * 1024;
/// How long requests may take to be answered once the gateway is told to stop.
const GRACE: Duration = Duration::from_secs(1);

/// A running gateway.
pub struct Gateway {
    address: SocketAddr,
    closing: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

struct Api {
    api: HttpApi,
    invoke: Arc<dyn Invoke>,
}

impl Gateway {
    /// Serves `api` on `port` of 127.0.0.1 (0: any free one).
    ///
    /// # Errors
    /// The port is taken.
    pub async fn start(api: HttpApi, port: u16, invoke: Arc<dyn Invoke>) -> Result<Self, CloudError> {
        let failed = |source| CloudError::Port { port, source };
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let router = Router::new().fallback(serve).with_state(Arc::new(Api { api, invoke }));
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        let closing = CancellationToken::new();
        let stopping = closing.clone();
        let task = tokio::spawn(async move {
            let server = axum::serve(listener, service).with_graceful_shutdown(stopping.clone().cancelled_owned());
            let grace = async {
                stopping.cancelled().await;
                tokio::time::sleep(GRACE).await;
            };
            tokio::select! {
                ended = server => {
                    if let Err(error) = ended {
                        tracing::error!(%error, "the HTTP gateway has ended");
                    }
                }
                () = grace => {}
            }
        });
        Ok(Self { address, closing, task })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no more requests and ends.
    pub async fn stop(self) {
        self.closing.cancel();
        let _ = self.task.await;
    }
}

async fn serve(
    State(api): State<Arc<Api>>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let origin = request.headers().get("origin").and_then(|value| value.to_str().ok()).map(str::to_owned);
    if let Some(cors) = &api.api.cors
        && cors::is_preflight(&request)
    {
        return cors::preflight(cors, origin.as_deref());
    }
    let mut response = answer(&api, client, request).await;
    if let Some(cors) = &api.api.cors {
        cors::decorate(cors, origin.as_deref(), response.headers_mut());
    }
    response
}

async fn answer(api: &Api, client: SocketAddr, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Some(matched) = routes::find(&api.api.routes, parts.method.as_str(), parts.uri.path()) else {
        return response::message(StatusCode::NOT_FOUND, "Not Found");
    };
    let Ok(body) = to_bytes(body, MAX_BODY_BYTES).await else {
        return response::message(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large");
    };
    let payload = event::payload(&api.api, &matched, client, &parts, &body);
    // What API Gateway takes may still be more than a synchronous invocation does.
    if payload.len() > MAX_PAYLOAD_BYTES {
        return response::message(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large");
    }
    let invocation = api.invoke.invoke(&matched.route.function, payload);
    let timeout = Duration::from_millis(matched.route.timeout_ms);
    match tokio::time::timeout(timeout, invocation).await {
        Ok(Outcome::Response(payload)) => response::from_function(&payload),
        Ok(Outcome::FunctionError(error)) => {
            let error = String::from_utf8_lossy(&error).chars().take(300).collect::<String>();
            tracing::warn!(function = matched.route.function, error, "a request failed");
            response::message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
        }
        Ok(Outcome::Throttled(reason)) => {
            tracing::warn!(function = matched.route.function, reason, "a request was throttled");
            response::message(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable")
        }
        Err(_) => response::message(StatusCode::GATEWAY_TIMEOUT, "Endpoint request timed out"),
    }
}

/// An answer without a body.
fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}
