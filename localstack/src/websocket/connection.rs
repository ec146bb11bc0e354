//! One socket, from `$connect` to `$disconnect`.
//!
//! Its messages are taken one after the other, so that a flood of them costs its own sender the time and nobody else. What is
//! sent to it waits in a bounded queue; a socket that does not read is cut off.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::extract::{ConnectInfo, FromRequestParts as _, Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse as _, Response};
use futures::stream::{SplitSink, SplitStream};
use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Shared;
use super::event::{What, payload};
use super::registry::{Handle, Registry};
use crate::clock::now_ms;
use crate::functions::Outcome;
use crate::template::model::WebSocketRoute;

/// How long one write may take before the socket counts as one that does not read.
const WRITE: Duration = Duration::from_secs(10);
/// How long the goodbye may take.
const GOODBYE: Duration = Duration::from_secs(1);

/// Why a socket ends, as both sides are told.
type Ending = (u16, &'static str);

const GOING_AWAY: Ending = (close_code::AWAY, "Going away");
const IDLE: Ending = (close_code::AWAY, "Idle for too long");
const TOO_OLD: Ending = (close_code::AWAY, "Open for too long");
const NO_CODE: Ending = (1005, "Client-side close frame status not set");
const LOST: Ending = (close_code::ABNORMAL, "The connection was lost");
const TOO_LARGE: Ending = (close_code::SIZE, "Message too big");
const STALLED: Ending = (close_code::POLICY, "Messages are not read");

/// Opens a socket, if `$connect` lets it.
pub(crate) async fn open(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let (mut parts, _) = request.into_parts();
    let Ok(upgrade) = WebSocketUpgrade::from_request_parts(&mut parts, &()).await else {
        return refusal(StatusCode::UPGRADE_REQUIRED, "a WebSocket was expected");
    };
    if shared.registry.is_full() {
        return refusal(StatusCode::TOO_MANY_REQUESTS, "Too many connections");
    }
    let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (domain, user_agent) = (header("host").to_owned(), header("user-agent").to_owned());
    let (handle, queue) = Registry::prepare(client.ip().to_string(), user_agent);
    if let Some(route) = route(&shared, "$connect")
        && let Err(refused) = connect(&shared, route, &handle, &domain, &parts).await
    {
        return refused;
    }
    // API Gateway speaks the first of the protocols that the client asks for.
    let protocol = header("sec-websocket-protocol").split(',').next().map(|name| name.trim().to_owned());
    let upgrade = upgrade
        .protocols(protocol)
        .max_message_size(shared.limits.message_bytes)
        .max_frame_size(shared.limits.frame_bytes);
    let failed = handle.clone();
    upgrade
        .on_failed_upgrade(move |error| {
            tracing::debug!(%error, connection = &*failed.id, "a socket was not opened");
            failed.closing.cancel();
        })
        .on_upgrade(move |socket| async move { Socket { shared, handle, domain }.run(socket, queue).await })
}

fn route<'a>(shared: &'a Shared, key: &str) -> Option<&'a WebSocketRoute> {
    shared.api.routes.iter().find(|route| route.key == key)
}

fn refusal(status: StatusCode, message: &str) -> Response {
    (status, axum::Json(json!({"message": message}))).into_response()
}

/// Asks the function; what it answers with a status other than 2xx is the client's answer.
async fn connect(
    shared: &Shared,
    route: &WebSocketRoute,
    handle: &Handle,
    domain: &str,
    parts: &Parts,
) -> Result<(), Response> {
    let event = payload(&shared.api, handle, "$connect", domain, What::Connect(parts));
    let status = match invoke(shared, route, event).await {
        Some(answer) => answer.get("statusCode").and_then(Value::as_u64).and_then(|status| u16::try_from(status).ok()),
        None => Some(502),
    };
    let status = status.and_then(|status| StatusCode::from_u16(status).ok()).unwrap_or(StatusCode::BAD_GATEWAY);
    if status.is_success() { Ok(()) } else { Err(refusal(status, status.canonical_reason().unwrap_or_default())) }
}

/// The function's answer; `None`: it failed, or was too slow.
async fn invoke(shared: &Shared, route: &WebSocketRoute, event: bytes::Bytes) -> Option<Value> {
    let invocation = shared.invoke.invoke(&route.function, event);
    match tokio::time::timeout(Duration::from_millis(route.timeout_ms), invocation).await {
        Ok(Outcome::Response(bytes)) => serde_json::from_slice(&bytes).ok(),
        Ok(Outcome::FunctionError(error)) => {
            let error = String::from_utf8_lossy(&error).chars().take(300).collect::<String>();
            tracing::warn!(function = route.function, route = route.key, error, "a WebSocket route failed");
            None
        }
        Ok(Outcome::Throttled(reason)) => {
            tracing::warn!(function = route.function, route = route.key, reason, "a WebSocket route was throttled");
            None
        }
        Err(_) => None,
    }
}

/// An open socket.
struct Socket {
    shared: Arc<Shared>,
    handle: Handle,
    domain: String,
}

