//! How large messages may be, and how long sockets may live.

use futures::SinkExt as _;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{CloseCode, Data, OpCode};

use super::*;

#[tokio::test]
async fn quiet_sockets_and_old_ones_are_closed() {
    for limits in [
        Limits { idle: Duration::from_millis(200), ..Limits::default() },
        Limits { lifetime: Duration::from_millis(200), ..Limits::default() },
    ] {
        let functions = echo();
        let gateway = start(api(), limits, &functions);
        let mut socket = open(gateway.address(), "/", &[]).await.unwrap();
        assert!(matches!(next(&mut socket).await, Message::Close(Some(_))));
        eventually("$disconnect", || route_keys(&functions) == ["$connect", "$disconnect"]).await;
        gateway.stop().await;
    }
}

#[tokio::test]
async fn messages_in_either_direction_keep_a_socket_and_pings_do_not() {
    let functions = echo();
    let gateway = start(api(), Limits { idle: Duration::from_millis(400), ..Limits::default() }, &functions);
    let (mut busy, mut quiet) =
        (open(gateway.address(), "/", &[]).await.unwrap(), open(gateway.address(), "/", &[]).await.unwrap());
    let begin = tokio::time::Instant::now();
    let mut ended = None;
    while begin.elapsed() < Duration::from_millis(1_200) {
        busy.send(Message::text(r#"{"action":"echo"}"#)).await.unwrap();
        assert!(matches!(next(&mut busy).await, Message::Text(_)));
        if ended.is_none() {
            quiet.send(Message::Ping(Vec::new().into())).await.unwrap();
            ended = matches!(next(&mut quiet).await, Message::Close(_)).then(|| begin.elapsed());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(ended.is_some_and(|after| after >= Duration::from_millis(400)), "{ended:?}");
    gateway.stop().await;
}

/// A whole message in frames of `frame` bytes; how it ended.
async fn sent(frame: usize, bytes: usize) -> Message {
    let gateway = start(api(), Limits::default(), &echo());
    let mut socket = open(gateway.address(), "/", &[]).await.unwrap();
    let body = format!(r#"{{"action":"echo","x":"{}"}}"#, "x".repeat(bytes - 24)).into_bytes();
    assert_eq!(body.len(), bytes);
    let count = body.len().div_ceil(frame);
    for (index, part) in body.chunks(frame).enumerate() {
        let code = OpCode::Data(if index == 0 { Data::Text } else { Data::Continue });
        let frame = Frame::message(part.to_vec(), code, index + 1 == count);
        // What comes after one that is too large meets a socket that is closing.
        if socket.send(Message::Frame(frame)).await.is_err() {
            break;
        }
    }
    let ended = next(&mut socket).await;
    gateway.stop().await;
    ended
}

#[tokio::test]
async fn frames_of_32_kb_make_messages_of_128_kb_and_no_larger_ones() {
    let (frame, message) = (32 * 1_024, 128 * 1_024);
    assert_eq!(sent(frame, message).await.len(), message);
    for (frame, message) in [(frame + 1, frame + 1), (frame, message + 1)] {
        match sent(frame, message).await {
            Message::Close(Some(close)) => assert_eq!(close.code, CloseCode::Size),
            other => panic!("{} bytes in frames of {frame} came through: {} bytes", message, other.len()),
        }
    }
}

#[tokio::test]
async fn stop_closes_every_socket() {
    let functions = echo();
    let gateway = start(api(), Limits::default(), &functions);
    let mut socket = open(gateway.address(), "/", &[]).await.unwrap();
    eventually("the socket", || gateway.connections() == 1).await;
    gateway.stop().await;
    assert!(matches!(next(&mut socket).await, Message::Close(_)));
    eventually("$disconnect", || route_keys(&functions).last().is_some_and(|key| key == "$disconnect")).await;
}
