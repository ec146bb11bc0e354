//! The request as the function gets it: payload format 2.0.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use axum::http::request::Parts;
use base64::Engine as _;
use bytes::Bytes;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::macros::format_description;

use super::routes::Matched;
use crate::template::model::HttpApi;

pub(super) fn payload(api: &HttpApi, matched: &Matched<'_>, client: SocketAddr, parts: &Parts, body: &Bytes) -> Bytes {
    let now = OffsetDateTime::now_utc();
    let path = percent_decode_str(parts.uri.path()).decode_utf8_lossy().into_owned();
    let query = parts.uri.query().unwrap_or_default();
    let route_key = match matched.route.path.as_str() {
        "$default" => "$default".to_owned(),
        path => format!("{} {path}", matched.route.method),
    };
    let (headers, cookies) = headers(parts);
    let header = |name: &str| headers.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (host, user_agent) = (header("host"), header("user-agent"));
    let format = format_description!("[day]/[month repr:short]/[year]:[hour]:[minute]:[second] +0000");
    let mut event = json!({
        "version": "2.0",
        "routeKey": route_key,
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers,
        "requestContext": {
            "accountId": "000000000000",
            "apiId": api.logical_id,
            "domainName": host,
            "domainPrefix": host.split('.').next().unwrap_or_default(),
            "http": {
                "method": parts.method.as_str(),
                "path": path,
                "protocol": format!("{:?}", parts.version),
                "sourceIp": client.ip().to_string(),
                "userAgent": user_agent,
            },
            "requestId": uuid::Uuid::new_v4().to_string(),
            "routeKey": route_key,
            "stage": api.stage,
            "time": now.format(format).unwrap_or_default(),
            "timeEpoch": i64::try_from(now.unix_timestamp_nanos() / 1_000_000).unwrap_or(0),
        },
        "isBase64Encoded": false,
    });
    // What is empty is left out.
    let query = query_parameters(query);
    for (name, values) in [("queryStringParameters", &query), ("pathParameters", &matched.parameters)] {
        if !values.is_empty() {
            event[name] = json!(values);
        }
    }
    if !cookies.is_empty() {
        event["cookies"] = json!(cookies);
    }
    if !body.is_empty() {
        let text = if is_text(parts) { std::str::from_utf8(body).ok() } else { None };
        event["isBase64Encoded"] = json!(text.is_none());
        event["body"] = match text {
            Some(text) => json!(text),
            None => json!(base64::engine::general_purpose::STANDARD.encode(body)),
        };
    }
    Bytes::from(event.to_string())
}

/// Lower-case names, several values of one joined by commas; cookies apart.
fn headers(parts: &Parts) -> (Map<String, Value>, Vec<String>) {
    let mut joined: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (name, value) in &parts.headers {
        joined.entry(name.as_str()).or_default().push(String::from_utf8_lossy(value.as_bytes()).into_owned());
    }
    let cookies = joined.remove("cookie").unwrap_or_default();
    let cookies = cookies.iter().flat_map(|line| line.split(';')).map(|cookie| cookie.trim().to_owned());
    let cookies = cookies.filter(|cookie| !cookie.is_empty()).collect();
    (joined.into_iter().map(|(name, values)| (name.to_owned(), json!(values.join(",")))).collect(), cookies)
}

/// Decoded; several values of one name joined by commas.
fn query_parameters(query: &str) -> BTreeMap<String, String> {
    let mut parameters: BTreeMap<String, String> = BTreeMap::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let decode = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
        let value = decode(value);
        parameters
            .entry(decode(name))
            .and_modify(|joined| {
                joined.push(',');
                joined.push_str(&value);
            })
            .or_insert(value);
    }
    parameters
}

fn is_text(parts: &Parts) -> bool {
    let content_type = parts.headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or("text/plain");
    let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind.starts_with("text/")
        || kind.ends_with("+json")
        || kind.ends_with("+xml")
        || ["application/json", "application/javascript", "application/xml", "application/x-www-form-urlencoded"]
            .contains(&kind.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::model::HttpRoute;

    /// Every field of the guide's example is there, with the same type, and the values that the request fixes.
    #[test]
    fn the_payload_has_the_shape_of_the_developer_guide() {
        let fixture: Value = serde_json::from_str(include_str!("fixtures/payload-2.0.json")).unwrap();
        let request = axum::http::Request::post("/my/path?parameter1=value1&parameter1=value2&parameter2=value")
            .header("Header1", "value1")
            .header("header2", "value1")
            .header("header2", "value2")
            .header("cookie", "cookie1; cookie2")
            .header("host", "id.execute-api.us-east-1.amazonaws.com")
            .header("user-agent", "agent")
            .body(())
            .unwrap();
        let (parts, ()) = request.into_parts();
        let route =
            HttpRoute { method: "POST".into(), path: "/my/{parameter1}".into(), function: "F".into(), timeout_ms: 1 };
        let parameters = BTreeMap::from([("parameter1".to_owned(), "value1".to_owned())]);
        let api = HttpApi { logical_id: "api-id".into(), stage: "$default".into(), ..HttpApi::default() };
        let client = SocketAddr::from(([192, 0, 2, 1], 1));
        let matched = Matched { route: &route, parameters };
        let ours: Value =
            serde_json::from_slice(&payload(&api, &matched, client, &parts, &Bytes::from_static(b"Hello from Lambda")))
                .unwrap();
        for field in [
            "version",
            "rawPath",
            "rawQueryString",
            "cookies",
            "queryStringParameters",
            "body",
            "pathParameters",
            "isBase64Encoded",
        ] {
            assert_eq!(ours[field], fixture[field], "{field}");
        }
        assert_eq!(
            (&ours["headers"]["header1"], &ours["headers"]["header2"]),
            (&json!("value1"), &json!("value1,value2"))
        );
        for (name, value) in fixture["requestContext"].as_object().unwrap() {
            if !["authentication", "authorizer"].contains(&name.as_str()) {
                assert_eq!(
                    std::mem::discriminant(&ours["requestContext"][name]),
                    std::mem::discriminant(value),
                    "{name}"
                );
            }
        }
        for (name, value) in fixture["requestContext"]["http"].as_object().unwrap() {
            assert_eq!(&ours["requestContext"]["http"][name], value, "{name}");
        }
    }
}
