//! The request as the function gets it.
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-mapping-template-reference.html>;
//! the fixtures are events as API Gateway sends them.

use axum::http::request::Parts;
use base64::Engine as _;
use bytes::Bytes;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::macros::format_description;

use super::registry::Handle;
use crate::clock::now_ms;
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
pub(crate) fn payload(api: &WebSocketApi, handle: &Handle, route_key: &str, domain: &str, what: What<'_>) -> Bytes {
    let now = OffsetDateTime::now_utc();
    let format = format_description!("[day]/[month repr:short]/[year]:[hour]:[minute]:[second] +0000");
    let request_id = uuid::Uuid::new_v4().to_string();
    let (event_type, direction) = match what {
        What::Connect(_) => ("CONNECT", "IN"),
        What::Message(..) => ("MESSAGE", "IN"),
        What::Disconnect(..) => ("DISCONNECT", "IN"),
    };
    let mut event = json!({
        "requestContext": {
            "routeKey": route_key,
            "eventType": event_type,
            "extendedRequestId": request_id,
            "requestTime": now.format(format).unwrap_or_default(),
            "messageDirection": direction,
            "stage": api.stage,
            "connectedAt": handle.connected_at_ms,
            "requestTimeEpoch": now_ms(),
            "identity": {"userAgent": handle.user_agent, "sourceIp": handle.source_ip},
            "requestId": request_id,
            "domainName": domain,
            "connectionId": &*handle.id,
            "apiId": api.logical_id,
        },
        "isBase64Encoded": false,
    });
    match what {
        What::Connect(parts) => connect(&mut event, parts),
        What::Message(body, is_text) => {
            event["requestContext"]["messageId"] = json!(uuid::Uuid::new_v4().to_string());
            event["isBase64Encoded"] = json!(!is_text);
            event["body"] = if is_text {
                json!(String::from_utf8_lossy(body))
            } else {
                json!(base64::engine::general_purpose::STANDARD.encode(body))
            };
        }
        What::Disconnect(code, reason) => {
            event["requestContext"]["disconnectStatusCode"] = json!(code);
            event["requestContext"]["disconnectReason"] = json!(reason);
            let headers = [("Host", domain), ("x-api-key", ""), ("X-Forwarded-For", ""), ("x-restapi", "")];
            let (mut single, mut multi) = (Map::new(), Map::new());
            headers.iter().for_each(|(name, value)| push(&mut single, &mut multi, name, value));
            event["headers"] = Value::Object(single);
            event["multiValueHeaders"] = Value::Object(multi);
        }
    }
    Bytes::from(event.to_string())
}

fn connect(event: &mut Value, parts: &Parts) {
    let (mut single, mut multi) = (Map::new(), Map::new());
    for (name, value) in &parts.headers {
        push(&mut single, &mut multi, name.as_str(), &String::from_utf8_lossy(value.as_bytes()));
    }
    event["headers"] = Value::Object(single);
    event["multiValueHeaders"] = Value::Object(multi);
    let (mut single, mut multi) = (Map::new(), Map::new());
    for pair in parts.uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let decode = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
        push(&mut single, &mut multi, &decode(name), &decode(value));
    }
    if !single.is_empty() {
        event["queryStringParameters"] = Value::Object(single);
        event["multiValueQueryStringParameters"] = Value::Object(multi);
    }
}

/// The last value of a name, and all of them.
fn push(single: &mut Map<String, Value>, multi: &mut Map<String, Value>, name: &str, value: &str) {
    if let Some(values) = multi.entry(name).or_insert_with(|| json!([])).as_array_mut() {
        values.push(json!(value));
    }
    single.insert(name.to_owned(), json!(value));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::websocket::registry::Registry;

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
        let (handle, _queue) = Registry::prepare("127.0.0.1".into(), "agent".into());
        let (parts, ()) =
            axum::http::Request::get("/?a=1&a=2").header("host", "localhost").body(()).unwrap().into_parts();
        for (key, what, fixture) in [
            ("$connect", What::Connect(&parts), include_str!("fixtures/connect.json")),
            ("$default", What::Message(b"hello", true), include_str!("fixtures/message.json")),
            ("$disconnect", What::Disconnect(1005, ""), include_str!("fixtures/disconnect.json")),
        ] {
            let ours: Value = serde_json::from_slice(&payload(&api, &handle, key, "localhost", what)).unwrap();
            same_shape(&ours, &serde_json::from_str(fixture).unwrap());
        }
        let bytes = payload(&api, &handle, "$default", "localhost", What::Message(&[0xff], false));
        let ours: Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!((&ours["body"], &ours["isBase64Encoded"]), (&json!("/w=="), &json!(true)));
        assert_eq!(handle.id.len(), 16);
    }
}
