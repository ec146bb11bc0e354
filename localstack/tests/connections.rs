//! The @connections API as `aws-sdk-apigatewaymanagement` speaks it, with real sockets and a real function process.

#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use aws_sdk_apigatewaymanagement::Client;
use aws_sdk_apigatewaymanagement::config::retry::RetryConfig;
use aws_sdk_apigatewaymanagement::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_apigatewaymanagement::operation::post_to_connection::PostToConnectionError;
use aws_sdk_apigatewaymanagement::primitives::Blob;
use bytes::Bytes;
use freshet_localstack::functions::{Invoke, Outcome};
use freshet_localstack::gateway::Gateway;
use freshet_localstack::template::model::{HttpApi, HttpRoute, WebSocketApi, WebSocketRoute};
use freshet_localstack::websocket::{Limits, WebSocketGateway, listen};
use futures::future::BoxFuture;
use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use support::{eventually, function, supervisor};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_tungstenite::tungstenite::Message;

fn api() -> WebSocketApi {
    let route = |key: &str| WebSocketRoute { key: key.into(), function: "F".into(), answers: true, timeout_ms: 10_000 };
    WebSocketApi {
        logical_id: "Sockets".into(),
        stage: "live".into(),
        action: vec!["action".into()],
        routes: vec![route("$connect"), route("$default")],
        ..WebSocketApi::default()
    }
}

/// As a function in the cloud makes it, with the stage in the endpoint.
fn client(gateway: &WebSocketGateway) -> Client {
    let config = aws_sdk_apigatewaymanagement::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("local", "local", None, None, "tests"))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .endpoint_url(format!("http://{}/live", gateway.address()))
        .retry_config(RetryConfig::disabled());
    Client::from_conf(config.build())
}

async fn post(client: &Client, id: &str, message: &[u8]) -> Result<(), PostToConnectionError> {
    let sent = client.post_to_connection().connection_id(id).data(Blob::new(message)).send().await;
    sent.map(drop).map_err(aws_sdk_apigatewaymanagement::error::SdkError::into_service_error)
}

/// Lets everybody in and keeps the connection ids; at `$connect` it does what a function must not.
struct Hasty {
    client: OnceLock<Client>,
    ids: Mutex<Vec<String>>,
    posted: Mutex<Vec<Result<(), PostToConnectionError>>>,
}

impl Invoke for Hasty {
    fn invoke<'a>(&'a self, _: &'a str, payload: Bytes) -> BoxFuture<'a, Outcome> {
        Box::pin(async move {
            let event: Value = serde_json::from_slice(&payload).unwrap();
            let id = event["requestContext"]["connectionId"].as_str().unwrap().to_owned();
            if event["requestContext"]["eventType"] == "CONNECT" {
                let posted = post(self.client.get().unwrap(), &id, b"too early").await;
                self.posted.lock().unwrap().push(posted);
            }
            self.ids.lock().unwrap().push(id);
            Outcome::Response(json!({"statusCode": 200}).to_string().into())
        })
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sdk_posts_looks_deletes_and_is_told_what_is_wrong() {
    let functions = Arc::new(Hasty { client: OnceLock::new(), ids: Mutex::default(), posted: Mutex::default() });
    let invoke = Arc::clone(&functions) as Arc<dyn Invoke>;
    let gateway = WebSocketGateway::start(api(), Limits::default(), listen(0).unwrap(), invoke).unwrap();
    functions.client.set(client(&gateway)).unwrap();
    let client = client(&gateway);

    let (mut socket, _) = tokio_tungstenite::connect_async(format!("ws://{}/live", gateway.address())).await.unwrap();
    eventually("the socket", || gateway.connections() == 1).await;
    let early = functions.posted.lock().unwrap().remove(0);
    assert!(early.unwrap_err().is_gone_exception(), "inside $connect there is no connection yet");
    let id = functions.ids.lock().unwrap()[0].clone();

    post(&client, &id, b"hello").await.unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap(), Message::text("hello"));
    let largest = vec![b'x'; 128 * 1_024];
    post(&client, &id, &largest).await.unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap().len(), largest.len());
    let too_large = post(&client, &id, &vec![b'x'; 128 * 1_024 + 1]).await.unwrap_err();
    assert!(too_large.is_payload_too_large_exception(), "{too_large:?}");

    let seen = client.get_connection().connection_id(&id).send().await.unwrap();
    let (connected, active) = (seen.connected_at().unwrap(), seen.last_active_at().unwrap());
    assert!(connected.secs() > 1_700_000_000 && active.secs() >= connected.secs());
    assert_eq!(seen.identity().unwrap().source_ip(), Some("127.0.0.1"));

    client.delete_connection().connection_id(&id).send().await.unwrap();
    assert!(matches!(socket.next().await, Some(Ok(Message::Close(_)))));
    assert!(post(&client, &id, b"late").await.unwrap_err().is_gone_exception());
    let gone = client.get_connection().connection_id(&id).send().await.unwrap_err().into_service_error();
    assert!(gone.is_gone_exception());
    let gone = client.delete_connection().connection_id(&id).send().await.unwrap_err().into_service_error();
    assert!(gone.is_gone_exception());
    let never = post(&client, "L0SM9cOFvHcCIhw=", b"x").await.unwrap_err();
    assert!(never.is_gone_exception(), "one that never was: {never:?}");
    gateway.stop().await;
}

/// The whole answer to one request.
async fn get(gateway: &Gateway, path: &str) -> String {
    let mut stream = tokio::net::TcpStream::connect(gateway.address()).await.unwrap();
    stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_real_process_answers_http_and_sockets() {
    let supervisor = Arc::new(supervisor(function("F")));
    let invoke = Arc::clone(&supervisor) as Arc<dyn Invoke>;
    let route = |path: &str, function: &str| HttpRoute {
        method: "GET".into(),
        path: path.into(),
        function: function.into(),
        timeout_ms: 10_000,
        ..HttpRoute::default()
    };
    let http = HttpApi {
        stage: "$default".into(),
        routes: vec![route("/echo/{id}", "F"), route("/nobody", "Nobody")],
        ..HttpApi::default()
    };
    let gateway = Gateway::start(http, 0, Arc::clone(&invoke)).await.unwrap();
    let answer = get(&gateway, "/echo/7").await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    let event: Value = serde_json::from_str(body).unwrap();
    assert_eq!(event["pathParameters"]["id"], "7", "the function answers with its event");
    assert!(get(&gateway, "/nobody").await.starts_with("HTTP/1.1 503"));

    // The function's echo has no statusCode: $connect can't let anybody in by it, and is left out.
    let mut api = api();
    api.routes.remove(0);
    let sockets = WebSocketGateway::start(api, Limits::default(), listen(0).unwrap(), invoke).unwrap();
    let (mut socket, _) = tokio_tungstenite::connect_async(format!("ws://{}/live", sockets.address())).await.unwrap();
    socket.send(Message::text("hello")).await.unwrap();
    let answer = tokio::time::timeout(Duration::from_secs(10), socket.next()).await.unwrap().unwrap().unwrap();
    let answer: Value = serde_json::from_str(answer.to_text().unwrap()).unwrap();
    assert_eq!(answer["message"], "Internal server error", "an answer without a statusCode is malformed");
    assert_eq!(supervisor.status()[0].invocations, 2);
    sockets.stop().await;
    gateway.stop().await;
    supervisor.stop().await;
}
