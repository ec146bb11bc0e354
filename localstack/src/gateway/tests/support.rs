//! A gateway with functions that the test says, and a client that says what it likes.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::functions::{Invoke, Outcome};
use crate::gateway::Gateway;
use crate::template::model::{HttpApi, HttpRoute};

/// What a function does with its event.
pub(crate) type Handler = Box<dyn Fn(&str, &Value) -> Outcome + Send + Sync>;

/// Functions as the test says; keeps what they were asked.
pub(crate) struct Functions {
    handler: Handler,
    calls: Mutex<Vec<(String, Value)>>,
}

impl Functions {
    pub(crate) fn new(handler: impl Fn(&str, &Value) -> Outcome + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self { handler: Box::new(handler), calls: Mutex::default() })
    }

    /// The events of one function so far.
    pub(crate) fn events(&self, function: &str) -> Vec<Value> {
        let calls = self.calls.lock().unwrap();
        calls.iter().filter(|(name, _)| name == function).map(|(_, event)| event.clone()).collect()
    }
}

impl Invoke for Functions {
    fn invoke<'a>(&'a self, function: &'a str, payload: Bytes) -> BoxFuture<'a, Outcome> {
        Box::pin(async move {
            let event: Value = serde_json::from_slice(&payload).unwrap();
            let outcome = (self.handler)(function, &event);
            self.calls.lock().unwrap().push((function.to_owned(), event));
            if function == "Never" {
                std::future::pending::<()>().await;
            }
            outcome
        })
    }
}

pub(crate) fn answered(answer: &Value) -> Outcome {
    Outcome::Response(answer.to_string().into())
}

/// Answers everything with 200 and its function's name.
pub(crate) fn content() -> Arc<Functions> {
    Functions::new(|function, _| answered(&json!({"statusCode": 200, "body": function})))
}

pub(crate) fn route(key: &str, function: &str) -> HttpRoute {
    let (method, path) = key.split_once(' ').unwrap_or(("ANY", key));
    HttpRoute {
        method: method.into(),
        path: path.into(),
        function: function.into(),
        timeout_ms: 10_000,
        ..HttpRoute::default()
    }
}

/// An API with one stage, `$default`.
pub(crate) fn api(routes: Vec<HttpRoute>) -> HttpApi {
    HttpApi { logical_id: "Api".into(), stage: "$default".into(), routes, ..HttpApi::default() }
}

pub(crate) async fn start(api: HttpApi, functions: &Arc<Functions>) -> Gateway {
    Gateway::start(api, 0, Arc::clone(functions) as Arc<dyn Invoke>).await.unwrap()
}

/// An answer as it came over the socket.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// All values of a header.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        let lines = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        lines.filter(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value).collect()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.all(name).first().copied()
    }

    /// Status and body, for what the gateway says itself.
    pub(crate) fn says(&self) -> (u16, String) {
        (self.status, self.text().to_owned())
    }
}

/// Sends bytes as they are and reads until the gateway closes; `None`: it closed without an answer.
pub(crate) async fn raw(address: SocketAddr, bytes: &[u8]) -> Option<Reply> {
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    // What is refused early may be cut off while it is still being written.
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut answer)).await;
    assert!(read.is_ok(), "the gateway neither answers nor closes: {}", String::from_utf8_lossy(&answer));
    let split = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = String::from_utf8(answer[..split].to_vec()).unwrap();
    let status = head[9..12].parse().unwrap();
    Some(Reply { status, head, body: answer[split + 4..].to_vec() })
}

/// A request with headers, one a line, and a body.
pub(crate) async fn send(address: SocketAddr, request: &str, headers: &[&str], body: &[u8]) -> Reply {
    let host =
        if headers.iter().any(|line| line.to_ascii_lowercase().starts_with("host:")) { "" } else { "host: x\r\n" };
    let mut bytes = format!("{request} HTTP/1.1\r\n{host}connection: close\r\ncontent-length: {}\r\n", body.len());
    for line in headers {
        bytes.push_str(line);
        bytes.push_str("\r\n");
    }
    bytes.push_str("\r\n");
    let mut bytes = bytes.into_bytes();
    bytes.extend_from_slice(body);
    raw(address, &bytes).await.unwrap()
}

/// A request without anything.
pub(crate) async fn get(address: SocketAddr, path: &str) -> Reply {
    send(address, &format!("GET {path}"), &[], b"").await
}
