//! A record as the payload carries it.

use std::fmt::Write as _;
use std::time::Instant;

use base64::Engine as _;
use rdkafka::message::{Headers as _, Message, Timestamp};

use crate::pattern::Filter;

/// A record, already in the payload's JSON: its exact size decides when a batch is full.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) offset: i64,
    /// Empty for one that no filter lets through: it is never delivered, and done with its batch.
    pub(super) json: String,
    /// Its own time, milliseconds since the epoch; -1: it has none.
    pub(super) at_ms: i64,
    /// When it was fetched: the batching window begins with the first one.
    pub(super) came: Instant,
}

impl Record {
    /// A record where one of `filters` admits it, or where there are none.
    pub(super) fn new(message: &impl Message, filters: &[Filter]) -> Self {
        let admits = |filter: &Filter| filter.admits_metadata(|| metadata(message)) && filter.admits(message.payload());
        let admitted = filters.is_empty() || filters.iter().any(admits);
        let json = if admitted { json(message) } else { String::new() };
        let at_ms = message.timestamp().to_millis().unwrap_or(-1);
        Self { offset: message.offset(), json, at_ms, came: Instant::now() }
    }

    /// Is its own time before this one?
    pub(super) fn is_before(&self, ms: i64) -> bool {
        (0..ms).contains(&self.at_ms)
    }

    /// Did no filter let it through?
    pub(super) fn is_filtered(&self) -> bool {
        self.json.is_empty()
    }
}

/// Time and `timestampType`.
fn timestamp(message: &impl Message) -> (i64, &'static str) {
    match message.timestamp() {
        Timestamp::CreateTime(at) => (at, "CREATE_TIME"),
        Timestamp::LogAppendTime(at) => (at, "LOG_APPEND_TIME"),
        Timestamp::NotAvailable => (-1, "NO_TIMESTAMP_TYPE"),
    }
}

/// What filters may match beside the value.
fn metadata(message: &impl Message) -> serde_json::Value {
    let (timestamp, kind) = timestamp(message);
    serde_json::json!({
        "topic": message.topic(),
        "partition": message.partition(),
        "offset": message.offset(),
        "timestamp": timestamp,
        "timestampType": kind,
    })
}

/// As the payload carries it.
fn json(message: &impl Message) -> String {
    let mut json = String::with_capacity(128 + message.payload().map_or(0, <[u8]>::len) * 4 / 3);
    let (timestamp, kind) = timestamp(message);
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
    json
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
    use rdkafka::message::{Header, OwnedHeaders, OwnedMessage};
    use serde_json::Value;

    use super::*;
    use crate::mapping::batcher::{Batcher, Part};
    use crate::template::model::{KafkaMapping, KafkaSource};

    /// From AWS's guide: <https://docs.aws.amazon.com/lambda/latest/dg/with-msk.html>.
    const OF_AWS: &str = include_str!("fixtures/msk.json");

    /// AWS's sample key is not canonical base64: its last digit holds bits of nothing.
    fn key() -> Vec<u8> {
        let config = base64::engine::GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true);
        let lenient = base64::engine::GeneralPurpose::new(&base64::alphabet::STANDARD, config);
        lenient.decode("abcDEFghiJKLmnoPQRstuVWXyz1234==").unwrap()
    }

    #[test]
    fn the_payload_is_that_of_the_guide() {
        let mut expected: Value = serde_json::from_str(OF_AWS).unwrap();
        let headers = OwnedHeaders::new().insert(Header { key: "headerKey", value: Some("headerValue") });
        let at = Timestamp::CreateTime(1_545_084_650_987);
        let value = b"Hello, this is a test.".to_vec();
        let message = OwnedMessage::new(Some(value), Some(key()), "mytopic".to_owned(), at, 0, 15, Some(headers));
        let arn = expected["eventSourceArn"].as_str().unwrap().to_owned();
        let mapping = KafkaMapping::new("F", "mytopic", KafkaSource::Msk { arn });
        let batcher = Batcher::new(&mapping, expected["bootstrapServers"].as_str().unwrap());
        let payload =
            batcher.payload(&[Part { partition: 0, epoch: 1, end: 16, records: vec![Record::new(&message, &[])] }]);
        expected["records"]["mytopic-0"][0]["key"] = base64::engine::general_purpose::STANDARD.encode(key()).into();
        assert_eq!(serde_json::from_slice::<Value>(&payload).unwrap(), expected);
    }

    #[test]
    fn a_tombstone_without_a_key_has_neither_field() {
        let at = Timestamp::LogAppendTime(5);
        let message = OwnedMessage::new(None, None, "t".to_owned(), at, 3, 9, None);
        let record: Value = serde_json::from_str(&Record::new(&message, &[]).json).unwrap();
        let expected = serde_json::json!({
            "topic": "t", "partition": 3, "offset": 9, "timestamp": 5, "timestampType": "LOG_APPEND_TIME", "headers": [],
        });
        assert_eq!(record, expected);
    }

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
