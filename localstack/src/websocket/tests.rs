//! The gateway with real sockets; the functions behind it stand in for themselves.

use std::sync::Mutex;

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::*;
use crate::functions::Outcome;
use crate::template::model::WebSocketRoute;

/// Refuses whoever asks for it at `$connect`; echoes; keeps what came.
#[derive(Default)]
struct Functions {
    events: Mutex<Vec<Value>>,
}

impl Invoke for Functions {
    fn invoke<'a>(&'a self, _: &'a str, payload: Bytes) -> BoxFuture<'a, Outcome> {
        Box::pin(async move {
            let event: Value = serde_json::from_slice(&payload).unwrap();
            let refused = event["queryStringParameters"]["refuse"] == "yes";
            let answer = json!({"statusCode": if refused { 401 } else { 200 }, "body": event["body"]});
            self.events.lock().unwrap().push(event);
            Outcome::Response(answer.to_string().into())
        })
    }
}

impl Functions {
    fn routes(&self) -> Vec<String> {
        let events = self.events.lock().unwrap();
        events.iter().map(|event| event["requestContext"]["routeKey"].as_str().unwrap().to_owned()).collect()
    }

    fn connection(&self) -> String {
        self.events.lock().unwrap()[0]["requestContext"]["connectionId"].as_str().unwrap().to_owned()
    }
}

fn gateway(limits: Limits) -> (WebSocketGateway, Arc<Functions>) {
    let functions = Arc::new(Functions::default());
    let route =
        |key: &str, answers| WebSocketRoute { key: key.into(), function: "F".into(), answers, timeout_ms: 1_000 };
    let api = WebSocketApi {
        logical_id: "Api".into(),
        stage: "live".into(),
        action: vec!["action".into()],
        routes: vec![
            route("$connect", false),
            route("$disconnect", false),
            route("echo", true),
            route("$default", false),
        ],
    };
    let invoke = Arc::clone(&functions) as Arc<dyn Invoke>;
    (WebSocketGateway::start(api, limits, listen(0).unwrap(), invoke).unwrap(), functions)
}

/// The answer's status to a plain HTTP request.
async fn http(address: SocketAddr, method: &str, path: &str, body: &[u8]) -> u16 {
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let head =
        format!("{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    std::str::from_utf8(&answer[9..12]).unwrap().parse().unwrap()
}

async fn eventually(what: &str, condition: impl Fn() -> bool) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    while !condition() {
        assert!(tokio::time::Instant::now() < deadline, "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn connect_may_refuse_and_messages_take_the_route_of_their_action() {
    let (gateway, functions) = gateway(Limits::default());
    let url = format!("ws://{}", gateway.address());
    let refused = tokio_tungstenite::connect_async(format!("{url}/?refuse=yes")).await;
    assert!(matches!(refused, Err(Error::Http(answer)) if answer.status() == 401));
    let (mut socket, _) = tokio_tungstenite::connect_async(url).await.unwrap();
    // No answer to the first: its route has no response.
    socket.send(Message::text("not json")).await.unwrap();
    socket.send(Message::text(r#"{"action":"echo"}"#)).await.unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap(), Message::text(r#"{"action":"echo"}"#));
    socket.close(None).await.unwrap();
    eventually("$disconnect", || functions.routes().last().is_some_and(|route| route == "$disconnect")).await;
    assert_eq!(functions.routes(), ["$connect", "$connect", "$default", "echo", "$disconnect"]);
    assert_eq!(http(gateway.address(), "GET", "/", b"").await, 426);
    gateway.stop().await;
}

#[tokio::test]
async fn the_connections_api_sends_looks_closes_and_knows_who_has_gone() {
    let (gateway, functions) = gateway(Limits::default());
    let at = gateway.address();
    let (mut socket, _) = tokio_tungstenite::connect_async(format!("ws://{at}")).await.unwrap();
    eventually("the socket", || gateway.connections() == 1).await;
    let path = format!("/live/@connections/{}", functions.connection().replace('=', "%3D"));
    assert_eq!(http(at, "POST", &path, b"hello").await, 200);
    assert_eq!(socket.next().await.unwrap().unwrap(), Message::text("hello"));
    assert_eq!(http(at, "GET", &path, b"").await, 200);
    assert_eq!(http(at, "POST", &path, &vec![b'x'; 129 * 1_024]).await, 413);
    assert_eq!(http(at, "DELETE", &path, b"").await, 204);
    assert!(matches!(socket.next().await, Some(Ok(Message::Close(_)))));
    for method in ["POST", "GET", "DELETE"] {
        assert_eq!(http(at, method, &path, b"").await, 410, "{method}");
    }
    gateway.stop().await;
}

#[tokio::test]
async fn a_socket_that_never_reads_is_cut_off_and_others_go_on() {
    let (gateway, functions) = gateway(Limits::default());
    let at = gateway.address();
    let (_deaf, _) = tokio_tungstenite::connect_async(format!("ws://{at}")).await.unwrap();
    eventually("the socket", || gateway.connections() == 1).await;
    let deaf = format!("/@connections/{}", functions.connection().replace('=', "%3D"));
    let (mut other, _) = tokio_tungstenite::connect_async(format!("ws://{at}")).await.unwrap();
    let message = vec![b'x'; 100 * 1_024];
    let mut sent = 0;
    while http(at, "POST", &deaf, &message).await == 200 {
        sent += 1;
        assert!(sent < 1_000, "what nobody reads must not pile up");
    }
    other.send(Message::text(r#"{"action":"echo"}"#)).await.unwrap();
    assert!(matches!(other.next().await, Some(Ok(Message::Text(_)))));
    eventually("the deaf one's end", || gateway.connections() == 1).await;
    gateway.stop().await;
}

#[tokio::test]
async fn quiet_sockets_and_old_ones_are_closed() {
    for limits in [
        Limits { idle: Duration::from_millis(200), ..Limits::default() },
        Limits { lifetime: Duration::from_millis(200), ..Limits::default() },
    ] {
        let (gateway, functions) = gateway(limits);
        let (mut socket, _) = tokio_tungstenite::connect_async(format!("ws://{}", gateway.address())).await.unwrap();
        assert!(matches!(socket.next().await, Some(Ok(Message::Close(Some(_))))));
        eventually("$disconnect", || functions.routes() == ["$connect", "$disconnect"]).await;
        gateway.stop().await;
    }
}
