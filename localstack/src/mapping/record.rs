//! A record as the payload carries it.

use std::fmt::Write as _;
use std::time::Instant;

use base64::Engine as _;
use rdkafka::message::{BorrowedMessage, Headers as _, Message as _, Timestamp};

/// A record, already in the payload's JSON: its exact size decides when a batch is full.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) offset: i64,
    pub(super) json: String,
    /// When it was fetched: the batching window begins with the first one.
    pub(super) came: Instant,
}

impl Record {
    pub(super) fn new(message: &BorrowedMessage<'_>) -> Self {
        let mut json = String::with_capacity(128 + message.payload_len() * 4 / 3);
        let (timestamp, kind) = match message.timestamp() {
            Timestamp::CreateTime(at) => (at, "CREATE_TIME"),
            Timestamp::LogAppendTime(at) => (at, "LOG_APPEND_TIME"),
            Timestamp::NotAvailable => (-1, "NO_TIMESTAMP_TYPE"),
        };
        let topic = serde_json::Value::from(message.topic());
        let (partition, offset) = (message.partition(), message.offset());
        let _ = write!(
            json,
            r#"{{"topic":{topic},"partition":{partition},"offset":{offset},"timestamp":{timestamp},"timestampType":"{kind}""#
        );
        // A keyless record and a tombstone have no such field.
        for (name, bytes) in [("key", message.key()), ("value", message.payload())] {
            if let Some(bytes) = bytes {
                let _ = write!(json, r#","{name}":""#);
                base64::engine::general_purpose::STANDARD.encode_string(bytes, &mut json);
                json.push('"');
            }
        }
        json.push_str(r#","headers":["#);
        if let Some(headers) = message.headers() {
            for (at, header) in headers.iter().enumerate() {
                json.push_str(if at > 0 { "," } else { "" });
                push_header(&mut json, header.key, header.value);
            }
        }
        json.push_str("]}");
        Self { offset, json, came: Instant::now() }
    }
}

/// `{"name":[104,-61]}`: Java's bytes are signed.
fn push_header(json: &mut String, name: &str, value: Option<&[u8]>) {
    let name = serde_json::Value::from(name);
    let Some(value) = value else {
        let _ = write!(json, "{{{name}:null}}");
        return;
    };
    let _ = write!(json, "{{{name}:[");
    for (at, byte) in value.iter().enumerate() {
        let comma = if at > 0 { "," } else { "" };
        let _ = write!(json, "{comma}{}", byte.cast_signed());
    }
    json.push_str("]}");
}

#[cfg(test)]
mod tests {
    #[test]
    fn header_bytes_are_signed() {
        let mut json = String::new();
        super::push_header(&mut json, "a\"b", Some("hÃ".as_bytes()));
        assert_eq!(json, r#"{"a\"b":[104,-61,-125]}"#);
        let mut json = String::new();
        super::push_header(&mut json, "n", None);
        assert_eq!(json, r#"{"n":null}"#);
    }
}
