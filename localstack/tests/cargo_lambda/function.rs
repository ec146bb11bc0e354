//! A function for the tests of `cargo lambda watch`: a Runtime API client on plain sockets, in one file.
//!
//! Event `{"do": …}`: `error`, `crash`, `hang`, or else an answer of greeting, version and number of its process.

use std::io::{Read, Write};

fn call(api: &str, method: &str, path: &str, body: &[u8]) -> std::io::Result<(String, Vec<u8>)> {
    let (host, prefix) = api.trim_start_matches("http://").split_once('/').expect("a path");
    let mut stream = std::net::TcpStream::connect(host)?;
    let length = body.len();
    write!(
        stream,
        "{method} /{prefix}/2018-06-01/runtime/{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n"
    )?;
    stream.write_all(body)?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    let split = bytes.windows(4).position(|window| window == b"\r\n\r\n").expect("an answer");
    Ok((String::from_utf8_lossy(&bytes[..split]).to_lowercase(), bytes[split + 4..].to_vec()))
}

fn main() -> std::io::Result<()> {
    let api = std::env::var("AWS_LAMBDA_RUNTIME_API").expect("the Runtime API");
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    loop {
        let (head, event) = call(&api, "GET", "invocation/next", b"")?;
        let id = head.lines().find_map(|line| line.strip_prefix("lambda-runtime-aws-request-id: ")).expect("an id");
        let event = String::from_utf8_lossy(&event);
        println!("an event of {} bytes", event.len());
        if event.contains("crash") {
            std::process::abort();
        }
        if event.contains("hang") {
            std::thread::sleep(std::time::Duration::from_secs(600));
        }
        if event.contains("error") {
            let error = br#"{"errorType":"Refused","errorMessage":"no"}"#;
            call(&api, "POST", &format!("invocation/{id}/error"), error)?;
            continue;
        }
        let answer = format!(
            r#"{{"version":"first","greeting":{:?},"memory":"{}","pid":{}}}"#,
            variable("GREETING"),
            variable("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"),
            std::process::id()
        );
        call(&api, "POST", &format!("invocation/{id}/response"), answer.as_bytes())?;
    }
}
