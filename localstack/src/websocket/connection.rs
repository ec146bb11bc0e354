//! One open socket, to its `$disconnect`.
//!
//! Its messages are taken one after the other, so that a flood of them costs its own sender the time and nobody else. What is
//! sent to it waits in a bounded queue; a socket that does not read is cut off.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use futures::stream::{SplitSink, SplitStream};
use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::event::{What, payload};
use super::registry::Handle;
use super::{Failed, Shared};
use crate::clock::now_ms;
use crate::gateway::request::Arrival;

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

/// An open socket.
pub(crate) struct Socket {
    shared: Arc<Shared>,
    handle: Handle,
}

impl Socket {
    pub(crate) fn new(shared: Arc<Shared>, handle: Handle) -> Self {
        Self { shared, handle }
    }

    /// From its opening to its end.
    pub(crate) async fn run(self, socket: WebSocket, queue: mpsc::Receiver<Vec<u8>>) {
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
        if let Some(route) = self.shared.route("$disconnect") {
            let what = What::Disconnect(ending.0, ending.1);
            let arrival = Arrival::now(self.handle.peer.client);
            let event = payload(&self.shared.api, &self.handle, "$disconnect", &arrival, what);
            // The best effort: nobody is left who could be told.
            let _ = self.shared.invoke(route, event).await;
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
        let arrival = Arrival::now(self.handle.peer.client);
        if let Err(words) = self.answer(&arrival, bytes, is_text).await {
            let error = json!({
                "message": words, "connectionId": &*self.handle.id, "requestId": arrival.request_id,
            });
            let _ = self.handle.send(error.to_string().into_bytes());
        }
    }

    /// Takes a message to its route.
    ///
    /// # Errors
    /// What the client is told.
    async fn answer(&self, arrival: &Arrival, bytes: &[u8], is_text: bool) -> Result<(), &'static str> {
        let shared = &self.shared;
        let chosen = chosen(&shared.api.action, bytes);
        let found = chosen.as_deref().filter(|key| !key.starts_with('$')).and_then(|key| shared.route(key));
        let route = found.or_else(|| shared.route("$default")).ok_or("Forbidden")?;
        if !shared.lets_through(&route.key) {
            return Err("Too Many Requests");
        }
        let event = payload(&shared.api, &self.handle, &route.key, arrival, What::Message(bytes, is_text));
        let answer = shared.invoke(route, event).await.map_err(|failed| match failed {
            Failed::TimedOut => "Endpoint request timed out",
            Failed::Throttled | Failed::Error => "Internal server error",
        })?;
        if super::status(&answer).is_none() {
            tracing::warn!(function = route.function, route = route.key, "a function's answer has no statusCode");
            return Err("Internal server error");
        }
        if let Some(body) = answer.get("body").and_then(Value::as_str).filter(|body| route.answers && !body.is_empty())
        {
            let _ = self.handle.send(body.as_bytes().to_vec());
        }
        Ok(())
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
