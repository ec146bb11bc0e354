//! The function's answer as the client gets it.
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use base64::Engine as _;
use serde_json::{Map, Value};

use super::answer::empty;
use crate::template::model::PayloadFormat;

/// What the gateway sets itself.
const OF_THE_GATEWAY: [HeaderName; 3] = [header::CONTENT_LENGTH, header::CONNECTION, header::TRANSFER_ENCODING];

/// Reads an answer.
///
/// # Errors
/// What is wrong with it, for the log; the client gets an internal server error.
pub(crate) fn from_function(format: PayloadFormat, payload: &[u8]) -> Result<Response, String> {
    let answer: Value = serde_json::from_slice(payload).map_err(|error| format!("it is not JSON: {error}"))?;
    match (&answer, format) {
        (Value::Object(fields), _) if fields.contains_key("statusCode") => shaped(fields, format),
        (_, PayloadFormat::V2) => Ok(inferred(&answer, payload)),
        (_, PayloadFormat::V1) => Err("payload format 1.0 needs an object with a statusCode".to_owned()),
    }
}

/// Format 2.0 without a `statusCode`: the answer is the body. A text loses its quotes.
fn inferred(answer: &Value, payload: &[u8]) -> Response {
    let body = match answer {
        Value::String(text) => text.clone().into_bytes(),
        _ => payload.to_vec(),
    };
    let mut response = Response::new(Body::from(body));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn shaped(answer: &Map<String, Value>, format: PayloadFormat) -> Result<Response, String> {
    let mut response = empty(status(answer.get("statusCode"))?);
    let headers = response.headers_mut();
    if format == PayloadFormat::V1 {
        lists(answer, headers)?;
    }
    single(answer, format, headers)?;
    if format == PayloadFormat::V2 {
        for cookie in list(answer, "cookies")? {
            let cookie = cookie.as_str().ok_or_else(|| wrong("cookies", "a list of texts", cookie))?;
            headers.append(header::SET_COOKIE, value("cookies", cookie)?);
        }
    }
    for name in OF_THE_GATEWAY {
        headers.remove(name);
    }
    if !headers.contains_key(header::CONTENT_TYPE) {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    }
    *response.body_mut() = Body::from(body(answer)?);
    Ok(response)
}

/// A whole number, or a text that is one.
fn status(given: Option<&Value>) -> Result<StatusCode, String> {
    let number = match given {
        Some(Value::Number(number)) => number.as_u64(),
        Some(Value::String(text)) => text.parse().ok(),
        _ => None,
    };
    let status = number.and_then(|number| u16::try_from(number).ok()).filter(|number| (200..600).contains(number));
    status
        .and_then(|status| StatusCode::from_u16(status).ok())
        .ok_or_else(|| wrong("statusCode", "a number from 200 to 599", given.unwrap_or(&Value::Null)))
}

fn wrong(field: &str, expected: &str, came: &Value) -> String {
    let came: String = came.to_string().chars().take(80).collect();
    format!("{field}: {expected} was expected; {came} came")
}

fn list<'a>(answer: &'a Map<String, Value>, field: &str) -> Result<&'a [Value], String> {
    match answer.get(field) {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(items)) => Ok(items),
        Some(other) => Err(wrong(field, "a list", other)),
    }
}

fn fields<'a>(answer: &'a Map<String, Value>, field: &str) -> Result<Option<&'a Map<String, Value>>, String> {
    match answer.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(fields)) => Ok(Some(fields)),
        Some(other) => Err(wrong(field, "an object", other)),
    }
}

/// `multiValueHeaders` of format 1.0.
fn lists(answer: &Map<String, Value>, headers: &mut HeaderMap) -> Result<(), String> {
    for (name, values) in fields(answer, "multiValueHeaders")?.into_iter().flatten() {
        let values = values.as_array().ok_or_else(|| wrong("multiValueHeaders", "lists of values", values))?;
        for given in values {
            headers.append(header_name(name)?, value(name, &text(name, given)?)?);
        }
    }
    Ok(())
}

/// `headers`; in format 1.0 a value that stands among the lists too is sent once.
fn single(answer: &Map<String, Value>, format: PayloadFormat, headers: &mut HeaderMap) -> Result<(), String> {
    for (name, given) in fields(answer, "headers")?.into_iter().flatten() {
        let (name, value) = (header_name(name)?, value(name, &text(name, given)?)?);
        if format == PayloadFormat::V2 {
            headers.insert(name, value);
        } else if !headers.get_all(&name).iter().any(|known| known == value) {
            headers.append(name, value);
        }
    }
    Ok(())
}

fn text(name: &str, given: &Value) -> Result<String, String> {
    match given {
        Value::String(text) => Ok(text.clone()),
        Value::Number(_) | Value::Bool(_) => Ok(given.to_string()),
        other => Err(wrong(&format!("header {name}"), "a text", other)),
    }
}

fn header_name(name: &str) -> Result<HeaderName, String> {
    HeaderName::try_from(name).map_err(|_| format!("headers: {name:?} is no header's name"))
}