impl Socket {
    async fn run(self, socket: WebSocket, queue: mpsc::Receiver<Vec<u8>>) {
        self.shared.registry.insert(self.handle.clone());
        let (sink, stream) = socket.split();
        let written = CancellationToken::new();
        let writer = tokio::spawn(write(sink, queue, self.handle.closing.clone(), written.clone()));
        let ending = tokio::select! {
            ending = self.read(stream) => ending,
            ending = self.expire() => ending,
            () = written.cancelled() => STALLED,
        };
        // From here on it has gone for everybody.
        self.shared.registry.remove(&self.handle.id);
        self.handle.closing.cancel();
        if let Ok(Some(mut sink)) = writer.await {
            let (code, reason) = ending;
            // Codes that no frame may carry are the client's own, or nobody's.
            let frame = (code != NO_CODE.0 && code != LOST.0).then(|| CloseFrame { code, reason: reason.into() });
            let goodbye = async {
                let _ = sink.send(Message::Close(frame)).await;
                let _ = sink.close().await;
            };
            let _ = tokio::time::timeout(GOODBYE, goodbye).await;
        }
        if let Some(route) = route(&self.shared, "$disconnect") {
            let what = What::Disconnect(ending.0, ending.1);
            let event = payload(&self.shared.api, &self.handle, "$disconnect", &self.domain, what);
            let _ = invoke(&self.shared, route, event).await;
        }
    }

    async fn read(&self, mut stream: SplitStream<WebSocket>) -> Ending {
        loop {
            let next = tokio::select! {
                next = stream.next() => next,
                () = self.handle.closing.cancelled() => return GOING_AWAY,
            };
            let (bytes, is_text) = match next {
                Some(Ok(Message::Text(text))) => (bytes::Bytes::from(text), true),
                Some(Ok(Message::Binary(bytes))) => (bytes, false),
                // Pings are answered below; they keep nothing alive, as in the cloud.
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
                Some(Ok(Message::Close(frame))) => return frame.map_or(NO_CODE, |frame| (frame.code, "")),
                Some(Err(error)) if is_too_large(&error) => return TOO_LARGE,
                Some(Err(_)) | None => return LOST,
            };
            self.handle.touch();
            tokio::select! {
                () = self.message(&bytes, is_text) => {}
                () = self.handle.closing.cancelled() => return GOING_AWAY,
            }
        }
    }

    async fn message(&self, bytes: &[u8], is_text: bool) {
        let connection = &*self.handle.id;
        let chosen = chosen(&self.shared.api.action, bytes);
        let found = chosen.as_deref().filter(|key| !key.starts_with('$')).and_then(|key| route(&self.shared, key));
        let Some(route) = found.or_else(|| route(&self.shared, "$default")) else {
            let error = json!({"message": "Forbidden", "connectionId": connection, "requestId": ""});
            let _ = self.handle.send(error.to_string().into_bytes());
            return;
        };
        let event = payload(&self.shared.api, &self.handle, &route.key, &self.domain, What::Message(bytes, is_text));
        let Some(answer) = invoke(&self.shared, route, event).await else {
            let error = json!({"message": "Internal server error", "connectionId": connection, "requestId": ""});
            let _ = self.handle.send(error.to_string().into_bytes());
            return;
        };
        if let Some(body) = answer.get("body").and_then(Value::as_str).filter(|body| route.answers && !body.is_empty())
        {
            let _ = self.handle.send(body.as_bytes().to_vec());
        }
    }

    /// Ends when the socket has been open, or quiet, for too long.
    async fn expire(&self) -> Ending {
        let limits = &self.shared.limits;
        let old = tokio::time::Instant::now() + limits.lifetime;
        loop {
            let quiet_ms = u64::try_from(now_ms() - self.handle.last_active_ms()).unwrap_or(0);
            let left = limits.idle.saturating_sub(Duration::from_millis(quiet_ms));
            if left.is_zero() {
                return IDLE;
            }
            tokio::select! {
                () = tokio::time::sleep(left) => {}
                () = tokio::time::sleep_until(old) => return TOO_OLD,
            }
        }
    }
}

/// The value of the field that chooses the route; `None`: not JSON, or without it.
fn chosen(path: &[String], bytes: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(bytes).ok()?;
    let value = path.iter().try_fold(&body, |value, field| value.get(field))?;
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn is_too_large(error: &axum::Error) -> bool {
    let text = error.to_string();
    text.contains("too long") || text.contains("too big") || text.contains("too large")
}

/// Writes what is queued until the socket is to be closed; gives the sink back for the goodbye.
async fn write(
    mut sink: SplitSink<WebSocket, Message>,
    mut queue: mpsc::Receiver<Vec<u8>>,
    closing: CancellationToken,
    stalled: CancellationToken,
) -> Option<SplitSink<WebSocket, Message>> {
    loop {
        let message = tokio::select! {
            biased;
            () = closing.cancelled() => return Some(sink),
            message = queue.recv() => message?,
        };
        let message = match String::from_utf8(message) {
            Ok(text) => Message::Text(text.into()),
            Err(bytes) => Message::Binary(bytes.into_bytes().into()),
        };
        let sent = tokio::select! {
            sent = tokio::time::timeout(WRITE, sink.send(message)) => sent,
            () = closing.cancelled() => return None,
        };
        if !matches!(sent, Ok(Ok(()))) {
            stalled.cancel();
            return None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_chooses_its_route_by_the_selected_field() {
        let path = ["action".to_owned()];
        assert_eq!(chosen(&path, br#"{"action":"ping"}"#).as_deref(), Some("ping"));
        for other in [br#"{"action":{}}"#.as_slice(), b"{}", b"[1]", b"hello", b"\xff"] {
            assert_eq!(chosen(&path, other), None);
        }
    }
}
