//! The handshake: throttling, authorizer and `$connect`, before the socket is opened.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{ConnectInfo, FromRequestParts as _, Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use serde_json::{Map, Value};

use super::connection::Socket;
use super::event::{self, What};
use super::registry::{Handle, Peer, Registry};
use super::{Failed, Shared};
use crate::gateway::answer::message;
use crate::gateway::authorizer::lambda::{self, Failure};
use crate::gateway::authorizer::policy::Verdict;
use crate::gateway::request::{self, Arrival};
use crate::template::model::{IdentitySource, LambdaAuthorizer, WebSocketApi};

/// Opens a socket, if the authorizer and `$connect` let it.
pub(crate) async fn open(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let (mut parts, _) = request.into_parts();
    let Ok(upgrade) = WebSocketUpgrade::from_request_parts(&mut parts, &()).await else {
        return message(StatusCode::UPGRADE_REQUIRED, "a WebSocket was expected");
    };
    let header = |name| request::header(&parts.headers, name);
    let peer = Peer { client, user_agent: header("user-agent").to_owned(), domain: header("host").to_owned() };
    let (mut handle, queue) = Registry::prepare(peer);
    let spoken = match connect(&shared, &mut handle, &parts).await {
        Ok(spoken) => spoken,
        Err(refused) => return refused,
    };
    // What $connect says, else the first of the protocols that the client asks for.
    let asked = header("sec-websocket-protocol").split(',').next().map(|name| name.trim().to_owned());
    let upgrade = upgrade
        .protocols(spoken.or(asked))
        .max_message_size(shared.limits.message_bytes)
        .max_frame_size(shared.limits.frame_bytes);
    let failed = handle.clone();
    upgrade
        .on_failed_upgrade(move |error| {
            tracing::debug!(%error, connection = &*failed.id, "a socket was not opened");
            failed.closing.cancel();
        })
        .on_upgrade(move |socket| async move { Socket::new(shared, handle).run(socket, queue).await })
}

/// Lets the socket in; the protocol that `$connect` chose, if any.
///
/// # Errors
/// What the client gets who may not connect.
async fn connect(shared: &Shared, handle: &mut Handle, parts: &Parts) -> Result<Option<String>, Response> {
    let api = &shared.api;
    // As with a domain of its own, where the stage may be left out.
    let path = parts.uri.path().trim_matches('/');
    if !path.is_empty() && path != api.stage {
        return Err(message(StatusCode::FORBIDDEN, "Forbidden"));
    }
    if shared.registry.is_full() || !shared.lets_through("$connect") {
        return Err(message(StatusCode::TOO_MANY_REQUESTS, "Too Many Requests"));
    }
    let arrival = Arrival::now(handle.peer.client);
    if let Some(authorizer) = &api.authorizer {
        let context = authorize(shared, authorizer, handle, &arrival, parts).await?;
        handle.authorizer = Some(Arc::new(Value::Object(context)));
    }
    let Some(route) = shared.route("$connect") else { return Ok(None) };
    let event = event::payload(api, handle, "$connect", &arrival, What::Connect(parts));
    let answer = shared.invoke(route, event).await.map_err(|failed| match failed {
        Failed::TimedOut => message(StatusCode::GATEWAY_TIMEOUT, "Endpoint request timed out"),
        Failed::Throttled | Failed::Error => message(StatusCode::BAD_GATEWAY, "Internal server error"),
    })?;
    let status = super::status(&answer).unwrap_or(StatusCode::BAD_GATEWAY);
    if status.is_success() { Ok(protocol(&answer)) } else { Err(message(status, reason(status))) }
}

fn reason(status: StatusCode) -> &'static str {
    status.canonical_reason().unwrap_or("Forbidden")
}

/// `Sec-WebSocket-Protocol` among the answer's headers.
fn protocol(answer: &Value) -> Option<String> {
    let headers = answer.get("headers")?.as_object()?;
    let (_, value) = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("sec-websocket-protocol"))?;
    value.as_str().map(str::to_owned)
}

/// Asks the authorizer; what later events carry as `requestContext.authorizer`.
async fn authorize(
    shared: &Shared,
    authorizer: &LambdaAuthorizer,
    handle: &Handle,
    arrival: &Arrival,
    parts: &Parts,
) -> Result<Map<String, Value>, Response> {
    let query = request::query(parts.uri.query().unwrap_or_default());
    let is_there = |source| is_there(&shared.api, source, &query, parts);
    if !authorizer.identity.iter().all(is_there) {
        return Err(message(StatusCode::UNAUTHORIZED, "Unauthorized"));
    }
    let begin = std::time::Instant::now();
    let event = event::of_authorizer(&shared.api, handle, arrival, parts);
    let failed = |failure| match failure {
        Failure::Unauthorized => message(StatusCode::UNAUTHORIZED, "Unauthorized"),
        Failure::Failed(error) => {
            tracing::warn!(function = authorizer.function, error, "the authorizer of a WebSocket API failed");
            message(StatusCode::INTERNAL_SERVER_ERROR, "Internal server error")
        }
    };
    let answer = lambda::ask(shared.invoke.as_ref(), &authorizer.function, event, false).await.map_err(failed)?;
    let not_authorized = "User is not authorized to access this resource";
    match answer.verdict(&event::arn(&shared.api)) {
        Verdict::Allowed => {}
        Verdict::Denied => {
            return Err(message(StatusCode::FORBIDDEN, &format!("{not_authorized} with an explicit deny")));
        }
        Verdict::NotAllowed => return Err(message(StatusCode::FORBIDDEN, not_authorized)),
    }
    let mut context = Map::new();
    for (name, value) in answer.flat() {
        let text = match value {
            Value::String(text) => text,
            Value::Number(_) | Value::Bool(_) => value.to_string(),
            _ => {
                let error = format!("context: {name} is neither a text nor a number nor true or false");
                return Err(failed(Failure::Failed(error)));
            }
        };
        context.insert(name, Value::String(text));
    }
    let latency = u64::try_from(begin.elapsed().as_millis()).unwrap_or(u64::MAX);
    context.insert("integrationLatency".to_owned(), Value::from(latency));
    Ok(context)
}

fn is_there(api: &WebSocketApi, source: &IdentitySource, query: &[(String, String)], parts: &Parts) -> bool {
    match source {
        IdentitySource::Header(name) => parts.headers.get(name.as_str()).is_some_and(|value| !value.is_empty()),
        IdentitySource::QueryString(name) => query.iter().any(|(known, value)| known == name && !value.is_empty()),
        IdentitySource::StageVariable(name) => api.stage_variables.get(name).is_some_and(|value| !value.is_empty()),
        // Those of the context are always there.
        IdentitySource::Context(_) => true,
    }
}