fn value(name: &str, text: &str) -> Result<HeaderValue, String> {
    HeaderValue::try_from(text).map_err(|_| format!("header {name}: its value holds what no header may"))
}

fn body(answer: &Map<String, Value>) -> Result<Vec<u8>, String> {
    let body = match answer.get("body") {
        None | Some(Value::Null) => "",
        Some(Value::String(text)) => text,
        Some(other) => return Err(wrong("body", "a text", other)),
    };
    match answer.get("isBase64Encoded") {
        Some(Value::Bool(true)) => {
            let engine = base64::engine::general_purpose::STANDARD;
            engine.decode(body).map_err(|error| format!("body: isBase64Encoded is true, but {error}"))
        }
        None | Some(Value::Null | Value::Bool(false)) => Ok(body.as_bytes().to_vec()),
        Some(other) => Err(wrong("isBase64Encoded", "true or false", other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(format: PayloadFormat, answer: &str) -> Result<Response, String> {
        from_function(format, answer.as_bytes())
    }

    async fn seen(response: Response) -> (u16, String, String) {
        let content_type = response.headers().get("content-type").map(|value| value.to_str().unwrap().to_owned());
        let status = response.status().as_u16();
        let body = axum::body::to_bytes(response.into_body(), 1_000).await.unwrap();
        (status, content_type.unwrap_or_default(), String::from_utf8(body.to_vec()).unwrap())
    }

    fn all<'a>(response: &'a Response, name: &str) -> Vec<&'a str> {
        response.headers().get_all(name).iter().map(|value| value.to_str().unwrap()).collect()
    }

    #[tokio::test]
    async fn without_a_status_code_the_answer_is_the_body() {
        for (answer, body) in [
            (r#""Hello from Lambda!""#, "Hello from Lambda!"),
            (r#"{ "message": "Hello from Lambda!" }"#, r#"{ "message": "Hello from Lambda!" }"#),
            ("[1,2]", "[1,2]"),
            ("null", "null"),
        ] {
            let response = read(PayloadFormat::V2, answer).unwrap();
            assert_eq!(seen(response).await, (200, "application/json".to_owned(), body.to_owned()));
            assert!(read(PayloadFormat::V1, answer).is_err(), "format 1.0 infers nothing");
        }
    }

    #[tokio::test]
    async fn a_status_code_makes_it_a_whole_answer() {
        let answer = r#"{"statusCode":"201","headers":{"X-N":1,"Content-Length":"9"},"cookies":["a=1; Path=/","b=2"],"body":"hé"}"#;
        let response = read(PayloadFormat::V2, answer).unwrap();
        assert_eq!(all(&response, "set-cookie"), ["a=1; Path=/", "b=2"]);
        assert_eq!((all(&response, "x-n"), all(&response, "content-length")), (vec!["1"], vec![]));
        assert_eq!(seen(response).await, (201, "text/plain; charset=utf-8".to_owned(), "hé".to_owned()));
        let encoded = r#"{"statusCode":200,"headers":{"content-type":"image/x"},"isBase64Encoded":true,"body":"aGk="}"#;
        let response = read(PayloadFormat::V2, encoded).unwrap();
        assert_eq!(seen(response).await, (200, "image/x".to_owned(), "hi".to_owned()));
    }

    #[test]
    fn format_1_merges_lists_and_single_headers() {
        let answer =
            r#"{"statusCode":200,"headers":{"a":"1","b":"2"},"multiValueHeaders":{"A":["1","3"]},"cookies":["x"]}"#;
        let response = read(PayloadFormat::V1, answer).unwrap();
        assert_eq!((all(&response, "a"), all(&response, "b")), (vec!["1", "3"], vec!["2"]));
        assert!(all(&response, "set-cookie").is_empty(), "cookies are format 2.0's");
        let response = read(PayloadFormat::V2, answer).unwrap();
        assert_eq!(all(&response, "a"), ["1"], "lists are format 1.0's");
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (answer, words) in [
            ("", "not JSON"),
            ("Hello", "not JSON"),
            (r#"{"statusCode":99}"#, "statusCode"),
            (r#"{"statusCode":"teapot"}"#, "statusCode"),
            (r#"{"statusCode":null}"#, "statusCode"),
            (r#"{"statusCode":200,"body":{"a":1}}"#, "body: a text"),
            (r#"{"statusCode":200,"headers":[]}"#, "headers: an object"),
            (r#"{"statusCode":200,"headers":{"a":[1]}}"#, "header a"),
            (r#"{"statusCode":200,"headers":{"a b":"1"}}"#, "no header's name"),
            (r#"{"statusCode":200,"headers":{"a":"1\r\nb: 2"}}"#, "header a"),
            (r#"{"statusCode":200,"cookies":"a=1"}"#, "cookies: a list"),
            (r#"{"statusCode":200,"isBase64Encoded":true,"body":"%"}"#, "isBase64Encoded"),
            (r#"{"statusCode":200,"isBase64Encoded":"yes"}"#, "isBase64Encoded"),
        ] {
            let said = read(PayloadFormat::V2, answer).unwrap_err();
            assert!(said.contains(words), "{answer}: {said}");
        }
    }
}
