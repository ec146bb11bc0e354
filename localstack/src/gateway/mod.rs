//! An HTTP API (API Gateway v2) on a loopback port.
//!
//! | module | what |
//! |---|---|
//! | `serve` | one request from its arrival to its answer, with all limits |
//! | `routes` | which stage and route take it |
//! | `cors` | CORS by the API's configuration |
//! | `throttle` | token buckets |
//! | `authorizer` | Lambda and JWT authorizers |
//! | `payload` | the request as functions get it |
//! | `response` | the function's answer as the client gets it |
//! | `request`, `answer` | what HTTP and WebSocket APIs share |
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api.html>

pub(crate) mod answer;
pub(crate) mod authorizer;
mod cors;
mod payload;
pub(crate) mod request;
mod response;
mod routes;
mod serve;
pub(crate) mod throttle;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;

use crate::error::CloudError;
use crate::functions::Invoke;
use crate::serving::Serving;
use crate::template::model::HttpApi;

/// A running gateway.
pub struct Gateway {
    stage: String,
    serving: Serving,
}

impl Gateway {
    /// Serves `api` on `port` of 127.0.0.1 (0: any free one).
    ///
    /// # Errors
    /// The port is taken.
    pub async fn start(api: HttpApi, port: u16, invoke: Arc<dyn Invoke>) -> Result<Self, CloudError> {
        let failed = |source| CloudError::Port { port, source };
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.map_err(failed)?;
        let port = listener.local_addr().map_err(failed)?.port();
        let stage = api.stage.clone();
        let router = Router::new().fallback(serve::serve).with_state(Arc::new(serve::Served::new(api, port, invoke)));
        Ok(Self { stage, serving: Serving::start("the HTTP gateway", listener, router).map_err(failed)? })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.serving.address()
    }

    /// What stands before every path: `http://127.0.0.1:port`, and the stage where it has a name.
    pub fn url(&self) -> String {
        match self.stage.as_str() {
            "$default" => format!("http://{}", self.address()),
            stage => format!("http://{}/{stage}", self.address()),
        }
    }

    /// Takes no more requests and ends.
    pub async fn stop(self) {
        self.serving.stop().await;
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(crate) mod tests;
