//! A function for the tests: a Runtime API client on plain sockets that does what its event tells it.
//!
//! Event `{"do": …}`: `echo` (default) answers the event, `env` its environment, `error` reports an error, `crash` aborts,
//! `exit` leaves with status 0, `hang` never answers, `sleep` answers after `ms`, `big` answers `bytes` bytes, `raw`
//! answers `text` as it is, `log` writes `lines`, `allocate` takes `mb` MB, `stream` answers in streaming mode, `misuse`
//! answers how its wrong calls of the Runtime API were refused, `again` how its second answer was.
//! `TEST_INIT=fail|exit|hang|panic|allocate` fails before the first /next.

use std::io::{Error, Read, Result, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};

struct Reply {
    head: String,
    body: Vec<u8>,
}

impl Reply {
    fn header(&self, name: &str) -> Option<&str> {
        self.head
            .lines()
            .filter_map(|line| line.split_once(':'))
            .find_map(|(key, value)| key.eq_ignore_ascii_case(name).then(|| value.trim()))
    }
}

fn call(api: &str, method: &str, path: &str, body: &[u8]) -> Result<Reply> {
    call_with(api, method, path, "", body)
}

/// `headers`: each with its line's end.
fn call_with(api: &str, method: &str, path: &str, headers: &str, body: &[u8]) -> Result<Reply> {
    let mut stream = TcpStream::connect(api)?;
    let head = format!(
        "{method} /2018-06-01/runtime/{path} HTTP/1.1\r\nhost: {api}\r\nconnection: close\r\n{headers}content-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    // A refused body closes the connection early; the answer can still be read.
    let _ = stream.write_all(body);
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    let split = bytes.windows(4).position(|window| window == b"\r\n\r\n").ok_or_else(|| Error::other("no answer"))?;
    Ok(Reply { head: String::from_utf8_lossy(&bytes[..split]).into_owned(), body: bytes[split + 4..].to_vec() })
}

impl Reply {
    /// Status and error type.
    fn refusal(&self) -> Value {
        let body: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        json!([self.head.split(' ').nth(1), body["errorType"], body["errorMessage"]])
    }
}

/// Takes memory and touches it, 8 MB at a time, as a function that reads a large file would.
fn allocate(mb: u64) -> usize {
    let mut kept = Vec::new();
    for _ in 0..mb / 8 {
        kept.push(vec![1u8; 8 * 1024 * 1024]);
        std::thread::sleep(Duration::from_millis(10));
    }
    kept.iter().map(|block| usize::from(block[block.len() / 2])).sum()
}

/// Calls that its state does not allow, and how each was refused.
fn misuse(api: &str) -> Result<Value> {
    let wrong = [
        call(api, "GET", "invocation/next", b"")?,
        call(api, "POST", "invocation/nobody/response", b"{}")?,
        call(api, "POST", "invocation/nobody/error", b"{}")?,
        call(api, "POST", "init/error", b"{}")?,
    ];
    Ok(wrong.iter().map(Reply::refusal).collect())
}

fn main() -> Result<()> {
    let api = std::env::var("AWS_LAMBDA_RUNTIME_API").map_err(Error::other)?;
    match std::env::var("TEST_INIT").unwrap_or_default().as_str() {
        "fail" => {
            let error = br#"{"errorMessage":"no table was given","errorType":"Config"}"#;
            call(&api, "POST", "init/error", error)?;
            std::process::exit(1);
        }
        "exit" => {
            eprintln!("the configuration is missing");
            std::process::exit(3);
        }
        "hang" => std::thread::sleep(Duration::from_mins(10)),
        // As a program does that panics, without a panic's backtrace.
        "panic" => {
            eprintln!("thread 'main' panicked at src/main.rs:7:5:\nTABLE is not set");
            std::process::exit(101);
        }
        "allocate" => {
            allocate(4096);
        }
        _ => {}
    }
    let mut second_answer = Value::Null;
    println!("ready as {}", std::env::var("AWS_LAMBDA_FUNCTION_NAME").unwrap_or_default());
    loop {
        let next = call(&api, "GET", "invocation/next", b"")?;
        let id = next.header("lambda-runtime-aws-request-id").unwrap_or_default().to_owned();
        let event: Value = serde_json::from_slice(&next.body).unwrap_or(Value::Null);
        let answer = |body: &[u8]| call(&api, "POST", &format!("invocation/{id}/response"), body).map(|_| ());
        match event["do"].as_str().unwrap_or("echo") {
            "env" => {
                let environment: serde_json::Map<_, _> =
                    std::env::vars().map(|(name, value)| (name, Value::from(value))).collect();
                let headers: Vec<&str> = next.head.lines().collect();
                answer(json!({ "environment": environment, "headers": headers }).to_string().as_bytes())?;
            }
            "error" => {
                let error = br#"{"errorMessage":"refused","errorType":"Refused"}"#;
                call(&api, "POST", &format!("invocation/{id}/error"), error)?;
            }
            "crash" => std::process::abort(),
            "exit" => std::process::exit(0),
            "hang" => std::thread::sleep(Duration::from_mins(10)),
            "sleep" => {
                std::thread::sleep(Duration::from_millis(event["ms"].as_u64().unwrap_or(0)));
                answer(&next.body)?;
            }
            "log" => {
                for line in event["lines"].as_array().into_iter().flatten() {
                    println!("{}", line.as_str().unwrap_or_default());
                }
                answer(&next.body)?;
            }
            "allocate" => answer(allocate(event["mb"].as_u64().unwrap_or(0)).to_string().as_bytes())?,
            "stream" => {
                let path = format!("invocation/{id}/response");
                let mode = "Lambda-Runtime-Function-Response-Mode: streaming\r\n";
                second_answer = call_with(&api, "POST", &path, mode, b"{}")?.refusal();
            }
            "misuse" => answer(misuse(&api)?.to_string().as_bytes())?,
            "again" => {
                answer(second_answer.to_string().as_bytes())?;
                let path = format!("invocation/{id}/response");
                second_answer = call(&api, "POST", &path, b"{}")?.refusal();
            }
            "big" => answer(&vec![b'1'; event["bytes"].as_u64().unwrap_or(0) as usize])?,
            "raw" => answer(event["text"].as_str().unwrap_or_default().as_bytes())?,
            _ => answer(&next.body)?,
        }
    }
}
