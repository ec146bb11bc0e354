//! One call of cargo-lambda's Invoke API.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::functions::Outcome;
use crate::functions::error::{MAX_RESPONSE_BYTES, failure, response_too_large};

/// Between two looks whether the server listens by now.
const RETRY: Duration = Duration::from_millis(20);

/// Invokes `binary` at `server`, and waits for as long as it takes.
///
/// # Errors
/// The server went away meanwhile.
pub(super) async fn invoke(server: SocketAddr, binary: &str, payload: Bytes) -> Result<Outcome, String> {
    let stream = connect(server).await;
    let _ = stream.set_nodelay(true);
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
    let request = Request::post(format!("/2015-03-31/functions/{binary}/invocations"))
        .header("host", server.to_string())
        .header("content-type", "application/json")
        .body(Full::new(payload))
        .map_err(|error| error.to_string())?;
    let exchange = async {
        let response = sender.send_request(request).await.map_err(|error| error.to_string())?;
        let (head, body) = response.into_parts();
        let Ok(body) = Limited::new(body, MAX_RESPONSE_BYTES).collect().await else {
            return Ok(response_too_large(None));
        };
        Ok(read(head.status, body.to_bytes()))
    };
    tokio::select! {
        answer = exchange => answer,
        ended = connection => Err(ended.err().map_or_else(|| "no answer".to_owned(), |error| error.to_string())),
    }
}

/// The server is being started, or builds nothing yet and listens.
async fn connect(server: SocketAddr) -> TcpStream {
    loop {
        match TcpStream::connect(server).await {
            Ok(stream) => return stream,
            Err(_) => tokio::time::sleep(RETRY).await,
        }
    }
}

/// 500 is a function error, in the function's words where it said any.
fn read(status: StatusCode, body: Bytes) -> Outcome {
    if status.is_success() {
        return Outcome::Response(body);
    }
    let error: Option<serde_json::Value> = serde_json::from_slice(&body).ok();
    if status == StatusCode::INTERNAL_SERVER_ERROR && error.is_some_and(|error| error.get("errorType").is_some()) {
        return Outcome::FunctionError(body);
    }
    failure("Runtime.Unknown", &format!("cargo lambda watch answered {status}: {}", String::from_utf8_lossy(&body)))
}
