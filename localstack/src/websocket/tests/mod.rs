//! The gateway with real sockets; the functions behind it stand in for themselves.

mod connect;
mod lifetime;
mod management;
mod routes;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use super::*;
use crate::functions::{Invoke, Outcome};
use crate::gateway::tests::support::{Functions, answered};
use crate::template::model::{WebSocketApi, WebSocketRoute};

type Socket = WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>;

fn route(key: &str, answers: bool) -> WebSocketRoute {
    WebSocketRoute { key: key.into(), function: "F".into(), answers, timeout_ms: 10_000 }
}

fn api() -> WebSocketApi {
    WebSocketApi {
        logical_id: "Api".into(),
        stage: "live".into(),
        action: vec!["action".into()],
        routes: vec![
            route("$connect", false),
            route("$disconnect", false),
            route("echo", true),
            route("$default", false),
        ],
        ..WebSocketApi::default()
    }
}

/// Refuses whoever asks for it at `$connect`; echoes.
fn echo() -> Arc<Functions> {
    Functions::new(|_, event| {
        let refused = event["queryStringParameters"]["refuse"] == "yes";
        answered(&json!({"statusCode": if refused { 401 } else { 200 }, "body": event["body"]}))
    })
}

fn start(api: WebSocketApi, limits: Limits, functions: &Arc<Functions>) -> WebSocketGateway {
    let invoke = Arc::clone(functions) as Arc<dyn Invoke>;
    WebSocketGateway::start(api, limits, listen(0).unwrap(), invoke).unwrap()
}

/// Of the events so far.
fn route_keys(functions: &Functions) -> Vec<String> {
    let events = functions.events("F");
    events.iter().map(|event| event["requestContext"]["routeKey"].as_str().unwrap().to_owned()).collect()
}

/// The path of the connection that came as number `index`.
fn connection(functions: &Functions, index: usize) -> String {
    let id = functions.events("F")[index]["requestContext"]["connectionId"].as_str().unwrap().replace('=', "%3D");
    format!("/live/@connections/{id}")
}

async fn open(at: SocketAddr, path: &str, headers: &[(&str, &str)]) -> Result<Socket, Box<Error>> {
    let mut request = format!("ws://{at}{path}").into_client_request().unwrap();
    for (name, value) in headers {
        let name: HeaderName = name.parse().unwrap();
        request.headers_mut().insert(name, HeaderValue::from_str(value).unwrap());
    }
    tokio_tungstenite::connect_async(request).await.map(|(socket, _)| socket).map_err(Box::new)
}

/// Status and message of a refused handshake.
async fn refused(at: SocketAddr, path: &str, headers: &[(&str, &str)]) -> (u16, String) {
    match open(at, path, headers).await.map_err(|error| *error) {
        Err(Error::Http(answer)) => {
            let body: Value = serde_json::from_slice(answer.body().as_deref().unwrap_or_default()).unwrap_or_default();
            (answer.status().as_u16(), body["message"].as_str().unwrap_or_default().to_owned())
        }
        other => panic!("a refusal was expected: {other:?}"),
    }
}

async fn next(socket: &mut Socket) -> Message {
    let next = tokio::time::timeout(Duration::from_secs(20), socket.next()).await;
    next.expect("nothing comes").unwrap().unwrap()
}

/// The next message as JSON.
async fn next_json(socket: &mut Socket) -> Value {
    serde_json::from_str(next(socket).await.to_text().unwrap()).unwrap()
}

async fn eventually(what: &str, condition: impl Fn() -> bool) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    while !condition() {
        assert!(tokio::time::Instant::now() < deadline, "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// A function that fails.
fn failing() -> Outcome {
    Outcome::FunctionError(r#"{"errorType":"X","errorMessage":"broken"}"#.into())
}
