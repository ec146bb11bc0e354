//! The request as the functions get it.
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-mapping-template-reference.html>;
//! the fixtures are events as API Gateway sends them.

use axum::http::request::Parts;
use base64::Engine as _;
use bytes::Bytes;
use serde_json::{Value, json};

use super::registry::Handle;
use crate::gateway::request::{self, Arrival, Grouped};
use crate::template::model::WebSocketApi;

/// What happened to a socket.
#[derive(Debug, Clone, Copy)]
pub(crate) enum What<'a> {
    /// It wants to open; with the request it came by.
    Connect(&'a Parts),
    /// It sent a message; text, or bytes.
    Message(&'a [u8], bool),
    /// It has gone, with the close code and reason.
    Disconnect(u16, &'a str),
}

/// The payload of the function that `route_key` leads to.
pub(crate) fn payload(
    api: &WebSocketApi,
    handle: &Handle,
    route_key: &str,
    arrival: &Arrival,
    what: What<'_>,
) -> Bytes {
    let mut event = json!({
        "requestContext": context(api, handle, route_key, arrival, what),
        "isBase64Encoded": false,
    });
    match what {
        What::Connect(parts) => connect(&mut event, parts, arrival),
        What::Message(body, is_text) => {
            event["isBase64Encoded"] = json!(!is_text);
            event["body"] = if is_text {
                json!(String::from_utf8_lossy(body))
            } else {
                json!(base64::engine::general_purpose::STANDARD.encode(body))
            };
        }
        What::Disconnect(..) => {
            let headers =
                [("Host", &*handle.peer.domain), ("x-api-key", ""), ("X-Forwarded-For", ""), ("x-restapi", "")];
            let mut grouped = Grouped::default();
            headers.into_iter().for_each(|(name, value)| grouped.push(name.into(), value.into()));
            event["headers"] = json!(grouped.last());
            event["multiValueHeaders"] = json!(grouped.lists());
        }
    }
    if !api.stage_variables.is_empty() {
        event["stageVariables"] = json!(api.stage_variables);
    }
    Bytes::from(event.to_string())
}

/// The event of the authorizer at `$connect`.
///
/// Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-lambda-auth.html>
pub(crate) fn of_authorizer(api: &WebSocketApi, handle: &Handle, arrival: &Arrival, parts: &Parts) -> Bytes {
    let mut event = json!({
        "type": "REQUEST",
        "methodArn": arn(api),
        "stageVariables": api.stage_variables,
        "queryStringParameters": {},
        "multiValueQueryStringParameters": {},
        "requestContext": context(api, handle, "$connect", arrival, What::Connect(parts)),
    });
    connect(&mut event, parts, arrival);
    Bytes::from(event.to_string())
}

/// What a policy must allow.
pub(crate) fn arn(api: &WebSocketApi) -> String {
    request::execute_arn(&api.logical_id, &api.stage, "$connect")
}

fn context(api: &WebSocketApi, handle: &Handle, route_key: &str, arrival: &Arrival, what: What<'_>) -> Value {
    let event_type = match what {
        What::Connect(_) => "CONNECT",
        What::Message(..) => "MESSAGE",
        What::Disconnect(..) => "DISCONNECT",
    };
    let peer = &handle.peer;
    let mut context = json!({
        "routeKey": route_key,
        "eventType": event_type,
        "extendedRequestId": arrival.request_id,
        "requestTime": arrival.time(),
        "messageDirection": "IN",
        "stage": api.stage,
        "connectedAt": handle.connected_at_ms,
        "requestTimeEpoch": arrival.epoch_ms(),
        "identity": {"userAgent": peer.user_agent, "sourceIp": peer.client.ip().to_string()},
        "requestId": arrival.request_id,
        "domainName": peer.domain,
        "connectionId": &*handle.id,
        "apiId": api.logical_id,
    });
    match what {
        What::Connect(_) => {}
        What::Message(..) => context["messageId"] = json!(request::short_id()),
        What::Disconnect(code, reason) => {
            context["disconnectStatusCode"] = json!(code);
            context["disconnectReason"] = json!(reason);
        }
    }
    if let Some(authorizer) = &handle.authorizer {
        context["authorizer"] = (**authorizer).clone();
    }
    context
}

fn connect(event: &mut Value, parts: &Parts, arrival: &Arrival) {
    let port = parts.headers.get("host").and_then(|host| host.to_str().ok()?.rsplit_once(':')?.1.parse().ok());
    let headers = request::headers(parts, arrival, port.unwrap_or(80));
    event["headers"] = json!(headers.last());
    event["multiValueHeaders"] = json!(headers.lists());
    let query = request::query(parts.uri.query().unwrap_or_default());
    let query = Grouped::of(&query);
    if !query.is_empty() {
        event["queryStringParameters"] = json!(query.last());
        event["multiValueQueryStringParameters"] = json!(query.lists());
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::sync::Arc;

    use super::*;
    use crate::websocket::registry::{Peer, Registry};

    fn same_shape(ours: &Value, theirs: &Value) {
        for (name, value) in theirs.as_object().unwrap() {
            let kind = std::mem::discriminant(value);
            assert_eq!(std::mem::discriminant(&ours[name]), kind, "{name} in {ours}");
            if value.is_object() && name == "requestContext" {
                same_shape(&ours[name], value);
            }
        }
    }

    #[test]
    fn the_events_have_the_shape_of_api_gateways() {
        let api = WebSocketApi { stage: "Prod".into(), ..WebSocketApi::default() };
        let client = SocketAddr::from(([127, 0, 0, 1], 1));
        let peer = Peer { client, user_agent: "agent".into(), domain: "localhost".into() };
        let (mut handle, _queue) = Registry::prepare(peer);
        let arrival = Arrival::now(client);
        let (parts, ()) =
            axum::http::Request::get("/?a=1&a=2").header("host", "localhost").body(()).unwrap().into_parts();
        for (key, what, fixture) in [
            ("$connect", What::Connect(&parts), include_str!("fixtures/connect.json")),
            ("$default", What::Message(b"hello", true), include_str!("fixtures/message.json")),
            ("$disconnect", What::Disconnect(1005, ""), include_str!("fixtures/disconnect.json")),
        ] {
            let ours: Value = serde_json::from_slice(&payload(&api, &handle, key, &arrival, what)).unwrap();
            same_shape(&ours, &serde_json::from_str(fixture).unwrap());
            assert!(ours["requestContext"].get("authorizer").is_none());
        }
        handle.authorizer = Some(Arc::new(json!({"principalId": "me"})));
        let bytes = payload(&api, &handle, "$default", &arrival, What::Message(&[0xff], false));
        let ours: Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!((&ours["body"], &ours["isBase64Encoded"]), (&json!("/w=="), &json!(true)));
        assert_eq!(ours["requestContext"]["authorizer"]["principalId"], "me");
        assert_eq!(handle.id.len(), 16);
    }

    #[test]
    fn an_authorizer_gets_headers_query_and_the_arn_of_connect() {
        let api = WebSocketApi { logical_id: "Api".into(), stage: "Prod".into(), ..WebSocketApi::default() };
        let client = SocketAddr::from(([127, 0, 0, 1], 1));
        let peer = Peer { client, user_agent: String::new(), domain: "localhost".into() };
        let (handle, _queue) = Registry::prepare(peer);
        let (parts, ()) =
            axum::http::Request::get("/?token=a%20b").header("HeaderAuth1", "v").body(()).unwrap().into_parts();
        let event = of_authorizer(&api, &handle, &Arrival::now(client), &parts);
        let event: Value = serde_json::from_slice(&event).unwrap();
        assert_eq!((&event["type"], &event["queryStringParameters"]["token"]), (&json!("REQUEST"), &json!("a b")));
        assert_eq!(event["methodArn"], "arn:aws:execute-api:us-east-1:000000000000:Api/Prod/$connect");
        assert_eq!(
            (&event["headers"]["headerauth1"], &event["requestContext"]["eventType"]),
            (&json!("v"), &json!("CONNECT"))
        );
    }
}
